"""TOML packs -> Knowledge: every row found by the name it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib import metadata, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from loopsafe.knowledge.schema import (
    AssignRow,
    Callable,
    ClassRow,
    DecoratorRow,
    LoopRow,
    OperationRow,
    OverrideRow,
    Pack,
    ProbeRow,
    ResultRow,
    Row,
    RunsRow,
    TestRow,
    WaitRow,
)
from loopsafe.project.tables import TableError, parse_tables, read_tables

ENTRY_POINTS = "loopsafe.knowledge"

_IMPORTS = re.compile(r"(?m)^imports = \[([^\]]*)\]")
_DOTTED = re.compile(r"[\w.]+")
_AnyRow = TypeVar("_AnyRow", bound=Row)
# How msgspec tells the place of an error: " - at `$.runs[3].where`".
_PLACE = re.compile(r" - at `\$\.(?P<table>\w+)\[(?P<number>\d+)\]\.?(?P<key>[^`]*)`")


class KnowledgeError(Exception):
    """A pack cannot be used. The message names the file, the row and the key."""


class Knowledge:
    """The rows of several packs, by name. Names are canonical: the first name of a class stands for all of them."""

    def __init__(self, packs: Iterable[Pack]) -> None:
        self.packs = tuple(packs)
        self._lineages: dict[str, tuple[str, ...]] = {}
        self._class_rows: dict[str, tuple[ClassRow, ...]] = {}
        self._aliases: dict[str, str] = {}
        self.classes: dict[str, ClassRow] = {}
        for row in (row for pack in self.packs for row in pack.classes):
            self.classes[row.names[0]] = row
            self._aliases.update((alias, row.names[0]) for alias in row.names[1:])
        self.parameters = {name: cls for cls, row in self.classes.items() for name in row.parameters}
        self._handed = {method: cls for cls, row in self.classes.items() for method in row.given_to}
        self.results: dict[str, ResultRow] = self._index(p.results for p in self.packs)
        self.operations: dict[str, OperationRow] = self._index(p.operations for p in self.packs)
        self.probes: dict[str, ProbeRow] = self._index(p.probes for p in self.packs)
        self.waits: dict[str, WaitRow] = self._index(p.waits for p in self.packs)
        self.overrides: dict[str, OverrideRow] = self._index(p.overrides for p in self.packs)
        self.assigns: dict[str, AssignRow] = self._index(p.assigns for p in self.packs)
        self.loops: dict[str, LoopRow] = self._index(p.loops for p in self.packs)
        self.tests: dict[str, TestRow] = self._index(p.tests for p in self.packs)
        self.runs: dict[str, tuple[RunsRow, ...]] = self._index_all(p.runs for p in self.packs)
        self.decorators: dict[str, tuple[DecoratorRow, ...]] = self._index_all(p.decorators for p in self.packs)
        called = (self.operations, self.waits, self.loops, self.tests, self.runs, self.results, self.decorators)
        self.called = frozenset(name for table in called for name in table)
        taking = {given.given_to for rows in self.runs.values() for row in rows for given in row.callables}
        self.members = _last_names((*self.called, *self.overrides)) | (taking - {""})
        known = [*self.called, *self.overrides, *self.assigns, *self._handed]
        spelled = [*known, *self.classes, *self._aliases]
        patterns = [name for name in self.results if "*" in name]
        self._generated = [_pattern(name[:end]) for name in patterns for end in _ends(name)]
        self._by_pattern = [(_pattern(name), self.results[name]) for name in patterns]
        self._prefixes = {name[:end] for name in spelled for end in _ends(name)}

    @cached_property
    def loop_makers(self) -> frozenset[str]:
        """What makes a loop and runs it, by name."""
        return frozenset(name for name, rows in self.runs.items() if any(row.where == "own-loop" for row in rows))

    @cached_property
    def starters(self) -> frozenset[str]:
        """The methods that start what was made before."""
        return frozenset(row.started_by for rows in self.runs.values() for row in rows if row.started_by)

    @cached_property
    def of_loop(self) -> dict[str, Callable]:
        """Which argument is the loop that what a call gives belongs to, by the last name of what is called."""
        return {n.rpartition(".")[2]: row.of_loop for n, row in self.results.items() if row.of_loop is not None}

    @cached_property
    def takers(self) -> frozenset[str]:
        """The last names of what takes coroutines and runs them."""
        return _last_names(name for name, rows in self.runs.items() if any(row.coroutine for row in rows))

    @cached_property
    def crossings(self) -> frozenset[str]:
        """The last names of what hands work to a loop from another thread."""
        return _last_names(name for name, rows in self.runs.items() if any(row.crossing for row in rows))

    @cached_property
    def onto_loops(self) -> frozenset[str]:
        """The last names of what hands work to a loop, from another thread or from its own."""
        return _last_names(name for name, rows in self.runs.items() if any(row.where == "loop" for row in rows))

    @cached_property
    def operated(self) -> frozenset[str]:
        """The last names of what may be done on a loop's thread only."""
        return _last_names(self.operations)

    def result(self, name: str) -> ResultRow | None:
        """What calling something of this name gives."""
        found = self.results.get(name)
        return found or next((row for pattern, row in self._by_pattern if pattern.fullmatch(name)), None)

    def leads_to(self, name: str) -> bool:
        """Whether this dotted name is one that rows speak of, or the beginning of one."""
        known = name in self._prefixes or self.canonical(name) in self._prefixes
        return known or any(pattern.fullmatch(name) for pattern in self._generated)

    def is_known(self, cls: str) -> bool:
        """Whether anything is known of this class."""
        return cls in self.classes

    def canonical(self, name: str) -> str:
        """The one name used for this class, function or method."""
        found = self._aliases.get(name)
        if found is not None:
            return found
        owner, dot, member = name.rpartition(".")
        known = self._aliases.get(owner)
        return f"{known}.{member}" if known and dot else name

    def lineage(self, cls: str) -> tuple[str, ...]:
        """The class and its library base classes, nearest first."""
        found = self._lineages.get(cls)
        if found is None:
            found = self._lineages[cls] = tuple(self._upwards(cls))
        return found

    def _upwards(self, cls: str) -> Iterator[str]:
        pending, seen = [cls], set()
        while pending:
            name = self.canonical(pending.pop(0))
            if name not in seen:
                seen.add(name)
                yield name
                row = self.classes.get(name)
                pending += row.bases if row else ()

    def member(self, table: dict[str, _AnyRow], cls: str, name: str) -> _AnyRow | None:
        """The row about method `name` of this class, its own or inherited."""
        for owner in self.lineage(cls):
            row = table.get(f"{owner}.{name}")
            if row is not None:
                return row
        return None

    def attribute(self, cls: str, name: str) -> str | None:
        """The class that an attribute holds."""
        for owner in self.lineage(cls):
            row = self.classes.get(owner)
            held = (row.attributes.get(name) or row.attributes.get("*")) if row is not None else None
            if held:
                return held
        return None

    def keeper(self, cls: str, kind: Literal["attributes", "items"]) -> str:
        """The class whose objects keep such things for the program: this one or one it extends; empty where none."""
        return next((o for o in self.lineage(cls) if (row := self.classes.get(o)) and kind in row.keeps), "")

    def handed_to(self, cls: str, method: str) -> str | None:
        """The class of what the library gives to this method of those who extend `cls`."""
        return next((found for owner in self.lineage(cls) if (found := self._handed.get(f"{owner}.{method}"))), None)

    def own_loop(self, cls: str) -> str:
        """How the loop of an object of this class is reached, `{}` standing for the object; empty without a way."""
        return next((row.loop for row in self._rows(cls) if row.loop), "")

    def asks(self, cls: str) -> list[str]:
        """The methods that tell how objects of this class stand without waiting."""
        return sorted({method for row in self._rows(cls) for method in row.asks})

    def bounded(self, cls: str) -> str:
        """The parameter that gives objects of this class a bound; empty where none does."""
        return next((row.bounded for row in self._rows(cls) if row.bounded), "")

    def is_closed(self, cls: str) -> bool:
        """Whether objects of this class take no attributes but those that are declared."""
        return any(row.closed for row in self._rows(cls))

    def is_loop_bound(self, cls: str) -> bool:
        """Whether instances of this class belong to one loop."""
        return any(row.loop_bound for row in self._rows(cls))

    def is_made_on_loop(self, cls: str) -> bool:
        """Whether instances belong to the loop that runs where they are made."""
        return any(row.made_on_loop for row in self._rows(cls))

    @cached_property
    def running(self) -> frozenset[str]:
        """The last names of what runs a loop."""
        return _last_names(self.loops)

    @cached_property
    def making(self) -> frozenset[str]:
        """The last names of what makes things that belong to the loop they are made on."""
        given = ((name, (row.gives, row.awaited, *row.items)) for name, row in self.results.items())
        names = {name for name, types in given if any(self.is_made_on_loop(type_) for type_ in types if type_)}
        return _last_names(names.union(filter(self.is_made_on_loop, self.classes)))

    def is_used_on_loop(self, cls: str) -> bool:
        """Whether instances are used on one loop only, whatever is awaited of them."""
        return any(row.used_on_loop for row in self._rows(cls))

    def runs_an_application(self, function: str) -> bool:
        """Whether a function runs a loop on which a framework calls the handlers of the project."""
        row = self.loops.get(function)
        return row is not None and row.application

    def is_a_loop(self, cls: str) -> bool:
        """Whether instances are loops themselves."""
        return any(row.loop == "{}" for row in self._rows(cls))

    def _rows(self, cls: str) -> tuple[ClassRow, ...]:
        found = self._class_rows.get(cls)
        if found is None:
            found = tuple(self.classes[owner] for owner in self.lineage(cls) if owner in self.classes)
            self._class_rows[cls] = found
        return found

    def _index(self, tables: Iterable[tuple[_AnyRow, ...]]) -> dict[str, _AnyRow]:
        return {self.canonical(name): row for table in tables for row in table for name in row.names}

    def _index_all(self, tables: Iterable[tuple[_AnyRow, ...]]) -> dict[str, tuple[_AnyRow, ...]]:
        """Several rows may speak of one name, under different conditions."""
        found: dict[str, tuple[_AnyRow, ...]] = {}
        for row in (row for table in tables for row in table):
            for name in map(self.canonical, row.names):
                found[name] = (*found.get(name, ()), row)
        return found


def _last_names(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name in names)


def _ends(name: str) -> list[int]:
    """Where the dotted beginnings of a name end, the whole name included."""
    return [*(at for at, letter in enumerate(name) if letter == "."), len(name)]


def _pattern(name: str) -> re.Pattern[str]:
    """A dotted name in which `*` stands for any letters."""
    return re.compile(re.escape(name).replace(r"\*", r"[\w]*"))


def read_pack(text: str, filename: str) -> Pack:
    """One pack from its text.

    Raises:
        KnowledgeError: it is not TOML or not of the schema; the message names the file, the row and the key.
    """
    try:
        return _pack(parse_tables(text), filename)
    except TableError as error:
        raise KnowledgeError(f"{filename}: {error}") from error


def _pack(tables: dict[str, Any], filename: str) -> Pack:
    try:
        return msgspec.convert(tables, Pack)
    except msgspec.ValidationError as error:
        raise KnowledgeError(f"{filename}: {_placed(tables, str(error))}") from error


def _placed(tables: dict[str, Any], message: str) -> str:
    """The message with the row's table and first name in the place of its number."""
    found = _PLACE.search(message)
    if found is None:
        return message
    table, number, key = found["table"], int(found["number"]), found["key"]
    names = tables[table][number].get("names")
    about = f" of {names[0]!r}" if isinstance(names, list) and names else ""
    return f"[[{table}]] row {number + 1}{about}{f', key {key}' if key else ''}: {message[: found.start()]}"


def built_in_packs(imported: AbstractSet[str] | None = None) -> tuple[Pack, ...]:
    """The packs that come with loopsafe, in order of file name; with `imported` only those that may apply."""
    texts = _built_in_texts()
    return tuple(_built_in(name) for name, text in texts.items() if imported is None or _may_apply(text, imported))


def described(packs: Iterable[Pack]) -> set[str]:
    """The dotted names of the libraries that packs are about: of those that come with loopsafe, and of these."""
    return _about(_built_in_texts().values(), packs)


def calling_back(packs: Iterable[Pack]) -> set[str]:
    """Those of them whose libraries call the project on threads of their own."""
    return _about((text for text in _built_in_texts().values() if 'where = "thread"' in text), packs)


def _about(texts: Iterable[str], packs: Iterable[Pack]) -> set[str]:
    return {name for text in texts for name in _imports_of(text) or ()}.union(*(pack.imports for pack in packs))


@lru_cache(maxsize=1)
def _built_in_texts() -> dict[str, str]:
    files = sorted(
        (f for f in resources.files(__package__).iterdir() if f.name.endswith(".toml")), key=lambda f: f.name
    )
    return {file.name: file.read_text("utf-8") for file in files}


@cache
def _built_in(name: str) -> Pack:
    return read_pack(_built_in_texts()[name], name)


def _may_apply(text: str, imported: AbstractSet[str]) -> bool:
    """A glance at the text: most packs are about libraries the project does not import, and TOML takes time to read."""
    names = _imports_of(text)
    return names is None or not imported.isdisjoint(names)


def _imports_of(text: str) -> list[str] | None:
    """The imports of a pack, by its text; None where it has none."""
    found = _IMPORTS.search(text)
    return _DOTTED.findall(found[1]) if found else None


def load_packs(paths: Iterable[Path]) -> tuple[Pack, ...]:
    """The user's own packs.

    Raises:
        KnowledgeError: a file cannot be read or is no pack; the message names the file, the row and the key.
    """
    return tuple(_load(path) for path in paths)


def _load(path: Path) -> Pack:
    return _read(path)[1]


def _read(path: Path) -> tuple[str, Pack]:
    """A pack's text, and what it says."""
    try:
        text, tables = read_tables(path)
    except TableError as error:
        raise KnowledgeError(f"{path}: {error}") from error
    return text, _pack(tables, str(path))


@lru_cache(maxsize=1)
def installed_packs() -> tuple[Pack, ...]:
    """The packs that installed distributions ship under the entry point group `loopsafe.knowledge`.

    An entry point names a package and a file in it: `somelib = "somelib:loopsafe.toml"`. The file is read as data;
    nothing of the distribution is imported.

    Raises:
        KnowledgeError: an entry point names no file of its distribution, or one that is no pack.
    """
    return tuple(map(_load, installed_pack_paths()))


def installed_pack_paths() -> tuple[Path, ...]:
    """The files that installed_packs() reads.

    Raises:
        KnowledgeError: an entry point names no file of its distribution.
    """
    return tuple(_installed_files().values())


def _installed_files() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for distribution in metadata.distributions():
        for point in distribution.entry_points:
            if point.group == ENTRY_POINTS:
                found.setdefault(f"{distribution.metadata['Name']}:{point.name}", _shipped(distribution, point))
    return {name: found[name] for name in sorted(found)}


@dataclass(frozen=True)
class PackFile:
    """A pack and the TOML text it was read from; `shipped_by` is who brings it: loopsafe, a distribution or a path."""

    pack: Pack
    text: str
    shipped_by: str


def pack_files(own: Iterable[Path] = ()) -> Iterator[PackFile]:
    """Every pack there is: loopsafe's, those of installed distributions and the user's `own`.

    Raises:
        KnowledgeError: a file cannot be read or is no pack; the message names the file, the row and the key.
    """
    for name, text in _built_in_texts().items():
        yield PackFile(_built_in(name), text, "loopsafe")
    installed = ((point.partition(":")[0], path) for point, path in _installed_files().items())
    for shipped_by, path in (*installed, *((str(path), path) for path in own)):
        text, pack = _read(path)
        yield PackFile(pack, text, shipped_by)


def _shipped(distribution: metadata.Distribution, point: metadata.EntryPoint) -> Path:
    package, _, file = point.value.partition(":")
    wanted = f"{package.replace('.', '/')}/{file}"
    listed = (Path(str(distribution.locate_file(f))) for f in distribution.files or () if f.as_posix() == wanted)
    found = next(listed, None) or _in_source(package, wanted)
    if found is None:
        name = distribution.metadata["Name"]
        raise KnowledgeError(f"{name}: entry point {point.name!r} of {ENTRY_POINTS} names no file of it: {point.value}")
    return found


def _in_source(package: str, wanted: str) -> Path | None:
    """Where the file lies in a distribution that is installed as a link to its source."""
    # For a top-level name this imports nothing.
    spec = find_spec(package.partition(".")[0])
    folders = (spec.submodule_search_locations or ()) if spec else ()
    return next((path for folder in folders if (path := Path(folder).parent / wanted).is_file()), None)


def applicable(packs: Iterable[Pack], imported: AbstractSet[str]) -> tuple[Pack, ...]:
    """The packs whose library the project imports. `imported` holds dotted prefixes of imports."""
    return tuple(p for p in packs if not p.imports or not imported.isdisjoint(p.imports))
