"""Several projects at once on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from loopsafe.frontends.fleet.alone import run_alone
from loopsafe.frontends.fleet.outcomes import Outcome, Settings
from loopsafe.frontends.fleet.targets import Target


def run_here(targets: Iterable[Target], settings: Settings, jobs: int) -> Iterator[tuple[Target, Outcome]]:
    """The outcomes of the targets as they come, of so many at a time."""
    stop = threading.Event()
    # A thread only waits for its process.
    pool = ThreadPoolExecutor(jobs)
    try:
        running = {pool.submit(_outcome, target, settings, stop): target for target in targets}
        for done in as_completed(list(running)):
            yield running.pop(done), done.result()
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _outcome(target: Target, settings: Settings, stop: threading.Event) -> Outcome:
    try:
        return run_alone(target, settings, stop)
    except OSError as error:
        return Outcome(target.name, "failed", f"no process can be started: {error}")
