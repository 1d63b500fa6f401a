"""Branches that choose a way across: `if self._portal is None: ... else: self._portal.call(...)`."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.contexts.spread.exclusion import outwards
from loopsafe.facts.schema import Attr, Call, Compare, Const, Expr, Name, Scope
from loopsafe.facts.spelling import spell
from loopsafe.knowledge.load import Knowledge
from loopsafe.program.index import last_name

Test = tuple[str, bool]
"""The text of something that may be None, and whether it is there."""


class Branches:
    """Tells where code has no way across because there is no other loop: the opposite branch goes across."""

    def __init__(self, knowledge: Knowledge) -> None:
        rows = knowledge.runs.items()
        self._crossings = {name.rpartition(".")[2] for name, found in rows if any(row.crossing for row in found)}
        self._across: dict[Scope, list[Call]] = {}

    def stays(self, scope: Scope, guard: int) -> bool:
        """Whether this stands where something by which other branches of the function go across is missing."""
        across = self._across.get(scope)
        if across is None:
            across = [call for call in scope.calls if last_name(call.func) in self._crossings]
            self._across[scope] = across
        missing = {text for text, is_there in _tests(scope, guard) if not is_there} if across else ()
        return any(_goes_across(scope, call, text) for text in missing for call in across)


def _goes_across(scope: Scope, call: Call, text: str) -> bool:
    """Whether a crossing goes by what a test has found to be there."""
    if (text, True) not in _tests(scope, call.guard):
        return False
    base = call.func.base if isinstance(call.func, Attr) else None
    return any(_text(given) == text for given in (base, *call.args, *(value for _, value in call.keywords)))


def _tests(scope: Scope, guard: int) -> Iterator[Test]:
    """The things that are tested for being there, from the inside out."""
    for row in outwards(scope, guard):
        if row.kind == "test" and (tested := _tested(row.test)):
            yield tested[0], tested[1] == row.holds


def _tested(test: Expr) -> Test | None:
    """What a test is about, and whether it is true if that is there."""
    if isinstance(test, Compare) and test.operator in ("is", "is not"):
        none = isinstance(test.right, Const) and test.right.value is None
        return (_text(test.left), test.operator == "is not") if none and _text(test.left) else None
    return (_text(test), True) if _text(test) else None


def _text(expr: Expr) -> str:
    return spell(expr) if isinstance(expr, (Name, Attr)) else ""
