"""HAP-python's driver, which announces nothing here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

driver_module = library("pyhap.accessory_driver")
util = library("pyhap.util")


def new_driver(folder: Path) -> Any:
    return driver_module.AccessoryDriver(
        address=HOST,
        port=0,
        persist_file=str(folder / "state"),
        loop=asyncio.get_running_loop(),
        async_zeroconf_instance=MagicMock(),
    )


@claims("runs", "pyhap.accessory_driver.AccessoryDriver.*add_job")
async def test_job(claim: Claim, tmp_path: Path) -> None:
    probe = Probe()
    getattr(new_driver(tmp_path), claim.member)(claim.handler(probe))
    await probe.called()
    claim.check(probe)


@claims("runs", "pyhap.accessory_driver.AccessoryDriver.async_add_job")
async def test_decorated_job(claim: Claim, tmp_path: Path) -> None:
    probe = Probe()
    assert claim.row.unless_decorated == ("pyhap.util.callback",)
    if claim.is_async:
        pytest.skip("the decorator is for plain functions")
    new_driver(tmp_path).async_add_job(util.callback(claim.handler(probe)))
    await probe.called()
    assert [place.seen_from(probe.home) for place in probe.places] == ["loop"]
    claim.note("loop")
