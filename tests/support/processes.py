"""Which processes there are, on Linux, and waiting for what another one does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

PATIENCE = 300
"""Seconds until a test gives up: no measure of anything, on no machine."""


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def below(process: int) -> Iterator[int]:
    """The processes that a process has started, and those that they have."""
    parents = {pid: parent for pid, parent in _parents() if parent}
    found = {process}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    yield from found - {process}


def of_a_project(process: int) -> list[int]:
    """Those of them that check a project."""
    return [pid for pid in below(process) if b"loopsafe.frontends.fleet.process" in _command(pid)]


def parent_of(process: int) -> int:
    """Who has started it."""
    return dict(_parents())[process]


def alive(process: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        status = (Path("/proc") / str(process) / "stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text("utf-8", "replace")
        except OSError:
            continue
        yield int(folder.name), int(status.rpartition(")")[2].split()[1])


def _command(process: int) -> bytes:
    try:
        return (Path("/proc") / str(process) / "cmdline").read_bytes()
    except OSError:
        return b""
