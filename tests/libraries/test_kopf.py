"""kopf's handlers of its own start, for which it needs no cluster."""

from __future__ import annotations

import asyncio
import logging

from tests.libraries.measure import Claim, Probe, claims, library

kopf = library("kopf")


@claims("decorators", "kopf.on.startup", "kopf.on.cleanup")
async def test_activity(claim: Claim) -> None:
    probe, registry = Probe(), kopf.OperatorRegistry()
    getattr(kopf.on, claim.member)(registry=registry)(claim.handler(probe))

    @kopf.on.login(registry=registry)
    def login(**_: object) -> None:
        """Nobody to log in with."""

    logging.getLogger("kopf").setLevel(logging.CRITICAL)
    operator = asyncio.create_task(kopf.operator(registry=registry, clusterwide=True, standalone=True))
    await asyncio.wait([operator, asyncio.create_task(probe.called())], return_when=asyncio.FIRST_COMPLETED)
    operator.cancel()
    await asyncio.wait([operator])
    await probe.called()
    claim.check(probe)
