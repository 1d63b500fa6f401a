"""scapy, which reads what a file has caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.libraries.measure import Claim, Probe, claims, library

scapy = library("scapy.all")

PACKET = scapy.Ether() / scapy.IP() / scapy.UDP()
RETURNS = {"lfilter": True}


@pytest.mark.parametrize("keyword", ["prn", "lfilter", "stop_filter", "started_callback"])
@claims("runs", "scapy.sendrecv.AsyncSniffer")
async def test_sniffer(claim: Claim, keyword: str, tmp_path: Path) -> None:
    probe = Probe(RETURNS.get(keyword))
    sniffer = scapy.AsyncSniffer(offline=caught(tmp_path), **{keyword: probe})
    sniffer.start()
    await probe.called()
    sniffer.join()
    claim.check(probe)


@claims("runs", "scapy.*.sniff")
async def test_sniff(claim: Claim, tmp_path: Path) -> None:
    probe = Probe()
    scapy.sniff(offline=caught(tmp_path), prn=probe)
    # Here is where the loop runs, too: what is called before sniff() returns is called on its thread.
    assert {place.thread for place in probe.places} == {probe.home.thread}
    claim.note("here")


def caught(folder: Path) -> str:
    """A file with one packet."""
    file = str(folder / "caught.pcap")
    scapy.wrpcap(file, [PACKET])
    return file
