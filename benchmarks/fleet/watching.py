"""Runs of the command with all processes that belong to them: time, memory, and kills on the way. Linux only."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet.projects import ROOT

_BETWEEN_LOOKS = 0.25
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Run:
    """What a run has cost. `megabytes` is the most that all its processes had at once; what they share counts again."""

    seconds: float
    processor: float
    megabytes: float
    exit_code: int

    def __add__(self, other: Run) -> Run:
        """One run that went on from another."""
        most = max(self.megabytes, other.megabytes)
        return Run(self.seconds + other.seconds, self.processor + other.processor, most, other.exit_code)


Look = Callable[["subprocess.Popen[bytes]"], None]


def watched(arguments: Sequence[str | Path], folder: Path, look: Look = lambda _: None) -> Run:
    """Run `loopsafe ARGUMENTS` in a folder to its end; `look` is called again and again meanwhile."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "linter"), "PYTHONUTF8": "1"}
    before, begun, most = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), 0.0
    process = subprocess.Popen(
        [sys.executable, "-m", "loopsafe", *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    while process.poll() is None:
        most = max(most, sum(map(_megabytes, [process.pid, *below(process.pid)])))
        look(process)
        time.sleep(_BETWEEN_LOOKS)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(time.monotonic() - begun, used, most, process.returncode)


def below(process: int) -> Iterator[int]:
    """The processes that a process has started, and those that they have."""
    parents = dict(_parents())
    found = {process}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    yield from found - {process}


def a_worker(process: int) -> int:
    """The parent of a process that checks a project, other than `process` itself; 0 where there is none just now."""
    parents = dict(_parents())
    for pid in below(process):
        if b"loopsafe.frontends.fleet.process" in _read(pid, "cmdline") and parents.get(pid) not in (None, process):
            return parents[pid]
    return 0


def kill(process: int) -> None:
    """End a process as nothing in it can prevent."""
    os.kill(process, signal.SIGKILL)


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").glob("[0-9]*"):
        status = _read(int(folder.name), "stat")
        if status:
            yield int(folder.name), int(status.rpartition(b")")[2].split()[1])


def _megabytes(process: int) -> float:
    fields = _read(process, "statm").split()
    return int(fields[1]) * _PAGE / (1 << 20) if len(fields) > 1 else 0.0


def _read(process: int, name: str) -> bytes:
    try:
        return (Path("/proc") / str(process) / name).read_bytes()
    except OSError:
        return b""
