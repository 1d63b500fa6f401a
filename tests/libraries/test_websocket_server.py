"""websocket-server, with a client of websocket-client."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

websocket_server = library("websocket_server")
websocket = library("websocket")


@claims("runs", "websocket_server.WebsocketServer.*")
async def test_function(claim: Claim) -> None:
    probe, server = Probe(), websocket_server.WebsocketServer(host=HOST, port=0)
    getattr(server, claim.member)(probe)
    server.run_forever(threaded=True)
    await asyncio.to_thread(visit, server.port)
    await probe.called()
    await asyncio.to_thread(server.shutdown_abruptly)
    claim.check(probe)


def visit(port: int) -> None:
    """Come, say something, and leave."""
    client = websocket.create_connection(f"ws://{HOST}:{port}")
    client.send("message")
    client.close()
