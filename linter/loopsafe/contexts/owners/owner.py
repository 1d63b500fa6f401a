"""Whose loop an object is on: the one it was made on, those on which somebody waits for it, or itself if it is one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

from loopsafe.contexts.places.flow import Flow, Reached
from loopsafe.contexts.places.loops import UNKNOWN, Loops, LoopsOf
from loopsafe.contexts.places.paths import Paths
from loopsafe.contexts.places.place import LOOK_UPS, State
from loopsafe.contexts.places.threads import LoopThread
from loopsafe.facts.schema import Attr, Call, Const, Expr, Name, Scope
from loopsafe.facts.spelling import is_same_name
from loopsafe.program.graph import Entered, Target
from loopsafe.program.index import last_name
from loopsafe.program.parameters import argument
from loopsafe.program.program import Program
from loopsafe.program.values import Class, Frame, Instance, Object, Value, same_making

Thing = tuple[Frame, Expr]
"""An object by the expression that makes it, and where."""


class Owners:
    """Asked of the objects that somebody touches."""

    def __init__(self, program: Program, flow: Flow, threads: dict[Value, LoopThread], loops: LoopsOf) -> None:
        self._program, self._knowledge, self._flow = program, program.knowledge, flow
        self.threads, self.loops = threads, loops
        self._waits: dict[Call, dict[tuple[Loops, Scope], None]] = defaultdict(dict)
        for waited in flow.waited:
            thing = waited.receiver
            waits = not waited.row.seldom or self._is_bounded(thing)
            if isinstance(thing, Object) and thing.site is not None and waits:
                self._waits[thing.site][loops.of(waited.loop), waited.state.frame.scope] = None

    def _is_bounded(self, thing: Value | None) -> bool:
        """Whether it has a bound, so that who puts into it waits as who takes out of it does."""
        if not isinstance(thing, Object) or thing.site is None:
            return False
        parameter = self._knowledge.bounded(thing.type)
        given = thing.site.args[:1] or tuple(value for keyword, value in thing.site.keywords if keyword == parameter)
        return bool(parameter) and any(not isinstance(value, Const) or value.value not in (0, None) for value in given)

    def of(self, thing: Value | None) -> Loops:
        """The loops that an object may belong to; none where nobody is seen to make it or to wait for it."""
        if not isinstance(thing, Object) or thing.site is None or thing.frame is None:
            return frozenset()
        if self.is_made(thing):
            return self.made_on(thing)
        return frozenset(loop for loops, _ in self._waits.get(thing.site, ()) for loop in loops)

    def waiters(self, thing: Value | None) -> set[Scope]:
        """The functions that wait for an object."""
        site = thing.site if isinstance(thing, Object) else None
        return {scope for _, scope in self._waits.get(site, ())} if site is not None else set()

    def is_made(self, thing: Object) -> bool:
        """Whether the making decides; if not, the first task that waits does."""
        return self._knowledge.is_made_on_loop(thing.type) or self._knowledge.is_a_loop(thing.type)

    def made_on(self, thing: Object) -> Loops:
        """The loops to which it may belong by its making."""
        frame, site = thing.frame, thing.site
        assert frame is not None
        assert site is not None
        if self._knowledge.is_a_loop(thing.type):
            return self.loops.of(thing)
        loops = self._making_loops(thing)
        if loops:
            return frozenset(key for loop in loops for key in self.loops.of(loop))
        return self.loops.running(frame.scope)

    def is_loops(self, thing: Value | None, paths: Paths) -> bool:
        """Whether a loop that the code on some paths has from elsewhere makes an object: `loop.call_later(...)`."""
        loops = self._making_loops(thing) if isinstance(thing, Object) else []
        makers = [loop.frame for loop in loops if loop.frame is not None]
        return bool(makers) and not any(paths.lead_into(maker.module, maker.scope) for maker in makers)

    def _making_loops(self, thing: Object) -> list[Object]:
        if thing.frame is None or thing.site is None:
            return []
        func = thing.site.func
        row = self._knowledge.of_loop.get(last_name(func)) if isinstance(func, (Attr, Name)) else None
        asked = argument(thing.site, row) if row is not None else None
        if asked is not None and self._runs(thing.frame.scope, asked):
            return []
        given = [value for keyword, value in thing.site.keywords if keyword == "loop"]
        exprs = [asked] if asked is not None else [func.base, *given] if isinstance(func, Attr) else given
        nodes = [self._program.evaluate(thing.frame, expr) for expr in exprs]
        self._program.solver.run()
        held = (value for node in nodes for value in node.values)
        return [value for value in held if isinstance(value, Object) and self._knowledge.is_a_loop(value.type)]

    def _runs(self, scope: Scope, loop: Expr) -> bool:
        """Whether a function runs a loop itself, before it looks what is left there or after."""
        called = (call.func for call in scope.calls)
        return any(
            isinstance(f, Attr) and f.name in self._knowledge.running and is_same_name(f.base, loop) for f in called
        )

    def things(self) -> Iterator[Thing]:
        """What belongs to the loops of threads, by the calls that make it."""
        theirs = frozenset(key for thread in self.threads.values() for key in self.loops.of(thread.loop))
        waited = (w.receiver for w in self._flow.waited if isinstance(w.receiver, Object))
        for thing in dict.fromkeys((*self.threads, *waited)):
            runs_itself = thing in self.threads and thing not in self._flow.run_by_main
            if isinstance(thing, Object) and (runs_itself or self.loops.within(self.of(thing) or UNKNOWN, theirs)):
                if thing.frame is not None and thing.site is not None:
                    yield thing.frame, thing.site
            elif isinstance(thing, Instance):
                yield from self._made_instances(thing.cls)
        runners = (state for thread in self.threads.values() for state in thread.runners)
        # What the function that runs the loop keeps is mostly the loop's, whatever it is.
        yield from ((s.frame, store.value) for s in runners for store in s.frame.scope.stores if store.name)
        for state in self.loops.on(theirs):
            for call in state.frame.scope.calls:
                if last_name(call.func) in self._knowledge.making or last_name(call.func) in LOOK_UPS:
                    yield state.frame, call

    def _made_instances(self, cls: Class) -> Iterator[Thing]:
        """Where a loop of the project's own class is made."""
        for module, scope, call in self._program.index.callers(cls.scope.name):
            yield self._program.classes.plain_frame(module, scope), call

    def thread_of(self, reached: Reached) -> LoopThread | None:
        """The thread whose loop the receiver of an operation belongs to; None where that is not known."""
        receiver = reached.receiver
        owners = self.of(receiver) or self._told(reached)
        # A waiter that nobody is seen to run takes nothing away, one that main runs does.
        known = frozenset() if self.loops.meet(owners, self._of_main) else owners - UNKNOWN
        for thread in self._single:
            if self.loops.meet(known, self.loops.of(thread.loop)):
                return thread
            if same_making(receiver, thread.loop) and not owners:
                return thread
            # An object of the project that runs its loop itself.
            if isinstance(receiver, Instance) and any(s.frame.receiver is receiver for s in thread.runners):
                return thread
            if self._stored(reached, thread) or self._is_kept_by(reached, thread.loop):
                return thread
        # What needs a running loop finds none on a main thread that runs none, and is meant for the only one there is.
        alone = len(self._single) == 1 and reached.row.needs_running_loop and reached.state.place.kind == "main"
        return self._single[0] if alone and not self._flow.runs_on_main else None

    @cached_property
    def _single(self) -> list[LoopThread]:
        """The threads but those whose function runs the loops of some objects there, of others where it is called.

        A loop that a helper gives to whoever asks, on the thread and elsewhere, is not the thread's everywhere.
        """
        threads = (thread for thread in self.threads.values() if not self._is_for_all(thread))
        return [thread for thread in threads if not any(map(self._is_called, thread.runners))]

    def _is_for_all(self, thread: LoopThread) -> bool:
        """Whether a function that gives the loop back is called on the thread, and off it as well."""
        loop = thread.loop
        if not isinstance(loop, Object) or loop.frame is None:
            return False
        maker, kept = loop.frame.scope, self._program.index.kept_as(loop.frame.scope, loop.site)
        if not any(value is loop.site or (isinstance(value, Name) and value.id in kept) for value in maker.returns):
            return False
        states = (*self._flow.edges, *self._flow.roots, *thread.runners)
        on_threads = {state.frame.scope for state in states if state.place.kind == "thread"}
        callers = {by for _, by, _ in self._program.index.callers(maker.name)}
        return not callers.isdisjoint(on_threads) and not callers <= on_threads

    def _is_called(self, runner: State) -> bool:
        """Whether a method that runs a loop on a thread is also called off it, on objects of the same class."""
        program, found = self._program, set[Scope]()

        def entered(target: Target) -> None:
            if isinstance(target, Entered):
                found.add(target.function.scope)

        if not isinstance(runner.frame.receiver, Instance):
            return False
        on_threads = {state.frame.scope for state in self._flow.edges if state.place == runner.place}
        for module, scope, call in program.index.callers(runner.frame.scope.name):
            if scope not in on_threads and not scope.is_async:
                program.targets(program.classes.plain_frame(module, scope), call, entered)
        program.solver.run()
        return runner.frame.scope in found

    @cached_property
    def _of_main(self) -> Loops:
        """The loops that are run where no thread is seen to run them."""
        theirs = frozenset(key for thread in self.threads.values() for key in self.loops.of(thread.loop))
        run = frozenset(key for loop in self._flow.run_by_main for key in self.loops.of(loop)) - UNKNOWN
        return frozenset(key for key in run if not self.loops.meet(frozenset({key}), theirs))

    def _told(self, reached: Reached) -> Loops:
        """The loop that an operation is given."""
        given = dict(reached.call.keywords).get("loop")
        held = self._program.evaluate(reached.state.frame, given).values if given is not None else ()
        return frozenset(key for loop in held if isinstance(loop, Object) for key in self.loops.of(loop))

    def _stored(self, reached: Reached, thread: LoopThread) -> bool:
        """Whether the receiver is an attribute that the function which runs the loop stores on its object."""
        base = getattr(reached.call.func, "base", None)
        cls = getattr(reached.state.frame.receiver, "cls", None)
        if not isinstance(base, Attr) or not isinstance(base.base, Name) or not isinstance(cls, Class):
            return False
        if not isinstance(reached.receiver, Object) or reached.receiver.frame is not None:
            return False
        runners = {state.frame.scope for state in thread.runners}
        return any(scope in runners for scope in self._storing(cls, base.name))

    def _is_kept_by(self, reached: Reached, runner: Value) -> bool:
        """Whether the receiver is an attribute of the library's object that runs its loop itself: `bot.loop`."""
        base = getattr(reached.call.func, "base", None)
        if not isinstance(base, Attr) or not isinstance(runner, Object) or reached.receiver is None:
            return False
        if not isinstance(reached.receiver, Object) or reached.receiver.frame is not None:
            return False
        held = self._program.evaluate(reached.state.frame, base.base)
        self._program.solver.run()
        return any(same_making(holder, runner) for holder in held.values)

    def _storing(self, cls: Class, name: str) -> Iterator[Scope]:
        """The methods of a class and its bases that store an attribute."""
        for owner in self._program.classes.mro(cls):
            if isinstance(owner, Class):
                stores = self._program.index.own_stores.get((owner.module.index, owner.scope.index), {})
                yield from (scope for scope, _ in stores.get(name, ()))


def best_known(reached: list[Reached]) -> list[Reached]:
    """Without those whose receiver is known by its declared type only, where it is also known by its making."""
    made = {
        (r.state, r.call, r.row) for r in reached if isinstance(r.receiver, Object) and r.receiver.frame is not None
    }
    return [
        r
        for r in reached
        if (r.state, r.call, r.row) not in made or not isinstance(r.receiver, Object) or r.receiver.frame is not None
    ]
