"""Where something stands in a file: plain integers and strings, shared by every stage.

The rows of a notebook are those of all its cells of code, one below the other; people are told the cell.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of source text.

    Rows and columns count from 1; columns count characters (not bytes); the end column is exclusive.
    """

    row: int
    column: int
    end_row: int
    end_column: int

    def contains(self, other: Span) -> bool:
        """Whether `other` lies wholly inside this span."""
        return (self.row, self.column) <= (other.row, other.column) and (
            other.end_row,
            other.end_column,
        ) <= (self.end_row, self.end_column)


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A span in a named file. `path` is relative to the working directory where it lies below it, with `/`.

    In a notebook, `cell` is the number of the cell, from 1, and `above` the rows above it.
    """

    path: str
    span: Span
    cell: int = 0
    above: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.told}"

    @property
    def told(self) -> str:
        """Row and column, after the cell if there is one."""
        span = self.in_cell
        return f"{f'cell {self.cell}:' if self.cell else ''}{span.row}:{span.column}"

    @property
    def in_cell(self) -> Span:
        """The span with rows of the cell."""
        span = self.span
        return Span(span.row - self.above, span.column, span.end_row - self.above, span.end_column)

    @property
    def in_file(self) -> Span:
        """The span for readers that look at the file itself: of a notebook, its beginning."""
        return Span(1, 1, 1, 1) if self.cell else self.span


Cells = tuple[tuple[int, int], ...]
"""The number of each cell of code and the row that it begins at; empty where a file is no notebook."""


def located(path: str, span: Span, cells: Cells = ()) -> Location:
    """A place by its row among all cells."""
    if not cells:
        return Location(path, span)
    number, first = cells[max(bisect_right(cells, span.row, key=lambda cell: cell[1]) - 1, 0)]
    return Location(path, span, number, first - 1)


def parts_of(path: str) -> tuple[str, ...]:
    """The folders of a file, and its name without the suffix. Not `Path.with_suffix`, which fails for `..py`."""
    pure = PurePosixPath(path)
    return (*pure.parts[:-1], pure.stem)
