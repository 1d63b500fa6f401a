"""pySerial's reader thread on a port that hears what it says."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import Claim, Probe, claims, library

serial = library("serial")
threaded = library("serial.threaded")


@claims("overrides", "serial.threaded.*")
async def test_protocol(claim: Claim) -> None:
    probe = Probe()
    base = getattr(threaded, claim.name.split(".")[-2])
    protocol = type("Protocol", (base,), {claim.member: claim.handler(probe)})
    port = serial.serial_for_url("loop://", timeout=0.1)
    reader = threaded.ReaderThread(port, protocol)
    reader.start()
    await asyncio.to_thread(reader.connect)
    reader.write(b"1(1)\r\n\x00")
    if claim.member == "connection_lost":
        await asyncio.to_thread(reader.close)
    await probe.called()
    await asyncio.to_thread(reader.close)
    claim.check(probe)
