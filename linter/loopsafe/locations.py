"""Where something stands in a file: plain integers and strings, shared by every stage."""

from __future__ import annotations

from dataclasses import dataclass


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
    """A span in a named file. `path` is relative to the working directory where it lies below it, with `/`."""

    path: str
    span: Span

    def __str__(self) -> str:
        return f"{self.path}:{self.span.row}:{self.span.column}"
