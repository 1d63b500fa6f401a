"""What all origins share: when a row holds, which functions it leaves alone, and how a root is made of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from functools import cached_property

from loopsafe.contexts.origins.dotted import DottedNames
from loopsafe.contexts.origins.driven import Driven
from loopsafe.contexts.places.flow import Origin
from loopsafe.contexts.places.place import STARTING, Hop, Place
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.facts.schema import Attr, Call, Const, Import, Ref, Scope
from loopsafe.knowledge.schema import DecoratorRow, RunsRow, StartRow
from loopsafe.program.graph import Arguments, Entered, Library, OnTarget, Source, Target
from loopsafe.program.modules import Module
from loopsafe.program.reached import Reached
from loopsafe.program.values import Class, Frame, Function, Instance, Value


class Starts:
    """Turns rows into roots. Watches the frames of scopes in which something may start."""

    def __init__(self, propagation: Propagation, home: Value | None = None) -> None:
        self._home = home
        self.propagation, self.program = propagation, propagation.program
        self._dotted, self.driven = DottedNames(self.program), Driven(self.program)
        self._watched: dict[Scope, list[Callable[[Frame], None]]] = defaultdict(list)
        self._places: dict[Scope, Module] = {}
        self._seen: set[Frame] = set()
        self._decorated: dict[tuple[str, ...], set[Scope]] = {}

    def applies(self, row: StartRow) -> bool:
        """Whether the row is about another context than the caller's, and the project sets that going."""
        called = self.program.index.calls
        if not self._is_meant(row) or any(name in self._imported for name in row.unless_imported):
            return False
        if not row.only_if_called and not row.only_if_handed:
            return True
        return any(name in called for name in row.only_if_called) or not self._handed.isdisjoint(row.only_if_handed)

    def _is_meant(self, row: StartRow) -> bool:
        starts = row.where in STARTING
        return row.where == "home" or (row.unless_async and starts) if self._home else starts

    def takes(self, scope: Scope) -> bool:
        """Whether a function may be what the library runs."""
        return scope.kind == "function" and (self._home is not None or not scope.is_async)

    def watch(self, module: Module, scope: Scope, action: Callable[[Frame], None]) -> None:
        """Do this for every frame of the scope, once `begin` is called."""
        self._watched[scope].append(action)
        self._places[scope] = module

    def begin(self) -> None:
        """Go over the frames there are and those that will be entered; of libraries, where the project may get to."""
        self.program.on_frame(self._entered)
        for scope, module in self._places.items():
            if module.library and scope not in self._reached:
                continue
            for frame in self.program.classes.frames(module, scope):
                self.program.solver.at_once_or_for(module.library, self._entered, frame)

    @cached_property
    def _reached(self) -> Reached:
        return Reached(self.program.modules)

    def _entered(self, frame: Frame) -> None:
        if frame.scope in self._watched and frame not in self._seen:
            self._seen.add(frame)
            for action in self._watched[frame.scope]:
                action(frame)

    def origin(
        self, row: StartRow, module: Module, packed_span: int, frame: Frame | None = None, call: Call | None = None
    ) -> Origin:
        """The origin that this row makes at this place."""
        known = self._imported | self.program.index.calls.keys() if row.likely_with else set()
        certain = not row.likely and not any(name in known for name in row.likely_with)
        hop = Hop("starts", module, packed_span, certain)
        if self._home:
            return Origin(Place("loop", self._home), hop, frame, call)
        if row.unless_async:
            self.propagation.flow.of_application.add(hop)
        return Origin(Place(row.where), hop, frame, call, row.crossings)  # type: ignore[arg-type]

    def rooted(self, row: StartRow, origin: Origin) -> OnTarget:
        """What makes a root of every target that the row speaks of."""

        def root(target: Target) -> None:
            if not self._is_on_loop(row, target) if self._home else self._spared(row, target):
                return
            if row.after_call:
                self._after_call(row, target, origin)
            else:
                self.propagation.root(target, origin)

        return root

    def _after_call(self, row: StartRow, target: Target, origin: Origin) -> None:
        """A root only if the method that the row names is called on the very object."""
        receiver = target.receiver if isinstance(target, Library) else target.frame.receiver

        def called(value: Value) -> None:
            if value is receiver:
                self.propagation.root(target, origin)

        for module, scope, call in self.program.index.calls.get(row.after_call, ()):
            for frame in self.program.classes.frames(module, scope) if isinstance(call.func, Attr) else ():
                self.program.solver.listen(self.program.evaluate(frame, call.func.base), called)  # type: ignore[union-attr]

    def run(self, value: Value, row: StartRow, origin: Origin) -> None:
        """The library calls this value."""
        self.program.call(value, Arguments(), None, self.rooted(row, origin))

    def run_method(
        self, cls: Class, method: str, row: StartRow, origin: Origin, unless: Collection[Class] = ()
    ) -> None:
        """The library calls this method of the class and of its heirs."""
        program = self.program
        for heir in (cls, *program.classes.subclasses(cls)):
            if heir in unless:
                continue
            if heir is cls or method not in heir.scope.bindings:
                callee = program.attribute(program.classes.instance(heir), method)
                program.solver.listen(callee, program.called_with, Arguments(), None, self.rooted(row, origin))

    def own_name(self, target: Target) -> tuple[str, ...]:
        """The names by which rows may speak of a function of the project: a library itself is being analysed."""
        if isinstance(target, Library):
            return (target.name,)
        function, receiver = target.function, target.frame.receiver
        owners = self.program.classes.mro(receiver.cls) if isinstance(receiver, Instance) else ()
        names = [f"{c.qualname}.{function.scope.name}" for c in owners if isinstance(c, Class)]
        return (*names, f"{function.module.name}.{function.scope.qualname}")

    def as_library(self, target: Target, name: str, arguments: Arguments) -> Library:
        """The target as a call of what the row speaks of."""
        if isinstance(target, Library):
            return target
        return Library(name, target.frame.receiver, arguments)

    def _is_on_loop(self, row: StartRow, target: Target) -> bool:
        if isinstance(target, Library):
            return False
        return row.where == "home" or target.function.scope.is_async

    def _spared(self, row: StartRow, target: Target) -> bool:
        if not row.unless_decorated:
            return False
        # A library's own method handed over: whether it carries the decorator is not known here.
        return isinstance(target, Library) or self._carries(target, row.unless_decorated)

    def _carries(self, target: Entered, names: tuple[str, ...]) -> bool:
        """Whether the function, or the one that it was wrapped around, has one of these decorators."""
        carriers = self._carriers(names)
        at: Frame | None = target.frame
        while at is not None:
            if isinstance(at.site, Function) and at.site.scope in carriers:
                return True
            at = at.parent
        return target.function.scope in carriers

    def _carriers(self, names: tuple[str, ...]) -> set[Scope]:
        """The project's functions with one of these decorators, written above them or called with a lambda."""
        found = self._decorated.get(names)
        if found is None:
            found = self._decorated[names] = set()
            index, classes = self.program.index, self.program.classes
            words = {name.rpartition(".")[2] for name in names}
            words |= {alias for word in words for alias in index.import_aliases.get(word, ())}
            for module, scope in (place for word in sorted(words) for place in index.decorated.get(word, ())):
                around = classes.plain_frame(module, module.facts.scopes[scope.parent])
                if any(self._dotted.of(around, d) in names for d in scope.decorators):
                    found.add(scope)
            for module, scope, call in (place for word in sorted(words) for place in index.calls.get(word, ())):
                given = [module.facts.scopes[a.scope] for a in call.args if isinstance(a, Ref)]
                if given and self._dotted.of(classes.plain_frame(module, scope), call) in names:
                    found.update(given)
        return found

    @cached_property
    def _handed(self) -> set[str]:
        """The names of all methods that are arguments of calls."""
        scopes = (scope for module in self.program.modules.all for scope in module.facts.scopes)
        return {a.name for scope in scopes for call in scope.calls for a in call.args if isinstance(a, Attr)}

    @cached_property
    def _imported(self) -> set[str]:
        """Every dotted name that the project imports: modules, and what is taken out of them."""
        found = set(self.program.modules.imported)
        for module in self.program.modules.all:
            for scope in module.facts.scopes:
                held = (value for values in scope.bindings.values() for value in values)
                found |= {f"{v.module}.{v.name}" for v in held if isinstance(v, Import) and v.name and not v.level}
        return found


def holds(row: RunsRow | DecoratorRow, arguments: Arguments) -> bool:
    """Whether the arguments of the call are those that the row asks for."""
    wanted = all(_is_constant(arguments.get(None, name), value) for name, value in row.when.items())
    return wanted and not any(_is_given(arguments.get(c.position, c.keyword)) for c in row.unless_given)


def _is_constant(source: Source | None, value: bool | str) -> bool:
    return source is not None and isinstance(source.expr, Const) and source.expr.value == value


def _is_given(source: Source | None) -> bool:
    return source is not None and not (isinstance(source.expr, Const) and source.expr.value is None)
