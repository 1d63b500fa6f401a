"""Who else does something to an object, on the loop, and may know that the thread has done its part by then.

A loop that waits for a thread by blocking finds the operation done. Handed over, it comes a turn later than what the
loop does right after the wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from functools import cached_property

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.remedies.askers import Askers, Look
from loopsafe.contexts.remedies.awaited import Awaited
from loopsafe.contexts.remedies.leads import Leads
from loopsafe.facts.schema import Attr, Call, Const, Scope, unpack_span
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program

ENDS = ("stop", "close")
"""What a loop is ended by."""

# What blocks, or asks until something is over.
_BLOCKS = {
    "join", "shutdown", "acquire", "wait", "is_alive", "active_count", "sleep", "as_completed", "map", "imap",
    "starmap", "apply", "result", "exception", "get",
}  # fmt: skip
# A name that so many functions use says nothing.
_MOST_LOOKS = 200


class Rivals:
    """Collects what is done to objects of the kinds that operations are done to."""

    def __init__(self, program: Program, leads: Leads, askers: Askers, awaited: Awaited) -> None:
        self._program, self._leads, self._askers, self._awaited = program, leads, askers, awaited
        self._looks: dict[str, list[Look]] = {}

    def prepare(self, reached: Reached) -> None:
        """Ask for what the answer will need, so that it is known in the end."""
        for name in (*self._names(reached), *self._slow_names(reached)):
            if name not in self._looks:
                self._looks[name] = list(self._askers.find(name)) if self._is_rare(name) else []

    def doubts(self, reached: Reached) -> Iterator[str]:
        """Why what the loop does to the object may come first."""
        around = {reached.state.frame.module, *(hop.module for hop in self._leads.hops(reached))}
        if not any(self._blocks(module, scope) for module in around for scope in module.facts.scopes):
            return
        look = next(self._elsewhere(reached, around, self._names(reached)), None)
        if look is not None:
            row = unpack_span(look.packed_span).row
            yield f"`{look.name}` in line {row} may come first where the loop has waited for the thread"

    def has_any(self, reached: Reached) -> bool:
        """Whether anything in the program but the functions of the thread may do something to the object."""
        names = (*self._names(reached), *self._slow_names(reached))
        if reached.started is not None:
            # What hands the operation itself over may do more to the object.
            return True
        return next(self._elsewhere(reached, set(self._program.modules.all), names), None) is not None

    def _elsewhere(self, reached: Reached, modules: Set[Module], names: Iterable[str]) -> Iterator[Look]:
        on_the_way = self._leads.scopes(reached)
        for name in names:
            for look in self._looks.get(name, ()):
                elsewhere = look.scope not in on_the_way and look.scope not in self._leads.on_threads
                own = look.packed_span == reached.call.packed_span and look.module is reached.state.frame.module
                if elsewhere and not own and look.module in modules and self._askers.is_about(look, reached, True):
                    yield look

    def _names(self, reached: Reached) -> list[str]:
        """The operations on objects of its kind; of a loop that ends, what comes after that is refused in any case."""
        if reached.row.category == "loop-call" and reached.name.rpartition(".")[2] in ENDS:
            return sorted(ENDS)
        return sorted({method for owner in self._owners(reached) for method in self._operations.get(owner, ())})

    def _slow_names(self, reached: Reached) -> list[str]:
        """What does the same as an operation, and may wait until it can: `put` for `put_nowait`."""
        waits, owners = self._program.knowledge.waits.items(), self._owners(reached)
        found = (name.rpartition(".") for name, row in waits if row.seldom)
        return sorted({method for owner, _, method in found if owner in owners})

    def _owners(self, reached: Reached) -> set[str]:
        types = self._program.classes.library_types(reached.receiver)
        return {owner for type_ in types for owner in self._program.knowledge.lineage(type_)}

    @cached_property
    def _operations(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for name in self._program.knowledge.operations:
            owner, _, method = name.rpartition(".")
            found.setdefault(owner, set()).add(method)
        return found

    def _is_rare(self, name: str) -> bool:
        index = self._program.index
        return len(index.calls.get(name, ())) + len(index.reads.get(name, ())) <= _MOST_LOOKS

    def _blocks(self, module: Module, scope: Scope) -> bool:
        """Whether a function that is not on a thread alone has something that blocks."""
        if scope in self._leads.on_threads:
            return False
        # While a coroutine waits for a thread that blocks, the loop turns.
        given = (v for call in scope.calls if not self._awaited.takes_aside(scope, call) for v in call.args)
        own = [call for call in scope.calls if not self._awaited.is_coroutine(scope, call) and not _is_text(call)]
        named = (*(call.func for call in own), *given)
        if any(isinstance(each, Attr) and last_name(each) in _BLOCKS for each in named):
            return True
        # Who counts on time may also be busy for a while.
        plain = any(last_name(call.func) in ("as_completed", "wait") for call in own)
        plain = plain or any(last_name(call.func) == "sleep" for call in scope.calls)
        return plain or any(not block.is_async and not isinstance(block.value, Call) for block in scope.blocks)


def _is_text(call: Call) -> bool:
    """`", ".join(parts)`, `os.path.join(a, b)` and `d.get(k)` wait for nobody."""
    func = call.func
    if last_name(func) not in ("join", "get"):
        return False
    return not all(isinstance(given, Const) and not isinstance(given.value, str) for given in call.args) or (
        isinstance(func, Attr) and isinstance(func.base, Const)
    )
