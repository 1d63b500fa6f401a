"""Who hears of it when an operation fails: once it is handed over, nobody but the loop's own handler does."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.remedies.afterwards import SAYS
from loopsafe.contexts.remedies.leads import Leads, gives_its_result
from loopsafe.contexts.remedies.refusals import question_for
from loopsafe.contexts.spread.exclusion import asked_before, is_under_handler
from loopsafe.facts.schema import Call, Const, Expr, Import, Name, Ref, Scope, unpack_span
from loopsafe.locations import Span
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import Class, External, Frame, Instance, Object, Value

_BROAD = ("Exception", "BaseException")


class Failures:
    """Asks whether an operation can fail, and who may wait for that."""

    def __init__(self, program: Program, leads: Leads) -> None:
        self._program, self._leads = program, leads

    def prepare(self, reached: Reached) -> None:
        """Ask for what the answer will need, so that it is known in the end."""
        for state in self._leads.states(reached):
            for block in state.frame.scope.blocks:
                self._program.evaluate(state.frame, block.value)

    def doubts(self, reached: Reached) -> Iterator[str]:
        """Why its failure may be missed."""
        asked = question_for(reached)
        bound = None if asked else self._bound(reached)
        if asked and reached.row.category == "queue":
            yield "what is dropped depends on when it is put in"
        elif bound:
            yield bound
        if not reached.row.expects or (bound == "" and asked_before(reached.state.frame.scope, reached.call)):
            return
        for state, call in self._leads.ways(reached):
            own = bool(asked) and call is reached.call
            handler = state.frame.scope.handlers[call.handler].parent if own else call.handler
            if self._is_caught(state.frame, handler, reached, bound is None):
                yield f"a handler around line {call.span.row} may wait for what it raises"
        if bound is not None:
            yield from self._beside(reached)
            handlers = self._program.index.calls.get("set_exception_handler", ())
            for _, _, call in handlers[:1]:
                yield f"the loop's exception handler of line {call.span.row} would hear of what it raises"
        for frame, call in self._leads.starts(reached):
            if gives_its_result(call) and self._is_caught(frame, call.handler, reached, bound is None):
                yield f"a handler around line {call.span.row} may wait for what it raises"
            elif gives_its_result(call) and call.role != "statement" and bound is not None:
                yield f"what it raises may be heard of by who waits for what line {call.span.row} gives"

    def _beside(self, reached: Reached) -> Iterator[str]:
        """Blocks that hear of a failure without naming it."""
        for state, call in self._leads.ways(reached):
            scope = state.frame.scope
            if any(_is_flagged(scope, unpack_span(final)) for final in scope.final_spans if final > call.packed_span):
                yield f"what is under `finally` after line {call.span.row} may tell that it failed"
            for block in scope.blocks:
                held = self._program.evaluate(state.frame, block.value).values
                plain = isinstance(block.value, Call) and last_name(block.value.func) != "open"
                hears = plain or any(isinstance(v, Instance) for v in held) or not _is_lock(block.value, held)
                if block.packed_span < call.packed_span and hears:
                    yield f"the block of line {unpack_span(block.packed_span).row} may wait for what it raises"

    def _bound(self, reached: Reached) -> str | None:
        """What the size of a queue may do; None where it has no bound, empty where the object has no size."""
        value, knowledge = reached.receiver, self._program.knowledge
        unknown = "whether its queue has a bound is not seen"
        if isinstance(value, Instance):
            bases = self._program.classes.library_bases(value.cls)
            if not any(map(knowledge.bounded, bases)):
                return ""
            return None if self._is_made_plainly(value.cls) else unknown
        parameter = knowledge.bounded(value.type) if isinstance(value, Object) else ""
        if not isinstance(value, Object) or not parameter:
            return ""
        site = value.site
        given = [*site.args, *(v for name, v in site.keywords if name == parameter)] if site else []
        if site is None or value.frame is None or any(name is None for name, _ in site.keywords):
            return unknown
        # `field(default_factory=asyncio.Queue)` makes one without arguments.
        factory = next((given for name, given in site.keywords if name == "default_factory"), site.func)
        made = self._program.classes.resolve(value.frame, factory)
        if not isinstance(made, External) or knowledge.canonical(made.name) not in knowledge.lineage(value.type):
            return unknown
        if all(isinstance(size, Const) and size.value == 0 for size in given):
            return None
        return "its queue has a bound, and may be full"

    def _is_made_plainly(self, cls: Class) -> bool:
        """Whether a class of the project has no constructor of its own, and is made without arguments everywhere."""
        own = [base for base in self._program.classes.mro(cls) if isinstance(base, Class)]
        made = self._program.index.callers(cls.scope.name)
        plain = bool(made) and not any(call.args or call.keywords for _, _, call in made)
        return plain and not any("__init__" in base.scope.bindings for base in own)

    def _is_caught(self, frame: Frame, handler: int, reached: Reached, unlikely: bool) -> bool:
        """Whether a handler around may catch it; where a failure is `unlikely`, one that names it."""
        expects = reached.row.expects
        while handler >= 0:
            quiet = unlikely or _only_says(frame.scope, handler)
            for name in frame.scope.handlers[handler].exceptions:
                named = name.rpartition(".")[2] in expects
                if named or not ((quiet and name in _BROAD) or unlikely or not self._catches(frame, name, expects)):
                    return True
            handler = frame.scope.handlers[handler].parent
        return False

    def _catches(self, frame: Frame, name: str, expects: tuple[str, ...]) -> bool:
        """Whether an `except` clause of this name may catch one of these exceptions."""
        known = getattr(builtins, name, None)
        if isinstance(known, type):
            raised = [getattr(builtins, each, Exception) for each in expects]
            return any(issubclass(each, known) for each in raised)
        first = name.partition(".")[0]
        at: Frame | None = frame
        while at is not None:
            held = at.scope.bindings.get(first, ())
            if held and at.scope.kind != "class":
                # A module's or library's own exception, or a class of the project.
                others = all(isinstance(v, Import | Ref) for v in held)
                return not others or any(isinstance(v, Import) and v.name in expects for v in held)
            at = at.parent
        return True


def _is_lock(value: Expr, held: Iterable[Value]) -> bool:
    """Whether it is a lock, by what it holds or by its name; a file that `open` gives is as deaf."""
    known = [v.type for v in held if isinstance(v, Object)]
    named = any(word in last_name(value).lower() for word in ("lock", "mutex", "sem", "cond", "open"))
    return all(type_.startswith("threading.") for type_ in known) if known else named


def _only_says(scope: Scope, handler: int) -> bool:
    """Whether an `except` clause does nothing but log, which the loop's own handler does as well."""
    inside = [call for call in scope.calls if is_under_handler(scope, call.guard, handler)]
    stores = any(is_under_handler(scope, store.guard, handler) for store in scope.stores)
    return bool(inside) and not stores and all(last_name(call.func) in SAYS for call in inside)


def _is_flagged(scope: Scope, final: Span) -> bool:
    """Whether a statement under `finally` hands on a variable that the `try` may have set anew."""
    given = (v for c in scope.calls if final.contains(c.span) for v in (*c.args, *(value for _, value in c.keywords)))
    return any(isinstance(value, Name) and len(scope.bindings.get(value.id, ())) > 1 for value in given)
