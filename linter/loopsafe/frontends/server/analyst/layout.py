"""Edits that move rows and change nothing that is looked at: empty rows, and comments that say nothing to a tool.

What was found before such an edit is found after it, in other rows. To find it anew would take as long as after any.
"""

from __future__ import annotations

import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from loopsafe.locations import Location, Span

# What such a comment says may depend on where it stands.
_REMARK = re.compile(r"#\s*loopsafe", re.IGNORECASE)
_SPEAKS = re.compile(r"noqa|type:|coding", re.IGNORECASE)
_NOTHING = (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)

_Token = tuple[int, str, int, int, int]


@dataclass(frozen=True, slots=True)
class RowMap:
    """Where rows have gone: the first rows of all statements, before and after."""

    old: tuple[int, ...]
    new: tuple[int, ...]

    def row(self, row: int) -> int:
        """The row now."""
        at = bisect_right(self.old, row) - 1
        return row if at < 0 else row - self.old[at] + self.new[at]

    def span(self, span: Span) -> Span:
        """The span now."""
        return Span(self.row(span.row), span.column, self.row(span.end_row), span.end_column)

    def location(self, location: Location) -> Location:
        """The place now."""
        return Location(location.path, self.span(location.span), location.cell, location.above)


def row_map(old: str, new: str) -> RowMap | None:
    """Where the rows of a text have gone in another; None where more has changed than what nobody looks at."""
    if any(_REMARK.search(text) or "\r" in text.replace("\r\n", "") for text in (old, new)):
        return None
    try:
        before, after = list(_statements(old)), list(_statements(new))
    except (tokenize.TokenError, SyntaxError):
        return None
    if [tokens for _, tokens in before] != [tokens for _, tokens in after]:
        return None
    return RowMap(tuple(row for row, _ in before), tuple(row for row, _ in after))


def _statements(text: str) -> Iterator[tuple[int, list[_Token]]]:
    """The first row of each statement, and its tokens, with rows counted from there; so of comments that speak."""
    tokens: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
        if token.type not in _NOTHING:
            tokens.append(token)
        if token.type == tokenize.NEWLINE or (token.type == tokenize.NL and _are_comments(tokens)):
            kept = tokens if tokens[-1:] and tokens[0].start[0] != tokens[-1].end[0] else _speaking(tokens)
            if kept:
                first = kept[0].start[0]
                yield first, [(t.type, t.string, t.start[0] - first, t.start[1], t.end[1]) for t in kept]
            tokens = []


def _are_comments(tokens: list[tokenize.TokenInfo]) -> bool:
    return all(token.type == tokenize.COMMENT for token in tokens)


def _speaking(tokens: list[tokenize.TokenInfo]) -> list[tokenize.TokenInfo]:
    """The tokens of one row but for a comment that says nothing to a tool, and the place of the end of the row."""
    return [
        token
        for token in tokens
        if token.type != tokenize.NEWLINE and (token.type != tokenize.COMMENT or _SPEAKS.search(token.string))
    ]
