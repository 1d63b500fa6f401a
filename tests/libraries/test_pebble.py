"""Pebble's threads."""

from __future__ import annotations

from tests.libraries.measure import Claim, Probe, claims, library

pebble = library("pebble")


@claims("runs", "pebble.ThreadPool.schedule", "pebble.ThreadPool.submit", "pebble.ThreadPool.map")
async def test_pool(claim: Claim) -> None:
    probe = Probe()
    with pebble.ThreadPool() as pool:
        getattr(pool, claim.member)(probe, *([[1]] if claim.member == "map" else []))
        await probe.called()
    claim.check(probe)


@claims("decorators", "pebble.concurrent.thread", "pebble.asynchronous.thread")
async def test_decorators(claim: Claim) -> None:
    probe = Probe()
    decorator = pebble.concurrent.thread if "concurrent" in claim.name else pebble.asynchronous.thread
    decorator(claim.handler(probe))()
    await probe.called()
    claim.check(probe)
