"""Which function or class of a file a place is in, and what stands at a place of a function."""

from __future__ import annotations

from bisect import bisect_right

from loopsafe.facts.schema import Call, FileFacts, Scope, unpack_span
from loopsafe.locations import Span


class Enclosing:
    """Looks into one file. Not by the parents of scopes: what stands in a signature belongs to the scope outside."""

    def __init__(self, facts: FileFacts) -> None:
        scopes = [(scope.span, scope.qualname) for scope in facts.scopes if scope.qualname]
        scopes.sort(key=lambda pair: (pair[0].row, pair[0].column, -pair[0].end_row, -pair[0].end_column))
        self._scopes = scopes
        self._starts = [(span.row, span.column) for span, _ in scopes]
        self._around: list[int] = []
        around: list[int] = []
        for position, (span, _) in enumerate(scopes):
            while around and not scopes[around[-1]][0].contains(span):
                around.pop()
            self._around.append(around[-1] if around else -1)
            around.append(position)

    def name(self, span: Span) -> str:
        """The qualified name of the innermost one that holds the span, or is it; empty where none does."""
        at = bisect_right(self._starts, (span.row, span.column)) - 1
        while at >= 0 and not self._scopes[at][0].contains(span):
            at = self._around[at]
        return self._scopes[at][1] if at >= 0 else ""


def loops_around(scope: Scope, span: Span) -> list[Span]:
    """The `for` and `while` statements of a function that a place in it stands in."""
    return [loop for loop in map(unpack_span, scope.loop_spans) if loop.contains(span)]


def call_at(scope: Scope, packed_span: int) -> Call | None:
    """The call that stands at a place of a function."""
    return next((call for call in scope.calls if call.packed_span == packed_span), None)
