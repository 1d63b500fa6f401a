"""Textual, without a terminal."""

from __future__ import annotations

from typing import Any

from tests.libraries.measure import Claim, Probe, claims, library

textual = library("textual")
app = library("textual.app")


async def run(main: Any, **members: Any) -> None:
    """Let `main` do something with an application that has these methods."""
    made = type("App", (app.App,), members)()
    async with made.run_test():
        await main(made)


@claims("runs", "textual.dom.DOMNode.run_worker")
async def test_worker(claim: Claim) -> None:
    probe = Probe()

    async def main(made: Any) -> None:
        made.run_worker(probe, **claim.row.when)
        await probe.called()

    await run(main)
    claim.check(probe)


@claims("decorators", "textual.work")
async def test_work(claim: Claim) -> None:
    probe = Probe()

    async def main(made: Any) -> None:
        made.work()
        await probe.called()

    await run(main, work=textual.work(**claim.row.when)(claim.handler(probe, "self")))
    claim.check(probe)


@claims("runs", "textual.app.App.call_from_thread")
async def test_crossing(claim: Claim) -> None:
    probe = Probe()

    async def main(made: Any) -> None:
        made.run_worker(lambda: made.call_from_thread(probe), thread=True)
        await probe.called()

    await run(main)
    assert claim.row.crossing
    claim.check(probe)
