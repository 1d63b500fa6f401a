"""What to write where `# noqa` comments are put in or codes taken out, and that the code around stays as it is."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterator, Mapping

from loopsafe.findings import Edit
from loopsafe.locations import Span
from loopsafe.project.noqa import Comment, NoqaLines, first_noqa, words

_CODES = re.compile(r"(?P<apart>[,\s]*)(?P<code>[^,\s]+)")
# An encoding may be declared on the first two rows; a row that goes would move others up there.
_DECLARING = 2
_LAYOUT = (tokenize.COMMENT, tokenize.NL)


def without(comment: Comment, unused: Collection[str]) -> Edit:
    """The edit after which a comment does not list these codes; where it lists no others, it goes.

    The span is the rest of the row from where the code ends; the whole row where there is nothing else on it.

    Raises:
        ValueError: another `# noqa`, behind this one, would take effect.
    """
    row, text = comment.row, comment.text
    code = text[: comment.start].rstrip()
    left = _left(text[comment.start :], comment.match, unused)
    if first_noqa(left) and set(words(comment.match["codes"])) <= set(unused):
        raise ValueError("another `# noqa` behind it would take effect")
    alone = not code and comment.line.first == comment.line.last and comment.line.text.endswith("\n")
    if alone and not left and row > _DECLARING:
        return Edit(Span(row, 1, row + 1, 1), "")
    gap = text[len(code) : comment.start] if left else ""
    return Edit(Span(row, len(code) + 1, row, len(text) + 1), gap + left)


def _left(comment: str, match: re.Match[str], unused: Collection[str]) -> str:
    """A whole comment without those codes."""
    kept = [one for one in _CODES.finditer(match["codes"]) if one["code"] not in unused]
    if kept:
        codes = "".join(one[0] for one in kept).lstrip(", \t")
        return comment[: match.start("codes")] + codes + comment[match.end() :]
    before, after = comment[: match.start()], comment[match.end() :].strip(", \t:-")
    return (before + (f"# {after}" if after and not after.startswith("#") else after)).rstrip()


class Adding:
    """Puts `# noqa` comments into one text."""

    def __init__(self, source: str) -> None:
        self._lines = NoqaLines(source)
        self._comments = {comment.line.first: comment for comment in self._lines.comments()}

    def edits(self, wanted: Mapping[int, Collection[str]]) -> tuple[list[Edit], dict[int, str]]:
        """What silences these codes on these rows, and why it cannot be done on others."""
        by_line: dict[int, set[str]] = {}
        refused: dict[int, str] = {}
        for row, codes in wanted.items():
            line = self._lines.line(row)
            if first_noqa(line.text) and line.first not in self._comments:
                refused[row] = "a string there says `# noqa`, and only the first of a line counts"
            else:
                by_line.setdefault(line.last, set()).update(codes)
        return [self._edit(row, sorted(codes)) for row, codes in sorted(by_line.items())], refused

    def _edit(self, row: int, codes: list[str]) -> Edit:
        line = self._lines.line(row)
        comment = self._comments.get(line.first)
        if comment is None:
            end = len(line.text.removesuffix("\n").rpartition("\n")[2]) + 1
            return Edit(Span(row, end, row, end), f"  # noqa: {', '.join(codes)}")
        end = comment.start + comment.match.end() + 1
        return Edit(Span(comment.row, end, comment.row, end), "".join(f", {code}" for code in codes))


def same_code(one: str, other: str) -> bool:
    """Whether two texts differ in nothing but comments and empty rows."""
    try:
        return all(a == b for a, b in zip(_code(one), _code(other), strict=True))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return False


def _code(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text, newline=None).readline):
        if token.type not in _LAYOUT:
            yield token.type, token.string
