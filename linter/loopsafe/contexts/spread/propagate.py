"""Contexts flow along calls until nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from loopsafe.contexts.places.flow import HANDED, Flow, Origin, Reached, Runner
from loopsafe.contexts.places.place import LOOK_UPS, LOOP, STARTING, Hop, Place, State
from loopsafe.contexts.spread.branches import Branches
from loopsafe.contexts.spread.guards import Guards
from loopsafe.contexts.spread.iteration import Iteration, goes_through
from loopsafe.contexts.spread.operators import Operators
from loopsafe.contexts.spread.properties import Properties
from loopsafe.contexts.spread.remarks import Remarks
from loopsafe.contexts.spread.type_tests import depends_on_type
from loopsafe.contexts.spread.waits import Waits
from loopsafe.facts.schema import Attr, Block, Call, Expr, Implicit, Name, Scope
from loopsafe.knowledge.schema import OperationRow, RunsRow
from loopsafe.program.graph import Arguments, Entered, Library, OnTarget, Source, Target
from loopsafe.program.index import last_name
from loopsafe.program.parameters import argument
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Coroutine, Frame, Function, Instance, Object, Value

# Methods of a generator that run more of its body.
_RESUMING = frozenset({"send", "throw", "close", "__next__"})


class Propagation:
    """Lets contexts flow from their roots. One solver serves the program and this."""

    def __init__(self, program: Program, guards: Guards, remarks: Remarks) -> None:
        self.program, self.guards, self.remarks = program, guards, remarks
        self.flow = Flow()
        # Where `main` and `caller` may go.
        self.cone: set[Scope] = set()
        self._waits = Waits(program, self.flow)
        self._visited: set[State] = set()
        self._operations: set[tuple[State, Call, str, Value | None]] = set()
        self._called_back: set[tuple[State, Call, str, Value | None]] = set()
        self._handed_calls: dict[Expr, Call] = {}
        self._properties = Properties(program, self._edge)
        self._operators = Operators(program, self._edge)
        self._iteration = Iteration(program)
        self._branches = Branches(program.knowledge)
        # A bound method is an object of its own each time it is asked for.
        self._on_target = self._called

    def root(self, target: Target, origin: Origin) -> None:
        """A context starts with this function, or with what a library function does for it."""
        if origin.frame is not None and origin.call is not None:
            self.flow.origins.setdefault(origin.hop, {})[origin.frame, origin.call] = None
        known = self.flow.crossings.setdefault(origin.hop, origin.crossings)
        self.flow.crossings[origin.hop] = tuple(name for name in known if name in origin.crossings)
        if isinstance(target, Library):
            self._library_root(target, origin)
        elif self.remarks.operation(target.function.scope, origin.place) is not None:
            self._barred_root(target, origin)
        elif origin.place.kind == "loop" or not target.function.scope.is_async:
            state = State(target.frame, origin.place)
            self.flow.roots.setdefault(state, {})[origin.hop] = None
            self.visit(state)

    def _barred_root(self, target: Entered, origin: Origin) -> None:
        """The project says that this function may not run here."""
        scope = target.function.scope
        row = self.remarks.operation(scope, origin.place)
        if row is not None and origin.frame is not None and origin.call is not None:
            state = State(origin.frame, origin.place)
            self._operation(Reached(state, origin.call, row, scope.name, target.frame.receiver, origin.hop))

    def _library_root(self, target: Library, origin: Origin) -> None:
        knowledge = self.program.knowledge
        if origin.frame is None or origin.call is None:
            return
        if goes_through(target.name.removeprefix("builtins.")):
            # `to_thread(list, pages())`
            for given in target.arguments.positional[:1]:
                self.program.solver.listen(self.program.node(given), partial(self.root_of_generator, origin=origin))
        row = knowledge.operations.get(target.name)
        if row is not None:
            state = State(origin.frame, origin.place)
            named = bool(target.arguments.keywords or target.arguments.rest_keywords)
            self._operation(Reached(state, origin.call, row, target.name, target.receiver, origin.hop, named))
        for runs in knowledge.runs.get(target.name, ()):
            if runs.where == "here" or runs.where in STARTING:
                if _calls_its_own(runs) and not self._is_first(State(origin.frame, origin.place), origin.call, target):
                    continue
                after = replace(origin, hop=origin.hop._replace(certain=origin.hop.certain and not runs.likely))
                self.program.hand_over(runs, target, origin.call, partial(self.root, origin=after))
            elif runs.where == "own-loop":
                self.run_in_thread(runs, target, origin)
        if target.name in knowledge.loops:
            self._thread_loop(target, origin.frame, origin.call, origin.hop)

    def root_of_generator(self, value: Value, origin: Origin) -> None:
        """A context starts with the body of a generator that is handed on to what goes through it."""
        if isinstance(value, Coroutine) and not value.frame.scope.is_async and value.frame.parent is not None:
            made = self.program.values.make(Function, value.frame.module, value.frame.scope, value.frame.parent)
            assert isinstance(made, Function)
            self.root(Entered(value.frame, made), origin)

    def run_in_thread(self, runs: RunsRow, target: Library, origin: Origin) -> None:
        """A thread starts that runs coroutines on a loop of its own."""
        if origin.frame is not None and origin.call is not None:
            loop = self._thread_loop(target, origin.frame, origin.call, origin.hop)
            started = State(origin.frame, origin.place)
            self.run_on(None, started, Runner(origin.call, runs, target), Place("loop", loop), origin.hop)

    def _thread_loop(self, target: Library, frame: Frame, call: Call, hop: Hop) -> Value:
        """The loop that a thread runs which starts with a library function."""
        loop = target.receiver or self._new_loop(frame, call)
        self.flow.thread_loops.setdefault(loop, (hop,))
        self._application(target, loop, call)
        return loop

    def _new_loop(self, frame: Frame, call: Call) -> Value:
        return self.program.values.make(Object, LOOP, frame, call)

    def visit(self, state: State) -> None:
        """Follow everything that a function does, once for each state."""
        if state not in self._visited:
            self._visited.add(state)
            self.program.solver.at_once_or_for(state.frame.module.library, self._follow, state)

    def _follow(self, state: State) -> None:
        frame, scope = state.frame, state.frame.scope
        for call in scope.calls:
            if self._passes(state, call.guard):
                self.program.targets(frame, call, self._caller(state, call))
                if isinstance(call.func, Attr) and call.func.name in _RESUMING:
                    self._go_through(state, call.func.base, call.packed_span)
                for given in self._iteration.gone_through(call):
                    self._go_through(state, given, call.packed_span)
                if call.role == "awaited" and state.place.loop is not None and isinstance(call.func, Attr):
                    self._await(state.place.loop, frame, call.func.base)
        for read in scope.reads:
            if self._properties.may_run(read) and self._passes(state, read.guard):
                self._properties.read(state, read)
        for store in scope.stores:
            if self._properties.may_set(store) and self._passes(state, store.guard):
                self._properties.stored(state, store)
        for block in scope.blocks:
            if self._passes(state, block.guard) and (not block.is_async or state.place.kind == "loop"):
                self._block(state, block)
        for implicit in scope.implicit:
            if self._iteration.may_enter(implicit) and self._passes(state, implicit.guard):
                self._iterate(state, implicit)
        for operation in self._operators.calls(scope):
            if self._passes(state, operation.guard):
                self._operators.run(state, operation)
        if state.place.kind == "loop":
            self._waits.visit(state)

    def _await(self, loop: Value, frame: Frame, base: Expr) -> None:
        """What a coroutine waits for belongs to the loop that runs it."""
        awaited = self.flow.awaited.setdefault(loop, {})
        self.program.solver.listen(self.program.evaluate(frame, base), awaited.setdefault)

    def _passes(self, state: State, guard: int) -> bool:
        """Whether control gets past the guards in this context; on a loop it always may."""
        if self.program.rules_out(state.frame, guard):
            return False
        module, scope = state.frame.module, state.frame.scope
        # Where there is no loop to go across to, nobody waits.
        if state.place.kind == "loop":
            return True
        at_home = self.guards.only_in_a_step if state.place.kind == "signal" else self.guards.only_on_loop
        return not (at_home(module, scope, guard) or self._branches.stays(scope, guard))

    def _was_chosen(self, state: State, call: Call, target: Target) -> bool:
        """Whether the variable called holds this target only where this context never gets."""
        frame = state.frame
        return state.place.kind != "loop" and self.guards.chosen_on_loop(frame.module, frame.scope, call.func, target)

    def _caller(self, state: State, call: Call) -> OnTarget:
        return partial(self._on_target, state, call)

    def _called(self, state: State, call: Call, target: Target) -> None:
        if self._was_chosen(state, call, target):
            return
        certain = not depends_on_type(state.frame.scope, call)
        hop = Hop("calls", state.frame.module, call.packed_span, certain)
        if isinstance(target, Library):
            self._library(state, call, target, hop)
            return
        operation = self._known_operation(target.function, target.frame, state.place)
        if operation is not None:
            name, row = operation
            self._operation(Reached(state, call, row, name, target.frame.receiver))
            return
        if any(name in self.program.knowledge.loops for name in self._own_names(target.function, target.frame)):
            self._run_loop(state, call, target.frame.receiver, hop)
        if _is_for_others(target.function.scope, state.frame.scope, call):
            return
        if not target.function.scope.is_async or (state.place.kind == "loop" and call.role == "awaited"):
            self._edge(state, State(target.frame, state.place), hop)

    def _known_operation(self, function: Function, frame: Frame, context: Place) -> tuple[str, OperationRow] | None:
        """Knowledge of a project's own function or class: it says so, or the library itself is being analysed."""
        knowledge = self.program.knowledge
        said = self.remarks.operation(function.scope, context)
        if said is not None:
            return function.scope.name, said
        known = (name for name in self._own_names(function, frame) if name in knowledge.operations)
        found = next(((name, knowledge.operations[name]) for name in known), None)
        if found is None or found[1].only_outside or self._crosses(function.scope):
            return None
        return found

    def _crosses(self, scope: Scope) -> bool:
        """Whether a method that overrides a library's hands the work over: `loop.call_soon_threadsafe(super().set)`."""
        crossings = self.program.knowledge.crossings
        given = any(isinstance(a, Attr) and a.name == scope.name for call in scope.calls for a in call.args)
        return given or any(last_name(call.func) in crossings for call in scope.calls)

    def _own_names(self, function: Function, frame: Frame) -> Iterator[str]:
        """The names by which knowledge may speak of a function of the project."""
        if not isinstance(frame.receiver, Instance):
            yield f"{function.module.name}.{function.scope.qualname}"
            return
        for name in self.program.classes.known_names(frame.receiver.cls):
            yield f"{name}.{function.scope.name}"

    def _library(self, state: State, call: Call, target: Library, hop: Hop) -> None:
        knowledge = self.program.knowledge
        row = knowledge.operations.get(target.name)
        if row is not None:
            self._operation(Reached(state, call, row, target.name, target.receiver))
        if target.name in knowledge.loops:
            self._run_loop(state, call, target.receiver, hop)
            if state.place.kind == "thread":
                self._application(target, target.receiver or self._new_loop(state.frame, call), call)
        if state.place.kind == "loop":
            self._waits.called(state, call, target)
        for runs in knowledge.runs.get(target.name, ()):
            self._runs(state, call, runs, target, hop)

    def _run_loop(self, state: State, call: Call, receiver: Value | None, hop: Hop) -> None:
        self.flow.loops_run.setdefault(state, {}).setdefault(receiver or self._new_loop(state.frame, call), hop)

    def _application(self, target: Library, loop: Value, call: Call) -> None:
        if self.program.knowledge.runs_an_application(target.name):
            self.flow.applications.setdefault(loop, {})[call] = None

    def _runs(self, state: State, call: Call, runs: RunsRow, target: Library, hop: Hop) -> None:
        """A library function runs its callables: here, on a loop, or on a loop of its own on this thread."""
        runner = Runner(call, runs, target)
        if runs.where == "here":
            hop = hop._replace(certain=hop.certain and not runs.likely)
            self.program.hand_over(runs, target, call, lambda entered: self._here(state, runner, entered, hop))
        elif runs.where == "own-loop":
            loop = target.receiver or self._new_loop(state.frame, call)
            if target.receiver is None:
                self.flow.closed.add(loop)
            self.run_on(state, state, runner, Place("loop", loop), hop)
        elif runs.where == "loop":
            self._run_on_loop(state, runner, hop._replace(kind="loop"))

    def _run_on_loop(self, state: State, runner: Runner, hop: Hop) -> None:
        runs, given = runner.row, runner.target

        def on_loop(loop: Value) -> None:
            if isinstance(loop, Object):
                context = state.place if _runs_here(state, loop) else Place("loop", loop)
                self.run_on(state, state, runner, context, hop)

        wanted = runs.loop_argument
        source = given.arguments.get(wanted.position, wanted.keyword) if wanted else None
        if source is not None:
            self.program.solver.listen(self.program.node(source), on_loop)
        elif isinstance(given.receiver, Object) and LOOP in self.program.knowledge.lineage(given.receiver.type):
            on_loop(given.receiver)
        elif isinstance(given.receiver, Object) and (told := self._loop_of(given.receiver)) is not None:
            self.program.solver.listen(told, on_loop)
        elif state.place.kind == "loop" and not runs.crossing:
            self.run_on(state, state, runner, state.place, hop)

    def _loop_of(self, thing: Object) -> Node | None:
        """The loop that the call which has made an object was given for it."""
        called = thing.site.func if thing.site is not None else None
        row = self.program.knowledge.of_loop.get(last_name(called)) if isinstance(called, (Attr, Name)) else None
        if row is None or thing.frame is None or thing.site is None:
            return None
        return self.program.evaluate(thing.frame, argument(thing.site, row))

    def run_on(self, source: State | None, written: State, runner: Runner, context: Place, hop: Hop) -> None:
        """A library function runs its callables or coroutines on this loop.

        The call stands in the function of `written`; `source` is None where that is not how control gets there.
        """
        runs, target = runner.row, runner.target
        if runs.coroutine:
            for given in self.program.callable_sources(runs, target.arguments):
                self._run_coroutine(source, runs, given, context, hop)
                self._waits.given(written, given, context.loop, runner)
            return

        def entered(found: Target) -> None:
            if runs.awaits:
                self._waits.handed(written, found, context.loop, runner)
            if isinstance(found, Entered) and (runs.awaits or not found.function.scope.is_async):
                self._edge(source, State(found.frame, context), hop)

        self.program.hand_over(runs, target, runner.call, entered)

    def _run_coroutine(self, source: State | None, runs: RunsRow, given: Source, context: Place, hop: Hop) -> None:
        def run(value: Value) -> None:
            if isinstance(value, Coroutine):
                self._edge(source, State(value.frame, context), hop)
            elif context.loop is not None and not runs.crossing:
                self.flow.awaited.setdefault(context.loop, {})[value] = None

        self.program.solver.listen(self.program.node(given), run)

    def _here(self, state: State, runner: Runner, target: Target, hop: Hop) -> None:
        call = runner.call
        if isinstance(target, Entered):
            if not target.function.scope.is_async:
                self._edge(state, State(target.frame, state.place), hop)
            return
        row = self.program.knowledge.operations.get(target.name)
        handed = self._handed(runner, target) if row is not None else None
        if row is not None and handed is not None:
            self._operation(Reached(state, handed, row, target.name, target.receiver))
        for runs in self.program.knowledge.runs.get(target.name, ()):
            if runs.where == "here" and _calls_its_own(runs) and self._is_first(state, call, target):
                self._runs(state, call, runs, target, hop)

    def _handed(self, runner: Runner, target: Library) -> Call | None:
        """The call of an operation that is itself an argument: `stack.callback(self._ended.set)`."""
        method = target.name.rpartition(".")[2]
        for source in self.program.callable_sources(runner.row, runner.target.arguments):
            written = source.expr
            if isinstance(written, Attr) and written.name == method:
                if written not in self._handed_calls:
                    call = runner.call
                    made = Call(written, (), (), call.packed_span, call.guard, call.handler, HANDED)
                    self._handed_calls[written] = made
                return self._handed_calls[written]
        return None

    def _is_first(self, state: State, call: Call, target: Library) -> bool:
        """Whether a method that calls others of its object has not been followed from here: one may lead back to it."""
        key = (state, call, target.name, target.receiver)
        is_first = key not in self._called_back
        self._called_back.add(key)
        return is_first

    def _operation(self, found: Reached) -> None:
        state, wrong_in = found.state, found.row.only_in
        if wrong_in and state.place.kind not in wrong_in:
            return
        key = (state, found.call, found.name, found.receiver)
        if key not in self._operations and not self.remarks.is_silent(state.frame.module, state.frame.scope):
            self._operations.add(key)
            asked = found.call.args[:1] if found.row.harmless_with else ()
            for argument in (*asked, *(given for keyword, given in found.call.keywords if keyword == "loop")):
                self.program.evaluate(state.frame, argument)
            self.flow.reached.append(found)

    def _edge(self, source: State | None, target: State, hop: Hop) -> None:
        if self.remarks.operation(target.frame.scope, target.place) is not None:
            return
        if target.place.kind in ("main", "caller") and target.frame.scope not in self.cone:
            return
        if source is None:
            self.flow.roots.setdefault(target, {})[hop] = None
        else:
            self.flow.edges.setdefault(source, {}).setdefault(target, {})[hop] = None
        self.visit(target)

    def _iterate(self, state: State, implicit: Implicit) -> None:
        """The body of a generator runs where it is iterated, wherever it was made."""
        if implicit.kind == "aiter" and state.place.kind != "loop":
            return
        self._go_through(state, implicit.value, implicit.packed_span, implicit.kind)

    def _go_through(self, state: State, generator: Expr, packed_span: int, kind: str = "") -> None:
        hop = Hop("calls", state.frame.module, packed_span)

        def gone_through(value: Value) -> None:
            if isinstance(value, Coroutine) and value.frame.scope.is_generator:
                self._edge(state, State(value.frame, state.place), hop)
            elif kind and isinstance(value, Instance):
                self._operators.iterate(state, value, hop, kind == "aiter")

        self.program.solver.listen(self.program.evaluate(state.frame, generator), gone_through)

    def _block(self, state: State, block: Block) -> None:
        """`with` runs the enter and exit methods, or the body of a generator."""
        program = self.program
        hop = Hop("calls", state.frame.module, block.packed_span)
        methods = ("__aenter__", "__aexit__") if block.is_async else ("__enter__", "__exit__")

        def entered(target: Target) -> None:
            if isinstance(target, Entered) and (block.is_async or not target.function.scope.is_async):
                self._edge(state, State(target.frame, state.place), hop)

        def held(found: Value) -> None:
            if isinstance(found, Instance):
                for method in methods:
                    program.solver.listen(
                        program.attribute(found, method),
                        lambda callee: program.call(callee, Arguments(), None, entered),
                    )

        program.solver.listen(program.evaluate(state.frame, block.value), held)


def _runs_here(state: State, loop: Object) -> bool:
    """Whether a function that runs on a loop has looked this one up itself: then it is that loop."""
    if state.place.kind != "loop" or loop.site is None or loop.frame is None:
        return False
    return loop.frame.scope is state.frame.scope and last_name(loop.site.func) in LOOK_UPS


def _calls_its_own(runs: RunsRow) -> bool:
    """Whether a library's method calls others of the same object."""
    return any(wanted.held for wanted in runs.callables)


def _is_for_others(made: Scope, by: Scope, call: Call) -> bool:
    """Whether a call makes a generator that the function only gives back or keeps: it runs where that is iterated."""
    if not made.is_generator or made.decorators:
        return False
    if call.role in ("returned", "statement"):
        return True
    kept = {store.name for store in by.stores if store.value is call and store.name}
    return bool(kept) and kept.isdisjoint(read.attr.name for read in by.reads)
