"""websocket-client against a server of websockets."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

websocket = library("websocket")
server = library("websockets.asyncio.server")


async def greet(connection: Any) -> None:
    await connection.send("hello")
    await connection.ping()


async def run(claim: Claim, make: Any) -> None:
    """Let the handler of this name run."""
    probe = Probe()
    async with server.serve(greet, HOST, 0, close_timeout=1) as serving:
        port = serving.sockets[0].getsockname()[1]
        app = make(f"ws://{HOST}:{port}", probe)
        thread = threading.Thread(target=app.run_forever)
        thread.start()
        await probe.called()
        await asyncio.to_thread(app.close)
    claim.check(probe)


HANDLERS = ("on_open", "on_message", "on_data", "on_ping", "on_close")


@claims("assigns", *(f"websocket.WebSocketApp.{name}" for name in HANDLERS))
async def test_assigned(claim: Claim) -> None:
    def make(url: str, probe: Probe) -> Any:
        app = websocket.WebSocketApp(url)
        setattr(app, claim.member, probe)
        return app

    await run(claim, make)


@claims("runs", "websocket.WebSocketApp", argument="on_message")
async def test_given(claim: Claim) -> None:
    """Each handler at its position of the row."""
    for given in claim.row.callables:
        if given.keyword in HANDLERS:
            await run(claim, partial(at_position, given.position))


def at_position(position: int, url: str, probe: Probe) -> Any:
    return websocket.WebSocketApp(url, *[None] * (position - 1), probe)
