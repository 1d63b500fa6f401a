"""python-can on its virtual bus."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import Claim, Probe, claims, library

can = library("can")


async def receive(claim: Claim, listener: object, probe: Probe, loop: asyncio.AbstractEventLoop | None) -> None:
    """One message, on two ends of one virtual channel."""
    with can.Bus(claim.name, interface="virtual") as mine, can.Bus(claim.name, interface="virtual") as other:
        notifier = can.Notifier(mine, [listener] if claim.member != "add_listener" else [], 0.1, loop)
        if claim.member == "add_listener":
            notifier.add_listener(listener)
        other.send(can.Message(data=b"1"))
        await probe.called()
        await asyncio.to_thread(notifier.stop)


@claims("runs", "can.Notifier", "can.Notifier.add_listener")
async def test_listener(claim: Claim) -> None:
    probe = Probe()
    await receive(claim, probe, probe, None)
    claim.check(probe)


@claims("runs", "can.Notifier")
async def test_listener_on_the_loop(claim: Claim) -> None:
    probe = Probe()
    await receive(claim, probe, probe, asyncio.get_running_loop())
    assert [given.keyword for given in claim.row.unless_given] == ["loop"]
    assert [place.seen_from(probe.home) for place in probe.places] == ["loop"]
    claim.note("loop")


@claims("runs", "can.Notifier", "can.Notifier.add_listener", argument="on_message_received")
async def test_listener_class(claim: Claim) -> None:
    probe = Probe()
    listener = type("Listener", (can.Listener,), {"on_message_received": claim.handler(probe)})()
    await receive(claim, listener, probe, None)
    claim.check(probe)


@claims("runs", "can.BusABC.send_periodic")
async def test_periodic(claim: Claim) -> None:
    probe = Probe()
    with can.Bus(claim.name, interface="virtual") as bus:
        task = bus.send_periodic(can.Message(data=b"1"), 0.01, modifier_callback=probe)
        await probe.called()
        await asyncio.to_thread(task.stop)
    claim.check(probe)
