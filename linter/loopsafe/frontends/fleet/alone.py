"""One project in a process of its own, held to its limits: whatever becomes of it there, an outcome comes back."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import replace
from typing import IO

import msgspec

from loopsafe.frontends.fleet.outcomes import Outcome, Request, Settings, as_json, read_outcome
from loopsafe.frontends.fleet.targets import Target
from loopsafe.reading.helpers import command

_START = "from loopsafe.frontends.fleet.process import main; main()"
# How long it may take until a wish to stop is heard.
_PATIENCE = 0.5
_LONGEST = 500


class Stopped(Exception):
    """Nobody wants the outcome any more."""


def run_alone(target: Target, settings: Settings, stop: threading.Event | None = None) -> Outcome:
    """Check a project. With `stop`, the process is killed as soon as that is set.

    Raises:
        OSError: no process can be started.
        Stopped: `stop` was set.
    """
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="loopsafe-fleet-", ignore_cleanup_errors=True) as scratch,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
    ):
        process = subprocess.Popen(
            command(_START),
            cwd=scratch,
            # What pip leaves behind when it is killed goes with the folder.
            env={**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), scratch)},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is for this process, which ends them
        )
        try:
            _send(process, Request(target, settings, scratch))
            in_time = _wait(process, begun + settings.timeout, stop or threading.Event())
        finally:
            # Its standard input stays open until now.
            _end(process)
        outcome = _read(target, output) if in_time else None
        if not in_time:
            outcome = Outcome(target.name, "timed out", f"not done in {settings.timeout:g} seconds")
        elif outcome is None or process.returncode:
            outcome = Outcome(target.name, "failed", _ending(process.returncode, errors))
    return replace(outcome, seconds=round(time.monotonic() - begun, 3))


def _send(process: subprocess.Popen[bytes], request: Request) -> None:
    text = as_json(request).encode()
    # It may have ended already; then waiting for it says how.
    with contextlib.suppress(OSError):
        if process.stdin:
            process.stdin.write(len(text).to_bytes(4, "big") + text)
            process.stdin.flush()


def _wait(process: subprocess.Popen[bytes], end: float, stop: threading.Event) -> bool:
    """Whether it ends in time."""
    while not stop.is_set():
        left = end - time.monotonic()
        try:
            process.wait(max(0.0, min(left, _PATIENCE)))
        except subprocess.TimeoutExpired:
            if left <= 0:
                return False
        else:
            return True
    raise Stopped


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop it, with pip or git, if that is not done."""
    if process.returncode != 0:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
    process.wait()
    with contextlib.suppress(OSError):
        if process.stdin:
            process.stdin.close()


def _read(target: Target, output: IO[bytes]) -> Outcome | None:
    """What it wrote; None where that is no outcome of this project."""
    output.seek(0)
    try:
        told, megabytes = json.loads(output.read())
        outcome = replace(read_outcome(told), megabytes=round(megabytes, 1))
    except (ValueError, TypeError, RecursionError, msgspec.ValidationError):
        return None
    return outcome if outcome.project == target.name else None


def _ending(code: int, errors: IO[bytes]) -> str:
    """How it ended that did not say."""
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - _LONGEST))
    lines = errors.read().decode("utf-8", "replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")
    if "MemoryError" in last:
        return "not enough memory"
    how = f"the process was killed by {_signal(-code)}" if code < 0 else f"the process ended with exit code {code}"
    return f"{how}: {last}" if last else how


def _signal(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
