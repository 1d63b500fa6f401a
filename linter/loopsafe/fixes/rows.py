"""A call that has become too long for its row, laid out as the usual formatters do it."""

from __future__ import annotations

import re
from itertools import pairwise

from loopsafe.fixes.calls import CallSite
from loopsafe.fixes.text import Change, SourceText

# Columns, where nothing says how many: the least of these that the file keeps to.
_WIDTHS = (88, 100, 120)
# What may stand before the call in its row: then no bracket around it would be opened up first.
_BEFORE = re.compile(r"\s*(?:[\w., :]+ = |return |await )*")


def width_of(text: SourceText) -> int | None:
    """The columns that a file is told to keep to, or keeps to; None where it keeps to none."""
    return text.width or next((width for width in _WIDTHS if text.longest <= width), None)


def broken(text: SourceText, call: CallSite, changes: list[Change]) -> list[Change]:
    """The changes of a call that is handed over, with the row broken where it would be longer than all others."""
    row, column = text.place(call.start)
    line, end = text.line(row).rstrip("\r\n"), column + call.closing - call.start
    if len(changes) != 2 or not call.arguments or text.place(call.closing)[0] != row or line[end:].strip():
        return changes
    (start, function_end, receiver), (first, _, function) = sorted(changes)
    before = line[: column - 1]
    content = function + text.source[first : call.closing]
    is_simple = receiver.count("(") == receiver.count(")") and function.endswith(", ") and call.inside == first
    fits = len(before + receiver + content) + 2 <= (text.width or _WIDTHS[0])
    # Only then the whole file is measured.
    if fits or not is_simple or not _BEFORE.fullmatch(before):
        return changes
    width = width_of(text)
    if width is None or len(before + receiver + content) + 2 <= width:
        return changes
    indent = line[: len(line) - len(line.lstrip())]
    newline = text.newline(row)
    inner = newline + indent + ("\t" if "\t" in indent else "    ")
    closing = Change(call.closing, call.closing, f"{newline}{indent}")
    if len(inner.strip("\r\n")) + len(content) <= width:
        return [Change(start, function_end, receiver), Change(first, first, inner + function), closing]
    parts = [Change(first, first, f"{inner}{function.rstrip()}{inner}")]
    parts += [Change(one.comma + 1, two.start, inner) for one, two in pairwise(call.arguments) if one.comma]
    comma = "" if call.arguments[-1].comma else ","
    return [Change(start, function_end, receiver), *parts, closing._replace(content=comma + closing.content)]
