"""What functions of installed libraries say that they give: in stubs, and in packages that declare their types.

Only libraries are asked that packs describe, and only for classes that packs know. Bodies are not looked at.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from loopsafe.facts.imports import absolute_name
from loopsafe.facts.schema import Attr, Choice, Expr, FileFacts, Import, Name, Ref, Scope, Subscript
from loopsafe.facts.schema import Collection as Display
from loopsafe.facts.spelling import is_none
from loopsafe.project.files import SourceFile, shown
from loopsafe.reading.reader import Reader

_MOST_STEPS = 6
_PASSED = ("Optional", "Union", "Annotated")
_AWAITED = ("Awaitable", "Coroutine")
_PLAIN = ("classmethod", "staticmethod", "abstractmethod", "overload")


class _Stub(NamedTuple):
    """A file that declares types: its module's name, the package that relative imports start from, and the facts."""

    name: str
    package: str
    facts: FileFacts


class Given(NamedTuple):
    """The class of what a call gives, or of what awaiting that gives."""

    cls: str
    awaited: bool


_NOTHING = Given("", False)


class Signatures:
    """Reads declarations from folders of packages, as far as they are asked for. `read` are the paths of the files."""

    def __init__(self, folders: Sequence[str], reader: Reader, largest: int) -> None:
        self._folders, self._reader, self._largest = folders, reader, largest
        self._stubs: dict[str, _Stub | None] = {}
        self._known: dict[str, list[tuple[str, str]]] = {}
        self.read: list[str] = []

    def of(self, imported: Iterable[str], classes: Mapping[str, str], words: Collection[str]) -> dict[str, Given]:
        """What calls give, by dotted name: of what is imported, and of methods of `classes`, which packs know.

        `classes` has the name by which a pack knows each. Only functions and classes of these `words` are looked at.
        """
        for name, known in classes.items():
            self._known.setdefault(name.rpartition(".")[2], []).append((name, known))
        found: dict[str, Given] = {}
        for name in sorted(set(imported)):
            stub = self._stub(name)
            for word in sorted(self._names(stub) & set(words)) if stub else ():
                self._add(found, f"{name}.{word}", self._define(f"{name}.{word}"))
        asked: set[str] = set()
        while True:
            held = {given.cls for given in found.values()}
            pending = sorted(
                name
                for name, known in classes.items()
                if name not in asked and (known in held or name.rpartition(".")[2] in words)
            )
            if not pending:
                break
            asked.update(pending)
            for name in pending:
                self._add_methods(found, name, classes[name], words)
        return {name: given for name, given in found.items() if given.cls}

    def _add_methods(self, found: dict[str, Given], name: str, known: str, words: Collection[str]) -> None:
        for stub, cls in self._define(name):
            for method in (s for s in stub.facts.scopes if s.parent == cls.index and s.name in words):
                if not method.name.startswith("_") and all(
                    _last(decorator) in _PLAIN for decorator in method.decorators
                ):
                    self._add(found, f"{known}.{method.name}", [(stub, method)])

    def _add(self, found: dict[str, Given], name: str, defined: Sequence[tuple[_Stub, Scope]]) -> None:
        """Overloads, and whatever else has the name, must agree."""
        functions = [(stub, scope) for stub, scope in defined if scope.kind == "function"]
        given = {one for stub, scope in functions for one in self._given(stub, scope)}
        if given:
            known = given | ({found[name]} if name in found else set())
            found[name] = next(iter(known)) if len(known) == 1 else _NOTHING

    def _given(self, stub: _Stub, scope: Scope) -> Iterator[Given]:
        if not scope.is_generator:
            for cls, awaited in self._types(stub, scope.returns_annotation, scope.is_async):
                yield Given(cls, awaited)

    def _types(self, stub: _Stub, declared: Expr, awaited: bool) -> Iterator[tuple[str, bool]]:
        """The classes that a declared type allows, empty for those that packs do not know."""
        if isinstance(declared, Choice):
            for option in declared.options:
                yield from self._types(stub, option, awaited)
        elif isinstance(declared, Subscript) and _last(declared.base) in (*_PASSED, *_AWAITED):
            inner = declared.index.items if isinstance(declared.index, Display) else (declared.index,)
            name = _last(declared.base)
            inner = inner[-1:] if name in _AWAITED else inner[:1] if name == "Annotated" else inner
            for option in inner:
                yield from self._types(stub, option, awaited or name in _AWAITED)
        elif not is_none(declared):
            plain = declared.base if isinstance(declared, Subscript) else declared
            known = {self._pack_name(scope) for _, scope in self._resolve(stub, plain, 0)}
            yield from ((cls, awaited) for cls in known or {""})

    def _pack_name(self, scope: Scope) -> str:
        """The name by which a pack knows a class; empty where none does."""
        names = self._known.get(scope.name, ()) if scope.kind == "class" else ()
        return next((known for name, known in names if any(one is scope for _, one in self._define(name))), "")

    def _resolve(self, stub: _Stub, expr: Expr, step: int) -> list[tuple[_Stub, Scope]]:
        """What a name, or an attribute of a module, in a file means."""
        if isinstance(expr, Name):
            return self._named(stub, expr.id, step)
        dotted = _dotted(stub, expr)
        return self._define(dotted, step) if dotted else []

    def _named(self, stub: _Stub, name: str, step: int) -> list[tuple[_Stub, Scope]]:
        top, found = stub.facts.scopes[0], list[tuple[_Stub, Scope]]()
        for value in top.bindings.get(name, ()):
            if isinstance(value, Ref):
                found.append((stub, stub.facts.scopes[value.scope]))
            elif isinstance(value, Import) and value.name:
                found += self._define(f"{absolute_name(value, stub.package)}.{value.name}", step + 1)
        if name not in top.bindings:
            for star in top.star_imports:
                found += self._define(f"{absolute_name(star, stub.package)}.{name}", step + 1)
        return found

    def _define(self, dotted: str, step: int = 0) -> list[tuple[_Stub, Scope]]:
        """The definitions of a dotted name: of a name in a module."""
        module, _, name = dotted.rpartition(".")
        stub = self._stub(module) if module and step < _MOST_STEPS else None
        return self._named(stub, name, step) if stub else []

    def _names(self, stub: _Stub, step: int = 0) -> set[str]:
        top = stub.facts.scopes[0]
        names = set(top.bindings)
        for star in top.star_imports if step < _MOST_STEPS else ():
            more = self._stub(absolute_name(star, stub.package))
            names |= self._names(more, step + 1) if more else set()
        return names

    def _stub(self, dotted: str) -> _Stub | None:
        if dotted not in self._stubs:
            path = next((path for folder in self._folders if (path := _declaring(folder, dotted))), "")
            facts = self._facts(path) if path else None
            is_package = os.path.basename(path).startswith("__init__.")
            package = dotted if is_package else dotted.rpartition(".")[0]
            self._stubs[dotted] = _Stub(dotted, package, facts) if facts else None
        return self._stubs[dotted]

    def _facts(self, path: str) -> FileFacts | None:
        file = SourceFile(path, shown(path, os.getcwd()), False, own=False)
        found, _ = self._reader.read_all([file], {}, largest=self._largest)
        self.read += [read.file.path for read in found]
        return found[0].facts if found else None


def _declaring(folder: str, dotted: str) -> str:
    """The file that declares the types of a module: a stub, or its own where the package says that it has them."""
    top, _, rest = dotted.partition(".")
    inner = rest.replace(".", os.sep)
    for package, suffixes in ((f"{top}-stubs", (".pyi",)), (top, (".pyi", ".py"))):
        at = os.path.join(folder, package)
        typed = os.path.isfile(os.path.join(at, "py.typed"))
        base = os.path.join(at, inner) if inner else at
        for suffix in suffixes if typed or package != top else (".pyi",):
            for path in (os.path.join(base, f"__init__{suffix}"), f"{base}{suffix}"):
                if os.path.isfile(path) and os.path.realpath(path) == path:
                    return path
    return ""


def _dotted(stub: _Stub, expr: Expr) -> str:
    """The dotted name of an attribute of an imported module; empty for anything else."""
    if isinstance(expr, Attr):
        base = _dotted(stub, expr.base)
        return f"{base}.{expr.name}" if base else ""
    bound = stub.facts.scopes[0].bindings.get(expr.id, ()) if isinstance(expr, Name) else ()
    modules = (value for value in bound if isinstance(value, Import))
    return next((f"{absolute_name(m, stub.package)}{f'.{m.name}' if m.name else ''}" for m in modules), "")


def _last(expr: Expr) -> str:
    return expr.name if isinstance(expr, Attr) else expr.id if isinstance(expr, Name) else ""
