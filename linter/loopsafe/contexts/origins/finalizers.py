"""Where `__del__` methods may run: on the thread that holds the last reference, or on any for what holds itself.

What a thread is given may end there: nobody else may hold it by then. What keeps a task of its own coroutine is in a
cycle with it: the garbage collector ends that, on the thread that happens to be at work.
"""

from __future__ import annotations

from functools import partial

from loopsafe.contexts.places.flow import Origin
from loopsafe.contexts.places.place import Hop, Place
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.facts.schema import Attr, Call, Expr, Name, Store
from loopsafe.program.graph import Arguments
from loopsafe.program.index import last_name
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
        self._seed_cycles()
        for state, hops in list(self._propagation.flow.roots.items()):
            if state.place.kind == "thread":
                for hop in hops:
                    self._seed(state.frame, hop)

    def _seed_cycles(self) -> None:
        for module, scope in self._program.index.functions["__del__"]:
            around = module.facts.scopes[scope.parent]
            stores = self._program.index.own_stores.get((module.index, around.index), {})
            kept = [store for name in sorted(stores) for _, store in stores[name] if self._holds_its_keeper(store)]
            if kept and not module.library:
                first = min(kept, key=lambda store: store.packed_span)
                hop = Hop("starts", module, first.packed_span, False)
                self._given(
                    Origin(_FINALIZER, hop, None, None),
                    self._program.classes.instance(self._program.classes.defined_by(module, around)),
                )

    def _holds_its_keeper(self, store: Store) -> bool:
        """Whether an object keeps a task that runs a method of it: `self.task = create_task(self.work())`."""
        made = store.value
        if not isinstance(made, Call) or last_name(made.func) not in self._program.knowledge.making:
            return False
        return any(isinstance(given, Call) and _is_of(given.func, store.base) for given in made.args)

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


def _is_of(method: Expr, holder: Expr) -> bool:
    """Whether an expression is a method of what a name holds."""
    base = method.base if isinstance(method, Attr) else None
    return isinstance(base, Name) and isinstance(holder, Name) and base.id == holder.id
