"""Work that is handed to a loop which nobody runs: it never happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from loopsafe.contexts.places.place import LOOK_UPS, LOOP, Hop
from loopsafe.contexts.verdicts.loop_calls import LoopCall
from loopsafe.facts.parts import expressions_in
from loopsafe.facts.schema import Attr, Call, Const, Expr, Name, Scope
from loopsafe.facts.spelling import is_none
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program

# What may be done to a loop without its going anywhere else.
_HARMLESS = ("close", "stop", "is_running", "is_closed", "time", "set_debug", "get_debug", "create_future")
_CROSSINGS = ("run_coroutine_threadsafe",)

Used = tuple[Expr, Call | None]
"""A mention of the loop's name, and the call of whose function or arguments it is a part."""


class DeadLoops:
    """Looks at the loops that are made and kept under one name, and at every mention of that name.

    A loop that goes anywhere else, as an argument, a result or another name, may be run there.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._sought: set[str] = set()

    def found(self) -> Iterator[LoopCall]:
        """The hand-overs to loops that nobody is seen to run, and that nobody else can get at."""
        knowledge = self._program.knowledge
        making = {
            n for n, row in knowledge.results.items() if LOOP in knowledge.lineage(row.gives) and not row.existing
        }
        words = {name.rpartition(".")[2] for name in making} - set(LOOK_UPS)
        sites = [site for word in sorted(words) for site in self._program.index.own_callers(word)]
        sites = [(module, scope, call) for module, scope, call in sites if not call.args and not call.keywords]
        self._sought = {s.name for _, scope, call in sites for s in scope.stores if s.value is call and s.name}
        for site in sites:
            yield from self._hand_overs(*site)

    def _hand_overs(self, module: Module, scope: Scope, made: Call) -> Iterator[LoopCall]:
        local = [name for name, values in scope.bindings.items() if values == (made,) and name not in scope.outer_names]
        stored = [store for store in scope.stores if store.value is made and store.name is not None]
        if len(local) == 1 and not stored and scope.kind == "function":
            uses, sure = list(self._named(module, scope, local[0])), True
        elif len(stored) == 1 and not local and (stored[0].name or "").startswith("_"):
            uses, sure = self._kept(stored[0].name or "", made), False
        else:
            return
        handed = [(at, call) for at, call in uses if call is not None]
        if len(handed) == len(uses) and all(self._is_known(call, expr) for expr, call in handed):
            for module_, call in self._given(handed):
                hops = (Hop("starts", module, made.packed_span), Hop("reaches", module_, call.packed_span))
                yield LoopCall(module_, call, hops, sure)

    def _is_known(self, call: Call, expr: Expr) -> bool:
        """Whether a call does to the loop what leaves it where it is."""
        func = call.func
        if isinstance(func, Attr) and func.base is expr:
            return func.name in self._handing or func.name in _HARMLESS
        return last_name(func) in _CROSSINGS

    def _given(self, handed: Iterable[tuple[Expr, Call]]) -> Iterator[tuple[Module, Call]]:
        """The calls that give the loop something to do."""
        for _, call in handed:
            if last_name(call.func) in self._handing or last_name(call.func) in _CROSSINGS:
                yield self._module_of[call], call

    @cached_property
    def _module_of(self) -> dict[Call, Module]:
        scopes = ((module, scope) for module in self._program.modules.all for scope in module.facts.scopes)
        return {call: module for module, scope in scopes for call in scope.calls}

    @cached_property
    def _handing(self) -> set[str]:
        """The methods by which a loop is given something to do."""
        rows = self._program.knowledge.runs.items()
        return {
            n.rpartition(".")[2] for n, found in rows if n.startswith(LOOP) and any(r.where == "loop" for r in found)
        }

    def _named(self, module: Module, scope: Scope, name: str) -> Iterator[Used]:
        """Every mention of a local name, in the functions inside too."""
        scopes = module.facts.scopes
        for inner in scopes[scope.index :]:
            at = inner
            while at is not scope and at.parent >= scope.index and name not in at.bindings:
                at = scopes[at.parent]
            if at is scope:
                yield from _mentions(inner, lambda expr: isinstance(expr, Name) and expr.id == name)

    def _kept(self, name: str, made: Call) -> list[Used]:
        """Every mention of an attribute; one that holds anything else as well is no one's alone."""
        found: list[Used] = []
        for module in self._program.modules.all:
            for scope in module.facts.scopes:
                others = [s for s in scope.stores if s.name == name and s.value is not made and not is_none(s.value)]
                if others or name in scope.bindings or ("", name) in self._spoken_of.get(scope, ()):
                    return [(None, None)]
                if ("attribute", name) in self._spoken_of.get(scope, ()):
                    found += _mentions(scope, lambda expr: isinstance(expr, Attr) and expr.name == name)
        return found

    @cached_property
    def _spoken_of(self) -> dict[Scope, set[tuple[str, str]]]:
        """The names sought that each scope speaks of, as attributes or as texts."""
        scopes = (scope for module in self._program.modules.all for scope in module.facts.scopes)
        return {scope: found for scope in scopes if (found := set(self._named_in(scope)))}

    def _named_in(self, scope: Scope) -> Iterator[tuple[str, str]]:
        for expr in _all(scope):
            if isinstance(expr, Attr) and expr.name in self._sought:
                yield "attribute", expr.name
            elif isinstance(expr, Const) and expr.value in self._sought:
                yield "", str(expr.value)


def _mentions(scope: Scope, is_meant: Callable[[Expr], bool]) -> Iterator[Used]:
    """Mentions in a scope, each once: in the calls that it is a part of, else by itself."""
    in_calls: dict[Expr, Call] = {}
    for call in scope.calls:
        parts = [call.func, getattr(call.func, "base", None), *call.args, *(value for _, value in call.keywords)]
        in_calls.update((part, call) for part in parts if part is not None and is_meant(part))
    yield from in_calls.items()
    for expr in _all(scope):
        if is_meant(expr) and expr not in in_calls:
            yield expr, None


def _all(scope: Scope) -> Iterator[Expr]:
    """Every expression of a scope, and the parts of each."""
    return expressions_in(
        *scope.bindings.values(), scope.stores, scope.calls, scope.returns, scope.yields, scope.awaits, scope.blocks,
        scope.reads, scope.implicit,
    )  # fmt: skip
