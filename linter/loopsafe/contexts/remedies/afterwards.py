"""What is done at once after an operation that is handed over, and may come before it now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.remedies.awaited import Awaited
from loopsafe.contexts.remedies.leads import Leads, Way, gives_its_result
from loopsafe.contexts.remedies.references import method_around
from loopsafe.contexts.remedies.rivals import Rivals
from loopsafe.contexts.spread.exclusion import is_under_handler
from loopsafe.facts.enclosing import loops_around
from loopsafe.facts.schema import (
    Attr,
    Call,
    Collection,
    Const,
    Enter,
    Expr,
    Item,
    Name,
    Ref,
    Scope,
    Slice,
    Star,
    Store,
    Subscript,
    unpack_span,
)  # fmt: skip
from loopsafe.facts.spelling import is_exact, spell
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import Class, Coroutine, Frame

_BUFFERS = ("bytearray", "memoryview", "array.array", "array")
_FIXED = ("bytes", "str")
_CHANGES = {"append", "extend", "insert", "add", "update", "pop", "popitem", "remove", "discard", "clear", "setdefault"}
# By these one thread tells another.
_TELLS = _CHANGES | {"set", "notify", "notify_all", "release", "put", "put_nowait", "set_result", "set_exception"}
# By these it tells whoever reads the other end, also another part of the program.
_TALKS = {
    "send", "sendall", "sendto", "sendmsg", "send_bytes", "write", "writelines", "write_text", "write_bytes", "touch",
    "flush",
}  # fmt: skip
SAYS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
"""What only logs."""

# These change nothing that others rely on.
_IDLE = {"call_soon_threadsafe", "run_coroutine_threadsafe", "sleep", "suppress"} | SAYS
_TURNS = ("call_soon", "call_soon_threadsafe")

_Told = tuple[int, str]
"""The row of what comes after, 0 for none, and what speaks against a safe fix there."""


class Afterwards:
    """Asks what stands behind an operation, in its function and in those that lead to it."""

    def __init__(self, program: Program, leads: Leads, awaited: Awaited, rivals: Rivals) -> None:
        self._program, self._leads, self._awaited, self._rivals = program, leads, awaited, rivals
        self._nested: dict[Scope, set[Call]] = {}
        self._asides: dict[tuple[Scope, Reached], set[Call]] = {}

    def doubts(self, reached: Reached) -> Iterator[str]:
        """Why what comes after may rely on it, one reason for each row."""
        yield from self._of_arguments(reached)
        if reached.started is None:
            said: dict[int, str] = {}
            for row, text in self._told(reached):
                said.setdefault(row, text)
            yield from said.values()

    def _told(self, reached: Reached) -> Iterator[_Told]:
        scopes = self._leads.scopes(reached)
        if any(scope.is_generator for scope in scopes):
            yield 0, "whoever iterates over its function goes on in between"
        for way in self._leads.ways(reached):
            yield from self._of_stores(way, scopes)
            yield from self._of_calls(way, reached)
        if reached.row.category == "transport":
            yield from self._of_effects((reached.state, reached.call))
        daemon = self._leads.may_stop_anywhere(reached) and not self._is_joined(reached)
        awaited = self._leads.is_awaited(reached) or self._awaited.is_joined(reached)
        # A loop that has ended refuses what is asked of itself in any case.
        if reached.row.category != "loop-call" and not awaited and not daemon:
            yield from self._of_end(reached)

    def _of_stores(self, way: Way, scopes: set[Scope]) -> Iterator[_Told]:
        """What is set afterwards, and read by others, says that it is done."""
        (state, call), own = way, _own_names(way[0].frame.scope)
        for store in state.frame.scope.stores:
            if store.packed_span > call.packed_span and self._is_shared(store, scopes, own):
                row = unpack_span(store.packed_span).row
                yield row, f"`{_spelled(store)}`, set in line {row}, may be seen before"
        outer = state.frame.scope.outer_names
        if outer:
            yield 0, f"`{min(outer)}` of a scope around may be seen before"

    def _is_shared(self, store: Store, scopes: set[Scope], own: set[str]) -> bool:
        """Whether others than the thread may read what is stored."""
        if store.name is None:
            return not (isinstance(store.base, Name) and store.base.id in own)
        readers = self._readers.get(store.name, ())
        return any(by not in scopes and by not in self._leads.on_threads for by in readers)

    def _of_calls(self, way: Way, reached: Reached) -> Iterator[_Told]:
        """What others are told afterwards says that it is done."""
        scope = way[0].frame.scope
        own, aside = _own_names(scope), self._aside(scope, reached)
        for later in self._later(way):
            func = later.func
            if _talks(later) and later not in self._operations and later not in aside:
                yield later.span.row, f"`{spell(func)}` in line {later.span.row} may be seen before"
            if self._is_helper(later) and later not in aside:
                yield later.span.row, f"`{spell(func)}` in line {later.span.row} may tell that it is done"
            if not isinstance(func, Attr):
                if last_name(func) in self._turns and not self._does_nothing(way[0].frame, later):
                    yield later.span.row, f"what is handed over in line {later.span.row} may come before what it wakes"
                continue
            told = func.name in _TELLS and not (isinstance(func.base, Name) and func.base.id in own)
            if told and later not in self._operations:
                yield later.span.row, f"`{spell(func)}` in line {later.span.row} may be seen before"
            elif func.name in self._turns and not (
                self._does_nothing(way[0].frame, later) or self._goes_on(way, later, reached)
            ):
                row = later.span.row
                yield row, f"what is handed over in line {row} comes a turn earlier than what it wakes"

    @cached_property
    def _turns(self) -> set[str]:
        """What hands something over to a loop, also by the names that the project gives it."""
        found = set(_TURNS)
        for module in self._program.modules.all:
            for scope in module.facts.scopes:
                kept = [(store.name, store.value) for store in scope.stores]
                kept += [(name, value) for name, values in scope.bindings.items() for value in values]
                found |= {name for name, value in kept if name and isinstance(value, Attr) and value.name in _TURNS}
        return found

    def _does_nothing(self, frame: Frame, call: Call) -> bool:
        """Whether a call hands over a lambda that only wakes the loop."""
        given = call.args[0] if call.args else None
        scope = frame.module.facts.scopes[given.scope] if isinstance(given, Ref) else None
        return scope is not None and scope.kind == "lambda" and not scope.calls

    def _goes_on(self, way: Way, later: Call, reached: Reached) -> bool:
        """Whether it hands over the same operation, on a queue that others only take from: what comes is in order."""
        given, func = later.args[0] if later.args else None, reached.call.func
        same = way[1] is reached.call and reached.row.category == "queue" and not reached.row.answers
        return same and is_exact(given) and spell(given) == spell(func) and not self._rivals.has_any(reached)

    def _is_helper(self, call: Call) -> bool:
        """Whether a call is of the project's own: who knows what that tells others."""
        name = last_name(call.func)
        return (name in self._program.index.functions and name not in SAYS) or name == "setattr"

    def _for_operations(self, scope: Scope) -> set[Call]:
        """The calls of a function that are operations, or stand in one."""
        known = self._nested.get(scope)
        if known is None:
            spans = [call.span for call in scope.calls if call in self._operations]
            known = {call for call in scope.calls if any(span.contains(call.span) for span in spans)}
            self._nested[scope] = known
        return known

    def _aside(self, scope: Scope, reached: Reached) -> set[Call]:
        """The calls of a function that are for the sake of this or another operation."""
        known = self._asides.get((scope, reached))
        if known is None:
            spans = [call.span for state, call in self._leads.ways(reached) if state.frame.scope is scope]
            leading = {call for call in scope.calls if any(span.contains(call.span) for span in spans)}
            known = self._asides[scope, reached] = self._for_operations(scope) | leading
        return known

    def _is_joined(self, reached: Reached) -> bool:
        """Whether somebody waits for the end of a thread in the file that starts it."""
        modules = {frame.module for frame, _ in self._leads.starts(reached)}
        sites = self._program.index.calls.get("join", ())
        return any(module in modules and all(map(_is_number, call.args)) for module, _, call in sites)

    def _of_effects(self, way: Way) -> Iterator[_Told]:
        """What is sent, or closed, takes effect later than what the thread does next."""
        later = next((c for c in self._later(way) if c not in self._operations and _matters(c)), None)
        if later is not None:
            yield later.span.row, f"`{spell(later.func)}` in line {later.span.row} may rely on it"

    def _of_end(self, reached: Reached) -> Iterator[_Told]:
        """A thread that goes on when the loop has ended fails here, and leaves undone what comes after."""
        scopes = self._leads.scopes(reached)
        for way in self._leads.ways(reached):
            scope = way[0].frame.scope
            aside = self._aside(scope, reached)
            later = (call for call in self._later(way) if call not in aside and _matters(call))
            again = (call for call in self._again(way) if call not in aside and _matters(call))
            undone = [(call.span.row, spell(call.func)) for call in (*later, *again)]
            undone += [
                (unpack_span(store.packed_span).row, _spelled(store))
                for store in scope.stores
                if store.packed_span > way[1].packed_span and self._is_shared(store, scopes, _own_names(scope))
            ]
            if undone:
                row, text = min(undone)
                yield row, f"`{text}` in line {row} is not reached if the loop has ended"
            elif any(value is not None for value in scope.returns) and self._is_asked(reached):
                yield 0, "what its function returns is lost if the loop has ended"
            blocks = [block for block in scope.blocks if block.packed_span < way[1].packed_span]
            for block in blocks:
                if self._is_of_project(way[0].frame, block.value):
                    row = unpack_span(block.packed_span).row
                    yield row, f"the block of line {row} hears of it if the loop has ended"

    def _is_asked(self, reached: Reached) -> bool:
        return any(gives_its_result(call) and call.role == "value" for _, call in self._leads.starts(reached))

    def _is_of_project(self, frame: Frame, value: Expr) -> bool:
        made = value.func if isinstance(value, Call) else None
        return isinstance(self._program.classes.resolve(frame, made), Class)

    def _later(self, way: Way) -> Iterator[Call]:
        """The calls behind a call; what stands under `finally` runs in any case."""
        state, call = way
        scope = state.frame.scope
        finals = list(map(unpack_span, scope.final_spans))
        for later in scope.calls:
            behind = later.packed_span > call.packed_span and not call.span.contains(later.span)
            # What a handler around does is done only where the operation fails.
            failed = call.handler >= 0 and is_under_handler(scope, later.guard, call.handler)
            if behind and not failed and not any(final.contains(later.span) for final in finals):
                yield later

    def _again(self, way: Way) -> Iterator[Call]:
        """The calls of a loop around that are done for their own sake: its next turn comes after the operation."""
        state, call = way
        loops = loops_around(state.frame.scope, call.span)
        for other in state.frame.scope.calls:
            inside = any(span.contains(other.span) for span in loops)
            if inside and other.role == "statement" and other.packed_span < call.packed_span:
                yield other

    def _of_arguments(self, reached: Reached) -> Iterator[str]:
        """What a transport is given, and copies, may have changed by the time it is done."""
        frame, place = reached.state.frame, reached.call.packed_span
        for argument in reached.call.args if reached.row.category == "transport" else ():
            given = next((given for given in _given(argument) if self._may_change(frame, given, place)), None)
            held = frame.scope.bindings.get(argument.id, ()) if isinstance(argument, Name) else ()
            if any(isinstance(value, Enter) for value in held):
                yield f"the block that has opened `{spell(argument)}` may be over before it is read"
            elif given is not None:
                text = spell(given)
                what = "what it is given" if text == "..." else f"`{text}`"
                yield f"{what} may change before it is read"

    def _may_change(self, frame: Frame, given: Expr, place: int) -> bool:
        held = self._program.evaluate(frame, given).values
        if any(isinstance(value, Coroutine) for value in held):
            return True
        if isinstance(given, Call):
            return spell(given.func) in (*_BUFFERS, "map", "filter", "iter")
        if isinstance(given, Collection):
            return given.kind == "generator"
        if isinstance(given, Name):
            return any(at > place for at in _changes_of(frame.scope, given.id)) or self._is_buffer(frame, given.id)
        assert isinstance(given, Attr)
        bound = method_around(frame)
        if bound is None or spell(given.base) != bound[0]:
            return True
        cls = bound[1].cls
        stores = self._program.index.own_stores.get((cls.module.index, cls.scope.index), {}).get(given.name, ())
        return not stores or any(store.value is not None for _, store in stores)

    def _is_buffer(self, frame: Frame, name: str) -> bool:
        """Whether a name holds bytes that may change, or comes from a caller who may say so."""
        at: Frame | None = frame
        while at is not None:
            for parameter in at.scope.parameters:
                if parameter.name == name:
                    return spell(parameter.annotation) not in _FIXED
            held = at.scope.bindings.get(name, ())
            if held:
                parts = [part for value in held for part in (_given(value) or [value])]
                return any(isinstance(part, Call) and spell(part.func) in _BUFFERS for part in parts)
            at = at.parent
        return False

    @cached_property
    def _operations(self) -> set[Call]:
        return {reached.call for reached in self._leads.flow.reached}

    @cached_property
    def _readers(self) -> dict[str, list[Scope]]:
        """The functions that read an attribute, by its name."""
        found: dict[str, list[Scope]] = defaultdict(list)
        for module in self._program.modules.all:
            for scope in module.facts.scopes:
                for read in scope.reads:
                    found[read.attr.name].append(scope)
        return found


def _matters(call: Call) -> bool:
    """Whether others may miss a call that is not reached."""
    name = last_name(call.func)
    # What crosses to the loop fails as well; an object that is made is nothing to others yet.
    pure = name[:1].isupper() or (isinstance(call.func, Name) and name in _PURE)
    return name not in _IDLE and not pure


_PURE = {"range", "len", "str", "int", "float", "bool", "list", "dict", "tuple", "set", "repr", "isinstance", "getattr"}


def _talks(call: Call) -> bool:
    """Whether others can read what a call writes."""
    if isinstance(call.func, Name):
        modes = (*call.args[1:2], *(value for keyword, value in call.keywords if keyword == "mode"))
        return call.func.id == "open" and any(
            not isinstance(m, Const) or set(str(m.value)) & set("wax+") for m in modes
        )
    return last_name(call.func) in _TALKS


def _is_number(expr: Expr) -> bool:
    return isinstance(expr, Const) and isinstance(expr.value, (int, float))


def _own_names(scope: Scope) -> set[str]:
    """What a function itself makes: nobody else has it."""
    return set(scope.bindings) - {parameter.name for parameter in scope.parameters}


def _given(expr: Expr) -> list[Expr]:
    """The names, attributes and makers whose objects an argument hands on, wholly or in parts."""
    if isinstance(expr, Name | Attr | Call):
        return [expr]
    if isinstance(expr, Subscript | Slice | Item):
        return _given(expr.base)
    if isinstance(expr, Star):
        return _given(expr.value)
    if isinstance(expr, Collection) and expr.kind != "generator":
        return [part for item in expr.items for part in _given(item)]
    return [expr] if isinstance(expr, Collection) else []


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
    return f"{spell(store.base)}.{store.name}" if store.name else f"{spell(store.base)}[...]"
