"""Pykka's actors, which have a thread each."""

from __future__ import annotations

from tests.libraries.measure import LIMIT, Claim, Probe, claims, library

pykka = library("pykka")


@claims("overrides", *(f"pykka.ThreadingActor.{name}" for name in ("on_start", "on_stop", "on_receive", "on_failure")))
async def test_actor(claim: Claim) -> None:
    probe = Probe()
    members = {claim.member: claim.handler(probe)}
    if claim.member == "on_failure":
        members["on_receive"] = lambda self, message: 1 / 0
    actor = type("Actor", (pykka.ThreadingActor,), members).start()
    actor.tell("message")
    actor.stop(timeout=LIMIT)
    await probe.called()
    claim.check(probe)
