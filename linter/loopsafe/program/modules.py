"""Files and their module names; which file an import means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from loopsafe.facts.imports import absolute_name, imports_in, prefixes
from loopsafe.facts.schema import Attr, Call, Const, FileFacts, Import, Name
from loopsafe.locations import parts_of


class Module:
    """One file: `path` relative to the root, `name` dotted. `library` is empty where it is the project's own."""

    __slots__ = ("facts", "index", "is_package", "library", "name", "path")

    def __init__(self, index: int, path: str, name: str, facts: FileFacts, library: str = "") -> None:
        self.index, self.path, self.name, self.facts, self.library = index, path, name, facts, library
        self.is_package = PurePosixPath(path).stem == "__init__"

    def __repr__(self) -> str:
        return f"<module {self.name}>"

    @property
    def package(self) -> str:
        """The dotted name that relative imports start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @property
    def is_test(self) -> bool:
        """Whether it is of the project's tests, by its path."""
        parts = parts_of(self.path)
        return any(p in ("test", "tests", "testing") or p.startswith("test_") or p.endswith("_test") for p in parts)


class Modules:
    """All modules of the project and the way from an import to a module. `imported` is every dotted prefix they import.

    `libraries` says of the files of installed packages, by path, of which.

    An absolute import means the file whose path ends in the dotted name; where several do, the one that shares the
    longest stretch of path with the importing file, so that two source roots do not mix, and of those the one that is
    least far below.
    """

    def __init__(self, files: Iterable[tuple[str, FileFacts]], libraries: Mapping[str, str] | None = None) -> None:
        listed = sorted((path, facts) for path, facts in files)
        self.imported = _imported(facts for _, facts in listed)
        names = _module_names([path for path, _ in listed], self.imported)
        self.all: tuple[Module, ...] = tuple(
            Module(index, path, names[path], facts, (libraries or {}).get(path, ""))
            for index, (path, facts) in enumerate(listed)
        )
        self._packages = _package_folders(path for path, _ in listed)
        self._found: dict[tuple[str, int], Module | None] = {}
        self._known: dict[Module, set[Module]] = {}
        self._by_name: dict[str, list[Module]] = defaultdict(list)
        self._by_suffix: dict[str, list[Module]] = defaultdict(list)
        for module in self.all:
            self._by_name[module.name].append(module)
            for suffix in _suffixes(_dotted(module.path)):
                self._by_suffix[suffix].append(module)

    def find(self, dotted: str, near: Module) -> Module | None:
        """The project's module of this absolute name as seen from `near`; None where it is not the project's."""
        key = (dotted, near.index)
        if key not in self._found:
            named = self._by_name.get(dotted) or self._by_suffix.get(dotted) or []
            found = [m for m in named if m.name == dotted or self._reaches(m, dotted, near)]
            self._found[key] = max(found, key=lambda m: _nearness(m, near), default=None)
        return self._found[key]

    def star(self, imported: Import, near: Module, name: str) -> Module | None:
        """The project's module that `from ... import *` in `near` takes `name` from, if it has it."""
        module = self.find(self.absolute(imported, near), near)
        # Of `__all__` only the literal part is known, so it lets names in and keeps none out.
        private = name.startswith("_") and (module is None or name not in (module.facts.exports or ()))
        return None if module is near or private else module

    def absolute(self, imported: Import, near: Module) -> str:
        """The absolute dotted name of the module that an import statement names."""
        return absolute_name(imported, near.package)

    def known_to(self, module: Module) -> set[Module]:
        """The project's modules that one imports from: of a package, also where it has the name from."""
        if module not in self._known:
            self._known[module] = set()
            for imported in imports_in(module.facts):
                self._follow(imported, module, self._known[module])
        return self._known[module]

    def _follow(self, imported: Import, near: Module, found: set[Module]) -> None:
        dotted = self.absolute(imported, near)
        fresh = {self.find(name, near) for name in (dotted, f"{dotted}.{imported.name}")} - found
        for module in fresh:
            if module is not None:
                found.add(module)
                for again in module.facts.scopes[0].bindings.get(imported.name or "", ()):
                    if isinstance(again, Import) and module.is_package:
                        self._follow(again, module, found)

    def _reaches(self, module: Module, dotted: str, near: Module) -> bool:
        """Whether a path entry could make `dotted` mean this file: beside `near`, or as a package of its own."""
        folders = parts_of(module.path)
        if module.is_package:
            folders = folders[:-1]
        start = len(folders) - dotted.count(".") - 1
        above, top = "/".join(folders[:start]), "/".join(folders[: start + 1])
        beside = str(PurePosixPath(near.path).parent) == (above or ".")
        return (above or ".") not in self._packages and (beside or top in self._packages)


def _dotted(path: str) -> tuple[str, ...]:
    # Nothing imports a notebook.
    parts = PurePosixPath(path).parts if path.endswith(".ipynb") else parts_of(path)
    return parts[:-1] if parts and parts[-1] == "__init__" else parts


def _suffixes(parts: tuple[str, ...]) -> Iterator[str]:
    for start in range(len(parts)):
        yield ".".join(parts[start:])


def _nearness(module: Module, near: Module) -> tuple[int, int, int]:
    return (_shared(module.path, near.path), -module.path.count("/"), -module.index)


def _shared(left: str, right: str) -> int:
    a, b = left.split("/"), right.split("/")
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count


def _imported(files: Iterable[FileFacts]) -> set[str]:
    """Every dotted prefix that an absolute import names."""
    found: set[str] = set()
    for facts in files:
        found.update(each.module for each in imports_in(facts) if not each.level)
        for scope in facts.scopes:
            named = (imported_by_name(call) for call in scope.calls)
            found.update(each.module for each in named if each is not None and not each.level)
    return {prefix for name in found for prefix in prefixes(name)}


def imported_by_name(call: Call) -> Import | None:
    """What `import_module("a.b")` and `__import__("a.b")` import; None for any other call."""
    func, given = call.func, call.args[0] if call.args else None
    if not isinstance(given, Const) or not isinstance(given.value, str):
        return None
    if isinstance(func, (Name, Attr)) and (func.id if isinstance(func, Name) else func.name) == "import_module":
        module = given.value.lstrip(".")
        return Import(module, None, len(given.value) - len(module))
    if isinstance(func, Name) and func.id == "__import__":
        # Without a list of what to take out of it, it gives the package at the top.
        listed = len(call.args) > 3 or any(name == "fromlist" for name, _ in call.keywords)
        return Import(given.value if listed else given.value.partition(".")[0])
    return None


def _package_folders(paths: Iterable[str]) -> set[str]:
    return {str(PurePosixPath(p).parent) for p in paths if PurePosixPath(p).stem == "__init__"}


def _module_names(paths: list[str], imported: set[str]) -> dict[str, str]:
    """Dotted names: from the outermost package, widened over folders without `__init__` that imports name."""
    packages = _package_folders(paths)
    return {path: _module_name(path, packages, imported) for path in paths}


def _module_name(path: str, packages: set[str], imported: set[str]) -> str:
    parts = _dotted(path)
    folder = PurePosixPath(path).parent
    keep = 0 if PurePosixPath(path).stem == "__init__" else 1
    while str(folder) in packages and folder.name:
        keep += 1
        folder = folder.parent
    keep = max(keep, 1)
    # A namespace package has no `__init__`: an import that spells the longer name shows it.
    for longer in range(len(parts), keep, -1):
        if ".".join(parts[-longer:]) in imported:
            keep = longer
            break
    else:
        keep = _namespace(parts, keep, imported)
    return ".".join(parts[-keep:]) if parts else ""


def _namespace(parts: tuple[str, ...], keep: int, imported: set[str]) -> int:
    """A module nobody imports by name still lies in a namespace if its package does."""
    for longer in range(len(parts), keep, -1):
        package = ".".join(parts[-longer : len(parts) - keep + 1])
        if package in imported and "." in package:
            return longer
    return keep
