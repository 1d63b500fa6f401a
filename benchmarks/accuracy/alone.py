"""Whether more code hides findings: each file with what it imports, against its whole package.

    python -m benchmarks.accuracy.alone                      # the precision set, from the checkout's root
    python -m benchmarks.accuracy.alone --package tornado    # one package
    python -m benchmarks.accuracy.alone --sample 6           # of each package so many files that mention threads

Prints each finding that a file has beside its imports alone and not in the whole package, with its path: code of the
package must show that the path is impossible. Packages of more than 3,000 files are left out: they would take hours.
Needs the packages that `python -m benchmarks.accuracy.run` fetches.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from benchmarks.accuracy.releases import Release, read_pins
from benchmarks.accuracy.run import PACKAGES
from benchmarks.caches import add_cache_option
from loopsafe.findings import Finding
from loopsafe.pipeline import analyze_whole
from loopsafe.program.modules import Modules
from loopsafe.project.config import load_config
from loopsafe.project.files import SourceFile
from loopsafe.project.roots import Project, one_project
from loopsafe.reading.reader import Memory, Reader

_MOST_FILES = 3000
_THREADS = (b"Thread", b"executor", b"to_thread", b"signal")
_LOOPS = (b"asyncio", b"anyio", b"trio", b"loop")


def main() -> int:
    """Compare what the arguments ask for; 1 if any finding is lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--sample", type=int, default=0, help="at most so many files a package, of those with threads")
    parser.add_argument("--skip", action="append", default=[], help="not this one; may be repeated")
    add_cache_option(parser, "loopsafe-accuracy", "where releases are kept")
    options = parser.parse_args()
    pins = [pin for pin in read_pins(PACKAGES) if not options.package or pin.name in options.package]
    pins = [pin for pin in pins if pin.name not in options.skip]
    lost = found = files = 0
    with ProcessPoolExecutor(2, max_tasks_per_child=1) as pool:
        results = pool.map(_compare, pins, [options.cache] * len(pins), [options.sample] * len(pins))
        for pin, (looked_at, alone, told) in zip(pins, results, strict=True):
            print(f"{pin}: {looked_at} files, {alone} findings alone, {len(told)} lost", *told, sep="\n", flush=True)
            files, found, lost = files + looked_at, found + alone, lost + len(told)
    print(f"{len(pins)} packages, {files} files, {found} findings alone, {lost} lost")
    return 1 if lost else 0


def _compare(pin: Release, cache: Path, sample: int) -> tuple[int, int, list[str]]:
    """How many files were looked at alone, how many findings they have so, and those that the package hides."""
    sys.setrecursionlimit(10_000)
    folder = pin.unpacked(cache)
    project = one_project([folder], load_config(folder))
    if len(project.files) > _MOST_FILES and not sample:
        return 0, 0, []
    memory: Memory = {}
    whole = {(f.location.path, f.location.span.row) for f in _found(project, memory)}
    told: list[str] = []
    parts, alone = list(_parts(project, memory, sample)), 0
    for shown, part in parts:
        own = [finding for finding in _found(part, memory) if finding.location.path == shown]
        alone += len(own)
        told += ["\n".join(_told(f)) for f in own if (shown, f.location.span.row) not in whole]
    return len(parts), alone, told


def _found(project: Project, memory: Memory) -> Sequence[Finding]:
    return analyze_whole(project, reader=Reader(helpers=False, memory=memory)).findings


def _parts(project: Project, memory: Memory, sample: int) -> Iterator[tuple[str, Project]]:
    """Each file with what it imports, as a project."""
    reads, _ = Reader(helpers=False, memory=memory).read_all(project.files, {})
    by_path = {Path(read.file.path).relative_to(project.config.root).as_posix(): read for read in reads}
    modules = Modules((path, read.facts) for path, read in by_path.items())
    chosen = [module for module in modules.all if not sample or _has_threads(by_path[module.path].file)]
    for module in chosen[:: max(1, len(chosen) // sample)][:sample] if sample else chosen:
        needed = {by_path[one.path].file for one in (module, *modules.known_to(module))}
        part = tuple(file for file in project.files if file in needed)
        yield by_path[module.path].file.shown, replace(project, files=part)


def _has_threads(file: SourceFile) -> bool:
    text = Path(file.path).read_bytes()
    return any(word in text for word in _THREADS) and any(word in text for word in _LOOPS)


def _told(finding: Finding) -> Iterator[str]:
    yield f"  {finding.location.path}:{finding.location.span.row}: {finding.code} {finding.message}"
    for step in finding.witness:
        yield f"      {step.kind:8}{step.location.path}:{step.location.span.row}  {step.source[:100]}"


if __name__ == "__main__":
    sys.exit(main())
