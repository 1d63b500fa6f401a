"""confluent-kafka against the broker that librdkafka brings along for tests."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.libraries.measure import LIMIT, Claim, Probe, claims, library
from tests.libraries.servers import kafka_broker

kafka = library("confluent_kafka")


@claims("runs", "confluent_kafka.Producer.poll", "confluent_kafka.Producer.flush")
async def test_delivery(claim: Claim) -> None:
    """The handler runs on the thread that polls, whoever has produced."""
    probe = Probe()
    broker, address = kafka_broker()
    producer = kafka.Producer({"bootstrap.servers": address})
    producer.produce("topic", b"1", None, -1, probe)
    if claim.member == "flush":
        producer.flush(LIMIT)
    else:
        poll_until_called(producer, probe)
    claim.check(probe)
    del broker


@claims("runs", "confluent_kafka.Producer", "confluent_kafka.Consumer")
async def test_errors(claim: Claim) -> None:
    probe = Probe()
    config = {"bootstrap.servers": "127.0.0.1:1", "error_cb": probe, "group.id": "group"}
    client = getattr(kafka, claim.member)(config)
    await asyncio.to_thread(poll_until_called, client, probe)
    claim.check(probe)


@claims("runs", "confluent_kafka.Consumer.poll", "confluent_kafka.Consumer.consume")
async def test_assignment(claim: Claim) -> None:
    probe = Probe()
    broker, address = kafka_broker()
    consumer = kafka.Consumer({"bootstrap.servers": address, "group.id": "group"})
    consumer.subscribe(["topic"], probe)
    poll_until_called(consumer, probe, claim.member)
    consumer.close()
    del broker
    claim.check(probe)


def poll_until_called(client: Any, probe: Probe, method: str = "poll") -> None:
    for _ in range(int(LIMIT) * 10):
        getattr(client, method)(timeout=0.1)
        if probe.places:
            return
