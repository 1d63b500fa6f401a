"""Objects of one loop that are touched on another: `asyncio.run(self._queue.put(x))` on a thread, and its like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from loopsafe.contexts.owners.owner import Owners, best_known
from loopsafe.contexts.owners.private import holds_its_own, keeper_is_made
from loopsafe.contexts.places.flow import Flow, Reached, Waited
from loopsafe.contexts.places.loops import UNKNOWN, Loops
from loopsafe.contexts.places.together import SecondLoop, SecondLoops
from loopsafe.contexts.spread.branches import Branches
from loopsafe.contexts.spread.guards import Guards
from loopsafe.facts.enclosing import call_at, loops_around
from loopsafe.facts.schema import Call, Expr, Scope
from loopsafe.facts.spelling import spell
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.values import Instance, Object, Value

# Through so many functions it is looked for who makes an object.
_FURTHEST = 3
_TOUCHING = ("channel", "queue", "sync-primitive", "future", "loop-call", "transport")


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """Something done to an object that belongs to one loop, and the loops on which it may be done."""

    what: Reached | Waited
    thing: Object
    loops: Loops
    waits: bool

    @property
    def scope(self) -> Scope:
        """The function that does it."""
        return self.what.state.frame.scope

    @property
    def runner(self) -> Call | None:
        """The call that runs it on a loop of its own: `asyncio.run(queue.put(x))`."""
        runner = self.what.runner if isinstance(self.what, Waited) else None
        return runner.call if runner and runner.row.where != "loop" else None

    @property
    def crosses(self) -> bool:
        """Whether it is handed over to a loop, as it should be."""
        return isinstance(self.what, Waited) and self.what.runner is not None and self.what.runner.row.crossing

    @property
    def is_mutual(self) -> bool:
        """Whether all who use such things do this, as all who use a lock acquire it."""
        return isinstance(self.what, Waited) and self.what.row.mutual

    @property
    def expr(self) -> Expr:
        """What does it."""
        return self.what.call if isinstance(self.what, Reached) else self.what.expr

    @property
    def place(self) -> int:
        """The span of the call or expression to report, packed."""
        if isinstance(self.what, Reached):
            return self.what.call.packed_span
        return self.runner.packed_span if self.runner else self.what.packed_span

    @property
    def operation(self) -> str:
        """What is done, in words for the message."""
        expr = self.expr
        if expr is self.runner:  # `anyio.run(stream.send, x)`
            return self.what.name.rpartition(".")[2]
        return spell(expr.func if isinstance(expr, Call) else expr)


@dataclass(frozen=True, slots=True, eq=False)
class ForeignUse:
    """A use on another loop than the object's own. `second` is the loop that makes two of them; `sure` says that the
    other is the one whose code starts it."""

    use: Use
    second: SecondLoop
    sure: bool


class ForeignLoops:
    """Looks at everything that is touched on two loops."""

    def __init__(self, program: Program, flow: Flow, guards: Guards, seconds: SecondLoops, owners: Owners) -> None:
        self._program, self._flow, self._guards = program, flow, guards
        self._branches = Branches(program.knowledge)
        self._seconds, self._owners, self.which = seconds, owners, owners.loops

    def found(self) -> list[ForeignUse]:
        """What is done on a loop that is not the object's, each use once."""
        found: dict[Reached | Waited, ForeignUse] = {}
        # The two ends of a channel are made by one call.
        by_object: dict[Call | None, list[Use]] = defaultdict(list)
        for use in self._uses():
            by_object[use.thing.site].append(use)
        for uses in by_object.values():
            for second in self._seconds.all:
                for foreign in _Shared(self._program, uses, second, self._seconds, self._owners).foreign():
                    known = found.get(foreign.use.what)
                    if self._is_clear(foreign) and (known is None or (foreign.sure and not known.sure)):
                        found[foreign.use.what] = foreign
        return list(found.values())

    def _is_clear(self, foreign: ForeignUse) -> bool:
        """Whether the thing cannot as well be one that is at home there, or that belongs to no loop."""
        if foreign.use.crosses:
            return False
        expr, knowledge = foreign.use.expr, self._program.knowledge
        base = getattr(expr.func, "base", None) if isinstance(expr, Call) else expr
        for value in self._program.evaluate(foreign.use.what.state.frame, base).values if base is not None else ():
            if not isinstance(value, Object):
                continue
            if not knowledge.is_loop_bound(value.type):
                return False
            there = self.which.within(foreign.use.loops, foreign.second.loops)
            own = self._seconds.scopes(foreign.second) if there else frozenset()
            if value.frame is not None and value.frame.scope in own:
                return False
            if knowledge.is_a_loop(value.type) and self.which.meet(self.which.of(value), foreign.use.loops):
                return False
        return True

    def _uses(self) -> Iterator[Use]:
        for reached in best_known(self._flow.reached):
            if reached.state.place.kind == "loop" and reached.row.category in _TOUCHING:
                yield from self._use(reached, reached.receiver, reached.state.place.loop, reached.call.guard, False)
        for waited in self._flow.waited:
            yield from self._use(waited, waited.receiver, waited.loop, waited.guard, not waited.row.seldom)

    def _use(
        self, what: Reached | Waited, thing: Value | None, loop: Value | None, guard: int, waits: bool
    ) -> Iterator[Use]:
        if isinstance(thing, Object) and thing.site is not None and thing.frame is not None:
            at = what.state.frame
            if isinstance(what, Reached) and holds_its_own(at.scope, what.call, getattr(what.call.func, "base", None)):
                return
            if not self._guards.only_on_loop(at.module, at.scope, guard) and not self._branches.stays(at.scope, guard):
                yield Use(what, thing, self.which.of(loop), waits)


class _Shared:
    """One object, used on a second loop and elsewhere: whose is it?"""

    def __init__(
        self, program: Program, uses: Sequence[Use], second: SecondLoop, seconds: SecondLoops, owners: Owners
    ) -> None:
        self._program = program
        self._uses, self._second, self._seconds, self._owners = uses, second, seconds, owners
        self._loops, self._thing = owners.loops, uses[0].thing
        self._there = [use for use in uses if self._loops.within(use.loops, second.loops)]

    def foreign(self) -> Iterator[ForeignUse]:
        """The uses on the wrong one of the two loops."""
        second = self._second
        if second.kind == "caller" and not self._owners.is_made(self._thing) and not self._is_used_on_threads:
            return  # a caller's loops run one after the other: nobody waits for such a thing on two of them
        if self._is_single and self._runs_many and not self._owners.is_made(self._thing):
            # A queue may be filled on all of them and be waited for on none.
            for use in self._there:
                if use.waits and (use.is_mutual or not use.what.name.startswith("asyncio.")):
                    yield ForeignUse(use, second, False)
        if len(self._there) == len(self._uses) and not self._owners.is_made(self._thing):
            return
        sure = self._owned_elsewhere() if self._there and not self._is_made_there else None
        if sure is not None:
            yield from (ForeignUse(use, second, sure) for use in self._there)
        elif second.kind == "thread" and self._is_owned_there():
            for use in self._elsewhere:
                if self._is_after_start(use):
                    yield ForeignUse(use, second, self._is_started_by(use))

    @property
    def _is_used_on_threads(self) -> bool:
        beside = [second.loops for second in self._seconds.all if second.kind == "thread"]
        return any(self._loops.meet(use.loops, loops) for use in self._uses for loops in beside)

    @cached_property
    def _is_made_there(self) -> bool:
        """Whether the thing, or what keeps it, is made on the second loop or by its thread."""
        there = self._seconds.scopes(self._second)
        if self._thing.frame is not None and self._thing.frame.scope in there:
            return True
        return keeper_is_made(self._thing, lambda _, scope: scope in there, self._program)

    @cached_property
    def _elsewhere(self) -> list[Use]:
        """The uses that are certainly not on the second loop."""
        return [use for use in self._uses if self._is_elsewhere(use)]

    def _is_elsewhere(self, use: Use) -> bool:
        if self._is_started_by(use) or (None in use.loops and self._runs_nothing_else):
            return True
        if None in use.loops or self._loops.meet(use.loops, self._second.loops):
            return False
        # What was made on one loop and is used on another shows by itself that both run.
        return self._owners.is_made(self._thing) or self._seconds.run_together(self._second, use.loops)

    @cached_property
    def _runs_nothing_else(self) -> bool:
        """Whether the second loop is made for this one thing: then whatever else is done to it is done elsewhere."""
        return bool(self._there) and all(use.runner for use in self._there)

    def _is_started_by(self, use: Use) -> bool:
        """Whether the use is on the loop whose tasks start the second."""
        return use.what.state in self._seconds.elsewhere(self._second)

    def _owned_elsewhere(self) -> bool | None:
        """Whether another loop owns the object, and if so, whether it is the one that starts the second; else None."""
        if self._owners.is_made(self._thing):
            loops, frame = self._owners.made_on(self._thing), self._thing.frame
            if self._loops.meet(loops, self._second.loops):
                return None
            if frame and any(s.frame.scope is frame.scope for s in self._seconds.elsewhere(self._second)):
                return True
            if None not in loops:
                return False
        there = self._seconds.scopes(self._second)
        waiting = [u for u in self._elsewhere if u.waits and (u.scope not in there or self._is_single)]
        if not waiting or not (self._is_one or any(not use.is_mutual for use in waiting)):
            return None
        return any(map(self._is_started_by, waiting))

    @cached_property
    def _is_single(self) -> bool:
        """Whether there is one such object only: a module's, or one that a module has made once."""
        frame = self._thing.frame
        if frame is None or frame.scope.kind == "module":
            return frame is not None
        if not isinstance(frame.receiver, Instance):
            return self._is_called_once(frame.scope.name)
        return frame.scope.name == "__init__" and self._is_called_once(frame.receiver.cls.scope.name)

    def _is_called_once(self, name: str) -> bool:
        """Whether a module calls this once, or a function does that a module calls once."""
        for _ in range(_FURTHEST):
            made = self._program.index.callers(name)
            if len(made) != 1 or _is_repeated(*made[0][1:]):
                return False
            if made[0][1].kind == "module":
                return True
            name = made[0][1].name
        return False

    @cached_property
    def _runs_many(self) -> bool:
        """Whether the second loop stands for several that run side by side: for each thread of a circle or pool, or for
        each request that a framework hands to a thread."""
        if self._seconds.is_of_application(self._second):
            return True
        for scope, span in self._second.starts:
            call = call_at(scope, span)
            if call is not None and (last_name(call.func) == "map" or _is_repeated(scope, call)):
                return True
        return False

    @property
    def _is_one(self) -> bool:
        """Whether both loops surely have the same object: no attribute, or one of the class that runs the second."""
        maker = self._thing.frame.receiver if self._thing.frame else None
        if not isinstance(maker, Instance) or self._is_single:
            return True
        runners = (state.frame.receiver for state in self._second.runners)
        same = self._second.hops[0].module is maker.cls.module
        starters = {scope.parent for scope, _ in self._second.starts} if same else set()
        return any(runner is maker for runner in runners) or maker.cls.scope.index in starters

    def _is_owned_there(self) -> bool:
        if self._owners.is_made(self._thing):
            return (
                self._loops.within(self._owners.made_on(self._thing), self._second.loops) and not self._is_made_on_both
            )
        waiting = [use for use in self._there if use.waits and (self._is_one or not use.is_mutual)]
        elsewhere = {use.scope for use in self._elsewhere} if waiting else set()
        return any(use.scope not in elsewhere for use in waiting) and not self._is_made_on_both

    @property
    def _is_made_on_both(self) -> bool:
        """Whether others may make things of the same kind, which could not be told apart."""
        if not self._is_made_there or self._thing.frame is None:
            return False
        scope = self._thing.frame.scope
        known = self._loops.running(scope) - UNKNOWN
        return scope.name == "__init__" or not self._loops.within(known, self._second.loops)

    def _is_after_start(self, use: Use) -> bool:
        """Whether the second loop runs by then, as far as one function tells. One that runs on both tells nothing."""
        starts = self._second.starts
        if use.scope in self._seconds.scopes(self._second):
            return False
        return all(use.scope is not scope or use.place > span for scope, span in starts)


def _is_repeated(scope: Scope, call: Call) -> bool:
    """Whether a call is made in every round of a loop, and nothing in the round waits for what it starts."""
    rounds = loops_around(scope, call.span)
    joined = any(last_name(c.func) == "join" and any(r.contains(c.span) for r in rounds) for c in scope.calls)
    return bool(rounds) and not joined
