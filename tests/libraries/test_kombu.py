"""kombu with its transport in memory: the consumer's thread and the loop's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library

kombu = library("kombu")


def consume(claim: Claim, probe: Probe) -> None:
    """Hand the probe over as the row says, and let one message come."""
    with kombu.Connection("memory://") as connection, consumer(claim, probe, connection):
        connection.SimpleQueue("measured").put("message")
        connection.drain_events(timeout=5)


@contextmanager
def consumer(claim: Claim, probe: Probe, connection: Any) -> Iterator[None]:
    queue = kombu.Queue("measured", kombu.Exchange("measured"), routing_key="measured")
    if claim.member == "register_callback":
        made = connection.Consumer(queue, no_ack=True)
        made.register_callback(probe)
    elif claim.name == "kombu.Consumer":
        made = kombu.Consumer(connection.channel(), queue, True, True, [probe])
    else:
        made = connection.Consumer(queue, no_ack=True, callbacks=[probe])
    with made:
        yield


@claims("runs", "kombu.*")
async def test_thread(claim: Claim) -> None:
    probe = Probe()
    await asyncio.to_thread(consume, claim, probe)
    claim.check(probe)


@claims("runs", "kombu.*")
async def test_loop(claim: Claim) -> None:
    probe = Probe()
    consume(claim, probe)
    claim.check_likely(probe)
    claim.note("loop")
