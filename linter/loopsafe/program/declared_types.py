"""What a declared type keeps out: instances of classes that have nothing to do with it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from loopsafe.facts.schema import Choice, Collection, Const, Expr, Subscript
from loopsafe.program.annotations import FIRST_ONLY, WRAPPERS
from loopsafe.program.classes import Classes, Resolved
from loopsafe.program.graph import Graph
from loopsafe.program.index import last_name
from loopsafe.program.python import DESCRIPTIVE_MODULES, PLAIN_TYPES, STRUCTURAL
from loopsafe.program.solver import Node
from loopsafe.program.values import Class, External, Frame, Instance, Object, Value

Declaration = tuple[Frame, Expr]

_HANDS_ON = ("__getattr__", "__getattribute__")


@dataclass(frozen=True, slots=True)
class _Meaning:
    """The classes of the project and of libraries that a type names."""

    classes: tuple[Class, ...] = ()
    library: tuple[str, ...] = ()

    def or_else(self, other: _Meaning) -> _Meaning:
        return _Meaning(self.classes + other.classes, self.library + other.library)


_NO_MEANING = _Meaning()


class DeclaredTypes:
    """Puts gates before nodes. Only what is certainly of another class stays outside."""

    def __init__(self, graph: Graph, classes: Classes) -> None:
        self._graph, self._classes = graph, classes
        self._meanings: dict[Expr, _Meaning | None] = {}
        self._verdicts: dict[tuple[Class, Class], bool] = {}
        self._posing: dict[Class, bool] = {}
        self._lineages: dict[Class, frozenset[str]] = {}

    def gate(self, node: Node, declarations: Iterable[Declaration]) -> Node:
        """Where to link what may come into `node`, of which all these types are declared; itself where all may."""
        meaning = self._union(declarations)
        if meaning is None or not (meaning.classes or meaning.library):
            return node
        outside = Node()
        self._graph.solver.listen(outside, self._enter, meaning, node)
        return outside

    def _enter(self, meaning: _Meaning, node: Node, value: Value) -> None:
        # A declared library class says nothing of objects: libraries take one thing for another too often.
        if (isinstance(value, Object) and meaning.library) or self._admits(meaning, value):
            self._graph.solver.add(node, value)

    def may_be(self, value: Value, classes: Iterable[Declaration]) -> bool:
        """Whether a value may be an instance of one of these classes."""
        meaning = self._union(classes)
        return meaning is None or self._admits(meaning, value)

    def has(self, value: Value, name: str) -> bool | None:
        """Whether a value has an attribute; None where that cannot be told, as of what is only ever stored there."""
        if not isinstance(value, Instance):
            return None
        line, index = self._classes.mro(value.cls), self._graph.index
        own = [cls for cls in line if isinstance(cls, Class)]
        if any(name in cls.scope.bindings for cls in own):
            return True
        stored = (index.own_stores.get((cls.module.index, cls.scope.index), {}) for cls in own)
        open_ended = len(own) < len(line) or any(hook in cls.scope.bindings for cls in own for hook in _HANDS_ON)
        if open_ended or name in index.stores or "setattr" in index.calls or any(name in names for names in stored):
            return None
        return False

    def must_be(self, value: Value, classes: Iterable[Declaration]) -> bool:
        """Whether a value is certainly an instance of one of these classes."""
        known = [meaning for frame, cls in classes if (meaning := self._meaning(frame, cls)) is not None]
        meaning = _together(known)
        if isinstance(value, Instance):
            mro = self._classes.mro(value.cls)
            return any(cls in mro for cls in meaning.classes) or not self._lineage(value.cls).isdisjoint(
                meaning.library
            )
        if isinstance(value, Object):
            return not set(self._graph.knowledge.lineage(value.type)).isdisjoint(meaning.library)
        return False

    def _meaning(self, frame: Frame, annotation: Expr) -> _Meaning | None:
        """The classes that a type names; None where it names anything else too."""
        if annotation not in self._meanings:
            self._meanings[annotation] = self._read(frame, annotation)
        return self._meanings[annotation]

    def _read(self, frame: Frame, annotation: Expr) -> _Meaning | None:
        if isinstance(annotation, Const):
            return _Meaning() if annotation.value is None else None
        if isinstance(annotation, Choice):
            return self._union((frame, option) for option in annotation.options)
        if isinstance(annotation, Subscript):
            name, index = last_name(annotation.base), annotation.index
            if name not in WRAPPERS:
                return self._plain(frame, annotation.base)
            inner = index.items if isinstance(index, Collection) else (index,)
            return self._union((frame, option) for option in (inner[:1] if name in FIRST_ONLY else inner))
        return self._plain(frame, annotation)

    def _union(self, declarations: Iterable[Declaration]) -> _Meaning | None:
        meanings = [self._meaning(frame, annotation) for frame, annotation in declarations]
        known = [meaning for meaning in meanings if meaning is not None]
        return _together(known) if len(known) == len(meanings) else None

    def _plain(self, frame: Frame, annotation: Expr) -> _Meaning | None:
        meanings = [self._class(named) for named in self._classes.resolve_all(frame, annotation)]
        known = [meaning for meaning in meanings if meaning is not None]
        return _together(known) if known and len(known) == len(meanings) else None

    def _class(self, named: Resolved) -> _Meaning | None:
        if isinstance(named, Class):
            return None if self._is_structural(named) else _Meaning((named,))
        if isinstance(named, External):
            name = self._graph.knowledge.canonical(named.name)
            if name in self._graph.knowledge.classes or name in PLAIN_TYPES or _is_standard_class(name):
                return _Meaning((), (name,))
        return None

    def _is_structural(self, cls: Class) -> bool:
        """Whether a class is in it by what it has, not by its bases."""
        bases = [base for expr in cls.scope.bases for base in self._classes.resolve_all(cls.frame, expr)]
        return any(isinstance(base, External) and base.name.rpartition(".")[2] in STRUCTURAL for base in bases)

    def _admits(self, meaning: _Meaning, value: Value) -> bool:
        if isinstance(value, Instance):
            related = any(self._are_related(value.cls, cls) for cls in meaning.classes)
            return related or self._poses(value.cls) or self._may_extend(value.cls, meaning.library)
        if isinstance(value, Object) and value.type in self._graph.knowledge.classes:
            # Something declared by a base class may be an object of a class that extends it.
            extended = any(value.type in self._lineage(cls) for cls in meaning.classes)
            return extended or any(self._is_kin(value.type, name) for name in meaning.library)
        return True

    def _is_kin(self, one: str, other: str) -> bool:
        knowledge = self._graph.knowledge
        if _is_standard_class(other) and other not in knowledge.classes:
            return True
        return one in knowledge.lineage(other) or other in knowledge.lineage(one)

    def _are_related(self, given: Class, wanted: Class) -> bool:
        """Whether an instance of one may be one of the other: by its bases, or by an heir of both."""
        key = (given, wanted)
        found = self._verdicts.get(key)
        if found is None:
            mro, heirs = self._classes.mro, self._classes.subclasses
            found = self._verdicts[key] = (
                wanted in mro(given)
                or given in mro(wanted)
                or given.qualname == wanted.qualname
                or any(wanted in mro(heir) for heir in heirs(given))
            )
        return found

    def _poses(self, cls: Class) -> bool:
        """Whether instances may stand for objects of any class: they hand on what they are asked for, or have a base
        that is not to be found."""
        found = self._posing.get(cls)
        if found is None:
            resolved = self._classes.resolve_all
            owners = [base for base in self._classes.mro(cls) if isinstance(base, Class)]
            found = self._posing[cls] = any(
                name in owner.scope.bindings for owner in owners for name in _HANDS_ON
            ) or any(not resolved(owner.frame, base) for owner in owners for base in owner.scope.bases)
        return found

    def _may_extend(self, cls: Class, library: tuple[str, ...]) -> bool:
        """Whether a class extends one of these library classes, or one of which nothing is known."""
        bases = self._classes.library_bases(cls) if library else ()
        if any(self._is_unknown(base, library) for base in bases):
            return True
        return not self._lineage(cls).isdisjoint(library)

    def _is_unknown(self, base: str, library: tuple[str, ...]) -> bool:
        if base in self._graph.knowledge.classes:
            return False
        if _is_standard_class(base):  # they extend one another, but nothing that knowledge speaks of
            return any(_is_standard_class(name) for name in library)
        return base.partition(".")[0] not in sys.stdlib_module_names

    def _lineage(self, cls: Class) -> frozenset[str]:
        found = self._lineages.get(cls)
        if found is None:
            lineage, bases = self._graph.knowledge.lineage, self._classes.library_bases(cls)
            found = self._lineages[cls] = frozenset(name for base in bases for name in lineage(base))
        return found


def _together(meanings: list[_Meaning]) -> _Meaning:
    # Mostly there is one, and this is asked for each value.
    return reduce(_Meaning.or_else, meanings) if meanings else _NO_MEANING


def _is_standard_class(name: str) -> bool:
    """Whether this is a class of the standard library by its name; not one that is made for others to look like."""
    module, _, last = name.rpartition(".")
    top = module.partition(".")[0]
    return last[:1].isupper() and top in sys.stdlib_module_names and top not in DESCRIPTIVE_MODULES
