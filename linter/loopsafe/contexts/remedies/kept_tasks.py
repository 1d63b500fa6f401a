"""What is done with a task that a thread makes: what crosses over gives a concurrent future, which can do less."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.facts.schema import Attr, Call, Collection, Expr, Name, Scope, Star, Subscript
from loopsafe.facts.spelling import spell
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import Frame

# A concurrent future waits here, where a task answers or raises at once; the others it does not have.
_OF_TASKS = (
    "result", "exception", "get_loop", "get_name", "set_name", "get_coro", "get_context", "get_stack", "print_stack",
    "cancelling", "uncancel", "remove_done_callback",
)  # fmt: skip


class KeptTasks:
    """Looks for uses that need a task, by the names under which it is kept."""

    def __init__(self, program: Program) -> None:
        self._program, self._takers = program, program.knowledge.takers

    def need(self, frame: Frame, call: Call) -> str:
        """Why no concurrent future can take the place of the task that a call makes; empty where one can."""
        scope = frame.scope
        if call.role == "returned":
            awaited = (c for _, _, c in self._program.index.callers(scope.name) if c.role == "awaited")
            first = next(awaited, None)
            return _said(f"what `{scope.name}` returns", first.span.row) if first is not None else ""
        names = {name for name, values in scope.bindings.items() if call in values}
        stores = [store for store in scope.stores if _is_kept(store.value, call, names)]
        kept = [spell(store.base) if store.name is None else f".{store.name}" for store in stores]
        attributes = {text.rpartition(".")[2] for text in kept if "." in text}
        here = next((row for text, row in self._uses(scope) if text in names), 0)
        if here:
            return _said(f"`{min(names)}`", here)
        rows = (row for by in self._reading(attributes) for text, row in self._uses(by) if text in attributes)
        found = next(rows, 0)
        return _said(f"`{min(attributes)}`", found) if found else ""

    def _reading(self, attributes: set[str]) -> list[Scope]:
        """The functions that read an attribute of one of these names."""
        reads = (read for name in sorted(attributes) for read in self._program.index.reads.get(name, ()))
        return list(dict.fromkeys(scope for _, scope, _ in reads))

    def _uses(self, scope: Scope) -> Iterator[tuple[str, int]]:
        """What is awaited or asked like a task in a function, by its last name, with the row."""
        for call in scope.calls:
            if isinstance(call.func, Attr) and call.func.name in _OF_TASKS:
                yield _kept_under(call.func.base), call.span.row
            elif call.role == "awaited" or last_name(call.func) in self._takers:
                yield from ((_kept_under(given), call.span.row) for arg in call.args for given in _parts(arg))
        for expr in scope.awaits:
            if isinstance(expr, Name | Attr | Subscript):
                yield _kept_under(expr), scope.span.row


def _kept_under(expr: Expr) -> str:
    """The last name of a variable or an attribute, or of what has it as an item: `tasks` for `*self.tasks.values()`."""
    while isinstance(expr, Subscript | Star) or (isinstance(expr, Call) and isinstance(expr.func, Attr)):
        if isinstance(expr, Call):
            expr = expr.func.base if isinstance(expr.func, Attr) and not expr.args else None
        else:
            expr = expr.base if isinstance(expr, Subscript) else expr.value
    return last_name(expr) if isinstance(expr, Name | Attr) else ""


def _parts(expr: Expr) -> tuple[Expr, ...]:
    return expr.items if isinstance(expr, Collection) else (expr,)


def _is_kept(value: Expr, call: Call, names: set[str]) -> bool:
    return value is call or (isinstance(value, Name) and value.id in names)


def _said(what: str, row: int) -> str:
    return (
        f"{what} is used as a task around line {row}, which a concurrent future is not: let the loop make and keep it"
    )
