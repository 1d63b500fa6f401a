"""kafka-python against the broker that librdkafka brings along for tests."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import LIMIT, Claim, Probe, claims, library
from tests.libraries.servers import kafka_broker

kafka = library("kafka")
library("confluent_kafka")


@claims("runs", "kafka.future.Future.add_callback", "kafka.future.Future.add_both")
async def test_sent(claim: Claim) -> None:
    probe = Probe()
    broker, address = kafka_broker()
    # Nothing is sent before it is flushed: of a future that is done, whoever registers a callback runs it.
    producer = kafka.KafkaProducer(bootstrap_servers=address, api_version=(2, 0), linger_ms=int(LIMIT * 1000))
    getattr(producer.send("topic", b"1"), claim.member)(probe)
    await asyncio.to_thread(producer.flush, LIMIT)
    await probe.called()
    await asyncio.to_thread(producer.close)
    del broker
    claim.check(probe)
