"""eclipse-zenoh, a session that talks to itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.libraries.measure import Claim, Probe, claims, library

zenoh = library("zenoh")

KEY = "measured/key"


@contextmanager
def session() -> Iterator[Any]:
    """A session that looks for nobody and listens to nobody."""
    config = zenoh.Config()
    config.insert_json5("scouting/multicast/enabled", "false")
    config.insert_json5("listen/endpoints", "[]")
    with zenoh.open(config) as opened:
        yield opened


@pytest.mark.parametrize("wrapped", [False, True])
@claims("runs", "zenoh.Session.declare_subscriber")
async def test_subscriber(claim: Claim, wrapped: bool) -> None:
    probe = Probe()
    with session() as opened:
        subscriber = opened.declare_subscriber(KEY, (probe, None) if wrapped else probe)
        opened.put(KEY, b"1")
        await probe.called()
        subscriber.undeclare()
    claim.check(probe)
