"""What the `try` statements around a place handle."""

from __future__ import annotations

from loopsafe.facts.schema import Scope


def expected_exceptions(scope: Scope, handler: int) -> set[str]:
    """The exception types, without their modules, that the `try` statements around a place handle."""
    names: set[str] = set()
    while handler >= 0:
        names |= {name.rpartition(".")[2] for name in scope.handlers[handler].exceptions}
        handler = scope.handlers[handler].parent
    return names
