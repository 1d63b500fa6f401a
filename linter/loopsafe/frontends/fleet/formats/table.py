"""For people: a row for each project, and what there is in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from loopsafe.frontends.fleet.formats import Fleet
from loopsafe.frontends.fleet.outcomes import Outcome
from loopsafe.harmless import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

HEADS = ("project", "files", "lines", "certain", "likely", "time, s", "memory, MB", "status")
_WORDS = {0, len(HEADS) - 1}
_STYLES = {"ok": "green", "failed": "red", "timed out": "yellow"}


def render(fleet: Fleet) -> Iterator[str]:
    """The table and a sentence."""
    rows = [cells(outcome) for outcome in fleet.outcomes]
    if fleet.colour:
        # Only a terminal pays for loading rich.
        from loopsafe.frontends.terminal import drawn

        yield from drawn(_rich(fleet.outcomes, rows))
    else:
        yield from _plain([HEADS, *rows])
    yield total(fleet.outcomes)


def cells(outcome: Outcome) -> tuple[str, ...]:
    """The texts of a row, as harmless as all that is printed."""
    status = f"{outcome.status}: {outcome.reason}" if outcome.reason else outcome.status
    return (
        printable(outcome.project),
        f"{outcome.files:,}",
        f"{outcome.lines:,}",
        str(outcome.count("certain")),
        str(outcome.count("likely")),
        f"{outcome.seconds:.1f}",
        f"{outcome.megabytes:.0f}" if outcome.megabytes else "",
        printable(status),
    )


def total(outcomes: Sequence[Outcome]) -> str:
    """How many projects and findings there are, and how many projects are not done."""
    count = len(outcomes)
    found = sum(len(outcome.findings) for outcome in outcomes)
    statuses = Counter(outcome.status for outcome in outcomes)
    told = f"{count:,} project{'' if count == 1 else 's'}, {found:,} problem{'' if found == 1 else 's'}"
    return f"{told}{''.join(f', {statuses[name]:,} {name}' for name in ('failed', 'timed out') if statuses[name])}."


def _plain(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADS))]
    for row in rows:
        told = (
            f"{cell:<{width}}" if at in _WORDS else f"{cell:>{width}}"
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(told).rstrip()


def _rich(outcomes: Sequence[Outcome], rows: Sequence[tuple[str, ...]]) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE)
    for at, head in enumerate(HEADS):
        table.add_column(head, justify="left" if at in _WORDS else "right", overflow="fold")
    for outcome, row in zip(outcomes, rows, strict=True):
        # As text: what stands in brackets is no markup.
        table.add_row(*map(Text, row[:-1]), Text(row[-1], style=_STYLES[outcome.status]))
    return table
