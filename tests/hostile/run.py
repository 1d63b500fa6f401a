"""Run loopsafe on every hostile project, in every way, and say what went wrong.

usage: python -m tests.hostile.run [--way NAME] [WORD...]     (WORDs: only projects whose names have one of them)
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.hostile.judging import WAYS, Outcome, Way, everything, judge
from tests.hostile.projects import Hostile


def main(arguments: Sequence[str]) -> int:
    """Run those that were asked for and return 1 if anything is wrong."""
    words = list(arguments)
    ways = WAYS
    if words[:1] == ["--way"]:
        ways, words = tuple(way for way in WAYS if way.name == words[1]), words[2:]
    chosen = [hostile for hostile in everything() if not words or any(word in hostile.name for word in words)]
    wrong = [_told(way, hostile, outcome) for way in ways for hostile, outcome in _all(way, chosen) if outcome.faults]
    print(f"{len(chosen)} projects, {len(ways)} ways, {len(wrong)} wrong")
    return 1 if wrong or not chosen or not ways else 0


def _all(way: Way, chosen: Sequence[Hostile]) -> list[tuple[Hostile, Outcome]]:
    outcomes = []
    for hostile in chosen:
        # flake8 itself reads pipes and devices.
        if way.name == "flake8" and hostile.never:
            continue
        folder = tempfile.mkdtemp(prefix="hostile-")
        try:
            outcomes.append((hostile, judge(hostile, way, Path(folder) / "made")))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    slowest = max(outcomes, key=lambda pair: pair[1].seconds)
    print(f"{way.name}: slowest {slowest[1].seconds:.1f} s, {slowest[0].name}", flush=True)
    return outcomes


def _told(way: Way, hostile: Hostile, outcome: Outcome) -> str:
    told = f"{way.name}: {hostile.name}: {', '.join(outcome.faults)}"
    print(told, *(f"    {line[:200]!r}" for line in outcome.said.splitlines()[-4:]), sep="\n", flush=True)
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
