"""Origins that users declare: functions that threads start with, and parameters whose callables run on a thread."""

from __future__ import annotations

from loopsafe.contexts.places.flow import Origin
from loopsafe.contexts.places.place import Hop, Place
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.facts.schema import Call, Parameter, Scope
from loopsafe.program.graph import Arguments, Entered, Source, Target
from loopsafe.program.modules import Module
from loopsafe.program.values import Frame, Function, Value

THREAD = Place("thread")


class Declared:
    """Lets contexts flow from what the remarks of a program name."""

    def __init__(self, propagation: Propagation) -> None:
        self._propagation, self._program = propagation, propagation.program
        self._remarks = propagation.remarks
        self._calls: dict[Scope, list[Call]] = {}
        self._seeded: set[Frame] = set()

    def seed(self) -> None:
        """Start a thread with each function named, and with each callable given for a parameter named."""
        for scope, module in self._remarks.threads.items():
            for frame in self._program.classes.frames(module, scope):
                self._start(frame)
        if self._remarks.runners:
            self._seed_runners()

    def _start(self, frame: Frame) -> None:
        function = self._program.values.make(Function, frame.module, frame.scope, frame.parent)
        assert isinstance(function, Function)
        hop = Hop("starts", frame.module, frame.scope.packed_span)
        self._propagation.root(Entered(frame, function), Origin(THREAD, hop, None, None))

    def _seed_runners(self) -> None:
        """Ask about every call that may mean one of the functions, in every frame."""
        index = self._program.index
        named = {scope.name for scope in self._remarks.runners} | self._classes_made()
        sites = [site for name in sorted(named) for site in index.callers(name)]
        for _, scope, call in sites:
            self._calls.setdefault(scope, []).append(call)
        self._program.on_frame(self._seed_frame)
        for module, scope, _ in sites:
            for frame in self._program.classes.frames(module, scope):
                self._seed_frame(frame)

    def _classes_made(self) -> set[str]:
        """The names of classes whose `__init__` runs a parameter; a subclass may inherit it under another name."""
        classes = self._program.classes
        names: set[str] = set()
        for module, scope in self._scopes_of_runners():
            if scope.name == "__init__":
                cls = classes.defined_by(module, module.facts.scopes[scope.parent])
                names |= {c.scope.name for c in (cls, *classes.subclasses(cls))}
        return names

    def _scopes_of_runners(self) -> list[tuple[Module, Scope]]:
        return [
            (m, s)
            for m in self._program.modules.all
            if m.facts.remarks
            for s in m.facts.scopes
            if s in self._remarks.runners
        ]

    def _seed_frame(self, frame: Frame) -> None:
        if frame.scope in self._calls and frame not in self._seeded:
            self._seeded.add(frame)
            for call in self._calls[frame.scope]:
                self._seed_call(frame, call)

    def _seed_call(self, frame: Frame, call: Call) -> None:
        origin = Origin(THREAD, Hop("starts", frame.module, call.packed_span), frame, call)

        def entered(target: Target) -> None:
            if isinstance(target, Entered) and target.function.scope in self._remarks.runners:
                for source in self._given(target, self._program.arguments(frame, call)):
                    self._program.solver.listen(self._program.node(source), run)

        def run(value: Value) -> None:
            self._program.call(value, Arguments(), call, lambda target: self._propagation.root(target, origin))

        self._program.targets(frame, call, entered)

    def _given(self, target: Entered, arguments: Arguments) -> list[Source]:
        """What a call gives for the parameters named."""
        scope = target.function.scope
        bound = 1 if target.frame.receiver is not None else 0
        found: list[Source] = []
        for position, parameter in enumerate(scope.parameters):
            if parameter.name in self._remarks.runners[scope]:
                found += _argument(parameter, position - bound, arguments)
        return found


def _argument(parameter: Parameter, position: int, arguments: Arguments) -> list[Source]:
    if parameter.kind == "args":
        return list(arguments.positional[position:])
    source = arguments.get(position if parameter.kind == "positional" else None, parameter.name)
    return [source] if source is not None else []
