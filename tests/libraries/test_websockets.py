"""websockets: a server is closed on its own loop only."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.libraries.measure import Claim, claims, library
from tests.libraries.operations import Operation, call_soon_threadsafe, check_refused, check_wakes, waiting
from tests.libraries.servers import HOST

server = library("websockets.asyncio.server")


async def close() -> tuple[Operation, asyncio.Future[Any]]:
    serving = await server.serve(print, HOST, 0)
    return serving.close, await waiting(serving.wait_closed())


@claims("operations", "websockets.asyncio.server.Server.close")
def test_debug_mode_refuses(claim: Claim) -> None:
    check_refused(claim, close)


@claims("operations", "websockets.asyncio.server.Server.close")
def test_handed_over_it_wakes_who_waits(claim: Claim) -> None:
    check_wakes(claim, close, call_soon_threadsafe)
