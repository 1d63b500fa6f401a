"""What a thread is given may end there: nobody else may hold it by then, and its `__del__` runs on that thread."""

from __future__ import annotations

from functools import partial

from loopsafe.contexts.places.flow import Origin
from loopsafe.contexts.places.place import Hop, Place
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.program.graph import Arguments
from loopsafe.program.values import Container, Frame, Instance, Value

_FINALIZER = Place("finalizer")


class Finalizers:
    """Lets `__del__` methods begin for the objects that a thread's function has as arguments, or in containers."""

    def __init__(self, propagation: Propagation) -> None:
        self._propagation, self._program = propagation, propagation.program
        self._seen: set[Value] = set()

    def seed(self) -> None:
        """Ask about every thread, once all of them are known."""
        if "__del__" not in self._program.index.functions:
            return
        for state, hops in list(self._propagation.flow.roots.items()):
            if state.place.kind == "thread":
                for hop in hops:
                    self._seed(state.frame, hop)

    def _seed(self, frame: Frame, hop: Hop) -> None:
        guess = hop._replace(certain=False)
        own = frame.receiver is not None
        for parameter in frame.scope.parameters[own:]:
            given = self._program.variable(frame, parameter.name)
            self._program.solver.listen(given, partial(self._given, Origin(_FINALIZER, guess, None, None)))

    def _given(self, origin: Origin, value: Value) -> None:
        program, root = self._program, partial(self._propagation.root, origin=origin)
        if isinstance(value, Container) and value not in self._seen:
            self._seen.add(value)
            program.solver.listen(program.content(value, None), partial(self._given, origin))
        elif isinstance(value, Instance):
            ends = program.attribute(value, "__del__")
            program.solver.listen(ends, lambda method: program.call(method, Arguments(), None, root))
