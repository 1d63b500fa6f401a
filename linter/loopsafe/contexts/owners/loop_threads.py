"""Loops that live in threads: everyone else is foreign to what belongs to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from loopsafe.contexts.places.flow import Flow, Origin, Reached
from loopsafe.contexts.places.paths import Paths
from loopsafe.contexts.places.place import CALLER, LOOP, Hop, State
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.facts.schema import Attr, Call, Const, Expr, Name, Scope
from loopsafe.program.graph import Entered
from loopsafe.program.index import last_name, method_kind
from loopsafe.program.modules import Module
from loopsafe.program.values import Class, Function, Instance, Object, Value, same_making
from loopsafe.program.writers import kept_as

_MOST_SITES = 200
_CALLED_BY_USERS = ("__enter__", "__exit__", "__call__")


@dataclass(frozen=True, slots=True, eq=False)
class LoopThread:
    """A loop that a thread runs, with the hops from the start of the thread to the call that runs it."""

    loop: Value
    hops: tuple[Hop, ...]
    runners: frozenset[State]


class LoopThreads:
    """Finds the loops that threads run, and asks what public functions do to them."""

    def __init__(self, propagation: Propagation) -> None:
        self._propagation, self._program = propagation, propagation.program
        self.flow: Flow = propagation.flow
        self.found: dict[Value, LoopThread] = {}
        self._at_home: set[Scope] = set()

    def seed(self) -> None:
        """Let `caller` flow from the public functions that are near a loop in a thread."""
        self._find()
        self._at_home = {state.frame.scope for state in Paths(self.flow, self._runner_roots()).states}
        for thread in self.found.values():
            for module, scope, cls in self._near(thread):
                self._seed_function(module, scope, cls)

    def owner(self, reached: Reached) -> LoopThread | None:
        """The thread whose loop the receiver of an operation belongs to; None where that is not known."""
        receiver = reached.receiver
        for thread in self.found.values():
            if same_making(receiver, thread.loop) or self._belongs(receiver, thread) or self._stored(reached, thread):
                return thread
            # An object of the project that runs its loop itself.
            if isinstance(receiver, Instance) and any(s.frame.receiver is receiver for s in thread.runners):
                return thread
        return None

    def outlast(self, reached: Reached) -> bool:
        """Whether the loop of an operation may still run when the program ends: in a daemon thread.

        Of a loop that is not known, whether the program has such a thread; what its tests do says nothing.
        """
        owner = self.owner(reached)
        threads = [owner] if owner else [t for t in self.found.values() if not _is_test(t.hops[0].module)]
        return any(_mentions_daemons(thread.hops[0].module) for thread in threads)

    def _stored(self, reached: Reached, thread: LoopThread) -> bool:
        """Whether the receiver is an attribute that the function which runs the loop stores on its object."""
        base = getattr(reached.call.func, "base", None)
        cls = getattr(reached.state.frame.receiver, "cls", None)
        if not isinstance(base, Attr) or not isinstance(base.base, Name) or not isinstance(cls, Class):
            return False
        if not isinstance(reached.receiver, Object) or reached.receiver.frame is not None:
            return False
        runners = {state.frame.scope for state in thread.runners}
        for owner in self._program.classes.mro(cls):
            if isinstance(owner, Class):
                stores = self._program.index.own_stores.get((owner.module.index, owner.scope.index), {})
                if any(scope in runners for scope, _ in stores.get(base.name, ())):
                    return True
        return False

    def _runner_roots(self) -> set[State]:
        """The roots of the threads that run loops: what they call is at home there."""
        runners = {state for thread in self.found.values() for state in thread.runners}
        reaching = self.flow.reaching(runners)
        return {root for root in self.flow.roots if root.context.kind == "loop" or root in reaching}

    def scopes_on_loops(self) -> set[Scope]:
        """The functions that run on loops which live in threads."""
        return {s.frame.scope for s in self._loop_states if any(same_making(s.context.loop, at) for at in self.found)}

    def starts_within(self, thread: LoopThread, states: tuple[State, ...]) -> bool:
        """Whether the thread is only started on the way: what comes when is not told apart."""
        return any(state.frame.scope is scope for state in states for _, scope in self._scopes_of(thread))

    def _find(self) -> None:
        flow = self.flow
        paths = Paths(flow, set(flow.roots))
        for state, loops in sorted(flow.loops_run.items(), key=lambda item: item[0].frame.order):
            if state.context.kind == "thread" and state in paths:
                for loop, hop in loops.items():
                    if loop not in self.found:
                        hops = (*paths.to(state), Hop("loop", hop.module, hop.packed_span))
                        self.found[loop] = LoopThread(loop, hops, frozenset({state}))
        for loop, hops in flow.thread_loops.items():
            self.found.setdefault(loop, LoopThread(loop, hops, frozenset()))

    def _near(self, thread: LoopThread) -> Iterator[tuple[Module, Scope, Class | None]]:
        """Functions that can get at the loop: methods of the class that runs it, and whoever uses its name."""
        seen: set[Scope] = set()
        for module, scope, cls in (*self._of_class(thread), *self._by_name(thread)):
            if scope not in seen and _is_public(module, scope) and not self._starts(thread, module, scope):
                seen.add(scope)
                yield module, scope, cls

    def _of_class(self, thread: LoopThread) -> Iterator[tuple[Module, Scope, Class | None]]:
        for cls in dict.fromkeys(self._classes_of(thread)):
            for base in self._program.classes.mro(cls):
                if isinstance(base, Class):
                    for scope in base.module.facts.scopes:
                        if scope.parent == base.scope.index and scope.kind == "function":
                            yield base.module, scope, cls

    def _classes_of(self, thread: LoopThread) -> Iterator[Class]:
        receivers = [state.frame.receiver for state in thread.runners]
        for receiver in receivers:
            if isinstance(receiver, Instance):
                yield receiver.cls
        for module, inner in self._scopes_of(thread):
            scope = inner
            while scope.parent >= 0 and scope.kind != "class":
                scope = module.facts.scopes[scope.parent]
            if scope.kind == "class":
                yield self._program.classes.defined_by(module, scope)

    def _scopes_of(self, thread: LoopThread) -> Iterator[tuple[Module, Scope]]:
        """The scopes in which the thread is started and the loop is made."""
        loop = thread.loop
        if isinstance(loop, Object) and loop.frame is not None:
            yield loop.frame.module, loop.frame.scope
        for hop in thread.hops[:1]:
            for scope in hop.module.facts.scopes:
                if any(call.packed_span == hop.packed_span for call in scope.calls):
                    yield hop.module, scope

    def _by_name(self, thread: LoopThread) -> Iterator[tuple[Module, Scope, Class | None]]:
        loop = thread.loop
        if not isinstance(loop, Object) or loop.frame is None:
            return
        names, made = kept_as(loop.frame, loop.site), loop.frame
        words = sorted(
            {name.rpartition(".")[2] for name in self._program.knowledge.operations if ".AbstractEventLoop." in name}
        )
        for word in words:
            sites = self._program.index.calls.get(word, ())
            for module, scope, call in sites[:_MOST_SITES]:
                base = call.func.base if isinstance(call.func, Attr) else None
                kept = isinstance(base, Attr) and base.name in names
                if kept or (module is made.module and _is_global(base, names, scope, made.scope)):
                    yield module, scope, None

    def _starts(self, thread: LoopThread, module: Module, scope: Scope) -> bool:
        """The function that starts the thread prepares the loop before: what comes when is not told apart."""
        return any(s is scope for _, s in self._scopes_of(thread)) or scope in self._at_home

    def _seed_function(self, module: Module, scope: Scope, cls: Class | None) -> None:
        program = self._program
        frame = program.classes.plain_frame(module, scope)
        if cls is not None:
            frame = program.values.frame(module, scope, frame.parent, program.classes.instance(cls))
        function = program.values.make(Function, module, scope, frame.parent)
        assert isinstance(function, Function)
        origin = Origin(CALLER, Hop("calls", module, scope.packed_span), None, None)
        self._propagation.root(Entered(frame, function), origin)

    def _belongs(self, receiver: Value | None, thread: LoopThread) -> bool:
        if not isinstance(receiver, Object):
            return False
        if any(same_making(receiver, other) for other in self.flow.awaited.get(thread.loop, ())):
            return True
        if receiver.frame is None or receiver.site is None:
            return False
        return self._made_on(receiver, thread) or self._made_by(receiver.site, receiver, thread)

    def _made_on(self, receiver: Object, thread: LoopThread) -> bool:
        assert receiver.frame is not None
        at = (receiver.frame.module, receiver.frame.scope)
        return receiver.frame.scope.is_async and any(
            same_making(state.context.loop, thread.loop) and (state.frame.module, state.frame.scope) == at
            for state in self._loop_states
        )

    @cached_property
    def _loop_states(self) -> list[State]:
        states = [s for targets in self.flow.edges.values() for s in targets]
        return [s for s in (*states, *self.flow.roots) if s.context.kind == "loop"]

    def _made_by(self, site: Call, receiver: Object, thread: LoopThread) -> bool:
        """`self._loop.create_task(...)`: the loop itself made it."""
        func = site.func
        if not isinstance(func, Attr) or receiver.frame is None:
            return False
        held = self._program.evaluate(receiver.frame, func.base).values
        return any(same_making(thread.loop, loop) or self._looked_up_on(loop, thread) for loop in held)

    def _looked_up_on(self, loop: Value, thread: LoopThread) -> bool:
        """`self._loop = asyncio.get_running_loop()` in a coroutine of the thread: its loop under another name."""
        if not isinstance(loop, Object) or loop.frame is None or LOOP not in self._program.knowledge.lineage(loop.type):
            return False
        return self._made_on(loop, thread)


def _is_global(base: Expr, names: set[str], scope: Scope, made: Scope) -> bool:
    """Whether something is called by a global name of its module, one of those that `made` gives it."""
    if not isinstance(base, Name) or base.id not in names:
        return False
    if made.kind != "module" and made.outer_names.get(base.id) != "global":
        return False
    return base.id not in scope.bindings and all(p.name != base.id for p in scope.parameters)


def _is_public(module: Module, scope: Scope) -> bool:
    """A plain function that users of the class or module call, and may call from any thread.

    By a common convention a plain function named `async_...` is for callers on the loop.
    """
    if scope.name.startswith("async_") or scope.kind != "function" or method_kind(scope) != "plain":
        return False
    if scope.is_async or scope.is_generator:
        return False
    around = module.facts.scopes[scope.parent]
    return around.kind in ("module", "class") and (not scope.name.startswith("_") or scope.name in _CALLED_BY_USERS)


def _is_test(module: Module) -> bool:
    folders = PurePosixPath(module.path).with_suffix("").parts
    return any(p in ("test", "tests", "testing") or p.startswith("test_") or p.endswith("_test") for p in folders)


def _mentions_daemons(module: Module) -> bool:
    """Whether a file makes threads that do not keep the program alive."""
    for scope in module.facts.scopes:
        given = [value for call in scope.calls for keyword, value in call.keywords if keyword == "daemon"]
        given += [store.value for store in scope.stores if store.name == "daemon"]
        if any(not isinstance(value, Const) or value.value for value in given):
            return True
        if any(last_name(call.func) == "setDaemon" for call in scope.calls):
            return True
    return False
