"""What a thread says when the loop that it ran is over: a flag or an event of its object that is set after the run."""

from __future__ import annotations

from functools import cached_property

from loopsafe.contexts.spread.exclusion import condition, surrounds
from loopsafe.contexts.spread.helpers import Spot
from loopsafe.facts.schema import Attr, Call, Const, Expr, Name, Scope
from loopsafe.facts.spelling import spell
from loopsafe.knowledge.load import Knowledge
from loopsafe.program.index import Index, last_name

_OwnAttribute = tuple[int, int, str]


class Endings:
    """Looks at who sets an object's attribute: only functions that have run a loop just before."""

    def __init__(self, index: Index, knowledge: Knowledge) -> None:
        self._index, self._runs = index, knowledge.loops
        owners = (name.rpartition(".") for name in self._runs)
        self._methods = {name for owner, _, name in owners if knowledge.is_a_loop(owner)}

    def are_told_by_flag(self, place: Spot, flag: Attr, holds: bool) -> bool:
        """Whether `self.over` is (not) true only after the run."""
        own = self._own(place, flag)
        stores = self._index.own_stores.get(own[:2], {}).get(own[2], ()) if own else ()
        if not all(isinstance(store.value, Const) for _, store in stores) or flag.name in self._index.stores:
            return False
        told = [(s, st) for s, st in stores if bool(st.value.value) == holds]  # type: ignore[union-attr]
        return bool(told) and all(self._follows_a_run(s, store.guard, store.packed_span) for s, store in told)

    def are_told_by_event(self, place: Spot, event: Expr) -> bool:
        """Whether `self.ended` is set only after the run."""
        own = self._own(place, event)
        told = self._set.get(own, ()) if own else ()
        return bool(told) and all(self._follows_a_run(scope, call.guard, call.packed_span) for scope, call in told)

    @cached_property
    def _set(self) -> dict[_OwnAttribute, list[tuple[Scope, Call]]]:
        """The calls that set an event of their own object."""
        found: dict[_OwnAttribute, list[tuple[Scope, Call]]] = {}
        for module, scope, call in self._index.callers("set"):
            own = self._own(Spot(module, scope), call.func.base) if isinstance(call.func, Attr) else None
            if own is not None:
                found.setdefault(own, []).append((scope, call))
        return found

    def _own(self, place: Spot, attribute: Expr) -> _OwnAttribute | None:
        """The class of `self.name`, and the name."""
        if not isinstance(attribute, Attr) or not isinstance(attribute.base, Name):
            return None
        cls = self._index.own_class(place.module, place.scope, attribute.base.id)
        return (place.module.index, cls.index, attribute.name) if cls is not None else None

    def _follows_a_run(self, scope: Scope, guard: int, packed_span: int) -> bool:
        before = (call for call in scope.calls if call.packed_span < packed_span and self._is_run(call.func))
        return any(surrounds(scope, condition(scope, run), guard) for run in before)

    def _is_run(self, func: Expr) -> bool:
        return last_name(func) in self._methods or spell(func) in self._runs
