"""Positions in texts as editors count them: rows from 0, columns in units of an encoding that was agreed on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from lsprotocol.types import Position, Range

from loopsafe.locations import Span
from loopsafe.project.sources import NEWLINE

# By encoding, the codec and the bytes of a unit. Of UTF-32, a unit is a character.
_CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2)}


@dataclass(frozen=True, slots=True)
class Units:
    """The units in which columns are counted."""

    encoding: str = "utf-16"

    def of(self, text: str) -> int:
        """How many a piece of a row has."""
        codec, size = _CODECS.get(self.encoding, ("", 1))
        if not codec or text.isascii():
            return len(text)
        return len(text.encode(codec, "surrogatepass")) // size

    def column(self, row: str, units: int) -> int:
        """How many characters of a row so many units are; not more than there are."""
        if row.isascii() or self.encoding not in _CODECS:
            return min(units, len(row))
        at = taken = 0
        while at < len(row) and taken < units:
            taken += self.of(row[at])
            at += 1
        return at

    def position(self, row: int, column: int, text: str | None) -> Position:
        """A place by row and column from 1, in a row with this text; None where each character is a unit."""
        before = column - 1 if text is None else self.of(text[: column - 1]) + max(column - 1 - len(text), 0)
        return Position(max(row - 1, 0), max(before, 0))


@dataclass(frozen=True)
class Text:
    """A text and its rows."""

    source: str

    @cached_property
    def rows(self) -> list[str]:
        """The rows, without their ends."""
        return NEWLINE.split(self.source)

    def row(self, number: int) -> str:
        """A row by its number from 1; empty where there is none."""
        return self.rows[number - 1] if 0 < number <= len(self.rows) else ""

    def range(self, span: Span, units: Units) -> Range:
        """The stretch of a span, for the editor."""
        return Range(
            units.position(span.row, span.column, self.row(span.row)),
            units.position(span.end_row, span.end_column, self.row(span.end_row)),
        )

    def place(self, position: Position, units: Units) -> tuple[int, int]:
        """Row and column from 1."""
        row = position.line + 1
        return row, units.column(self.row(row), position.character) + 1

    @property
    def whole(self) -> Span:
        """All of it."""
        return Span(1, 1, len(self.rows), len(self.rows[-1]) + 1)


@dataclass(frozen=True)
class Moved:
    """Where the rows of an old text are in a new one: those before the first change stay, those after the last move."""

    before: int
    """Rows that are the same at the beginning."""
    after: int
    """Rows that are the same at the end."""
    old: int
    new: int

    @classmethod
    def between(cls, old: Text, new: Text) -> Moved:
        """Compare two texts."""
        first, second = old.rows, new.rows
        least = min(len(first), len(second))
        before = next((at for at in range(least) if first[at] != second[at]), least)
        left = least - before
        after = next((at for at in range(left) if first[-1 - at] != second[-1 - at]), left)
        return cls(before, after, len(first), len(second))

    def row(self, row: int) -> int:
        """The row of the new text; of one that was changed, the nearest that is left of it."""
        if row <= self.before:
            return row
        if row > self.old - self.after:
            return row + self.new - self.old
        return max(min(row, self.new - self.after), 1)

    def span(self, span: Span) -> Span:
        """A span in the new text."""
        return Span(self.row(span.row), span.column, self.row(span.end_row), span.end_column)

    @property
    def inverse(self) -> Moved:
        """From the new text back to the old one."""
        return Moved(self.before, self.after, self.new, self.old)
