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

_CODE = r"[A-Z]+[0-9]+"
_LINE = re.compile(rf"# noqa(?::\s?(?P<codes>{_CODE}(?:[,\s]*{_CODE})*))?", re.IGNORECASE)
_FILE = re.compile(r"\s*# flake8[:=]\s*noqa", re.IGNORECASE)
_WORD = re.compile(r"[^,\s]+")
_OUTSIDE_LINES = (tokenize.DEDENT, tokenize.ENDMARKER)
_LINE_ENDS = (tokenize.NL, tokenize.NEWLINE)


def silenced(line: str, code: str) -> bool:
    """Whether the first `# noqa` in `line`, which may be several lines joined, silences findings of `code`."""
    comment = _LINE.search(line)
    if comment is None:
        return False
    return comment["codes"] is None or code.startswith(tuple(_WORD.findall(comment["codes"])))


class NoqaLines:
    """The `# noqa` comments of one file. Cheap where the text has none: only then is nothing tokenized."""

    def __init__(self, source: str) -> None:
        self._source = source
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
            known = self._silenced[row, code] = silenced(self._line(row), code)
        return known

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

    def _line(self, row: int) -> str:
        if row in self._joined:
            return self._joined[row]
        return self._lines[row - 1] if 0 < row <= len(self._lines) else ""

    @cached_property
    def _joined(self) -> dict[int, str]:
        """For each row, the text of all rows that one string or a backslash holds together."""
        joined: dict[int, str] = {}
        try:
            for first, last in _ranges(self._lines):
                joined.update(dict.fromkeys(range(first, last + 1), "".join(self._lines[first - 1 : last])))
        except (tokenize.TokenError, SyntaxError):
            return {}
        return joined


def _ranges(lines: list[str]) -> Iterator[tuple[int, int]]:
    """First and last row of every line, where strings over several rows and backslashes make one line of many."""
    rows: list[int] = []
    reader = iter(lines)
    for token in tokenize.generate_tokens(lambda: next(reader)):
        if token.type not in _OUTSIDE_LINES:
            rows += token.start[0], token.end[0]
        if token.type in _LINE_ENDS:
            yield min(rows), max(rows)
            rows = []
