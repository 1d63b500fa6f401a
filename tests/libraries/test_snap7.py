"""python-snap7: its server is read by its client."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

snap7 = library("snap7")
server = library("snap7.server")

PORT = 50102


@claims("runs", "snap7.Server.*")
async def test_callback(claim: Claim) -> None:
    probe, running, client = Probe(), server.Server(log=False), snap7.Client()
    getattr(running, claim.member)(probe)
    running.register_area(snap7.SrvArea.DB, 1, bytearray(8))
    running.start(PORT)
    await asyncio.to_thread(client.connect, HOST, 0, 1, PORT)
    await asyncio.to_thread(client.db_read, 1, 0, 4)
    await probe.called()
    client.disconnect()
    await asyncio.to_thread(running.stop)
    claim.check(probe)
