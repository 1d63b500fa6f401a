"""opcua: a client of a server in the test."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

opcua = library("opcua")

URL = f"opc.tcp://{HOST}:50840"


def subscribe(claim: Claim, probe: Probe) -> None:
    """Subscribe to a variable, on the client or on the server itself."""
    handler = type("Handler", (), {"datachange_notification": claim.handler(probe)})()
    server, client = opcua.Server(), opcua.Client(URL)
    server.set_endpoint(URL)
    variable = server.get_objects_node().add_variable("ns=2;i=1", "measured", 1)
    server.start()
    client.connect()
    try:
        owner = client if claim.name.startswith("opcua.Client") else server
        owner.create_subscription(10, handler).subscribe_data_change(owner.get_node(variable.nodeid))
        probe.wait()
    finally:
        client.disconnect()
        server.stop()


@claims("runs", "opcua.Client.create_subscription")
async def test_client(claim: Claim) -> None:
    probe = Probe()
    await asyncio.to_thread(subscribe, claim, probe)
    claim.check(probe)


@claims("runs", "opcua.Server.create_subscription")
async def test_server(claim: Claim) -> None:
    """The server's thread runs a loop of its own."""
    probe = Probe()
    await asyncio.to_thread(subscribe, claim, probe)
    assert {place.seen_from(probe.home) for place in probe.places} == {"own-loop"}
    assert probe.home.thread not in {place.thread for place in probe.places}
    claim.note("thread")
