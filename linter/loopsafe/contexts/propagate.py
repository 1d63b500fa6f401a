"""Contexts flow along calls until nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from loopsafe.contexts.crossings import LOOP, Crossings
from loopsafe.contexts.flow import Flow, Origin, Reached
from loopsafe.contexts.guards import Guards
from loopsafe.contexts.lattice import Context, Hop, State
from loopsafe.contexts.remarks import Remarks
from loopsafe.contexts.type_tests import depends_on_type
from loopsafe.facts.schema import Attr, Call, Expr, Read
from loopsafe.knowledge.schema import OperationRow, RunsRow
from loopsafe.program.graph import Arguments, Entered, Library, OnTarget, Target
from loopsafe.program.index import method_kind
from loopsafe.program.program import Program
from loopsafe.program.solver import Listener
from loopsafe.program.values import Class, Coroutine, Descriptor, Frame, Function, Instance, Object, Value

STARTING = ("thread", "signal", "finalizer", "exit")


class Propagation:
    """Lets contexts flow from their roots. One solver serves the program and this."""

    def __init__(self, program: Program, guards: Guards, crossings: Crossings, remarks: Remarks) -> None:
        self.program, self.guards, self._crossings, self.remarks = program, guards, crossings, remarks
        self.flow = Flow()
        self._visited: set[State] = set()
        self._operations: set[tuple[State, Call, str, Value | None]] = set()
        self._properties = self._property_names()

    def root(self, target: Target, origin: Origin) -> None:
        """A context starts with this function, or with what a library function does for it."""
        if origin.frame is not None and origin.call is not None:
            self.flow.origins.setdefault(origin.hop, {})[origin.frame, origin.call] = None
        if isinstance(target, Library):
            self._library_root(target, origin)
        elif self.remarks.operation(target.function.scope, origin.context) is not None:
            self._barred_root(target, origin)
        elif not target.function.scope.is_async:
            state = State(target.frame, origin.context)
            self.flow.roots.setdefault(state, {})[origin.hop] = None
            self.visit(state)

    def _barred_root(self, target: Entered, origin: Origin) -> None:
        """The project says that this function may not run here."""
        scope = target.function.scope
        row = self.remarks.operation(scope, origin.context)
        if row is not None and origin.frame is not None and origin.call is not None:
            state = State(origin.frame, origin.context)
            self._operation(Reached(state, origin.call, row, scope.name, target.frame.receiver, origin.hop))

    def _library_root(self, target: Library, origin: Origin) -> None:
        knowledge = self.program.knowledge
        if origin.frame is None or origin.call is None:
            return
        row = knowledge.operations.get(target.name)
        if row is not None:
            state = State(origin.frame, origin.context)
            self._operation(Reached(state, origin.call, row, target.name, target.receiver, origin.hop))
        for runs in knowledge.runs.get(target.name, ()):
            if runs.where == "here" or runs.where in STARTING:
                self.program.hand_over(runs, target, origin.call, lambda entered: self.root(entered, origin))
            elif runs.where == "own-loop":
                loop = target.receiver or self._new_loop(origin.frame, origin.call)
                self.flow.thread_loops.setdefault(loop, (origin.hop,))
                self._run_coroutines(None, runs, target, Context("loop", loop), origin.hop)
        if target.name in knowledge.loops and target.receiver is not None:
            self.flow.thread_loops.setdefault(target.receiver, (origin.hop,))

    def _new_loop(self, frame: Frame, call: Call) -> Value:
        return self.program.values.make(Object, LOOP, frame, call)

    def visit(self, state: State) -> None:
        """Follow everything that a function does, once for each state."""
        if state in self._visited:
            return
        self._visited.add(state)
        frame, scope = state.frame, state.frame.scope
        for call in scope.calls:
            if self._passes(state, call.guard):
                self.program.targets(frame, call, self._caller(state, call))
                if call.role == "awaited" and state.context.loop is not None and isinstance(call.func, Attr):
                    self._await(state.context.loop, frame, call.func.base)
        for read in scope.reads:
            if read.attr.name in self._properties and self._passes(state, read.guard):
                self._read(state, read)
        for block in scope.blocks:
            if not block.is_async and self._passes(state, block.guard):
                self._block(state, block.value, block.packed_span)

    def _await(self, loop: Value, frame: Frame, base: Expr) -> None:
        """What a coroutine waits for belongs to the loop that runs it."""
        awaited = self.flow.awaited.setdefault(loop, {})
        self.program.solver.listen(self.program.evaluate(frame, base), awaited.setdefault)

    def _passes(self, state: State, guard: int) -> bool:
        """Whether control gets past the guards in this context; on a loop it always may."""
        if self.program.rules_out(state.frame, guard):
            return False
        return state.context.kind == "loop" or not self.guards.only_on_loop(
            state.frame.module, state.frame.scope, guard
        )

    def _was_chosen(self, state: State, call: Call, target: Target) -> bool:
        """Whether the variable called holds this target only where this context never gets."""
        frame = state.frame
        return state.context.kind != "loop" and self.guards.chosen_on_loop(frame.module, frame.scope, call.func, target)

    def _caller(self, state: State, call: Call) -> OnTarget:
        return lambda target: self._called(state, call, target)

    def _called(self, state: State, call: Call, target: Target) -> None:
        if self._was_chosen(state, call, target):
            return
        certain = not depends_on_type(state.frame.scope, call)
        hop = Hop("calls", state.frame.module, call.packed_span, certain)
        if isinstance(target, Library):
            self._library(state, call, target, hop)
            return
        operation = self._known_operation(target.function, target.frame, state.context)
        if operation is not None:
            name, row = operation
            self._operation(Reached(state, call, row, name, target.frame.receiver))
            return
        if any(name in self.program.knowledge.loops for name in self._own_names(target.function, target.frame)):
            self._run_loop(state, call, target.frame.receiver, hop)
        if not target.function.scope.is_async or (state.context.kind == "loop" and call.role == "awaited"):
            self._edge(state, State(target.frame, state.context), hop)

    def _known_operation(self, function: Function, frame: Frame, context: Context) -> tuple[str, OperationRow] | None:
        """Knowledge of a project's own function or class: it says so, or the library itself is being analysed."""
        knowledge = self.program.knowledge
        said = self.remarks.operation(function.scope, context)
        if said is not None:
            return function.scope.name, said
        known = (name for name in self._own_names(function, frame) if name in knowledge.operations)
        return next(((name, knowledge.operations[name]) for name in known), None)

    def _own_names(self, function: Function, frame: Frame) -> Iterator[str]:
        """The names by which knowledge may speak of a function of the project."""
        if not isinstance(frame.receiver, Instance):
            yield f"{function.module.name}.{function.scope.qualname}"
            return
        for cls in self.program.classes.mro(frame.receiver.cls):
            qualname = cls.qualname if isinstance(cls, Class) else cls.name
            yield f"{self.program.knowledge.canonical(qualname)}.{function.scope.name}"

    def _library(self, state: State, call: Call, target: Library, hop: Hop) -> None:
        knowledge = self.program.knowledge
        row = knowledge.operations.get(target.name)
        if row is not None:
            self._operation(Reached(state, call, row, target.name, target.receiver))
        if target.name in knowledge.loops:
            self._run_loop(state, call, target.receiver, hop)
        for runs in knowledge.runs.get(target.name, ()):
            self._runs(state, call, runs, target, hop)

    def _run_loop(self, state: State, call: Call, receiver: Value | None, hop: Hop) -> None:
        self.flow.loops_run.setdefault(state, {}).setdefault(receiver or self._new_loop(state.frame, call), hop)

    def _runs(self, state: State, call: Call, runs: RunsRow, target: Library, hop: Hop) -> None:
        """A library function runs its callables: here, on a loop, or on a loop of its own on this thread."""
        if runs.where == "here":
            self.program.hand_over(runs, target, call, lambda entered: self._here(state, entered, hop))
        elif runs.where == "own-loop":
            loop = target.receiver or self._new_loop(state.frame, call)
            self._run_coroutines(state, runs, target, Context("loop", loop), hop)
        elif runs.where == "loop":
            for_loop = self._on_loop(state, call, runs, target, hop)
            source = (
                target.arguments.get(runs.loop_argument.position, runs.loop_argument.keyword)
                if runs.loop_argument
                else None
            )
            if source is not None:
                self.program.solver.listen(self.program.node(source), for_loop)
            elif isinstance(target.receiver, Object) and LOOP in self.program.knowledge.lineage(target.receiver.type):
                for_loop(target.receiver)
            elif state.context.loop is not None:
                for_loop(state.context.loop)

    def _on_loop(self, state: State, call: Call, runs: RunsRow, target: Library, hop: Hop) -> Listener:
        crossing = replace(hop, kind="loop")

        def on_loop(loop: Value) -> None:
            if isinstance(loop, Object):
                context = Context("loop", loop)
                if runs.coroutine:
                    self._run_coroutines(state, runs, target, context, crossing)
                else:
                    self.program.hand_over(
                        runs, target, call, lambda entered: self._entered_on(state, entered, context, crossing)
                    )

        return on_loop

    def _entered_on(self, state: State | None, target: Target, context: Context, hop: Hop) -> None:
        if isinstance(target, Entered) and not target.function.scope.is_async:
            self._edge(state, State(target.frame, context), hop)

    def _run_coroutines(self, state: State | None, runs: RunsRow, target: Library, context: Context, hop: Hop) -> None:
        def run(value: Value) -> None:
            if isinstance(value, Coroutine):
                self._edge(state, State(value.frame, context), hop)
            elif context.loop is not None and not runs.crossing:
                self.flow.awaited.setdefault(context.loop, {})[value] = None

        for source in self.program.callable_sources(runs, target.arguments):
            self.program.solver.listen(self.program.node(source), run)

    def _here(self, state: State, target: Target, hop: Hop) -> None:
        if isinstance(target, Entered) and not target.function.scope.is_async:
            self._edge(state, State(target.frame, state.context), hop)

    def _operation(self, found: Reached) -> None:
        state, wrong_in = found.state, found.row.only_in
        if wrong_in and state.context.kind not in wrong_in:
            return
        key = (state, found.call, found.name, found.receiver)
        if key not in self._operations and not self.remarks.is_silent(state.frame.module, state.frame.scope):
            self._operations.add(key)
            self._crossings.prepare(state.frame)
            for argument in found.call.args[:1] if found.row.harmless_with else ():
                self.program.evaluate(state.frame, argument)
            self.flow.reached.append(found)

    def _edge(self, source: State | None, target: State, hop: Hop) -> None:
        if self.remarks.operation(target.frame.scope, target.context) is not None:
            return
        if source is None:
            self.flow.roots.setdefault(target, {})[hop] = None
        else:
            self.flow.edges.setdefault(source, {}).setdefault(target, {})[hop] = None
        self.visit(target)

    def _read(self, state: State, read: Read) -> None:
        """A property runs where it is read."""
        program = self.program
        hop = Hop("calls", state.frame.module, read.packed_span)

        def read_from(value: Value) -> None:
            if isinstance(value, Instance):
                for cls in program.classes.mro(value.cls):
                    if isinstance(cls, Class) and read.attr.name in cls.scope.bindings:
                        body = program.values.frame(cls.module, cls.scope, cls.frame)
                        held = program.variable(body, read.attr.name)
                        program.solver.listen(held, lambda found: run_property(found, value))
                        break

        def run_property(found: Value, receiver: Value) -> None:
            if isinstance(found, Descriptor) and found.kind == "property" and isinstance(found.function, Function):
                frame = program.values.frame(
                    found.function.module, found.function.scope, found.function.frame, receiver
                )
                self._edge(state, State(frame, state.context), hop)

        program.solver.listen(program.evaluate(state.frame, read.attr.base), read_from)

    def _block(self, state: State, value: Expr, packed_span: int) -> None:
        """`with` runs the enter and exit methods, or the body of a generator."""
        program = self.program
        hop = Hop("calls", state.frame.module, packed_span)

        def entered(target: Target) -> None:
            self._here(state, target, hop)

        def held(found: Value) -> None:
            if isinstance(found, Instance):
                for method in ("__enter__", "__exit__"):
                    program.solver.listen(
                        program.attribute(found, method),
                        lambda callee: program.call(callee, Arguments(), None, entered),
                    )

        program.solver.listen(program.evaluate(state.frame, value), held)

    def _property_names(self) -> frozenset[str]:
        names = set()
        for module in self.program.modules.all:
            for scope in module.facts.scopes:
                if scope.kind == "function" and scope.decorators and method_kind(scope) == "plain":
                    names.add(scope.name)
        return frozenset(names)
