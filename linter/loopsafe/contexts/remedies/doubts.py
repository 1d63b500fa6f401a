"""Why handing an operation over may change what the program does: asked from the other side, that of the loop.

The operation is done later then, and its failure is nobody's. So nobody may look whether it is done, nothing that is
done at once may rely on it, and no handler may wait for what it raises.
"""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

from loopsafe.contexts.places.flow import Flow, Reached, leading_to
from loopsafe.contexts.places.place import State
from loopsafe.contexts.remedies.other_calls import OtherCall, OtherCalls
from loopsafe.contexts.remedies.references import method_around
from loopsafe.facts.schema import (
    Attr,
    Call,
    Collection,
    Const,
    Expr,
    Import,
    Item,
    Name,
    Scope,
    Slice,
    Store,
    Subscript,
    unpack_span,
)  # fmt: skip
from loopsafe.facts.spelling import spell
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Frame, Object, same_making

_BUFFERS = ("bytearray", "memoryview", "array.array")
_LOCK = "threading.Lock"
_CHANGES = {"append", "extend", "insert", "add", "update", "pop", "popitem", "remove", "discard", "clear", "setdefault"}


class Doubts:
    """Collects what there is to ask about an operation, and answers once everything is known."""

    def __init__(self, program: Program, flow: Flow) -> None:
        self._program, self._flow = program, flow
        self.calls = OtherCalls(program)
        self._asking: dict[str, list[tuple[Module, Call, tuple[Node, ...]]]] = {}
        self._blocks: dict[Frame, list[tuple[int, Node]]] = {}

    def prepare(self, reached: Reached) -> None:
        """Ask for what the answer will need, so that it is known in the end."""
        for state in self._leading(reached):
            self.calls.prepare(state.frame.module, state.frame.scope)
            self._prepare_blocks(state.frame)
        for method in self._methods(reached):
            if method not in self._asking:
                self._asking[method] = list(self._askers(method))

    def of(self, reached: Reached) -> Iterator[str]:
        """Why handing it over may change what the program does."""
        if reached.row.doubt:
            yield reached.row.doubt
        yield from self._of_failure(reached)
        yield from self._of_askers(reached)
        yield from self._of_arguments(reached)
        # What is handed over itself runs in no function of the project.
        if reached.started is None:
            yield from self.of_place(reached)
            yield from self._of_flags(reached)
            yield from self._of_end(reached)

    def of_place(self, reached: Reached) -> Iterator[str]:
        """Where else the function runs, and what it holds while it waits."""
        scopes = {state.frame.scope for state in self._leading(reached)}
        for scope in sorted(scopes & self.calls.uncounted, key=lambda one: one.qualname):
            yield f"`{scope.name}` is too common a name to see all its callers"
        for scope in sorted(scopes, key=lambda one: (one.qualname, one.index)):
            found = next(self._elsewhere(scope, scopes), None)
            if found is not None:
                yield found

    def of_waiting(self, reached: Reached) -> Iterator[str]:
        """Why waiting for the loop may end in waiting for ever."""
        for state in self._leading(reached):
            for place, node in self._blocks.get(state.frame, ()):
                if any(isinstance(v, Object) and v.type == _LOCK for v in node.values):
                    yield f"the lock of line {unpack_span(place).row} is held, and a task of the loop may wait for it"

    def _elsewhere(self, scope: Scope, own: set[Scope]) -> Iterator[str]:
        for call in self.calls.of([scope]):
            begins = [call] if _begins(call) else [c for c in self.calls.begin(call.by) if c.by not in own]
            if call.by not in own and begins:
                first = begins[0]
                who = "the loop calls it back" if first.handed else "it is called"
                where = f"in line {call.call.span.row}"
                if first.by.is_async or first.handed:
                    yield f"`{scope.name}` also runs on a loop: {who} {where}"
                else:
                    yield f"`{scope.name}` also runs where no loop may be: it is called {where}"

    def _of_failure(self, reached: Reached) -> Iterator[str]:
        """Its failure is seen by nobody but the loop's own handler."""
        bound = self._bound(reached)
        if bound:
            yield bound
        if not reached.row.expects:
            return
        for state, call in self._path(reached):
            names = _handled(state.frame.scope, call.handler)
            # What has no bound fails only as somebody says who knows better.
            if bound is None:
                names &= set(reached.row.expects)
            if any(self._catches(state.frame, name, reached) for name in names):
                yield f"a handler around line {call.span.row} may wait for what it raises"

    def _bound(self, reached: Reached) -> str | None:
        """What the size of a queue may do; None where it has no bound, empty where the object has no size."""
        value, knowledge = reached.receiver, self._program.knowledge
        parameter = knowledge.bounded(value.type) if isinstance(value, Object) else ""
        if not isinstance(value, Object) or not parameter:
            return ""
        if value.site is None:
            return "whether its queue has a bound is not seen"
        size = dict(value.site.keywords).get(parameter, value.site.args[0] if value.site.args else Const(0))
        return None if isinstance(size, Const) and size.value == 0 else "its queue has a bound, and may be full"

    def _catches(self, frame: Frame, name: str, reached: Reached) -> bool:
        """Whether an `except` clause of this name may catch what the operation raises."""
        expects, last = reached.row.expects, name.rpartition(".")[2]
        if last in expects or not name:
            return True
        known = getattr(builtins, name, None)
        if isinstance(known, type):
            raised = [getattr(builtins, each, Exception) for each in expects]
            return any(issubclass(each, known) for each in raised)
        at: Frame | None = frame
        while at is not None and "." not in name:
            for value in at.scope.bindings.get(name, ()):
                if isinstance(value, Import) and value.name in expects:
                    return True
                if isinstance(value, Collection | Name | Attr):
                    return True
            at = at.parent
        return False

    def _of_askers(self, reached: Reached) -> Iterator[str]:
        """Somebody looks without waiting whether it is done."""
        for method in self._methods(reached):
            for module, call, nodes in self._asking.get(method, ()):
                if call is not reached.call and any(same_making(reached.receiver, v) for n in nodes for v in n.values):
                    yield f"`{spell(call.func)}` in {self._line(reached, module, call)} does not wait for it"

    def _of_flags(self, reached: Reached) -> Iterator[str]:
        """What is set afterwards, and read by others, says that it is done."""
        scopes = {state.frame.scope for state in self._leading(reached)}
        for state, call in self._path(reached):
            for store in state.frame.scope.stores:
                later = store.packed_span > call.packed_span
                # An object that is exchanged by the next one has done what it was asked for.
                swapped = isinstance(call.func, Attr) and spell(call.func.base) == _spelled(store)
                read = any(by not in scopes for by in self._readers.get(store.name or "", ()))
                if later and store.name and read and not swapped:
                    yield f"`{_spelled(store)}`, set in line {unpack_span(store.packed_span).row}, may be seen before"
            outer = state.frame.scope.outer_names
            if outer:
                yield f"`{min(outer)}` of a scope around may be seen before"

    def _of_arguments(self, reached: Reached) -> Iterator[str]:
        """What a transport is given, and copies, may have changed by the time it is done."""
        frame, place = reached.state.frame, reached.call.packed_span
        names = {name for argument in reached.call.args for name in _names(argument)}
        for name in sorted(names) if reached.row.category == "transport" else ():
            if self._is_buffer(frame, name):
                yield f"`{name}` may be filled anew before it is read"
            elif any(change > place for change in _changes_of(frame.scope, name)):
                yield f"`{name}` is changed afterwards"

    def _is_buffer(self, frame: Frame, name: str) -> bool:
        """Whether a name, or an attribute of the method's object, holds bytes that may change."""
        base, _, attribute = name.rpartition(".")
        at: Frame | None = frame
        while at is not None and not base and name not in at.scope.bindings:
            at = at.parent
        held = at.scope.bindings.get(name, ()) if at is not None and not base else ()
        bound = method_around(frame)
        if base and bound is not None and base == bound[0]:
            stores = self._program.index.own_stores.get((bound[1].cls.module.index, bound[1].cls.scope.index), {})
            held = tuple(store.value for _, store in stores.get(attribute, ()))
        return any(isinstance(value, Call) and spell(value.func) in _BUFFERS for value in held)

    def _of_end(self, reached: Reached) -> Iterator[str]:
        """A thread that goes on when the loop has ended fails here, and leaves undone what comes after."""
        if self._is_awaited(reached):
            return
        for state, call in self._path(reached):
            scope = state.frame.scope
            inside = [span for span in map(unpack_span, scope.loops) if span.contains(call.span)]
            for later in scope.calls if inside else ():
                finally_ = any(unpack_span(final).contains(later.span) for final in scope.finals)
                # The outermost loop is over then.
                after = later.packed_span > call.packed_span and not inside[0].contains(later.span)
                if after and not finally_ and later not in self._operations and not _is_builtin(later.func):
                    yield f"`{spell(later.func)}` in line {later.span.row} is not reached if the loop has ended"
                    break

    @cached_property
    def _operations(self) -> set[Call]:
        return {reached.call for reached in self._flow.reached}

    def _is_awaited(self, reached: Reached) -> bool:
        """Whether the loop waits for all threads that get there."""
        hops = [hop for state in self._leading(reached) for hop in self._flow.roots.get(state, ())]
        calls = [call for hop in hops for _, call in self._flow.origins.get(hop, ())]
        return len(calls) >= len(hops) > 0 and all(call.role == "awaited" for call in calls)

    def _leading(self, reached: Reached) -> list[State]:
        """The states from which control gets to the operation, in order."""
        known = self._leads.get(reached.state)
        if known is None:
            found = leading_to({reached.state}, self._backwards)
            found = {state for state in found if state.place.kind == reached.state.place.kind}
            known = self._leads[reached.state] = sorted(found, key=lambda state: state.frame.order)
        return known

    @cached_property
    def _leads(self) -> dict[State, list[State]]:
        return {}

    @cached_property
    def _backwards(self) -> dict[State, set[State]]:
        return self._flow.backwards()

    def _path(self, reached: Reached) -> list[tuple[State, Call]]:
        """The calls that lead to the operation, itself among them, each with the state that makes it."""
        found: dict[tuple[State, Call], None] = {(reached.state, reached.call): None}
        leading = self._leading(reached)
        for state in leading:
            places = {
                hop.packed_span
                for target, hops in self._flow.edges.get(state, {}).items()
                if target in leading
                for hop in hops
            }
            for call in state.frame.scope.calls if places else ():
                if call.packed_span in places:
                    found[state, call] = None
        return list(found)

    def _methods(self, reached: Reached) -> list[str]:
        value = reached.receiver
        if not isinstance(value, Object) or value.site is None:
            return []
        return self._program.knowledge.asks(value.type)

    def _askers(self, method: str) -> Iterator[tuple[Module, Call, tuple[Node, ...]]]:
        for module, scope, call in self._program.index.calls.get(method, ()):
            if isinstance(call.func, Attr):
                frames = self._program.classes.frames(module, scope)
                base = call.func.base
                yield module, call, tuple(self._program.evaluate(frame, base) for frame in frames)

    def _prepare_blocks(self, frame: Frame) -> None:
        if frame not in self._blocks:
            blocks = [block for block in frame.scope.blocks if not block.is_async]
            self._blocks[frame] = [(b.packed_span, self._program.evaluate(frame, b.value)) for b in blocks]

    @cached_property
    def _readers(self) -> dict[str, list[Scope]]:
        """The functions that read an attribute, by its name."""
        found: dict[str, list[Scope]] = defaultdict(list)
        for module in self._program.modules.all:
            for scope in module.facts.scopes:
                for read in scope.reads:
                    found[read.attr.name].append(scope)
        return found

    def _line(self, reached: Reached, module: Module, call: Call) -> str:
        own = module is reached.state.frame.module
        return f"line {call.span.row}" if own else f"line {call.span.row} of `{module.name}`"


def _begins(call: OtherCall) -> bool:
    return call.handed or call.by.is_async or call.by.kind != "function"


def _is_builtin(func: Expr) -> bool:
    return isinstance(func, Name) and hasattr(builtins, func.id)


def _handled(scope: Scope, handler: int) -> set[str]:
    """The names after `except` around a place, as written."""
    names: set[str] = set()
    while handler >= 0:
        names.update(scope.handlers[handler].exceptions)
        handler = scope.handlers[handler].parent
    return names


def _names(expr: Expr) -> Iterator[str]:
    """The names whose objects an argument hands on, wholly or in parts."""
    if isinstance(expr, Name | Attr):
        yield spell(expr)
    elif isinstance(expr, Subscript | Slice | Item):
        yield from _names(expr.base)
    elif isinstance(expr, Collection):
        for item in expr.items:
            yield from _names(item)


def _changes_of(scope: Scope, name: str) -> Iterator[int]:
    """Where a function changes the object that a name stands for."""
    for store in scope.stores:
        if isinstance(store.base, Name) and store.base.id == name:
            yield store.packed_span
    for call in scope.calls:
        func = call.func
        if isinstance(func, Attr) and isinstance(func.base, Name) and func.base.id == name and func.name in _CHANGES:
            yield call.packed_span


def _spelled(store: Store) -> str:
    return f"{spell(store.base)}.{store.name}"
