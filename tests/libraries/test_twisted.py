"""Twisted on asyncio's loop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.libraries.measure import Claim, Probe, claims, library

asyncioreactor = library("twisted.internet.asyncioreactor")
threads = library("twisted.internet.threads")


@pytest.fixture
def reactor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What `from twisted.internet import reactor` gives; the test starts it."""
    loop = asyncio.new_event_loop()
    made = asyncioreactor.AsyncioSelectorReactor(loop)
    monkeypatch.setattr("twisted.internet.reactor", made, raising=False)
    monkeypatch.setitem(sys.modules, "twisted.internet.reactor", made)
    yield made
    loop.close()


def run(reactor: Any, main: Any) -> None:
    """Call `main` on the running reactor."""

    async def run_and_stop() -> None:
        try:
            await main()
        finally:
            reactor.stop()

    task = reactor._asyncioEventloop.create_task(run_and_stop())
    reactor.run(installSignalHandlers=False)
    task.result()


@claims("runs", "twisted.internet.reactor.callInThread", "twisted.internet.threads.deferToThread")
def test_thread(claim: Claim, reactor: Any) -> None:
    async def main() -> None:
        probe = Probe()
        (reactor.callInThread if claim.member == "callInThread" else threads.deferToThread)(probe)
        await probe.called()
        claim.check(probe)

    run(reactor, main)


@claims("runs", "twisted.internet.threads.deferToThreadPool")
def test_pool(claim: Claim, reactor: Any) -> None:
    async def main() -> None:
        probe = Probe()
        threads.deferToThreadPool(reactor, reactor.getThreadPool(), probe)
        await probe.called()
        claim.check(probe)

    run(reactor, main)


@claims("runs", "twisted.internet.reactor.callFromThread")
def test_crossing(claim: Claim, reactor: Any) -> None:
    async def main() -> None:
        probe = Probe()
        await asyncio.to_thread(reactor.callFromThread, probe)
        await probe.called()
        assert claim.row.crossing
        claim.check(probe)

    run(reactor, main)
