"""One command, run once: its wall time, processor time and peak memory, with those of the processes it starts."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# Tools that report say so by 1.
_USUAL_EXITS = (0, 1)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock, seconds of processor time, and megabytes; `failure` is empty where the command ended well.

    Processor time is that of the command and all it started, memory that of the largest of these processes.
    """

    wall: float
    cpu: float
    megabytes: float
    failure: str = ""


def measure(command: Sequence[str], folder: Path, limit: float, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command in a folder; after `limit` seconds it is ended."""
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    timer = threading.Timer(limit, process.kill)
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    failed = "" if process.returncode in _USUAL_EXITS else f"exit code {process.returncode}"
    failed = f"longer than {limit:.0f} s" if wall >= limit else failed
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, failed)


def middle(costs: Sequence[Cost]) -> Cost:
    """The medians of several runs; the first failure, where there is one."""
    failure = next((cost.failure for cost in costs if cost.failure), "")
    return Cost(
        median(cost.wall for cost in costs),
        median(cost.cpu for cost in costs),
        median(cost.megabytes for cost in costs),
        failure,
    )
