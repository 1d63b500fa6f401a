"""pyModbusTCP: its server is written to by its client."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

server = library("pyModbusTCP.server")
client = library("pyModbusTCP.client")

# The port is not told where it is 0.
PORT = 50233
WRITES = {"on_coils_change": ("write_single_coil", True), "on_holding_registers_change": ("write_single_register", 1)}


@claims("overrides", "pyModbusTCP.server.DataBank.*")
async def test_data_bank(claim: Claim) -> None:
    probe = Probe()
    bank = type("Bank", (server.DataBank,), {claim.member: claim.handler(probe)})()
    running = server.ModbusServer(host=HOST, port=PORT, no_block=True, data_bank=bank)
    running.start()
    writing = client.ModbusClient(host=HOST, port=PORT, auto_close=True)
    method, value = WRITES[claim.member]
    await asyncio.to_thread(getattr(writing, method), 0, value)
    await probe.called()
    await asyncio.to_thread(running.stop)
    claim.check(probe)
