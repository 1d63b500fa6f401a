"""Score loopsafe's call graph on programs whose edges are known: those of PyCG's micro-benchmark.

    python -m benchmarks.callgraph.run PyCG/micro-benchmark/snippets            # the table
    python -m benchmarks.callgraph.run PyCG/micro-benchmark/snippets --edges    # and every missed and wrong edge

The folder holds `<category>/<program>/` with `main.py`, other modules and `callgraph.json` (callees by caller). It is
read where it lies and nothing of it is kept here: get it from https://github.com/vitsalis/PyCG.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from loopsafe.frontends.commands.asking.callgraph import call_edges

Edge = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Program:
    """One program: the edges it has and those that loopsafe sees."""

    category: str
    name: str
    expected: frozenset[Edge]
    found: frozenset[Edge]

    @property
    def missed(self) -> list[Edge]:
        """Edges not seen."""
        return sorted(self.expected - self.found)

    @property
    def wrong(self) -> list[Edge]:
        """Edges seen that the program does not have."""
        return sorted(self.found - self.expected)


def edges(graph: dict[str, list[str]]) -> frozenset[Edge]:
    """The pairs of a graph given as callees by caller."""
    return frozenset((caller, callee) for caller, callees in graph.items() for callee in callees)


def read_programs(folder: Path) -> Iterator[Program]:
    """Every program below `folder`, analysed on its own."""
    for truth in sorted(folder.glob("*/*/callgraph.json")):
        home = truth.parent
        expected = edges(json.loads(truth.read_text("utf-8")))
        yield Program(home.parent.name, home.name, expected, edges(call_edges((str(home),))))


def table(programs: Iterable[Program]) -> Iterator[str]:
    """A row for each category, then the sum."""
    by_category: dict[str, list[Program]] = {}
    for program in programs:
        by_category.setdefault(program.category, []).append(program)
    everything = [program for group in by_category.values() for program in group]
    yield "| category | programs | edges | seen | wrong | recall | precision |"
    yield "|---|---|---|---|---|---|---|"
    for name, group in [*by_category.items(), ("all", everything)]:
        yield _row(name, group)


def _row(name: str, programs: list[Program]) -> str:
    expected = sum(len(p.expected) for p in programs)
    seen = sum(len(p.expected & p.found) for p in programs)
    wrong = sum(len(p.wrong) for p in programs)
    recall, precision = _share(seen, expected), _share(seen, seen + wrong)
    return f"| {name} | {len(programs)} | {expected} | {seen} | {wrong} | {recall} | {precision} |"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def main() -> None:
    """Print the table for the folder given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--edges", action="store_true", help="also print every missed and wrong edge")
    options = parser.parse_args()
    programs = list(read_programs(options.folder))
    print(*table(programs), sep="\n")
    if options.edges:
        for program in programs:
            for word, found in (("missed", program.missed), ("wrong", program.wrong)):
                for caller, callee in found:
                    print(f"{program.category}/{program.name}: {word} {caller} -> {callee}")


if __name__ == "__main__":
    main()
