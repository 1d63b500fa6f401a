"""Functions that libraries run on threads because of a decorator: `@app.get("/")`, `@work(thread=True)`."""

from __future__ import annotations

from loopsafe.contexts.origins.starts import Starts, holds
from loopsafe.facts.schema import Call, Expr, Scope
from loopsafe.knowledge.schema import DecoratorRow
from loopsafe.program.graph import Arguments, Entered, Target
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.values import External, Frame, Function, Method, Value


class Decorated:
    """Asks of every decorator with a promising name what it is."""

    def __init__(self, given: Starts) -> None:
        self._starts, self._program = given, given.program

    def seed(self) -> None:
        """Watch the places where decorated functions are defined."""
        rows = self._program.knowledge.decorators
        words = {name.rpartition(".")[2] for name, found in rows.items() if any(map(self._starts.applies, found))}
        index = self._program.index
        words |= {alias for word in words for alias in index.import_aliases.get(word, ())}
        for word in sorted(words):
            for module, scope in index.decorated.get(word, ()):
                if self._starts.takes(scope):
                    for decorator in scope.decorators:
                        if last_name(decorator) == word:
                            self._watch(module, scope, decorator)

    def _watch(self, module: Module, scope: Scope, decorator: Expr) -> None:
        around = module.facts.scopes[scope.parent]
        self._starts.watch(module, around, lambda frame: self._decorator(frame, scope, decorator))

    def _decorator(self, frame: Frame, scope: Scope, decorator: Expr) -> None:
        program = self._program
        written = isinstance(decorator, Call)
        arguments = program.arguments(frame, decorator) if isinstance(decorator, Call) else Arguments()

        def named(target: Target) -> None:
            for name in self._starts.own_name(target):
                for row in program.knowledge.decorators.get(name, ()):
                    if self._starts.applies(row) and holds(row, arguments):
                        self._start(frame, scope, decorator, row, isinstance(target, Entered))

        callee = program.evaluate(frame, decorator.func if isinstance(decorator, Call) else decorator)
        site = decorator if written else scope
        program.solver.listen(callee, lambda value: program.call(value, arguments, site, named))

    def _start(self, frame: Frame, scope: Scope, decorator: Expr, row: DecoratorRow, own: bool) -> None:
        """The decorator runs the function; `own` where the decorator itself is code of the project."""
        program = self._program
        span = decorator.packed_span if isinstance(decorator, Call) else scope.packed_span
        origin = self._starts.origin(row, frame.module, span)
        function = program.values.make(Function, frame.module, scope, frame)
        if own:
            # What the name holds is its wrapper, which runs where it is called.
            self._starts.run(self._bound(frame, function), row, origin)
        elif frame.scope.kind == "class":
            cls = program.classes.defined_by(frame.module, frame.scope)
            self._starts.run_method(cls, scope.name, row, origin)
        elif self._is_wrapped(frame, scope):
            held = program.variable(frame, scope.name)
            program.solver.listen(held, lambda value: self._starts.run(value, row, origin))
        else:
            self._starts.run(function, row, origin)

    def _bound(self, frame: Frame, function: Value) -> Value:
        if frame.scope.kind != "class":
            return function
        classes = self._program.classes
        cls = classes.defined_by(frame.module, frame.scope)
        return self._program.values.make(Method, classes.instance(cls), function)

    def _is_wrapped(self, frame: Frame, scope: Scope) -> bool:
        """Whether a decorator of the project's own stands between: then what runs is what that one gives."""
        index, classes = self._program.index, self._program.classes
        written = [d.func if isinstance(d, Call) else d for d in scope.decorators if last_name(d) in index.definitions]
        return any(not isinstance(classes.resolve(frame, w), External) for w in written)
