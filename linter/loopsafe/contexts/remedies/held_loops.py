"""Whether the loop that an expression in scope holds is one to cross to: run by somebody, and there by then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, partial

from loopsafe.contexts.owners.owner import Owners
from loopsafe.contexts.places.flow import Flow, Reached
from loopsafe.contexts.places.place import LOOK_UPS, State
from loopsafe.contexts.remedies.captures import Captures
from loopsafe.contexts.remedies.other_calls import OtherCalls
from loopsafe.contexts.remedies.references import holders_of, method_around
from loopsafe.contexts.spread.exclusion import outwards
from loopsafe.facts.enclosing import loops_around
from loopsafe.facts.schema import Attr, Call, Choice, Compare, Expr, Name, Scope
from loopsafe.facts.spelling import is_none, spell, unpacked
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Class, Function, Instance, Method, Object, Value, same_making

_SURE = LOOK_UPS[0]
# Functions between the one that keeps the loop and the one that starts the thread.
_FURTHEST = 3


class HeldLoops:
    """Asks how a loop came into its variable or attribute."""

    def __init__(self, program: Program, flow: Flow, captures: Captures, calls: OtherCalls, owners: Owners) -> None:
        self._program, self._flow, self._captures, self._calls = program, flow, captures, calls
        self._owners = owners
        self._known: dict[tuple[State, Value | None, str], str] = {}

    def prepare(self, loops: Sequence[Object], reached: Reached) -> None:
        """Ask for what the answer will need, so that it is known in the end."""
        _ = self._driven
        for loop in loops:
            if loop.frame is not None:
                module, scope = loop.frame.module, loop.frame.scope
                self._calls.ask([(module, scope)], partial(self._is_off_loop, scope))
        for module, scope, _ in self._captures.starting(reached):
            self._calls.ask([(module, scope)], lambda: False, _FURTHEST)

    def doubt(self, reached: Reached, text: str, loops: Sequence[Object]) -> str:
        """Why it may not be the loop to cross to; empty where it is."""
        # The same for all operations of a function on one object.
        key = reached.state, reached.receiver, text
        if key not in self._known:
            self._known[key] = self._doubt(reached, text, loops)
        return self._known[key]

    def _doubt(self, reached: Reached, text: str, loops: Sequence[Object]) -> str:
        if self._is_librarys(reached, text):
            return ""
        waiting = self._owners.of(reached.receiver)
        if self._has_own_loops:
            return f"`{text}` may be a loop of the project's own making"
        if any(self._owners.loops.apart(waiting, self._owners.loops.of(loop)) for loop in loops):
            return f"another loop than `{text}` waits for it"
        made = [loop for loop in loops if loop.site is not None]
        here = reached.receiver.frame if isinstance(reached.receiver, Object) else None
        together = here is not None and all(o.frame is not None and o.frame.scope is here.scope for o in made)
        if not together and self._runs_again(reached.state.frame.module):
            return f"loops run one after the other in this file, and `{text}` may be an earlier one"
        # What is declared does not count where something comes along.
        for loop in made or loops:
            if loop.site is None or loop.frame is None:
                return f"`{text}` is given from outside, and must be the object's loop"
            name = last_name(loop.site.func)
            if not self._is_run(loop) and name != _SURE:
                if name not in LOOK_UPS:
                    return f"nobody is seen to run `{text}`"
                if self._is_off_loop(loop.frame.scope):
                    return f"`{text}` is looked up where no loop may run"
        return self._may_be_none(reached, text)

    def _is_librarys(self, reached: Reached, text: str) -> bool:
        """Whether it is an attribute that a library keeps its loop in."""
        bound = method_around(reached.state.frame)
        name = text.rpartition(".")[2]
        bases = self._program.classes.library_bases(bound[1].cls) if bound and "." in text else ()
        return any(self._program.knowledge.attribute(base, name) for base in bases)

    @cached_property
    def _has_own_loops(self) -> bool:
        """Whether the project has a class of loops."""
        program = self._program
        names = {name.rpartition(".")[2] for name in program.knowledge.classes if program.knowledge.is_a_loop(name)}
        heirs = (place for name in sorted(names) for place in program.index.classes_by_base.get(name, ()))
        return any(not module.library for module, _ in heirs)

    def _is_off_loop(self, scope: Scope) -> bool:
        """Whether somebody is seen to call a function off every loop, not only coroutines, or the project's users."""
        return not scope.is_async and any(call.by.kind != "function" for call in self._calls.begin(scope))

    def _runs_again(self, module: Module) -> bool:
        """Whether a file runs more than one loop after the other."""
        names = {name.rpartition(".")[2] for name in self._program.knowledge.loop_makers}
        calls = [(s, c) for name in sorted(names) for m, s, c in self._program.index.calls.get(name, ()) if m is module]
        sites = [(scope, call) for scope, call in calls if not self._is_projects(module, scope, call)]
        main = [(scope, call) for scope, call in sites if scope.kind == "module"]
        return len(main) > 1 or any(loops_around(scope, call.span) for scope, call in main)

    def _is_projects(self, module: Module, scope: Scope, call: Call) -> bool:
        """Whether a call enters a function of the project: `App().run()` runs no loop by its name."""
        frames = self._program.classes.frames(module, scope)
        values = [value for frame in frames for value in self._program.evaluate(frame, call.func).values]
        return bool(values) and all(isinstance(value, (Function, Method)) for value in values)

    def _is_run(self, loop: Object) -> bool:
        run: list[Value] = [*self._flow.thread_loops, *self._flow.run_by_main]
        run += [one for loops in self._flow.loops_run.values() for one in loops]
        run += [value for node in self._driven for value in node.values]
        return any(same_making(loop, one) for one in run)

    @cached_property
    def _driven(self) -> list[Node]:
        """What the methods are called on that run their loop."""
        program = self._program
        names = program.knowledge.running
        return [
            program.evaluate(frame, call.func.base)
            for name in sorted(names)
            for module, scope, call in program.index.calls.get(name, ())
            if isinstance(call.func, Attr)
            for frame in program.classes.frames(module, scope)
        ]

    def _may_be_none(self, reached: Reached, text: str) -> str:
        base, _, name = text.rpartition(".")
        nothing = f"`{text}` may still be None there"
        if not base:
            at = reached.state.frame
            while at.parent is not None and name not in _own_names(at.scope):
                at = at.parent
            if at.parent is None and self._is_set_with(reached, name):
                return ""
            held = (*at.scope.bindings.get(name, ()), *(p.default for p in at.scope.parameters if p.name == name))
            if any(_may_be_none(at.scope, value) for value in held):
                return nothing
            inner = self._program.index.within(at.scope)
            again = any(name in scope.outer_names for scope in inner if scope is not at.scope)
            return f"`{text}` may stand for something else by then" if again or len(held) > 1 else ""
        holder = self._holder(reached, base)
        stored = list(self._stored(holder, name) if holder is not None else self._stored_anywhere(name))
        if any(scope.kind == "function" and scope.name != "__init__" and is_none(value) for scope, value, _ in stored):
            return f"`{text}` may be None again by then"
        if any(_is_asked(scope, guard, name) for scope, _, guard in stored):
            return f"`{text}` may be kept from an earlier loop"
        if any(isinstance(v, Name) and _may_be_none(scope, v) for scope, v, _ in stored if scope.kind == "function"):
            return f"`{text}` may be None: it is given by callers"
        starts = list(self._captures.starting(reached))
        late = bool(stored) and all(scope.kind == "function" and scope.name != "__init__" for scope, _, _ in stored)
        if late and any(self._starts_early(scope) for _, scope, _ in starts):
            return f"`{text}` may not be set yet when the thread starts"
        if not any(_may_be_none(scope, value) for scope, value, _ in stored):
            return ""
        known = bool(starts) and all(self._is_set(scope, name, place, _FURTHEST) for _, scope, place in starts)
        return "" if known else nothing

    def _is_set_with(self, reached: Reached, name: str) -> bool:
        """Whether one coroutine sets a global, and that of the object, once and before it starts the thread."""
        module, func = reached.state.frame.module, reached.call.func
        base = func.base if isinstance(func, Attr) else None
        names = {name, base.id} if isinstance(base, Name) else set()
        setting = [scope for scope in module.facts.scopes if names & scope.outer_names.keys()]
        if len(setting) != 1 or not setting[0].is_async or self._runs_again(module):
            return False
        scope, starts = setting[0], list(self._captures.starting(reached))
        given = [value for each in sorted(names) for value in scope.bindings.get(each, ())]
        before = [value for each in names for value in module.facts.scopes[0].bindings.get(each, ())]
        guards = (guard for each in names for guard in scope.bound_under.get(each, ()))
        once = (
            len(given) == len(names & scope.outer_names.keys()) == 2 and not names & self._program.index.stores.keys()
        )
        always = all(row.kind == "after" for guard in guards for row in outwards(scope, guard))
        early = all(
            isinstance(value, Call) and value.packed_span < place and not loops_around(scope, value.span)
            for value in given
            for _, _, place in starts
        )
        here = bool(starts) and all(at is scope for _, at, _ in starts)
        return once and always and early and here and all(map(is_none, before))

    def _holder(self, reached: Reached, text: str) -> Class | None:
        """The class of the object that has the loop: `self`, or what has the object that is touched as well."""
        bound, func = method_around(reached.state.frame), reached.call.func
        if bound is not None and bound[0] == text:
            return bound[1].cls
        for holder in holders_of(func.base if isinstance(func, Attr) else None):
            if spell(holder) == text:
                held = self._program.evaluate(reached.state.frame, holder).values
                return next((value.cls for value in held if isinstance(value, Instance)), None)
        return None

    def _starts_early(self, scope: Scope) -> bool:
        """Whether a constructor starts the thread, itself or by the function that does."""
        if all(last_name(call.func) != "start" for call in scope.calls):
            return False
        return scope.name == "__init__" or any(call.by.name == "__init__" for call in self._calls.of(scope))

    def _stored(self, cls: Class, name: str) -> Iterator[tuple[Scope, Expr, int]]:
        """What is put into an attribute, in which function and under which guard."""
        for base in self._program.classes.mro(cls):
            if isinstance(base, Class):
                stores = self._program.index.own_stores.get((base.module.index, base.scope.index), {})
                yield from ((scope, unpacked(store.value), store.guard) for scope, store in stores.get(name, ()))
                others = self._program.index.stores.get(name, ())
                yield from ((scope, store.value, store.guard) for at, scope, store in others if at is base.module)
                yield from ((base.scope, value, -1) for value in base.scope.bindings.get(name, ()))

    def _stored_anywhere(self, name: str) -> Iterator[tuple[Scope, Expr, int]]:
        """The same for what is put into an attribute of this name of a library's object, whose class is not known."""
        index = self._program.index
        own = (found for stores in index.own_stores.values() for found in stores.get(name, ()))
        yield from ((scope, unpacked(store.value), store.guard) for scope, store in own)
        yield from ((scope, store.value, store.guard) for _, scope, store in index.stores.get(name, ()))

    def _is_set(self, scope: Scope, name: str, place: int, further: int) -> bool:
        """Whether an attribute is set before a place of a function is reached."""
        if any(s.name == name and s.packed_span < place and not is_none(s.value) for s in scope.stores):
            return True
        calls = list(self._calls.of(scope)) if further else []
        return bool(calls) and all(
            not call.handed and self._is_set(call.by, name, call.packed_span, further - 1) for call in calls
        )


def _is_asked(scope: Scope, guard: int, name: str) -> bool:
    """Whether a guard asks for an attribute of this name."""
    while guard >= 0:
        at = scope.guards[guard]
        test = at.test.left if isinstance(at.test, Compare) else at.test
        if at.kind == "test" and last_name(test) == name:
            return True
        guard = at.parent
    return False


def _own_names(scope: Scope) -> set[str]:
    return {*scope.bindings, *(parameter.name for parameter in scope.parameters)}


def _may_be_none(scope: Scope, value: Expr) -> bool:
    """Whether a value may be None as it is written: also a parameter with this default, and a key that is missing."""
    if isinstance(value, Choice):
        return any(is_none(option) for option in value.options)
    if isinstance(value, Name):
        return any(p.name == value.id and is_none(p.default) for p in scope.parameters)
    return is_none(value) or (isinstance(value, Call) and last_name(value.func) == "get" and bool(value.args))
