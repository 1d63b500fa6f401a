"""Measure what loopsafe costs beside other tools and write the tables of docs/speed.md.

    python -m benchmarks.speed.run                       # everything, from the checkout's root; takes hours
    python -m benchmarks.speed.run --only shapes         # one of releases, curve, shapes
    python -m benchmarks.speed.run --package livekit-agents --rounds 1

Needs pip, and a package index for the tools and releases that the cache does not have. In each round every command runs
once, one after another, so that what else the machine does falls on all alike; tables show medians. What takes more
than a minute runs in the first round only.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from benchmarks.accuracy.pages import fill
from benchmarks.accuracy.releases import Release, count_lines
from benchmarks.caches import add_cache_option
from benchmarks.machine import machine
from benchmarks.speed import tables
from benchmarks.speed.measuring import Cost, measure, middle
from benchmarks.speed.shapes import SHAPES
from benchmarks.speed.tools import ENVIRONMENTS, Contender, others, own

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "speed.md"
RELEASES = (Release("homeassistant", "2025.4.4"), Release("livekit-agents", "1.8.9"))
EDITED = {"homeassistant": "homeassistant/const.py", "livekit-agents": "livekit/agents/worker.py"}
# The others take hours on it.
BESIDE = {"homeassistant": ("ruff", "ty")}
SIZES = (1_000, 10_000, 100_000, 1_000_000, 5_000_000)
_ONCE_SECONDS = 60


def main() -> int:
    """Measure what the arguments ask for."""
    options = _options()
    parts = {"releases": measure_releases, "curve": measure_curve, "shapes": measure_shapes}
    for name in [options.only] if options.only else parts:
        table = f"{parts[name](options)}\n\n{_circumstances(options.rounds)}"
        print(table, flush=True)
        if not options.package:
            fill(PAGE, name, table)
    return 0


def measure_releases(options: argparse.Namespace) -> str:
    """Every command on every release."""
    parts = []
    for release in RELEASES:
        if options.package in ("", release.name):
            with tempfile.TemporaryDirectory(dir=options.cache) as work:
                tree = Path(work) / "tree"
                shutil.copytree(release.unpacked(options.cache), tree)
                tools = [tool for tool in options.tools if tool in BESIDE.get(release.name, ENVIRONMENTS)]
                contenders = [*own(Path(work), EDITED[release.name]), *others(options.cache, tools)]
                costs = interleave(contenders, tree, options)
                parts.append(tables.releases(release, count_lines(tree), costs))
    return "\n\n".join(parts)


def interleave(contenders: Iterable[Contender], folder: Path, options: argparse.Namespace) -> dict[str, Cost]:
    """The medians by name."""
    costs: dict[str, list[Cost]] = defaultdict(list)
    for number in range(options.rounds):
        for contender in contenders:
            # Not ours: they are what is measured.
            if number and costs[contender.name][0].wall > _ONCE_SECONDS and not contender.name.startswith("loopsafe"):
                continue
            contender.prepare(folder)
            cost = measure(contender.command, folder, options.timeout, contender.environment)
            costs[contender.name].append(cost)
            print(f"round {number + 1}: {contender.name}: {tables.cost(cost)}", file=sys.stderr, flush=True)
    return {name: middle(found) for name, found in costs.items()}


def measure_curve(options: argparse.Namespace) -> str:
    """loopsafe, cold, on ever more lines of released code."""
    files = sorted(file for release in RELEASES for file in release.unpacked(options.cache).rglob("*.py"))
    sources = [file for file in files if _parses(file)]
    rows = []
    for size in SIZES:
        if size <= options.lines:
            with tempfile.TemporaryDirectory(dir=options.cache) as work:
                folder = Path(work) / "tree"
                lines = _grow(folder, sources, size)
                cold = own(Path(work), "")[0]
                rows.append((lines, interleave([cold], folder, options)[cold.name]))
    return tables.curve(rows)


def measure_shapes(options: argparse.Namespace) -> str:
    """loopsafe, cold, on each of the shapes."""
    rows = {}
    for name, make in SHAPES.items():
        with tempfile.TemporaryDirectory(dir=options.cache) as work:
            folder = Path(work) / "tree"
            folder.mkdir()
            make(folder)
            cold = own(Path(work), "")[0]
            rows[name] = interleave([cold], folder, options)[cold.name]
    return tables.shapes(rows)


def _grow(folder: Path, sources: list[Path], size: int) -> int:
    """Copy files until there are so many lines, over again under another top folder where they do not suffice."""
    lines, copy = 0, 0
    while True:
        for number, source in enumerate(sources):
            if lines >= size:
                return lines
            data = source.read_bytes()
            target = folder / f"copy{copy}" / f"part{number // 100}" / f"m{number}.py"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            lines += data.count(b"\n")
        copy += 1


def _parses(file: Path) -> bool:
    try:
        ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return False
    return True


def _circumstances(rounds: int) -> str:
    """The machine, what else it had to do, and how often each command ran."""
    return f"{machine()}; {rounds} rounds."


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.run", description=(__doc__ or "").split("\n")[0])
    add_cache_option(parser, "loopsafe-speed", "for tools and releases")
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs (default: %(default)s)")
    parser.add_argument("--only", choices=("releases", "curve", "shapes"), default="", help="a part of the benchmark")
    parser.add_argument("--package", default="", help="only this release, and leave the page alone")
    parser.add_argument("--tools", nargs="*", choices=ENVIRONMENTS, default=list(ENVIRONMENTS), help="beside loopsafe")
    parser.add_argument("--lines", type=int, default=SIZES[-1], help="the end of the curve")
    parser.add_argument("--timeout", type=float, default=900, help="seconds for one command")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
