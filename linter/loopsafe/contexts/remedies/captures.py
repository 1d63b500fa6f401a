"""Where a loop can be captured for code on a thread: in a coroutine that makes the object or starts the thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from loopsafe.contexts.places.flow import Flow, Reached, leading_to
from loopsafe.contexts.places.place import STARTING, Hop, State
from loopsafe.contexts.remedies.references import Crossings, method_around
from loopsafe.facts.schema import Attr, Call, Const, Expr, Scope
from loopsafe.findings import Rewrite
from loopsafe.program.index import is_own_call, last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.values import Class, Frame, Object

_NOTHING = "no loop is in scope here"
_VARIABLES = ("loop", "running_loop", "event_loop")
_ATTRIBUTES = ("_loop", "_running_loop", "_event_loop")
_EMPTY_BASES = {"abc.ABC", "typing.Generic", "typing.Protocol"}
_MOST_STARTS = 5


@dataclass(frozen=True, slots=True)
class Capture:
    """What the loop is called after the rewrites."""

    text: str
    rewrites: tuple[Rewrite, ...]


class Captures:
    """Looks at all starts of the threads that reach an operation."""

    def __init__(self, program: Program, flow: Flow, crossings: Crossings) -> None:
        self._program, self._flow, self._crossings = program, flow, crossings
        self._by_call: dict[int, dict[int, Scope]] = {}

    def leads_back(self, reached: Reached, crossing: str) -> bool:
        """Whether a function that knows the way back from its library's threads knows it from all of these."""
        starts = self._starts(reached)
        return bool(starts) and all(crossing in self._flow.crossings.get(hop, ()) for hop in starts)

    def starting(self, reached: Reached) -> Iterator[tuple[Module, Scope, int]]:
        """The functions that start the threads which get to an operation, and where they do."""
        for hop in self._starts(reached):
            scope = self._calling(hop.module).get(hop.packed_span)
            if scope is not None:
                yield hop.module, scope, hop.packed_span

    def starts_before(self, reached: Reached, loops: Iterable[Object]) -> bool:
        """Whether a thread that gets to the operation starts before the function that starts it looks its loop up."""
        early: set[tuple[Module, int]] = set()
        for loop in loops:
            if loop.frame is not None and loop.site is not None:
                module, site = loop.frame.module, loop.site
                # What looks the loop up for its own arguments does so before.
                before = [
                    call
                    for call in loop.frame.scope.calls
                    if call.packed_span < site.packed_span and not call.span.contains(site.span)
                ]
                early |= {(module, call.packed_span) for call in before} & self._started
        return bool(early) and any((hop.module, hop.packed_span) in early for hop in self._starts(reached))

    @cached_property
    def _started(self) -> set[tuple[Module, int]]:
        return {(hop.module, hop.packed_span) for hops in self._flow.roots.values() for hop in hops}

    def capture(self, reached: Reached) -> Capture | str:
        """How to have the loop at the operation, or why there is no way."""
        frame = reached.state.frame
        coroutine = coroutine_around(frame)
        if coroutine is not None:
            name = self._free_variable(frame.module)
            return Capture(name, (Rewrite(coroutine.span, "capture", name),)) if name else _NOTHING
        bound = method_around(frame)
        if bound is None:
            return f"{_NOTHING}, and none can be captured for a plain function"
        own, receiver = bound
        closed = self._closed(receiver.cls)
        if closed:
            return f"{_NOTHING}, and {closed}"
        # What a subclass alone has set is not there for others.
        return self._captured_by_methods(reached, own, self._crossings.class_around(frame) or receiver.cls)

    def _captured_by_methods(self, reached: Reached, own: str, cls: Class) -> Capture | str:
        """Capture it where the object is made, else where the threads start."""
        module, attribute = reached.state.frame.module, self._free_attribute(cls)
        coroutines = self._makers(reached, cls)
        if not coroutines:
            starts = self._starts(reached)
            if not starts or len(starts) > _MOST_STARTS:
                return f"{_NOTHING}, and where the thread starts is not seen"
            found = [self._coroutines(cls, hop) if hop.module is module else [] for hop in starts]
            coroutines = [scope for scopes in found for scope in scopes] if all(found) else []
        if not coroutines or not attribute:
            return f"{_NOTHING}, and not every start of the thread is in a coroutine of the class"
        places = {Rewrite(s.span, "capture", f"{s.parameters[0].name}.{attribute}") for s in coroutines}
        return Capture(f"{own}.{attribute}", tuple(sorted(places)))

    def _makers(self, reached: Reached, cls: Class) -> list[Scope]:
        """The coroutine methods of the class that make the object; none where it may be made elsewhere, too."""
        frame, func = reached.state.frame, reached.call.func
        held = list(self._program.evaluate(frame, func.base).values) if isinstance(func, Attr) else []
        made = [v.frame for v in held if isinstance(v, Object) and v.frame is not None]
        near = [self._method_with(f.module, cls, f.scope) for f in made if f.module is frame.module]
        coroutines = [scope for scope in near if scope is not None and scope.is_async]
        return coroutines if len(coroutines) == len(held) else []

    def _free_attribute(self, cls: Class) -> str:
        """A name that no class of the project uses; libraries have their own, and `_loop` is a common one."""
        classes = (cls, *self._program.classes.subclasses(cls))
        taken = {name for each in classes for name in self._crossings.attribute_names(each)}
        foreign = set(self._program.classes.library_bases(cls)) - _EMPTY_BASES
        return next((name for name in _ATTRIBUTES[bool(foreign) :] if name not in taken), "")

    def _starts(self, reached: Reached) -> list[Hop]:
        """The hops that start the threads which get to the operation."""
        if reached.started is not None:
            return [reached.started]
        leading = leading_to({reached.state}, self._backwards)
        roots = [state for state in leading if state in self._flow.roots and state.place.kind in STARTING]
        return sorted({hop for root in roots for hop in self._flow.roots[root]}, key=lambda hop: hop.order)

    @cached_property
    def _backwards(self) -> dict[State, set[State]]:
        return self._flow.backwards()

    def _coroutines(self, cls: Class, hop: Hop) -> list[Scope]:
        """The coroutine methods of the class in which, or in a private helper of which, a thread starts."""
        inside = self._calling(hop.module).get(hop.packed_span)
        method = inside and self._method_with(hop.module, cls, inside)
        if method is None:
            return []
        if method.is_async:
            return [method]
        callers = list(self._callers(hop.module, cls, method)) if method.name.startswith("_") else []
        coroutines = [scope for scope in callers if scope is not None and scope.is_async]
        return coroutines if len(coroutines) == len(callers) else []

    def _calling(self, module: Module) -> dict[int, Scope]:
        """The function that makes each call, by where that stands."""
        known = self._by_call.get(module.index)
        if known is None:
            backwards = reversed(module.facts.scopes)
            known = self._by_call[module.index] = {c.packed_span: scope for scope in backwards for c in scope.calls}
        return known

    def _method_with(self, module: Module, cls: Class, scope: Scope) -> Scope | None:
        """The method of the class, or of a base of it in the file, that a function is or is a closure of."""
        scopes = module.facts.scopes
        own = {c.scope.index for c in self._program.classes.mro(cls) if isinstance(c, Class) and c.module is module}
        while scope.parent >= 0 and scope.parent not in own:
            scope = scopes[scope.parent]
        return scope if scope.parent in own and scope.kind == "function" and scope.parameters else None

    def _callers(self, module: Module, cls: Class, method: Scope) -> Iterator[Scope | None]:
        """The methods that call a method of their own; None for any other call that may mean it."""
        for place, scope, call in self._program.index.callers(method.name):
            around = self._method_with(module, cls, scope) if place is module else None
            yield around if around is not None and is_own_call(around, call) else None

    def _free_variable(self, module: Module) -> str:
        taken = {name for s in module.facts.scopes for name in (*s.bindings, *(p.name for p in s.parameters))}
        return next((name for name in _VARIABLES if name not in taken), "")

    def _closed(self, cls: Class) -> str:
        """Why the class takes no further attribute; empty where it does."""
        for base in self._program.classes.mro(cls):
            if isinstance(base, Class):
                if "__slots__" in base.scope.bindings:
                    return f"`__slots__` of `{base.scope.name}` has no place for one"
                if any(map(_closes, base.scope.decorators)):
                    return f"`{base.scope.name}` takes no further attributes"
        bases = self._program.classes.library_bases(cls)
        closed = next((base for base in bases if self._program.knowledge.is_closed(base)), "")
        return f"`{closed}` takes no further attributes" if closed else ""


def coroutine_around(frame: Frame) -> Scope | None:
    """The nearest coroutine function that a closure stands in; None where there is none."""
    at = frame.parent
    while at is not None and not at.scope.is_async:
        at = at.parent
    return at.scope if at is not None else None


def _closes(decorator: Expr) -> bool:
    """`@dataclass(slots=True)`, `@dataclass(frozen=True)`, `@attrs.define` and the like."""
    if last_name(decorator) in ("define", "mutable", "frozen"):
        return True
    given = decorator.keywords if isinstance(decorator, Call) else ()
    return any(name in ("slots", "frozen") and isinstance(v, Const) and v.value is True for name, v in given)
