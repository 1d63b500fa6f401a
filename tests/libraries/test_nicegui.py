"""NiceGUI's helpers."""

from __future__ import annotations

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.libraries.measure import Claim, Place, Probe, claims, library

nicegui = library("nicegui")
run = library("nicegui.run")


@claims("runs", "nicegui.run.io_bound")
async def test_io_bound(claim: Claim) -> None:
    probe = Probe()
    await run.io_bound(probe)
    claim.check(probe)


@claims("runs", "nicegui.run.cpu_bound")
async def test_cpu_bound(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pool that is not forked: other libraries' threads may hold locks, which a copy would never get."""
    home = Place.here()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        monkeypatch.setattr(run, "process_pool", pool)
        place = await run.cpu_bound(Place.here)
    claim.check_places([place], home)


@claims("operations", "nicegui.background_tasks.create")
async def test_task(claim: Claim) -> None:
    async def coroutine() -> None:
        """Never begins."""

    made = coroutine()
    with pytest.raises((RuntimeError, AssertionError)):
        await asyncio.to_thread(library("nicegui.background_tasks").create, made)
    made.close()
    claim.note("raises")
