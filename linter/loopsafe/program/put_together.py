"""Attributes by a name that is put together: `getattr(self, f"on_{kind}")` means all that begin like that."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.schema import Choice, Const, Expr, Name
from loopsafe.program.classes import Classes
from loopsafe.program.graph import Source
from loopsafe.program.values import Class, Instance, ProjectModule, Value

# Fewer letters say nothing.
_SHORTEST = 3


def beginnings(source: Source) -> set[str]:
    """How the name may begin that an argument holds, itself or by a variable of the function."""
    frame, expr = source.frame, source.expr
    values: tuple[Expr, ...] = (expr,)
    if isinstance(expr, Name) and frame is not None:
        values = tuple(frame.scope.bindings.get(expr.id, ()))
    return {found for value in values if (found := _beginning(value))}


def _beginning(value: Expr) -> str:
    first = value.options[0] if isinstance(value, Choice) and value.joined else None
    text = first.value if isinstance(first, Const) else None
    return text if isinstance(text, str) and len(text) >= _SHORTEST and text.isidentifier() else ""


def names_of(value: Value, beginning: str, classes: Classes) -> Iterator[str]:
    """The attributes of a value of the project that begin like that, as they are defined."""
    scopes = []
    if isinstance(value, (Instance, Class)):
        cls = value.cls if isinstance(value, Instance) else value
        scopes = [base.scope for base in classes.mro(cls) if isinstance(base, Class)]
    elif isinstance(value, ProjectModule):
        scopes = [value.module.facts.scopes[0]]
    yield from dict.fromkeys(name for scope in scopes for name in scope.bindings if name.startswith(beginning))
