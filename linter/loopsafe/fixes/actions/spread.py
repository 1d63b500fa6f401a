"""`g(f(x, y))` becomes `g(f, x, y)`: a call's arguments move up into the call around it."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.fixes.actions.passing import row_break
from loopsafe.fixes.calls import Argument, CallSite
from loopsafe.fixes.text import CannotFix, Change
from loopsafe.project.sources import NEWLINE


def spread(outer: Argument, inner: CallSite) -> list[Change]:
    """Take the parentheses off `inner`, the call that is the argument `outer`, the last positional one."""
    first = inner.arguments[0]
    own = [Change(first.start, first.start, "("), Change(first.end, first.end, ")")] if first.bare_generator else []
    if row_break(inner):
        return [Change(inner.function_end, inner.inside, ","), *_dedent(outer, inner), *own, _close(outer, inner)]
    return [Change(inner.function_end, first.start, ", "), *own, _close(outer, inner)]


def _close(outer: Argument, inner: CallSite) -> Change:
    """Remove the closing parenthesis, one of two commas, and the blank that would be left over."""
    source, last = inner.source, inner.arguments[-1]
    end = inner.closing + 1
    if last.comma is not None and outer.comma is not None:
        if source[end : outer.comma].strip():
            raise CannotFix("a comment stands where a comma would go")
        end = outer.comma + 1
    after_last = last.end if last.comma is None else last.comma + 1
    rest = source[after_last : inner.closing]
    if not rest.strip():
        # Where each argument has rows of its own, formatters ask for a comma after the last.
        bare = last.comma is None and outer.comma is None and not last.bare_generator
        comma = "," if bare and row_break(inner) and NEWLINE.match(source, end) else ""
        return Change(after_last, end, comma)
    # A comment stays; the row that held only the parenthesis goes, if nothing else comes to stand on it.
    line_ends = list(NEWLINE.finditer(source, after_last, inner.closing))
    if NEWLINE.match(source, end):
        return Change(line_ends[-1].start(), end, "")
    return Change(inner.closing, end, "")


def _dedent(outer: Argument, inner: CallSite) -> Iterator[Change]:
    """Give the rows of the moved arguments the indentation of the row the function stands on."""
    source = inner.source
    line_start = max(source.rfind("\n", 0, outer.start), source.rfind("\r", 0, outer.start)) + 1
    indent = source[line_start : outer.start]
    old = NEWLINE.sub("", row_break(inner))
    code = source[inner.inside : inner.closing]
    # White space in a string is not layout.
    if indent.strip() or any(mark in code for mark in ('"""', "'''", "\\")):
        return
    for line_end in NEWLINE.finditer(source, inner.inside, inner.arguments[-1].end):
        if source.startswith(old, line_end.end()):
            yield Change(line_end.end(), line_end.end() + len(old), indent)
