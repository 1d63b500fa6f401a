"""Loops that a thread runs though they run already: on the thread that starts it, or on others of its pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loopsafe.contexts.owners.owner import Owners
from loopsafe.contexts.places.flow import Flow
from loopsafe.contexts.places.loops import OF_APPLICATION, Loops
from loopsafe.contexts.places.place import LOOK_UPS, Hop, State
from loopsafe.contexts.places.threads import Threads
from loopsafe.contexts.spread.handlers import expected_exceptions
from loopsafe.contexts.verdicts.loop_calls import LoopCall
from loopsafe.facts.schema import Attr, Call, Const, Scope
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import Object, Value

_OF_POOLS = ("submit", "map")
_POOL = "concurrent.futures.ThreadPoolExecutor"

IsGuarded = Callable[[Scope, Call], bool]


class DrivenLoops:
    """Looks at each loop that a thread is seen to run. `is_guarded` says whether a test asks before a call."""

    def __init__(self, program: Program, flow: Flow, threads: Threads, owners: Owners, is_guarded: IsGuarded) -> None:
        self._program, self._flow, self._threads = program, flow, threads
        self._loops, self._is_guarded = owners.loops, is_guarded

    def found(self) -> Iterator[LoopCall]:
        """Each call once. It is certain where what starts the thread runs on that very loop."""
        found: dict[Call, LoopCall] = {}
        for state, loops in sorted(self._flow.loops_run.items(), key=lambda item: item[0].frame.order):
            if state.place.kind == "thread" and state in self._threads.busy:
                for hop in dict.fromkeys(loops.values()):
                    for one in self._driven(state, [loop for loop, at in loops.items() if at == hop], hop):
                        found.setdefault(one.call, one)
        return iter(found.values())

    def _driven(self, state: State, loops: list[Value], hop: Hop) -> Iterator[LoopCall]:
        """The call at a hop that runs a loop, if whichever it may be runs already and nobody reckons with that."""
        made = [loop for loop in loops if isinstance(loop, Object) and loop.site is not None]
        answers, module = [self._runs_already(state, loop) for loop in made], state.frame.module
        sure = None if None in answers or not made else all(answers)
        for call in state.frame.scope.calls if sure is not None else ():
            if call.packed_span == hop.packed_span and not self._is_expected(state.frame.scope, call):
                hops = (*self._threads.busy.to(state), Hop("reaches", module, call.packed_span))
                yield LoopCall(module, call, hops, bool(sure) and all(hop.certain for hop in hops))

    def _runs_already(self, state: State, loop: Value) -> bool | None:
        """Whether that is certain; None where the loop may well stand still, or is the thread's own."""
        root = self._threads.busy.through(state)[0]
        if not isinstance(loop, Object) or loop.frame is None or loop.site is None or loop in self._flow.closed:
            return None
        if loop.frame.scope in {s.frame.scope for s in self._threads.beneath(root)}:
            return None
        loops = self._meant(loop)
        for hop in self._flow.roots[root]:
            for scope, _ in self._flow.places_of(hop):
                # A function that makes a loop for the thread that it starts is not on that loop.
                fresh = scope is loop.frame.scope and not _looks_up(loop)
                if not fresh and OF_APPLICATION not in loops and self._loops.within(loops, self._loops.running(scope)):
                    return True
        return False if any(map(self._is_of_many, self._flow.roots[root])) else None

    def _meant(self, loop: Object) -> Loops:
        """The loops that an object stands for; a look-up gives those of the function that looks."""
        assert loop.frame is not None
        return self._loops.running(loop.frame.scope) if _looks_up(loop) else self._loops.of(loop)

    def _is_of_many(self, hop: Hop) -> bool:
        """Whether a pool of more threads than one starts it."""
        return any(
            isinstance(call.func, Attr)
            and call.func.name in _OF_POOLS
            and any(map(_is_wide, self._program.evaluate(frame, call.func.base).values))
            for frame, call in self._flow.origins.get(hop, ())
        )

    def _is_expected(self, scope: Scope, call: Call) -> bool:
        """Whether the code asks first, takes turns by a lock around the call, or knows that it may fail."""
        # What comes after the head of a `with` nearly always stands below it.
        alone = any(not block.is_async and block.packed_span < call.packed_span for block in scope.blocks)
        expects = bool(expected_exceptions(scope, call.handler) & {"RuntimeError"})
        return alone or expects or self._is_guarded(scope, call)


def _looks_up(loop: Object) -> bool:
    return loop.site is not None and last_name(loop.site.func) in LOOK_UPS


def _is_wide(pool: Value) -> bool:
    if not isinstance(pool, Object) or pool.type != _POOL or pool.site is None:
        return False
    given = [*pool.site.args[:1], *(value for keyword, value in pool.site.keywords if keyword == "max_workers")]
    return not given or any(
        isinstance(value, Const) and isinstance(value.value, int) and value.value > 1 for value in given
    )
