"""Run the real command on one unpacked package, within limits of time and memory, and read what it prints."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

SOURCE_ROOT = Path(__file__).resolve().parents[2] / "linter"
LOOPSAFE = (sys.executable, "-m", "loopsafe", "check")
# Each package by itself, and from the beginning.
ALONE = ("--no-cache", "--no-dependencies")
AS_JSON = ("--output-format", "json", "--exit-zero", ".")
BOUNDED = 'ulimit -v "$1"; shift; exec "$@"'
# What the command says last where it has failed; the error stands above.
CLOSING_WORDS = "This is a bug in loopsafe"
# 1: some file could not be read, as releases for older Pythons have them; the others were analysed.
USUAL_EXITS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one package may cost."""

    seconds: float = 300
    megabytes: int = 8000


@dataclass(frozen=True, slots=True)
class Place:
    """One hop of a witness, or where a finding stands; `path` is relative to the package."""

    path: str
    row: int
    source: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What the benchmark reads of a finding."""

    code: str
    message: str
    path: str
    row: int
    confidence: str
    witness: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went: `failure` is empty where it ended by itself and printed its findings.

    `processor` are the seconds that it has computed, whatever else the machine did meanwhile.
    """

    findings: tuple[Finding, ...]
    seconds: float
    megabytes: int
    failure: str = ""
    processor: float = 0.0


def check(folder: Path, limits: Limits, options: Sequence[str] = ALONE, cache: Path | None = None) -> Outcome:
    """Analyse a package as a user would, in a process of its own. What is kept is kept in `cache`, if that is given."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        kept = {"LOOPSAFE_CACHE_DIR": str(cache)} if cache else {}
        status, seconds, usage = _run([*LOOPSAFE, *options, *AS_JSON], folder, kept, limits, (output, errors))
        megabytes = usage.ru_maxrss // 1024
        printed = _read(output)
        failure = _failure(status, seconds >= limits.seconds, printed, _read(errors))
        findings = () if failure else tuple(read_finding(entry) for entry in json.loads(printed))
    return Outcome(findings, seconds, megabytes, failure, usage.ru_utime + usage.ru_stime)


def read_finding(entry: dict[str, Any]) -> Finding:
    """A finding from the command's JSON."""
    return Finding(
        entry["code"],
        entry["message"],
        entry["filename"],
        entry["location"]["row"],
        entry["confidence"],
        tuple(Place(step["filename"], step["location"]["row"], step["source"]) for step in entry["witness"]),
    )


def _run(
    command: Sequence[str], folder: Path, extra: dict[str, str], limits: Limits, streams: tuple[IO[str], IO[str]]
) -> tuple[int, float, resource.struct_rusage]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE_ROOT), "PYTHONUTF8": "1", **extra}
    start = time.monotonic()
    process = subprocess.Popen(
        ["sh", "-c", BOUNDED, "sh", str(limits.megabytes * 1024), *command],
        cwd=folder,
        env=environment,
        stdout=streams[0],
        stderr=streams[1],
    )
    alarm = threading.Timer(limits.seconds, process.kill)
    alarm.start()
    # `wait4` because only it says what this one child used.
    _, status, usage = os.wait4(process.pid, 0)
    alarm.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - start, usage


def _failure(status: int, late: bool, printed: str, errors: str) -> str:
    if late and status < 0:
        return "timeout"
    if "Traceback" in errors or status not in USUAL_EXITS or not printed:
        lines = [line for line in errors.splitlines() if line.strip() and not line.startswith(CLOSING_WORDS)]
        return f"exit {status}: {lines[-1] if lines else 'no word on standard error'}"
    return ""


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()
