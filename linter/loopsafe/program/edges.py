"""The whole call graph as names: who may call whom, from anywhere in the project. For looking at and for scoring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from loopsafe.facts.schema import Scope
from loopsafe.program.graph import Arguments, Entered, OnTarget, Target
from loopsafe.program.implicit import ImplicitCalls
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Class, External, Frame, Value

# They make a descriptor and run nothing.
_INERT = frozenset({"builtins.staticmethod", "builtins.classmethod", "builtins.property"})
_CONSTRUCTORS = ("__init__", "__new__")


class CallEdges:
    """Follows every call of every function and module body, whether or not anything is known to run it."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._implicit = ImplicitCalls(program, program.classes)
        self._names = {scope: name for module in program.modules.all for scope, name in _names(module)}
        self._seen: set[Frame] = set()
        self._callees: dict[Scope, set[str]] = {scope: set() for scope in self._names}

    def collect(self) -> dict[str, list[str]]:
        """Callees by caller, both as dotted names in order; the caller of module-level code is the module."""
        # Methods reached by super() and wrappers made by decorators have frames that only their callers know.
        self._program.on_frame(self._body)
        for module in self._program.modules.all:
            for scope in module.facts.scopes:
                for frame in self._program.classes.frames(module, scope):
                    self._body(frame)
        self._program.solver.run()
        edges: dict[str, set[str]] = {}
        for scope, callees in self._callees.items():
            # A class's body is a caller only if it calls something.
            if callees or scope.kind != "class":
                edges.setdefault(self._names[scope], set()).update(callees)
        return {caller: sorted(callees) for caller, callees in sorted(edges.items())}

    def _body(self, frame: Frame) -> None:
        if frame in self._seen:
            return
        self._seen.add(frame)
        scope, program = frame.scope, self._program
        on_target = self._reporter(scope)
        for call in scope.calls:
            self._called(
                program.under(frame, call.func, call.guard), program.arguments(frame, call), call, on_target, scope
            )
        for implicit in scope.implicit:
            self._implicit.statement(frame, implicit, on_target)
        for block in scope.blocks:
            self._implicit.block(frame, block, on_target)
        for read in scope.reads:
            self._implicit.read(frame, read, on_target)
        if frame.parent is not None:
            for decorator in scope.decorators:
                # Decorators run where the function is defined. What they are given is bound when its name is read.
                around = frame.parent.scope
                callees = program.evaluate(frame.parent, decorator)
                self._called(callees, Arguments(), None, self._reporter(around), around)

    def _called(self, callees: Node, arguments: Arguments, site: object, on_target: OnTarget, caller: Scope) -> None:
        def enter(callee: Value) -> None:
            if isinstance(callee, Class):
                self._callees[caller].update(self._library_constructor(callee))
            self._program.call(callee, arguments, site, on_target)

        self._program.solver.listen(callees, enter)

    def _reporter(self, caller: Scope) -> OnTarget:
        """Notes what a call in `caller` enters, and the callables that a library function runs at once."""
        program, callees = self._program, self._callees[caller]

        def report(target: Target) -> None:
            if isinstance(target, Entered):
                callees.add(self._names[target.function.scope])
                return
            if not target.name.startswith("?.") and target.name not in _INERT:
                callees.add(target.name)
            for row in program.knowledge.runs.get(target.name, ()):
                if row.where == "here":
                    program.hand_over(row, target, None, report)

        return report

    def _library_constructor(self, cls: Class) -> Iterator[str]:
        """The constructor that a class without one of its own has from a library."""
        for base in self._program.classes.mro(cls):
            if isinstance(base, External):
                yield f"{base.name}.__init__"
                return
            if any(name in base.scope.bindings for name in _CONSTRUCTORS):
                return


def _names(module: Module) -> Iterator[tuple[Scope, str]]:
    """Every scope with its dotted name. Lambdas are numbered within the scope around them."""
    names: dict[int, str] = {}
    lambdas: Counter[int] = Counter()
    for scope in module.facts.scopes:
        if scope.parent < 0:
            names[scope.index] = module.name
        else:
            lambdas[scope.parent] += scope.kind == "lambda"
            name = f"<lambda{lambdas[scope.parent]}>" if scope.kind == "lambda" else scope.name
            names[scope.index] = f"{names[scope.parent]}.{name}"
        yield scope, names[scope.index]
