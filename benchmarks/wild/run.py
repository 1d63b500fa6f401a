"""Run loopsafe on the packages of the benchmark and write its findings and what they cost.

    python -m benchmarks.wild.run FINDINGS.jsonl           # from the checkout's root; takes hours
    python -m benchmarks.wild.run FINDINGS.jsonl --own     # the packages of benchmarks/accuracy, for `score --own`

The packages are a fleet, one after another, with its limits for each. Where a run is stopped, the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.accuracy.checking import SOURCE_ROOT
from benchmarks.accuracy.labels import read_labels
from benchmarks.accuracy.releases import Release, read_pins
from benchmarks.accuracy.run import PACKAGES
from benchmarks.machine import machine
from benchmarks.wild.findings import from_fleet, write_findings
from benchmarks.wild.sources import add_sources_option, fetched

FLEET = (sys.executable, "-m", "loopsafe", "fleet", "--isolated", "--exit-zero", "--resume", "--output-format", "json")


def main() -> int:
    """Run it; 1 if a package failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("findings", type=Path)
    parser.add_argument("--own", action="store_true", help="the packages of benchmarks/accuracy")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one package")
    parser.add_argument("--memory", type=int, default=2000, help="megabytes for one package")
    parser.add_argument("--jobs", type=int, default=1)
    add_sources_option(parser)
    options = parser.parse_args()
    folders = dict(_own(options.cache) if options.own else fetched(options.cache))
    limits = ("--timeout", str(options.timeout), "--memory", str(options.memory), "--jobs", str(options.jobs))
    told = run(folders, options.findings, limits)
    return int(any(one["status"] != "ok" for one in told["projects"]))


def run(folders: dict[Release, Path], findings: Path, limits: tuple[str, ...]) -> dict[str, Any]:
    """Check the folders as a fleet; its report, of which the findings are written as the scorer takes them."""
    projects, results, report = (findings.with_suffix(ending) for ending in (".txt", ".results", ".json"))
    projects.write_text("".join(f"{folder}\n" for folder in folders.values()), "utf-8")
    files = ("-r", str(projects), "--results", str(results), "-o", str(report))
    began = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(SOURCE_ROOT)}
    subprocess.run([*FLEET, *files, *limits], env=environment, check=False)
    told: dict[str, Any] = json.loads(report.read_text("utf-8"))
    names = {str(folder): str(release) for release, folder in folders.items()}
    write_findings(findings, from_fleet(told, names))
    print(cost(told, time.monotonic() - began))
    return told


def cost(report: dict[str, Any], wall: float) -> str:
    """What a run found, and what it cost."""
    projects = report["projects"]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = [
        f"{len(projects)} packages, {sum(one['files'] for one in projects):,} files, "
        f"{sum(one['lines'] for one in projects):,} lines, {len(report['findings'])} findings",
        f"{wall:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of a processor, "
        f"{used.ru_maxrss // 1024} MB at most for one process; {machine()}",
        *(f"{one['project']}: {one['status']}: {one['reason']}" for one in projects if one["status"] != "ok"),
    ]
    return "\n".join(lines)


def _own(cache: Path) -> Iterator[tuple[Release, Path]]:
    pins = [*read_pins(PACKAGES), *(Release.parse(label.release) for label in read_labels())]
    for release in dict.fromkeys(pins):
        yield release, release.unpacked(cache)


if __name__ == "__main__":
    sys.exit(main())
