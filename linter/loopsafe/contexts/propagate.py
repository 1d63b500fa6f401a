"""Where each function may run: origins are found, and contexts flow along calls until nothing changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from loopsafe.contexts.crossings import Crossings
from loopsafe.contexts.guards import Guards
from loopsafe.contexts.lattice import Context, Hop, State
from loopsafe.facts.schema import Call, Read, Scope
from loopsafe.knowledge.schema import OperationRow, RunsRow
from loopsafe.program.graph import Arguments, Entered, Library, OnTarget, Target
from loopsafe.program.index import method_kind
from loopsafe.program.program import Program
from loopsafe.program.values import Class, Coroutine, Descriptor, Frame, Function, Instance, Object, Value

_ORIGINS = ("thread", "signal", "finalizer")


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """What starts a context: the hop, and the call that does it where there is one."""

    context: Context
    hop: Hop
    frame: Frame | None
    call: Call | None


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """A loop-bound operation that is called in some state. `row` says what is known of it.

    With `started`, the operation itself was handed to whatever starts the context, by `call` in the state's frame.
    """

    state: State
    call: Call
    row: OperationRow
    name: str
    receiver: Value | None
    started: Hop | None = None


@dataclass(slots=True)
class Flow:
    """The outcome: roots with the hop that starts them, edges between states, operations, loops run on threads."""

    roots: dict[State, dict[Hop, None]] = field(default_factory=dict)
    edges: dict[State, dict[State, dict[Hop, None]]] = field(default_factory=dict)
    reached: list[Reached] = field(default_factory=list)
    loops_run: dict[State, set[Value]] = field(default_factory=dict)


class Propagation:
    """Finds origins and lets contexts flow. One solver serves the program and this."""

    def __init__(self, program: Program, guards: Guards, crossings: Crossings) -> None:
        self.program, self._guards, self._crossings = program, guards, crossings
        self.flow = Flow()
        self._visited: set[State] = set()
        self._origin_calls: dict[Scope, list[Call]] = {}
        self._seeded: set[Frame] = set()
        self._operations: set[tuple[State, Call, str, Value | None]] = set()
        self._properties = self._property_names()

    def run(self) -> Flow:
        """Everything, to the fixpoint."""
        self._seed_calls()
        self._seed_overrides()
        self.program.solver.run()
        return self.flow

    def _seed_calls(self) -> None:
        """Every call whose last name is that of a function which starts a context."""
        knowledge, index = self.program.knowledge, self.program.index
        rows = {name: rows for name, rows in knowledge.runs.items() if any(r.where in _ORIGINS for r in rows)}
        names = {name for name in knowledge.classes if any(owner in rows for owner in knowledge.lineage(name))} | rows.keys()
        sites = [s for w in sorted({n.rpartition(".")[2] for n in self._with_aliases(names)}) for s in index.callers(w)]
        keywords = {c.keyword for found in rows.values() for row in found for c in row.callables if c.keyword}
        inits = index.calls.get("__init__", ())
        sites += [site for site in inits if any(name in keywords for name, _ in site[2].keywords)]
        for _, scope, call in sites:
            self._origin_calls.setdefault(scope, []).append(call)
        self.program.on_frame(self._seed_frame)
        for module, scope, _ in sites:
            for frame in self.program.classes.frames(module, scope):
                self._seed_frame(frame)

    def _seed_frame(self, frame: Frame) -> None:
        """Ask about the calls of a frame that may start a context."""
        if frame.scope in self._origin_calls and frame not in self._seeded:
            self._seeded.add(frame)
            for call in self._origin_calls[frame.scope]:
                self._seed_call(frame, call)

    def _with_aliases(self, names: Iterable[str]) -> Iterator[str]:
        """Names as they may be written: a class also by where else it can be imported from."""
        for name in names:
            yield name
            row = self.program.knowledge.classes.get(name)
            yield from row.names if row else ()

    def _seed_call(self, frame: Frame, call: Call) -> None:
        def started(target: Target) -> None:
            if isinstance(target, Library):
                for row in self.program.knowledge.runs.get(target.name, ()):
                    if row.where in _ORIGINS and not self._elsewhere(row, target):
                        self._start(frame, call, row, target)

        self._each_target(frame, call, started)

    def _elsewhere(self, row: RunsRow, target: Library) -> bool:
        """Whether the executor given runs things in another process."""
        source = target.arguments.get(row.executor.position, row.executor.keyword) if row.executor else None
        if source is None:
            return False
        held = self.program.node(source).values
        return any(isinstance(v, Object) and "ProcessPool" in v.type for v in held)

    def _start(self, frame: Frame, call: Call, row: RunsRow, target: Library) -> None:
        hop = Hop("starts", frame.module, call.packed_span, not row.likely)
        origin = Origin(row.where, hop, frame, call)  # type: ignore[arg-type]
        self.program.hand_over(row, target, call, lambda entered: self._root(entered, origin))

    def _root(self, target: Target, origin: Origin) -> None:
        """A context starts with this function, or with what a library function does for it."""
        if isinstance(target, Library):
            self._library_root(target, origin)
        elif not target.function.scope.is_async:
            state = State(target.frame, origin.context)
            self.flow.roots.setdefault(state, {})[origin.hop] = None
            self._visit(state)

    def _library_root(self, target: Library, origin: Origin) -> None:
        knowledge = self.program.knowledge
        row = knowledge.operations.get(target.name)
        if origin.frame is None or origin.call is None:
            return
        if row is not None:
            self._operation(State(origin.frame, origin.context), origin.call, row, target.name, target.receiver, origin.hop)
        for runs in knowledge.runs.get(target.name, ()):
            if runs.where == "here" or runs.where in _ORIGINS:
                self.program.hand_over(runs, target, origin.call, lambda entered: self._root(entered, origin))

    def _seed_overrides(self) -> None:
        """Methods of library base classes that the library calls on a thread of its own."""
        knowledge, program = self.program.knowledge, self.program
        for name, row in knowledge.overrides.items():
            base, _, method = name.rpartition(".")
            for cls in self._heirs(base):
                if method in cls.scope.bindings:
                    self._seed_override(cls, method, row.where)
        program.solver.run()

    def _heirs(self, base: str) -> Iterator[Class]:
        program, knowledge = self.program, self.program.knowledge
        names = {base.rpartition(".")[2]}
        names |= {c.rpartition(".")[2] for c in knowledge.classes if base in knowledge.lineage(c)}
        names |= {alias for name in names for alias in program.index.import_aliases.get(name, ())}
        seen: set[Class] = set()
        for name in sorted(names):
            for module, scope in program.index.classes_by_base.get(name, ()):
                cls = program.classes.defined_by(module, scope)
                for heir in (cls, *program.classes.subclasses(cls)):
                    bases = program.classes.library_bases(heir)
                    if heir not in seen and any(base in knowledge.lineage(b) for b in bases):
                        seen.add(heir)
                        yield heir

    def _seed_override(self, cls: Class, method: str, where: str) -> None:
        program = self.program
        origin = Origin(where, Hop("starts", cls.module, cls.scope.packed_span), None, None)  # type: ignore[arg-type]
        for heir in (cls, *program.classes.subclasses(cls)):
            if heir is cls or method not in heir.scope.bindings:
                callee = program.attribute(program.classes.instance(heir), method)
                program.solver.listen(
                    callee,
                    lambda value: program.call(value, Arguments(), None, lambda target: self._root(target, origin)),
                )

    def _visit(self, state: State) -> None:
        """Follow everything that a function does, once for each state."""
        if state in self._visited:
            return
        self._visited.add(state)
        frame, scope = state.frame, state.frame.scope
        for call in scope.calls:
            if not self._guards.only_on_loop(frame.module, scope, call.guard):
                self._each_target(frame, call, self._caller(state, call))
        for read in scope.reads:
            if read.attr.name in self._properties and not self._guards.only_on_loop(frame.module, scope, read.guard):
                self._read(state, read)
        for block in scope.blocks:
            if not block.is_async and not self._guards.only_on_loop(frame.module, scope, block.guard):
                self._block(state, block.value, block.packed_span)

    def _caller(self, state: State, call: Call) -> OnTarget:
        return lambda target: self._called(state, call, target)

    def _each_target(self, frame: Frame, call: Call, on_target: OnTarget) -> None:
        program = self.program
        arguments = program.arguments(frame, call)
        program.solver.listen(
            program.evaluate(frame, call.func), lambda callee: program.call(callee, arguments, call, on_target)
        )

    def _called(self, state: State, call: Call, target: Target) -> None:
        hop = Hop("calls", state.frame.module, call.packed_span)
        if isinstance(target, Library):
            self._library(state, call, target, hop)
            return
        operation = self._known_operation(target.function, target.frame)
        if operation is not None:
            name, row = operation
            self._operation(state, call, row, name, target.frame.receiver)
        elif not target.function.scope.is_async:
            self._edge(state, State(target.frame, state.context), hop)

    def _known_operation(self, function: Function, frame: Frame) -> tuple[str, OperationRow] | None:
        """Knowledge of a project's own class: the library itself is being analysed."""
        if not isinstance(frame.receiver, Instance):
            return None
        knowledge = self.program.knowledge
        for cls in self.program.classes.mro(frame.receiver.cls):
            qualname = cls.qualname if isinstance(cls, Class) else cls.name
            name = f"{knowledge.canonical(qualname)}.{function.scope.name}"
            if name in knowledge.operations:
                return name, knowledge.operations[name]
        return None

    def _library(self, state: State, call: Call, target: Library, hop: Hop) -> None:
        knowledge = self.program.knowledge
        row = knowledge.operations.get(target.name)
        if row is not None:
            self._operation(state, call, row, target.name, target.receiver)
        if target.name in knowledge.loops:
            self.flow.loops_run.setdefault(state, set()).add(target.receiver or Coroutine(state.frame))
        for runs in knowledge.runs.get(target.name, ()):
            if runs.where == "here":
                self.program.hand_over(runs, target, call, lambda entered: self._here(state, entered, hop))

    def _here(self, state: State, target: Target, hop: Hop) -> None:
        if isinstance(target, Entered) and not target.function.scope.is_async:
            self._edge(state, State(target.frame, state.context), hop)

    def _operation(
        self, state: State, call: Call, row: OperationRow, name: str, receiver: Value | None, started: Hop | None = None
    ) -> None:
        key = (state, call, name, receiver)
        if key not in self._operations:
            self._operations.add(key)
            self._crossings.prepare(state.frame)
            self.flow.reached.append(Reached(state, call, row, name, receiver, started))

    def _edge(self, source: State, target: State, hop: Hop) -> None:
        self.flow.edges.setdefault(source, {}).setdefault(target, {})[hop] = None
        self._visit(target)

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

    def _block(self, state: State, value: object, packed_span: int) -> None:
        """`with` runs the enter and exit methods, or the body of a generator."""
        program = self.program
        hop = Hop("calls", state.frame.module, packed_span)

        def entered(target: Target) -> None:
            self._here(state, target, hop)

        def held(found: Value) -> None:
            if isinstance(found, Instance):
                for method in ("__enter__", "__exit__"):
                    program.solver.listen(
                        program.attribute(found, method), lambda callee: program.call(callee, Arguments(), None, entered)
                    )

        program.solver.listen(program.evaluate(state.frame, value), held)  # type: ignore[arg-type]

    def _property_names(self) -> frozenset[str]:
        names = set()
        for module in self.program.modules.all:
            for scope in module.facts.scopes:
                if scope.kind == "function" and scope.decorators and method_kind(scope) == "plain":
                    names.add(scope.name)
        return frozenset(names)
