"""Things that are only asked (`stop.is_set()`): nobody waits for them, so nobody can miss that they change."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from loopsafe.contexts.places.flow import Reached
from loopsafe.facts.schema import Attr, Call, Name
from loopsafe.facts.spelling import unpacked
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Object


class Asked:
    """Looks at who waits for a thing, who asks it, and who is given it."""

    def __init__(self, program: Program) -> None:
        self._program, self._index, self._knowledge = program, program.index, program.knowledge
        self._verdicts: dict[Object, bool] = {}
        self._waits: dict[tuple[str, ...], list[tuple[Module, Node]]] = {}

    def is_by_name(self, reached: Reached) -> bool:
        """Whether nobody waits for anything that is called so."""
        thing, func = reached.receiver, reached.call.func
        if not isinstance(thing, Object) or not isinstance(func, Attr) or reached.row.category != "sync-primitive":
            return False
        ways = self._ways_to_wait(thing)
        return ways is not None and not self._is_called(ways, {last_name(func.base)})

    def is_surely(self, reached: Reached) -> bool:
        """Whether it is asked, and nobody waits for the thing itself: the project does not, and no library has it."""
        thing = reached.receiver
        if not isinstance(thing, Object) or reached.row.category != "sync-primitive":
            return False
        if thing not in self._verdicts:
            ways, names = self._ways_to_wait(thing), _names_of(thing)
            asked = ways is not None and self._is_called(self._knowledge.asks(thing.type), names)
            alone = asked and names.isdisjoint(self._given_away)
            self._verdicts[thing] = alone and not self._is_waited_for(thing, ways or [])
        return self._verdicts[thing]

    def _ways_to_wait(self, thing: Object) -> list[str] | None:
        """The methods that wait for such a thing; None where `async with` does, which is no call."""
        names = {n.rpartition(".")[2] for n in self._knowledge.waits if n.startswith(f"{thing.type}.")}
        return sorted(names) if not any(name.startswith("__") for name in names) else None

    def _is_called(self, methods: list[str], names: set[str]) -> bool:
        """Whether one of these methods is called, or read, on something of these names."""
        called = [call.func for method in methods for _, _, call in self._index.callers(method)]
        read = [read.attr for method in methods for _, _, read in self._index.reads.get(method, ())]
        return any(isinstance(part, Attr) and last_name(part.base) in names for part in (*called, *read))

    def _is_waited_for(self, thing: Object, ways: list[str]) -> bool:
        """Whether a waiting method of the thing, or of what is not known, is read, or called for what it gives."""
        key = tuple(ways)
        if key not in self._waits:
            self._waits[key] = list(self._waited_for(ways))
            self._program.solver.run()
        # What a library waits for by itself is its own.
        return any(thing in node.values or not (node.values or module.library) for module, node in self._waits[key])

    def _waited_for(self, ways: list[str]) -> Iterator[tuple[Module, Node]]:
        """What such methods are called on, or read of."""
        parts = [(m, s, c.func) for w in ways for m, s, c in self._index.callers(w) if c.role != "statement"]
        parts += [(m, s, read.attr) for w in ways for m, s, read in self._index.reads.get(w, ())]
        for module, scope, part in parts:
            if isinstance(part, Attr):
                for frame in self._program.classes.frames(module, scope):
                    yield module, self._program.evaluate(frame, part.base)

    @cached_property
    def _given_away(self) -> frozenset[str]:
        """The names of what is given to functions that are not the project's."""
        known = self._index.definitions
        calls = (call for module in self._program.modules.all for scope in module.facts.scopes for call in scope.calls)
        return frozenset(
            last_name(value)
            for call in calls
            if last_name(call.func) not in known
            for value in (*call.args, *(given for _, given in call.keywords))
            if isinstance(value, Name | Attr)
        )


def _names_of(thing: Object) -> set[str]:
    """What a thing is called where it is made."""
    scope, site = (thing.frame.scope, thing.site) if thing.frame is not None else (None, None)
    if scope is None or not isinstance(site, Call):
        return set()
    bound = {name for name, values in scope.bindings.items() if any(unpacked(value) is site for value in values)}
    return bound | {store.name for store in scope.stores if store.name and unpacked(store.value) is site}
