"""PostHog's client, which reaches nobody."""

from __future__ import annotations

import asyncio

import pytest

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST

posthog = library("posthog")

# Nobody listens there.
NOBODY = f"http://{HOST}:1"


@claims("runs", "posthog.Posthog", "posthog.client.Client")
async def test_error(claim: Claim) -> None:
    probe = Probe()
    make = posthog.Posthog if claim.member == "Posthog" else posthog.client.Client
    client = make("key", host=NOBODY, on_error=probe, flush_at=1, max_retries=0)
    client.capture("event", distinct_id="somebody")
    await probe.called()
    await asyncio.to_thread(client.shutdown)
    claim.check(probe)


@claims("assigns", "posthog.on_error")
async def test_assigned(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = Probe()
    for name, value in {"api_key": "key", "host": NOBODY, "max_retries": 0, claim.member: probe}.items():
        monkeypatch.setattr(posthog, name, value, raising=False)
    monkeypatch.setattr(posthog, "default_client", None)
    posthog.capture("event", distinct_id="somebody")
    await asyncio.to_thread(posthog.flush)
    await probe.called()
    await asyncio.to_thread(posthog.shutdown)
    claim.check(probe)
