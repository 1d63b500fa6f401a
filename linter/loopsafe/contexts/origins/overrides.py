"""Methods that libraries call on threads because a class inherits from theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cached_property

from loopsafe.contexts.origins.starts import Starts
from loopsafe.contexts.places.place import Hop
from loopsafe.facts.schema import Attr, Call, Name, Ref, Scope
from loopsafe.knowledge.schema import OverrideRow
from loopsafe.program.index import CallSite, last_name
from loopsafe.program.modules import Module
from loopsafe.program.values import Class, External, Frame, Instance, Value

_MOST_SITES = 200


class Overrides:
    """Finds the project's heirs of library classes, also where the library itself is the project."""

    def __init__(self, given: Starts) -> None:
        self._starts, self._program = given, given.program
        self._heirs: dict[str, tuple[Class, ...]] = {}
        self._started: dict[str, dict[Class, Hop]] = {}
        self._direct: dict[tuple[str, str], set[Class]] = {}

    def seed(self) -> None:
        """Make roots of every method that rows speak of."""
        for name, row in self._program.knowledge.overrides.items():
            base, _, method = name.rpartition(".")
            for cls in self.heirs(base) if self._starts.applies(row) else ():
                for found in self._methods(cls, method, row.matching):
                    if not self._has_twin(cls, found, row) and not self._starts_nothing(cls, row):
                        origin = self._starts.origin(row, cls.module, cls.scope.packed_span)
                        direct = self._run_directly(found, row) if row.started_by else set()
                        self._starts.run_method(cls, found, row, origin, direct)
                        if row.started_by:
                            self._started.setdefault(row.started_by, {})[cls] = origin.hop
        for method, hops in self._started.items():
            self._starting(method, hops)

    def _starting(self, method: str, hops: dict[Class, Hop]) -> None:
        """Note the calls by which objects of some classes are started."""
        program, origins = self._program, self._starts.propagation.flow.origins
        for module, scope, call in program.index.callers(method)[:_MOST_SITES]:
            if isinstance(call.func, Attr):
                frame = program.classes.plain_frame(module, scope)

                def started(value: Value, frame: Frame = frame, call: Call = call) -> None:
                    found = program.classes.mro(value.cls) if isinstance(value, Instance) else ()
                    for cls in found:
                        if isinstance(cls, Class) and cls in hops:
                            origins.setdefault(hops[cls], {})[frame, call] = None

                program.solver.listen(program.evaluate(frame, call.func.base), started)

    def _run_directly(self, method: str, row: OverrideRow) -> set[Class]:
        """The classes of whose objects the project, not its tests, calls the method itself, and starts none."""
        key = method, row.started_by
        if key not in self._direct:
            mro = self._program.classes.mro
            run = self._used([site for site in self._program.index.own_callers(method) if _counts(*site)])
            started = self._used(self._program.index.own_callers(row.started_by)) if run else set()
            self._direct[key] = {c for c in run if not any(c in mro(s) or s in mro(c) for s in started)}
        return self._direct[key]

    def _used(self, sites: Sequence[CallSite]) -> set[Class]:
        """The classes on whose objects these calls are made."""
        program = self._program
        held = [
            program.evaluate(program.classes.plain_frame(module, scope), call.func.base)
            for module, scope, call in sites[:_MOST_SITES]
            if isinstance(call.func, Attr)
        ]
        program.solver.run()
        return {value.cls for node in held for value in node.values if isinstance(value, Instance)}

    def heirs(self, base: str) -> tuple[Class, ...]:
        """The project's classes that inherit from a library class, at any remove; `*` stands for any letters."""
        if base not in self._heirs:
            self._heirs[base] = tuple(dict.fromkeys(self._find(base)))
        return self._heirs[base]

    def _find(self, base: str) -> Iterator[Class]:
        program = self._program
        for name in self._written_as(base):
            for module, scope in program.index.classes_by_base.get(name, ()):
                cls = program.classes.defined_by(module, scope)
                for heir in (cls, *program.classes.subclasses(cls)):
                    if self._inherits(heir, base):
                        yield heir

    def _written_as(self, base: str) -> list[str]:
        """The last names under which the class, or a library class that inherits from it, may stand as a base."""
        program = self._program
        last = base.rpartition(".")[2]
        if "*" in last:
            return [name for name in program.index.classes_by_base if fnmatchcase(name, last)]
        names = {last, *self._library_heirs.get(base, ())}
        own = self._own_classes.get(base)
        names |= {heir.scope.name for heir in program.classes.subclasses(own)} if own else set()
        names |= {alias for name in names for alias in program.index.import_aliases.get(name, ())}
        return sorted(names)

    def _inherits(self, cls: Class, base: str) -> bool:
        """Whether `base` is among the classes that this one inherits from."""
        knowledge = self._program.knowledge
        for ancestor in self._program.classes.mro(cls)[1:]:
            name = knowledge.canonical(ancestor.name if isinstance(ancestor, External) else ancestor.qualname)
            if fnmatchcase(name, base) if "*" in base else base in knowledge.lineage(name):
                return True
        return False

    @cached_property
    def _library_heirs(self) -> dict[str, set[str]]:
        """The last names of each library class and of those that inherit from it."""
        found: dict[str, set[str]] = {}
        for cls, row in self._program.knowledge.classes.items():
            for base in self._program.knowledge.lineage(cls):
                found.setdefault(base, set()).update(name.rpartition(".")[2] for name in row.names)
        return found

    @cached_property
    def _own_classes(self) -> dict[str, Class]:
        """The project's classes that rows speak of, by canonical name."""
        program = self._program
        found: dict[str, Class] = {}
        for module in program.modules.all:
            for scope in module.facts.scopes:
                name = f"{module.name}.{scope.qualname}"
                if scope.kind == "class" and program.knowledge.leads_to(name):
                    found[program.knowledge.canonical(name)] = program.classes.defined_by(module, scope)
        return found

    def _methods(self, cls: Class, method: str, matching: str) -> list[str]:
        if "*" not in method:
            return [method] if method in cls.scope.bindings else []
        functions = [n for n, held in cls.scope.bindings.items() if any(isinstance(e, Ref) for e in held)]
        public = [n for n in functions if fnmatchcase(n, method) and (method != "*" or not n.startswith("_"))]
        return [name for name in public if fnmatchcase(name, matching)]

    def _has_twin(self, cls: Class, method: str, row: OverrideRow) -> bool:
        """Whether a class of the project defines what the library calls instead."""
        twin = row.twin.replace("{}", method)
        return bool(twin) and any(twin in c.scope.bindings for c in self._own_line(cls))

    def _starts_nothing(self, cls: Class, row: OverrideRow) -> bool:
        """Whether a class has a way of its own to start, and leaves that of the library alone."""
        own = next((c for c in self._own_line(cls) if row.started_by in c.scope.bindings), None)
        if own is None:
            return False
        scopes = own.module.facts.scopes
        held = [scopes[ref.scope] for ref in own.scope.bindings[row.started_by] if isinstance(ref, Ref)]
        within = (scope for outer in held for scope in self._program.index.within(outer))
        calls = (call for scope in within for call in scope.calls)
        return bool(held) and all(row.started_by not in last_name(call.func) for call in calls)

    def _own_line(self, cls: Class) -> list[Class]:
        """The class and those it inherits from, but for the library's."""
        return [c for c in self._program.classes.mro(cls) if isinstance(c, Class) and not self._is_library(c)]

    def _is_library(self, cls: Class) -> bool:
        return self._program.knowledge.canonical(cls.qualname) in self._program.knowledge.classes


def _counts(module: Module, scope: Scope, call: Call) -> bool:
    """Whether a call says how an object is used: not what it does to itself, nor what a test does to it."""
    base = call.func.base if isinstance(call.func, Attr) else None
    own = scope.parameters[:1]
    return not (module.is_test or (own and isinstance(base, Name) and base.id == own[0].name))
