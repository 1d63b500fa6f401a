"""pynetdicom: one entity asks another for an echo."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

pynetdicom = library("pynetdicom")

VERIFICATION = "1.2.840.10008.1.1"
PORT = 50112


def entity() -> Any:
    """One that can only answer and ask whether it is there."""
    made = pynetdicom.AE()
    made.add_supported_context(VERIFICATION)
    made.add_requested_context(VERIFICATION)
    return made


def echo(asked: list[Any], asking: list[Any]) -> None:
    """Ask for one echo, with these handlers of the two."""
    server = entity().start_server((HOST, PORT), block=False, evt_handlers=asked)
    association = entity().associate(HOST, PORT, evt_handlers=asking)
    association.send_c_echo()
    association.release()
    server.shutdown()


@claims("runs", "pynetdicom.AE.start_server")
async def test_acceptor(claim: Claim) -> None:
    probe = Probe(0x0000)
    await asyncio.to_thread(echo, [(pynetdicom.evt.EVT_C_ECHO, probe)], [])
    claim.check(probe)


@claims("runs", "pynetdicom.AE.associate")
async def test_requestor(claim: Claim) -> None:
    probe = Probe()
    await asyncio.to_thread(echo, [], [(pynetdicom.evt.EVT_RELEASED, probe)])
    claim.check(probe)


@claims("runs", "pynetdicom.transport.AssociationServer.bind")
async def test_bound(claim: Claim) -> None:
    probe = Probe(0x0000)
    server = entity().start_server((HOST, PORT), block=False)
    server.bind(pynetdicom.evt.EVT_C_ECHO, probe)
    association = await asyncio.to_thread(entity().associate, HOST, PORT)
    await asyncio.to_thread(association.send_c_echo)
    await asyncio.to_thread(association.release)
    await asyncio.to_thread(server.shutdown)
    claim.check(probe)
