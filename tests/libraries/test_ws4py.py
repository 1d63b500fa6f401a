"""ws4py's client with a thread, against a server of websockets."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

threadedclient = library("ws4py.client.threadedclient")
server = library("websockets.asyncio.server")


async def greet(connection: Any) -> None:
    await connection.send("hello")


@claims("overrides", "ws4py.client.threadedclient.WebSocketClient.*")
async def test_method(claim: Claim) -> None:
    probe = Probe()
    async with server.serve(greet, HOST, 0) as serving:
        port = serving.sockets[0].getsockname()[1]
        make = type("Client", (threadedclient.WebSocketClient,), {claim.member: claim.handler(probe)})
        client = make(f"ws://{HOST}:{port}")
        await asyncio.to_thread(client.connect)
        await probe.called()
        await asyncio.to_thread(client.close)
    claim.check(probe)
