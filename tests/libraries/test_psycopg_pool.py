"""psycopg's pool, with nobody to connect to."""

from __future__ import annotations

import asyncio
import socket

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

psycopg_pool = library("psycopg_pool")


@claims("runs", "psycopg_pool.ConnectionPool", argument="reconnect_failed")
async def test_failure(claim: Claim) -> None:
    probe = Probe()
    with socket.create_server((HOST, 0)) as unheard:
        port = unheard.getsockname()[1]
    conninfo = f"host={HOST} port={port}"
    pool = psycopg_pool.ConnectionPool(conninfo, min_size=1, open=True, reconnect_timeout=0.1, reconnect_failed=probe)
    await probe.called()
    await asyncio.to_thread(pool.close)
    claim.check(probe)
