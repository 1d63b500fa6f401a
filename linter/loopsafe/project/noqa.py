"""`# noqa` comments, read as flake8 reads them, so that every front end silences the same findings.

Two habits of flake8 surprise: `# flake8: noqa` silences the whole file even where codes follow it, and a word after
`# noqa:` that is not a code (`# noqa: because`) leaves a bare `# noqa`. Codes are prefixes, and their case counts.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

UNUSED = "LSF001"
"""The code of the rule on comments that silence nothing."""

_CODE = r"[A-Z]+[0-9]+"
_LINE = re.compile(rf"# noqa(?::\s?(?P<codes>{_CODE}(?:[,\s]*{_CODE})*))?", re.IGNORECASE)
_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)
_WORD = re.compile(r"[^,\s]+")
_OUTSIDE_LINES = (tokenize.DEDENT, tokenize.ENDMARKER)
_LINE_ENDS = (tokenize.NL, tokenize.NEWLINE)


def silenced(line: str, code: str) -> bool:
    """Whether the first `# noqa` in `line`, which may be several lines joined, silences findings of `code`."""
    comment = first_noqa(line)
    if comment is None:
        return False
    return comment["codes"] is None or code.startswith(tuple(words(comment["codes"])))


def first_noqa(line: str) -> re.Match[str] | None:
    """The only `# noqa` that counts in a line; its group `codes` is None where it is bare."""
    return _LINE.search(line)


def words(codes: str) -> list[str]:
    """The codes, or beginnings of codes, that a comment lists."""
    return _WORD.findall(codes)


class Line(NamedTuple):
    """Rows that count as one line, from `first` to `last`, and their text."""

    first: int
    last: int
    text: str


class Comment(NamedTuple):
    """A `# noqa` with codes. `text` is that of its row, and the row's whole comment begins at offset `start` of it.

    `match` was found in the comment. `line` is the line that it counts for.
    """

    row: int
    start: int
    text: str
    match: re.Match[str]
    line: Line


class NoqaLines:
    """The `# noqa` comments of one file. Cheap where the text has none: only then is nothing tokenized."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._commented: list[tokenize.TokenInfo] = []
        # A row may have many findings, and be long.
        self._silenced: dict[tuple[int, str], bool] = {}

    def silences(self, row: int, code: str) -> bool:
        """Whether a finding of `code` on `row` (counted from 1) is silenced by its line or by the whole file."""
        if not self._mentioned:
            return False
        if self._whole_file:
            return True
        known = self._silenced.get((row, code))
        if known is None:
            known = self._silenced[row, code] = silenced(self.line(row).text, code)
        return known

    def comments(self) -> Iterator[Comment]:
        """The comments with codes that count, in order; none where they count for the whole file, or it is unclear."""
        if not self._mentioned or self._whole_file or not self._joined:
            return
        for token in self._commented:
            match = first_noqa(token.string)
            if match and match["codes"]:
                row, start = token.start
                line, text = self.line(row), self._lines[row - 1].rstrip("\n")
                before = sum(map(len, self._lines[line.first - 1 : row - 1]))
                first = first_noqa(line.text)
                if first and first.start() == before + start + match.start():
                    yield Comment(row, start, text, match, line)

    def line(self, row: int) -> Line:
        """The line that a row is part of."""
        if row in self._joined:
            return self._joined[row]
        return Line(row, row, self._lines[row - 1] if 0 < row <= len(self._lines) else "")

    @cached_property
    def _mentioned(self) -> bool:
        return "noqa" in self._source.lower()

    @cached_property
    def _lines(self) -> list[str]:
        # Rows are those of the tokenizer: str.splitlines() would also cut at form feeds and other separators.
        return io.StringIO(self._source.removeprefix("\ufeff"), newline=None).readlines()

    @cached_property
    def _whole_file(self) -> bool:
        return any(_FILE.match(line) for line in self._lines)

    @cached_property
    def _joined(self) -> dict[int, Line]:
        """For each row, all rows that one string or a backslash holds together."""
        joined: dict[int, Line] = {}
        try:
            for first, last in self._ranges():
                line = Line(first, last, "".join(self._lines[first - 1 : last]))
                joined.update(dict.fromkeys(range(first, last + 1), line))
        except (tokenize.TokenError, SyntaxError):
            return {}
        return joined

    def _ranges(self) -> Iterator[tuple[int, int]]:
        """First and last row of every line, where strings over several rows and backslashes make one line of many."""
        first, reader = 0, iter(self._lines)
        for token in tokenize.generate_tokens(lambda: next(reader, "")):
            if token.type == tokenize.COMMENT:
                self._commented.append(token)
            if token.type not in _OUTSIDE_LINES and not first:
                first = token.start[0]
            if token.type in _LINE_ENDS:
                yield first, token.end[0]
                first = 0
