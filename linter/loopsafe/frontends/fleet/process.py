"""The process of one project: it fetches the project if need be, checks it, and says what came of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from loopsafe.findings import Report
from loopsafe.frontends.edits import worked_out
from loopsafe.frontends.fleet.outcomes import Outcome, Request, Settings, as_json, read_request
from loopsafe.frontends.fleet.releases import NotFetched, fetch_release
from loopsafe.frontends.fleet.repositories import fetch_repository
from loopsafe.frontends.fleet.targets import Target
from loopsafe.frontends.fleet.unpacking import UnpackError, unpack
from loopsafe.frontends.narrowing import narrowed_each
from loopsafe.frontends.settings import settle
from loopsafe.frontends.terminal import CannotWork
from loopsafe.project.config import Config, ConfigError
from loopsafe.project.roots import Project, find_projects
from loopsafe.project.sources import read_bytes

# The most that a file may grow to that pip, git or loopsafe writes.
_LARGEST = 2 << 30
_MEGABYTE = 1 << 20
# In megabytes, the most that is asked for at once: the stack of a thread.
_LARGEST_PIECE = 64
_SHORT = "not enough memory"


def main() -> None:
    """Do what is asked on standard input and write the outcome to standard output.

    Standard input stays open as long as somebody waits; at its end, everything that was begun here ends, too.
    """
    request = _request()
    threading.Thread(target=_end_with_who_waits, args=(request.scratch,), daemon=True).start()
    _limit(request.settings.memory)
    try:
        outcome = _believed(_outcome(request), request.settings.memory)
    except MemoryError:
        outcome = Outcome(request.target.name, "failed", _SHORT)
    except Exception as error:
        traceback.print_exc()
        told = f"this is a bug in loopsafe: {type(error).__name__}: {error}"
        outcome = Outcome(request.target.name, "failed", told)
    sys.stdout.buffer.write(as_json((outcome, _megabytes())).encode())
    sys.stdout.flush()
    # What is left is not worth the time to take it apart.
    os._exit(0)


def _request() -> Request:
    # By the descriptor: what a buffer has read ahead, a thread would wait for in vain.
    size = int.from_bytes(_read(4), "big")
    return read_request(_read(size))


def _read(size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = os.read(0, size - len(found))
        if not piece:
            os._exit(1)
        found += piece
    return found


def _end_with_who_waits(scratch: str) -> None:
    """Wait for the end of standard input: whoever has started this has gone, even if it was killed."""
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    # It would have deleted the folder.
    shutil.rmtree(scratch, ignore_errors=True)
    # With pip or git, which are of the same group, if this process was given one of its own.
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _limit(megabytes: int) -> None:
    """Have the system say no where this process, or what it starts, takes more than it may."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    wanted = (("RLIMIT_AS", megabytes * _MEGABYTE), ("RLIMIT_FSIZE", _LARGEST), ("RLIMIT_CORE", 0))
    for name, most in wanted:
        _, allowed = resource.getrlimit(getattr(resource, name))
        least = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        # macOS has the limit on memory and does not let it be set.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (least, least))


def _megabytes() -> float:
    """The most memory that this process had so far; 0 where nobody can say."""
    # Not `getrusage`, which on Linux counts what the process had that this one was started from.
    told = _status("VmHWM")
    if told is None:
        with contextlib.suppress(ImportError):
            import resource

            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return most / (_MEGABYTE if sys.platform == "darwin" else 1024)
    return told or 0.0


def _status(name: str) -> float | None:
    """What Linux says of this process, in megabytes."""
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/self/status", encoding="utf-8") as status:
        return next((int(line.split()[1]) / 1024 for line in status if line.startswith(f"{name}:")), None)
    return None


def _believed(outcome: Outcome, memory: int) -> Outcome:
    """The outcome, unless memory was so short that something may have been left out for that."""
    peak = _status("VmPeak") or 0.0
    if outcome.status != "ok" or peak < memory - max(memory / 8, _LARGEST_PIECE):
        return outcome
    # What is too large is named as one file's problem, and the rest goes on: another time it may be another file.
    return replace(outcome, status="failed", reason=_SHORT)


def _outcome(request: Request) -> Outcome:
    target = request.target
    try:
        folder, revision = _fetched(target, request.scratch)
    except (NotFetched, UnpackError) as error:
        told = f"{target.name} {error}" if isinstance(error, UnpackError) else str(error)
        return Outcome(target.name, "failed", told)
    except OSError as error:
        return Outcome(target.name, "failed", f"cannot be fetched: {error}")
    try:
        # From here on, paths are told as they are in the project.
        os.chdir(folder)
        return _checked(target, revision, request.settings)
    except (CannotWork, ConfigError) as error:
        return Outcome(target.name, "failed", error.message if isinstance(error, CannotWork) else str(error), revision)
    except OSError as error:
        return Outcome(target.name, "failed", f"cannot be read: {error}", revision)


def _fetched(target: Target, scratch: str) -> tuple[str, str]:
    """The folder with a project, and what of it that is."""
    if target.kind == "folder":
        return target.address, ""
    files = os.path.join(scratch, "files")
    if target.kind == "release":
        archive = fetch_release(target.address, target.revision, os.path.join(scratch, "archive"))
        folder, revision = unpack(archive, files), target.revision
    else:
        revision = fetch_repository(target.address, target.revision, files, os.path.join(scratch, "git"))
        folder = files
    # A project ends at the top of a checkout: without this mark, folders above it could be taken for its own.
    os.mkdir(os.path.join(folder, ".git"))
    return folder, revision


def _checked(target: Target, revision: str, settings: Settings) -> Outcome:
    projects = find_projects(["."], partial(_configured, settings), isolated=settings.selection.unsearched)
    report = narrowed_each(projects, _report)
    findings, edits = worked_out(report.findings, {})
    failure = next((str(problem) for problem in report.problems if problem.level == "error"), "")
    return Outcome(
        target.name,
        "failed" if report.failed else "ok",
        failure,
        revision,
        report.files,
        sum(map(_lines, projects)),
        findings,
        tuple(edits.get(finding, ()) for finding in findings),
        (*report.problems, *report.warnings),
    )


def _configured(settings: Settings, start: Path) -> Config:
    try:
        return settle(start, settings.selection)
    except CannotWork as error:
        raise ConfigError(error.message) from error


def _report(projects: Sequence[Project]) -> Report:
    from loopsafe.pipeline import report
    from loopsafe.reading.reader import Reader

    # As many projects are checked at once as there is room for: each has one process.
    return report(projects, reader=Reader(helpers=False))


def _lines(project: Project) -> int:
    """The rows of the files that are reported on."""
    rows = 0
    for file in project.files:
        if file.wanted and not file.barred:
            with contextlib.suppress(OSError):
                rows += read_bytes(file.path, project.config.max_file_size).count(b"\n")
    return rows
