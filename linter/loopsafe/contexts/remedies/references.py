"""Which loop to cross to: the expressions in scope at a place that hold a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from loopsafe.contexts.places.place import LOOP
from loopsafe.contexts.spread.exclusion import outwards
from loopsafe.facts.schema import Annotation, Attr, Choice, Compare, Expr, Ref, Scope, Subscript
from loopsafe.facts.spelling import is_exact, is_none, spell
from loopsafe.program.index import last_name
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Class, Frame, Instance, Object, ProjectModule, Value

_MOST_HEIRS = 50
_USUAL = ("_loop", "loop", "_event_loop", "event_loop")


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """An expression in scope that may hold a loop. `stored` says whether anything is seen to be put there.

    It is `optional` where its declared type allows None.
    """

    text: str
    name: str
    node: Node
    stored: bool
    optional: bool


class Crossings:
    """Collects, for each frame with an operation, the candidates; asks what they hold once everything is known."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._candidates: dict[Frame, list[Candidate]] = {}
        self._holding: dict[Frame, list[tuple[str, Node]]] = {}
        self._further: dict[Frame, list[Candidate]] = {}

    def prepare(self, frame: Frame) -> None:
        """Ask for what the candidates in scope hold, so that it is known in the end."""
        if frame not in self._candidates:
            self._candidates[frame] = [*self._of_receiver(frame), *self._of_scopes(frame)]
            self._holding[frame] = list(self._holders(frame))

    def prepare_further(self, frame: Frame, thing: Expr) -> None:
        """Ask also for loops that others hold: modules that are in scope, and objects in attributes and variables.

        So does what has the `thing` that is touched: `self.server`, which a library sets, for `self.server.lines`.
        """
        found = self._further.setdefault(frame, [])
        known = {candidate.text.rpartition(".")[0] for candidate in found}
        bound = method_around(frame)
        own = bound[0] if bound is not None else ""
        exact = (holder for holder in holders_of(thing) if is_exact(holder) and spell(holder) != own)
        having = [(spell(holder), self._program.evaluate(frame, holder)) for holder in exact]
        for text, node in (*having, *self._holding[frame]):
            holders = [value for value in node.values if isinstance(value, (Instance, ProjectModule))]
            # Of several classes nobody can tell which one it is.
            kinds = {holder.cls if isinstance(holder, Instance) else holder for holder in holders}
            if len(kinds) == 1 and text not in known:
                known.add(text)
                found += self._held(text, holders[0])
        for text, node in having:
            libraries = [value for value in node.values if isinstance(value, Object)]
            if len(libraries) == 1 and text not in known:
                found += [self._of_library(text, libraries[0], name) for name in self._loop_names]

    def loop_of_another(
        self, frame: Frame, wanted: str, avoid: Callable[[Value], bool]
    ) -> tuple[str, list[Object]] | None:
        """An expression for a loop that a module or an object in scope holds, with what it holds."""
        return next(self._that_hold(self._further.get(frame, ()), wanted, avoid), None)

    def loops_in_scope(
        self, frame: Frame, wanted: str = LOOP, avoid: Callable[[Value], bool] | None = None
    ) -> Iterator[tuple[str, list[Object]]]:
        """The expressions that hold a loop of the `wanted` class, with what they hold, the nearest first.

        None of them holds one to `avoid`.
        """
        return self._that_hold(self._candidates.get(frame, ()), wanted, avoid)

    def _that_hold(
        self, candidates: Iterable[Candidate], wanted: str, avoid: Callable[[Value], bool] | None
    ) -> Iterator[tuple[str, list[Object]]]:
        lineage = self._program.knowledge.lineage
        for candidate in candidates:
            held = [v for v in candidate.node.values if isinstance(v, Object) and wanted in lineage(v.type)]
            looked_up_here = any(v.frame is not None and v.frame.scope.name == candidate.name for v in held)
            if held and not looked_up_here and not (avoid and any(map(avoid, held))):
                yield candidate.text, held

    def loop_in_scope(self, frame: Frame, wanted: str = LOOP, avoid: Callable[[Value], bool] | None = None) -> str:
        """The text of the nearest expression that holds such a loop; empty where there is none."""
        return next((text for text, _ in self.loops_in_scope(frame, wanted, avoid)), "")

    def of_other(self, frame: Frame, thing: Expr | None, text: str, loops: Iterable[Object]) -> str:
        """The text of the loop of another object of the class around, where that has the thing; else empty.

        `text` is an attribute of `self` that holds one of `loops`. Objects that are given their loop may share it.
        """
        bound = method_around(frame)
        holder, _, name = text.rpartition(".")
        makes_its_own = any(loop.frame is not None and isinstance(loop.frame.receiver, Instance) for loop in loops)
        if bound is None or holder != bound[0] or not makes_its_own:
            return ""
        own = set(self._program.classes.mro(bound[1].cls))
        for other in holders_of(thing):
            held = self._program.evaluate(frame, other).values if spell(other) != holder else ()
            if any(isinstance(value, Instance) and value.cls in own for value in held):
                return f"{spell(other)}.{name}"
        return ""

    def is_optional(self, frame: Frame, text: str) -> bool:
        """Whether type checkers will ask for a test that an expression is not None."""
        candidates = (*self._candidates.get(frame, ()), *self._further.get(frame, ()))
        return any(candidate.optional for candidate in candidates if candidate.text == text)

    def without(self, frame: Frame, text: str, thing: Expr | None, method: str) -> str:
        """A class of the project that has no such method, where an expression, or `thing` of its text, may be of it."""
        candidates = (*self._candidates.get(frame, ()), *self._further.get(frame, ()))
        nodes = [candidate.node for candidate in candidates if candidate.text == text]
        nodes += [self._program.evaluate(frame, thing)] if spell(thing) == text else []
        kinds = {value.cls for node in nodes for value in node.values if isinstance(value, Instance)}
        return min((cls.scope.name for cls in kinds if self._lacks(cls, method)), default="")

    def _lacks(self, cls: Class, method: str) -> bool:
        own = [base.scope.bindings for base in self._program.classes.mro(cls) if isinstance(base, Class)]
        named = any(method in names or "__getattr__" in names for names in own)
        return not named and not self._program.classes.library_bases(cls)

    def named_loop(self, frame: Frame) -> str:
        """What is a loop by its name alone: something is stored there, of which nothing is known."""
        unknown = (c for c in self._candidates.get(frame, ()) if c.stored and not c.node.values)
        return next((c.text for c in unknown if c.name in _USUAL), "")

    def _of_receiver(self, frame: Frame) -> list[Candidate]:
        """Attributes of `self` that are named after a loop."""
        bound = method_around(frame)
        names = self._surely(frame)
        return [c for c in self._of_instance(*bound) if c.name in names] if bound is not None else []

    def _surely(self, frame: Frame) -> set[str]:
        """The attributes that every object has for which the method around runs: not those of one subclass alone."""
        bound, cls, classes = method_around(frame), self.class_around(frame), self._program.classes
        if bound is None or cls is None:
            return set()
        own = set(self._attributes(cls))
        further = self._attributes(bound[1].cls).keys() - own
        if not further or self._program.index.callers(cls.scope.name):
            return own
        heirs = classes.subclasses(cls)[:_MOST_HEIRS]
        return own | {name for name in further if all(name in self._attributes(heir) for heir in heirs)}

    def class_around(self, frame: Frame) -> Class | None:
        """The class that has the method which a frame is of, or is a closure of."""
        at: Frame | None = frame
        while at is not None and at.receiver is None:
            at = at.parent
        around = at.module.facts.scopes[at.scope.parent] if at is not None else None
        if at is None or around is None or around.kind != "class":
            return None
        return self._program.classes.defined_by(at.module, around)

    def _of_instance(self, text: str, instance: Instance) -> list[Candidate]:
        """Attributes of an object that are named after a loop."""
        cls, of = instance.cls, self._program.attribute
        attributes = self._attributes(cls)
        return [
            Candidate(f"{text}.{name}", name, of(instance, name), attributes[name], self._declared(cls, name))
            for name in _named_after_a_loop(attributes)
        ]

    def _of_module(self, text: str, module: ProjectModule) -> list[Candidate]:
        """Variables of a module that are named after a loop."""
        scope, of = module.module.facts.scopes[0], self._program.attribute
        return [
            Candidate(f"{text}.{name}", name, of(module, name), True, _allows_none(scope.annotations.get(name)))
            for name in _named_after_a_loop(scope.bindings.keys() | scope.annotations.keys())
        ]

    def _of_library(self, text: str, holder: Object, name: str) -> Candidate:
        """What a program may have put into an attribute of a library's object."""
        return Candidate(f"{text}.{name}", name, self._program.attribute(holder, name), True, False)

    @cached_property
    def _loop_names(self) -> list[str]:
        """The attributes that anything is stored in and that are named after a loop."""
        index = self._program.index
        own = {name for stores in index.own_stores.values() for name in stores}
        return _named_after_a_loop(own | index.stores.keys())

    def _held(self, text: str, holder: Instance | ProjectModule) -> list[Candidate]:
        return self._of_instance(text, holder) if isinstance(holder, Instance) else self._of_module(text, holder)

    def _holders(self, frame: Frame) -> Iterator[tuple[str, Node]]:
        """What in scope may hold something that has a loop: attributes of `self`, variables, modules."""
        bound = method_around(frame)
        if bound is not None:
            for name in sorted(self._attributes(bound[1].cls).keys() & self._surely(frame)):
                yield f"{bound[0]}.{name}", self._program.attribute(bound[1], name)
        for at, names in _visible(frame):
            for name in sorted(names - {bound[0] if bound is not None else ""}):
                yield name, self._program.variable(at, name)

    def _declared(self, cls: Class, name: str) -> bool:
        """Whether the class, or one that it extends, declares that an attribute may be None."""
        for base in self._program.classes.mro(cls):
            if isinstance(base, Class):
                stores = self._program.index.own_stores.get((base.module.index, base.scope.index), {})
                types = [s.value.type for _, s in stores.get(name, ()) if isinstance(s.value, Annotation)]
                held = [v for v in base.scope.bindings.get(name, ()) if isinstance(v, Ref)]
                types += [base.module.facts.scopes[ref.scope].returns_annotation for ref in held]
                if any(map(_allows_none, (*types, base.scope.annotations.get(name)))):
                    return True
        return False

    def attribute_names(self, cls: Class) -> set[str]:
        """Every attribute that the class and its bases in the project have."""
        return set(self._attributes(cls))

    def _attributes(self, cls: Class) -> dict[str, bool]:
        """The same, each with whether something other than None is stored there."""
        names: dict[str, bool] = {}
        for base in self._program.classes.mro(cls):
            if isinstance(base, Class):
                stores = self._program.index.own_stores.get((base.module.index, base.scope.index), {})
                for name, found in stores.items():
                    given = (store.value for _, store in found)
                    names[name] = names.get(name, False) or any(not is_none(value) for value in given)
                for name in (*base.scope.annotations, *base.scope.bindings):
                    names.setdefault(name, False)
        return names

    def _of_scopes(self, frame: Frame) -> list[Candidate]:
        """Parameters here; variables of the functions and the module around, but for those that nearer ones hide."""
        found: list[Candidate] = []
        for at, names in _visible(frame):
            parameters = {p.name: p.default for p in at.scope.parameters}
            given = {name for name, default in parameters.items() if not is_none(default)}
            types = {**at.scope.annotations, **{p.name: p.annotation for p in at.scope.parameters}}
            found += [
                Candidate(n, n, self._program.variable(at, n), n in given, _allows_none(types.get(n)))
                for n in _named_after_a_loop(names & parameters.keys() if at is frame else names)
            ]
        return found


def _visible(frame: Frame) -> Iterator[tuple[Frame, set[str]]]:
    """The frame and those around it, each with its names that no nearer one hides."""
    hidden: set[str] = set()
    at: Frame | None = frame
    while at is not None:
        names = _own_names(at)
        yield at, names - hidden
        hidden |= names
        at = at.parent


def _named_after_a_loop(names: Iterable[str]) -> list[str]:
    """Those that are, the usual ones first."""
    return sorted((name for name in names if "loop" in name.lower()), key=lambda name: (_rank(name), name))


def _allows_none(annotation: Expr) -> bool:
    if isinstance(annotation, Choice):
        return any(map(is_none, annotation.options))
    return isinstance(annotation, Subscript) and last_name(annotation.base) == "Optional"


def method_around(frame: Frame) -> tuple[str, Instance] | None:
    """What the method that a frame is of, or is a closure of, calls its object, and that object."""
    at: Frame | None = frame
    hidden: set[str] = set()
    while at is not None and at.receiver is None:
        hidden |= _own_names(at)
        at = at.parent
    if at is None or not isinstance(at.receiver, Instance) or not at.scope.parameters:
        return None
    name = at.scope.parameters[0].name
    return None if name in hidden else (name, at.receiver)


def holders_of(thing: Expr | None) -> Iterator[Expr]:
    """What has an object that is an attribute: `a.b`, then `a`, for `a.b.c`."""
    while isinstance(thing, Attr):
        thing = thing.base
        yield thing


def _own_names(frame: Frame) -> set[str]:
    """The names that a scope binds for itself and for the functions in it."""
    scope = frame.scope
    if scope.kind == "class":
        return set()
    names = {p.name for p in scope.parameters} | scope.bindings.keys() | scope.annotations.keys()
    return names - set(_of_programs(scope)) if scope.kind == "module" else names


def _of_programs(scope: Scope) -> Iterator[str]:
    """The names that a module has only where it is run itself: `if __name__ == "__main__":`."""
    for name, guards in scope.bound_under.items():
        tests = [[row.test for row in outwards(scope, guard)] for guard in guards]
        if all(any(isinstance(t, Compare) and last_name(t.left) == "__name__" for t in found) for found in tests):
            yield name


def _rank(name: str) -> int:
    return _USUAL.index(name) if name in _USUAL else len(_USUAL)
