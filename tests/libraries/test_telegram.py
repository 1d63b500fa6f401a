"""python-telegram-bot's tasks."""

from __future__ import annotations

import asyncio

import pytest

from tests.libraries.measure import Claim, Probe, claims, library

ext = library("telegram.ext")


@claims("operations", "telegram.ext.Application.create_task")
async def test_task(claim: Claim) -> None:
    probe = Probe()

    async def coroutine() -> None:
        probe()

    application, made = ext.ApplicationBuilder().token("1:1").updater(None).build(), coroutine()
    with pytest.raises(RuntimeError, match="no running event loop"):
        await asyncio.to_thread(application.create_task, made)
    made.close()
    assert claim.row.needs_running_loop
    await application.create_task(coroutine())
    claim.note("RuntimeError")
