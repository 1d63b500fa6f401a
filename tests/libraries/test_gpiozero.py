"""gpiozero with pins that are not there. Its own threads count; an edge comes from whoever sets the pretended pin."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.libraries.measure import LIMIT, Claim, Probe, claims, library

gpiozero = library("gpiozero")
mock = library("gpiozero.pins.mock")


@pytest.fixture
def factory() -> Iterator[Any]:
    made = gpiozero.Device.pin_factory = mock.MockFactory()
    yield made
    made.reset()


@claims("assigns", "gpiozero.Button.when_held")
async def test_held(claim: Claim, factory: Any) -> None:
    probe = Probe()
    with gpiozero.Button(2, hold_time=0.01) as button:
        button.when_held = claim.handler(probe)
        factory.pin(2).drive_low()
        await probe.called()
    claim.check(probe)


SENSORS = ("MotionSensor.when_motion", "MotionSensor.when_no_motion", "LineSensor.when_line", "LineSensor.when_no_line")


@claims("assigns", *(f"gpiozero.{name}" for name in SENSORS))
async def test_sensor(claim: Claim, factory: Any) -> None:
    """The background thread that smooths what the pin says."""
    probe = Probe()
    sensor = getattr(gpiozero, claim.name.split(".")[1])
    with sensor(4) as made:
        setattr(made, claim.member, claim.handler(probe))
        on, off = factory.pin(4).drive_high, factory.pin(4).drive_low
        # An event is a change: there must be a state before.
        for drive, wait in ((off, made.wait_for_inactive), (on, made.wait_for_active), (off, made.wait_for_inactive)):
            drive()
            await asyncio.to_thread(wait, LIMIT)
        await probe.called()
    claim.check(probe)
