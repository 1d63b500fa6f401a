"""Who looks, without waiting, at what an operation does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.remedies.awaited import Awaited
from loopsafe.contexts.spread.exclusion import asked_before
from loopsafe.facts.schema import Attr, Call, Const, Expr, Name, Scope, unpack_span
from loopsafe.facts.spelling import spell
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import External, Object, Value, same_making

_GETATTR = "getattr"


class Look(NamedTuple):
    """A call or read in `scope`, as `name` spells it; `held` is what it may be done to, which is `base` as written."""

    module: Module
    scope: Scope
    packed_span: int
    name: str
    base: Expr
    held: tuple[Node, ...]


class Askers:
    """Collects the looks at objects of the kinds that operations are done to."""

    def __init__(self, program: Program, awaited: Awaited) -> None:
        self._program, self._awaited = program, awaited
        self._looks: dict[str, list[Look]] = {}

    def prepare(self, reached: Reached) -> None:
        """Ask for what the answer will need, so that it is known in the end."""
        for name in self._names(reached):
            if name not in self._looks:
                self._looks[name] = list(self.find(name))

    def doubts(self, reached: Reached) -> Iterator[str]:
        """Why somebody may see that it is not done yet."""
        scope, call = reached.state.frame.scope, reached.call
        # A question that decides on it alone is handed over with it.
        with_it = {one.packed_span for one in (call, asked_before(scope, call)) if one is not None}
        for name in self._names(reached):
            for look in self._looks.get(name, ()):
                here = look.module is reached.state.frame.module
                if (here and look.packed_span in with_it) or not self.is_about(look, reached, name != _GETATTR):
                    continue
                if not self._awaited.is_settled(reached, look.scope, look.packed_span):
                    where = f"line {unpack_span(look.packed_span).row}" + ("" if here else f" of `{look.module.name}`")
                    yield f"`{look.name}` in {where} does not wait for it"

    def is_about(self, look: Look, reached: Reached, named: bool) -> bool:
        """Whether it may be at the object of an operation; of one that is not known, its `name` is enough in a file."""
        here = look.module is reached.state.frame.module
        values = [value for node in look.held for value in node.values]
        if here and not values and named and not isinstance(look.base, Name):
            return True
        same = any(value is reached.receiver or same_making(reached.receiver, value) for value in values)
        return same or (here and any(self._may_be(reached, value) for value in values))

    def _names(self, reached: Reached) -> list[str]:
        knowledge = self._program.knowledge
        asked = {
            name for type_ in self._program.classes.library_types(reached.receiver) for name in knowledge.asks(type_)
        }
        names = set(reached.row.asked_by) or asked
        return [*sorted(names), _GETATTR] if names else []

    def _may_be(self, reached: Reached, value: Value) -> bool:
        """Whether it may be the object: in the same file, one that is only declared may be each of its class."""
        receiver = reached.receiver
        if isinstance(value, External):
            lineages = [
                self._program.knowledge.lineage(type_) for type_ in self._program.classes.library_types(receiver)
            ]
            return any(self._program.knowledge.canonical(value.name) in lineage for lineage in lineages)
        if not isinstance(receiver, Object) or not isinstance(value, Object):
            return False
        return receiver.type == value.type and (receiver.site is None or value.site is None)

    def find(self, name: str) -> Iterator[Look]:
        """The calls and reads of a name."""
        for module, scope, call in self._program.index.calls.get(name, ()):
            base = _looked_at(call, name)
            if base is not None:
                yield self._look(module, scope, call.packed_span, spell(call.func), base)
        for module, scope, read in self._program.index.reads.get(name, ()) if name != _GETATTR else ():
            yield self._look(module, scope, read.packed_span, spell(read.attr), read.attr.base)

    def _look(self, module: Module, scope: Scope, place: int, name: str, base: Expr) -> Look:
        frames = self._program.classes.frames(module, scope)
        return Look(module, scope, place, name, base, tuple(self._program.evaluate(frame, base) for frame in frames))


def _looked_at(call: Call, name: str) -> Expr:
    """The object of a call of this name; of `getattr`, where what is read there is not written down."""
    if isinstance(call.func, Attr):
        return call.func.base
    dynamic = len(call.args) > 1 and not isinstance(call.args[1], Const)
    return call.args[0] if name == _GETATTR and isinstance(call.func, Name) and dynamic else None
