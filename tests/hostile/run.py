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
    wrong = sum(_wrong(way, chosen) for way in ways)
    print(f"{len(chosen)} projects, {len(ways)} ways, {wrong} wrong")
    return 1 if wrong or not chosen or not ways else 0


def _wrong(way: Way, chosen: Sequence[Hostile]) -> int:
    """How many projects go wrong in one way. Each is told of at once: all of them take long."""
    wrong, slowest = 0, (0.0, "")
    for hostile in chosen:
        # flake8 itself reads pipes and devices.
        if way.name == "flake8" and hostile.never:
            continue
        folder = tempfile.mkdtemp(prefix="hostile-")
        try:
            outcome = judge(hostile, way, Path(folder) / "made")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        slowest = max(slowest, (outcome.seconds, hostile.name))
        if outcome.faults:
            wrong += 1
            _tell(way, hostile, outcome)
    print(f"{way.name}: {wrong} wrong; slowest {slowest[0]:.1f} s, {slowest[1]}", flush=True)
    return wrong


def _tell(way: Way, hostile: Hostile, outcome: Outcome) -> None:
    rows = (f"    {line[:200]!r}" for line in outcome.said.splitlines()[-4:])
    print(f"{way.name}: {hostile.name}: {', '.join(outcome.faults)}", *rows, sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
