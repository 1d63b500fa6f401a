"""Empty callbacks handed to a loop only to wake it, after the work was done off its thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.places.place import State
from loopsafe.facts.schema import Attr, Call, Expr, Name, Ref, Scope
from loopsafe.program.index import last_name

_HANDOVER = "call_soon_threadsafe"


def empty_wakeups(foreign: Iterable[Reached]) -> Iterator[tuple[Reached, Call]]:
    """Each wake-up call with the first off-loop operation before it in the same function."""
    first: dict[State, Reached] = {}
    for reached in sorted(foreign, key=lambda r: r.call.packed_span):
        first.setdefault(reached.state, reached)
    for state, reached in first.items():
        for call in state.frame.scope.calls:
            after = call.packed_span > reached.call.packed_span
            if after and last_name(call.func) == _HANDOVER and _does_nothing(state, call):
                yield reached, call


def _does_nothing(state: State, call: Call) -> bool:
    """Whether the callback is a lambda or function of this file without any effect."""
    if len(call.args) != 1 or call.keywords:
        return False
    refs = list(_named(state, call.args[0]))
    return bool(refs) and all(_is_empty(scope) for scope in refs)


def _named(state: State, given: Expr) -> Iterator[Scope]:
    """The functions of this file that an argument names: a lambda, a name, a method of the class."""
    scopes = state.frame.module.facts.scopes
    if isinstance(given, Ref):
        yield scopes[given.scope]
    elif isinstance(given, Name):
        bound = (*state.frame.scope.bindings.get(given.id, ()), *scopes[0].bindings.get(given.id, ()))
        yield from (scopes[b.scope] for b in bound if isinstance(b, Ref))
    elif isinstance(given, Attr):
        yield from (s for s in scopes if s.name == given.name and scopes[s.parent].kind == "class")


def _is_empty(scope: Scope) -> bool:
    effects = (scope.calls, scope.stores, scope.outer_names, scope.raises, scope.blocks)
    return scope.kind in ("function", "lambda") and not any(effects) and not scope.is_async
