"""PyMongo's listeners, with nobody to talk to."""

from __future__ import annotations

import asyncio
import socket

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

pymongo = library("pymongo")
monitoring = library("pymongo.monitoring")

CALLED = (
    "ServerHeartbeatListener.started",
    "ServerHeartbeatListener.failed",
    "ServerListener.opened",
    "TopologyListener.opened",
    "TopologyListener.description_changed",
)


@claims("overrides", *(f"pymongo.monitoring.{name}" for name in CALLED))
async def test_listener(claim: Claim) -> None:
    probe = Probe()
    base = getattr(monitoring, claim.name.split(".")[-2])
    plain = {name: lambda *_: None for name in dir(base) if not name.startswith("_")}
    listener = type("Listener", (base,), {**plain, claim.member: claim.handler(probe)})()
    with socket.create_server((HOST, 0)) as unheard:
        port = unheard.getsockname()[1]
    client = pymongo.MongoClient(HOST, port, event_listeners=[listener], connect=True)
    await probe.called()
    await asyncio.to_thread(client.close)
    claim.check(probe)
