"""watchdog, on a folder of the test's own."""

from __future__ import annotations

from pathlib import Path

from tests.libraries.measure import Claim, Probe, claims, library

events = library("watchdog.events")
observers = library("watchdog.observers")


HANDLERS = ("dispatch", "on_any_event", "on_created")


@claims("assigns", *(f"watchdog.events.FileSystemEventHandler.{name}" for name in HANDLERS))
async def test_handler(claim: Claim, tmp_path: Path) -> None:
    probe, handler = Probe(), events.FileSystemEventHandler()
    setattr(handler, claim.member, probe)
    await watch(handler, probe, tmp_path)
    claim.check(probe)


@claims("assigns", "watchdog.events.FileSystemEventHandler.on_modified")
async def test_subclass(claim: Claim, tmp_path: Path) -> None:
    probe = Probe()
    handler = type("Handler", (events.PatternMatchingEventHandler,), {claim.member: claim.handler(probe)})()
    await watch(handler, probe, tmp_path)
    claim.check(probe)


async def watch(handler: object, probe: Probe, folder: Path) -> None:
    """Until something has happened in the folder."""
    observer = observers.Observer()
    observer.schedule(handler, str(folder))
    observer.start()
    (folder / "file").write_text("text", "utf-8")
    await probe.called()
    observer.stop()
    observer.join()
