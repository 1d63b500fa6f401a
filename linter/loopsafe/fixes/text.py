"""Offsets into a text, the changes made at them, and rows and columns as the rest of loopsafe counts them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from loopsafe.findings import Edit
from loopsafe.locations import Span
from loopsafe.project.sources import NEWLINE

_COMMENT = re.compile(rf"\s*#[^\r\n]*(?:{NEWLINE.pattern})?")

# From Python 3.12 on, f-strings are read in parts, and from 3.14 on t-strings, too.
_PARTS = ("FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END", "TSTRING_START", "TSTRING_MIDDLE", "TSTRING_END")
_TEXTS = {tokenize.STRING, *(getattr(tokenize, name) for name in _PARTS if hasattr(tokenize, name))}


class CannotFix(Exception):
    """A plan cannot be carried out. The message says why, for the user."""


class Change(NamedTuple):
    """Replace `text[start:end]` by `content`. Sorts by place; an insertion has `start == end`."""

    start: int
    end: int
    content: str

    def collides(self, other: Change) -> bool:
        """Whether the order of the two matters: they overlap, or begin at the same place."""
        return self.start == other.start or (self.start < other.end and other.start < self.end)


class SourceText:
    """A text with its lines. Rows and columns count from 1, columns in characters; offsets count from 0."""

    def __init__(self, source: str, width: int | None = None) -> None:
        self.source, self.width = source, width
        self._starts = [0, *(match.end() for match in NEWLINE.finditer(source))]

    @cached_property
    def longest(self) -> int:
        """Where its longest row ends, in columns, of those that a formatter could break.

        Comments stay, and so do rows with a string, unless it is one of several things.
        """
        ends: dict[int, int] = {}
        texts: set[int] = set()
        several: set[int] = set()
        comma = 0
        for token in tokenize.generate_tokens(io.StringIO(self.source, None).readline):
            first, last = token.start[0], token.end[0]
            is_text = token.type in _TEXTS
            if not is_text and token.type not in (tokenize.NAME, tokenize.OP, tokenize.NUMBER):
                continue
            if comma == first == last:
                several.add(last)
            if is_text:
                texts.update(range(first, last + 1))
                several.difference_update(range(first, last + (last > first)))
            else:
                ends[last] = token.end[1]
            comma = last if token.string == "," else 0
        return max((end for row, end in ends.items() if row in several or row not in texts), default=0)

    def offset(self, row: int, column: int) -> int:
        """The offset of a place.

        Raises:
            CannotFix: the text has no such place.
        """
        if not 1 <= row <= len(self._starts) or column < 1:
            raise CannotFix(f"the file has no line {row}")
        offset = self._starts[row - 1] + column - 1
        if offset > len(self.source):
            raise CannotFix(f"line {row} has no column {column}")
        return offset

    def place(self, offset: int) -> tuple[int, int]:
        """Row and column of an offset."""
        row = bisect_right(self._starts, offset)
        return row, offset - self._starts[row - 1] + 1

    def line(self, row: int) -> str:
        """A line with its line end; empty after the last one."""
        if row > len(self._starts):
            return ""
        end = self._starts[row] if row < len(self._starts) else len(self.source)
        return self.source[self._starts[row - 1] : end]

    def newline(self, row: int) -> str:
        """The line end used at a row, or where that has none, by the file's first line."""
        found = NEWLINE.search(self.line(row)) or NEWLINE.search(self.source)
        return found.group() if found else "\n"

    def begin(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """Row and column at which a node of the text's tree begins."""
        return node.lineno, self._column(node.lineno, node.col_offset)

    def end(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """Row and column just after it."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return node.end_lineno, self._column(node.end_lineno, node.end_col_offset)

    def code(self, node: ast.stmt | ast.expr) -> str:
        """Its text."""
        return self.source[self.offset(*self.begin(node)) : self.offset(*self.end(node))]

    def _column(self, row: int, offset: int) -> int:
        return len(self.line(row).encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "surrogatepass")) + 1

    def comment(self, span: Span, text: str) -> Change:
        """A comment, with the space around it, becomes `text`.

        Raises:
            CannotFix: there is something else.
        """
        change = Change(self.offset(span.row, span.column), self.offset(span.end_row, span.end_column), text)
        if not _COMMENT.fullmatch(self.source, change.start, change.end):
            raise CannotFix(f"line {span.row} has no such comment")
        return change

    def edit(self, change: Change) -> Edit:
        """The change in rows and columns."""
        return Edit(Span(*self.place(change.start), *self.place(change.end)), change.content)

    def changed(self, changes: Iterable[Change]) -> str:
        """The text after the changes, which must not collide."""
        # An insertion sorts before a replacement that begins at the same place, and is put before it.
        parts, done = [], 0
        for change in sorted(changes):
            parts += [self.source[done : change.start], change.content]
            done = change.end
        return "".join([*parts, self.source[done:]])
