"""Check a thousand projects, with kills on the way and without, compare, and write docs/fleet.md.

    python -m benchmarks.fleet.run                   # everything, from the checkout's root; takes half an hour
    python -m benchmarks.fleet.run --projects 40     # fewer, page left alone

Needs Linux, and for Dask the extra `fleet`. Exits with 1 where a report differs from that of the undisturbed run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.accuracy.pages import fill
from benchmarks.fleet.projects import ROOT, make
from benchmarks.fleet.watching import Look, Run, a_worker, kill, watched
from benchmarks.machine import machine

PAGE = ROOT / "docs" / "fleet.md"
USUAL = 1000
# Exit code of a run that was killed, as Python tells it.
KILLED = -9


def main() -> int:
    """Measure and compare; 1 if a report differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=USUAL)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        fleet = _Fleet(Path(work), options.projects, options.jobs)
        runs = {
            "`check`, all in one process": fleet.in_one_process(),
            "`fleet`": fleet.undisturbed(),
            "`fleet`, killed twice and resumed": fleet.killed(),
            "`fleet --dask`, a worker killed half-way": fleet.on_dask(),
        }
        same = fleet.differing == []
    told = _table(runs, options.projects, fleet.findings, options.jobs)
    print(told, *fleet.differing, sep="\n")
    if same and options.projects == USUAL:
        fill(PAGE, "runs", told)
    return 0 if same else 1


class _Fleet:
    """The projects, and the reports on them."""

    def __init__(self, folder: Path, count: int, jobs: int) -> None:
        self._folder, self._jobs, self._count = folder, jobs, count
        projects = make(folder / "projects", count)
        (folder / "list.txt").write_text("".join(f"projects/{one.name}\n" for one in projects), "utf-8")
        self._expected: dict[str, Any] = {}
        self.findings = 0
        self.differing: list[str] = []

    def in_one_process(self) -> Run:
        """What it costs without limits and resuming."""
        return self._done(["check", "--no-cache", "--no-dependencies", "--output-format", "json", "projects"])

    def undisturbed(self) -> Run:
        """The run that all others are compared with."""
        run = self._done(self._arguments("alone"))
        self._expected = self._report("alone")
        self.findings = len(self._expected["findings"])
        return run

    def killed(self) -> Run:
        """A run that is killed after a third and after two thirds, and goes on each time."""
        legs = [self._killed_at("killed", part * self._count // 3) for part in (1, 2)]
        return self._compared("killed", sum(legs[1:], legs[0]) + self._done(self._arguments("killed")))

    def on_dask(self) -> Run:
        """A run on a cluster of this machine, of which a worker is killed when half is done."""
        victims: list[int] = []

        def look(process: subprocess.Popen[bytes]) -> None:
            if not victims and self._rows("dask") > self._count // 2:
                worker = a_worker(process.pid)
                if worker:
                    victims.append(worker)
                    kill(worker)

        run = self._done([*self._arguments("dask"), "--dask"], look)
        if not victims:
            self.differing.append("dask: no worker was killed")
        return self._compared("dask", run)

    def _killed_at(self, name: str, rows: int) -> Run:
        def look(process: subprocess.Popen[bytes]) -> None:
            if self._rows(name) > rows:
                process.kill()

        run = watched(self._arguments(name), self._folder, look)
        if run.exit_code != KILLED:
            self.differing.append(f"{name}: was to be killed, and ended with {run.exit_code}")
        return run

    def _done(self, arguments: Sequence[str], look: Look = lambda _: None) -> Run:
        run = watched(arguments, self._folder, look)
        if run.exit_code != 1:
            self.differing.append(f"{' '.join(arguments)}: ended with {run.exit_code}, not with findings")
        return run

    def _compared(self, name: str, run: Run) -> Run:
        if self._report(name) != self._expected:
            self.differing.append(f"{name}: the report differs from that of the undisturbed run")
        return run

    def _arguments(self, name: str) -> list[str]:
        results = ["--results", f"{name}.jsonl", "--resume", "--jobs", str(self._jobs)]
        return ["fleet", "-r", "list.txt", *results, "--output-format", "json", "-o", f"{name}.json", "--quiet"]

    def _rows(self, name: str) -> int:
        file = self._folder / f"{name}.jsonl"
        return file.read_bytes().count(b"\n") if file.exists() else 0

    def _report(self, name: str) -> dict[str, Any]:
        """The report, without what is never the same."""
        told: dict[str, Any] = json.loads((self._folder / f"{name}.json").read_text("utf-8"))
        for one in told["projects"]:
            del one["seconds"], one["megabytes"]
        return told


def _table(runs: dict[str, Run], projects: int, findings: int, jobs: int) -> str:
    base = runs["`fleet`"]
    rows = [
        f"| {name} | {run.seconds:.0f} | {run.seconds / base.seconds:.2f} | {run.processor:.0f} | {run.megabytes:.0f} |"
        for name, run in runs.items()
    ]
    head = ["| | wall, s | to `fleet`'s | CPU, s | peak memory of all processes, MB |", "|---|--:|--:|--:|--:|"]
    told = f"{projects:,} projects, {findings:,} findings, {jobs} at a time. {machine()}."
    return "\n".join([*head, *rows, "", told])


if __name__ == "__main__":
    sys.exit(main())
