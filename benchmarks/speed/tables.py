"""Costs as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from benchmarks.accuracy.releases import Release
from benchmarks.speed.measuring import Cost

LIMIT_OF_A_SHAPE = 10.0
_BASE = "ruff, ASYNC rules"


def cost(found: Cost) -> str:
    """A cost on one line."""
    return f"{found.wall:.2f} s, {found.cpu:.2f} s CPU, {found.megabytes:.0f} MB {found.failure}".rstrip()


def releases(release: Release, lines: int, costs: Mapping[str, Cost]) -> str:
    """One release: a row for each command, with ratios to ruff where it has run."""
    base = costs.get(_BASE)
    rows = [
        f"| {name} | {found.wall:.2f} | {_ratio(found, base)} | {found.cpu:.2f} | {found.megabytes:.0f} "
        f"| {found.failure} |"
        for name, found in costs.items()
    ]
    head = "| | wall, s | to ruff's | CPU, s | peak memory, MB | |\n|---|--:|--:|--:|--:|---|"
    return "\n".join([f"{release}, {lines:,} lines:\n", head, *rows])


def curve(rows: Iterable[tuple[int, Cost]]) -> str:
    """Growing input: microseconds a line say whether cost grows with it."""
    told = [
        f"| {lines:,} | {found.wall:.2f} | {found.cpu:.2f} | {found.cpu / lines * 1e6:.0f} | {found.megabytes:.0f} "
        f"| {found.failure} |"
        for lines, found in rows
    ]
    return "\n".join(
        ["| lines | wall, s | CPU, s | µs of CPU a line | peak memory, MB | |\n|--:|--:|--:|--:|--:|---|", *told]
    )


def shapes(rows: Mapping[str, Cost]) -> str:
    """Each shape with whether it keeps its limit in processor time."""
    told = [
        f"| {name} | {found.wall:.2f} | {found.cpu:.2f} | {found.megabytes:.0f} "
        f"| {found.failure or ('yes' if found.cpu <= LIMIT_OF_A_SHAPE else 'no')} |"
        for name, found in rows.items()
    ]
    head = f"| shape | wall, s | CPU, s | peak memory, MB | within {LIMIT_OF_A_SHAPE:.0f} s |\n|---|--:|--:|--:|---|"
    return "\n".join([head, *told])


def _ratio(found: Cost, base: Cost | None) -> str:
    return f"{found.wall / base.wall:.2f}" if base else ""
