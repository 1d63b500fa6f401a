"""TOML packs -> Knowledge: every row found by the name it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import resources
from typing import TypeVar

import msgspec

from loopsafe.knowledge.schema import (
    AssignRow,
    ClassRow,
    DecoratorRow,
    LoopRow,
    OperationRow,
    OverrideRow,
    Pack,
    ResultRow,
    Row,
    RunsRow,
    TestRow,
)

_AnyRow = TypeVar("_AnyRow", bound=Row)


class KnowledgeError(Exception):
    """A pack cannot be used. The message names the file and the row."""


class Knowledge:
    """The rows of several packs, by name. Names are canonical: the first name of a class stands for all of them."""

    def __init__(self, packs: Iterable[Pack]) -> None:
        self.packs = tuple(packs)
        self._aliases: dict[str, str] = {}
        self.classes: dict[str, ClassRow] = {}
        for row in (row for pack in self.packs for row in pack.classes):
            self.classes[row.names[0]] = row
            self._aliases.update((alias, row.names[0]) for alias in row.names[1:])
        self.results: dict[str, ResultRow] = self._index(p.results for p in self.packs)
        self.operations: dict[str, OperationRow] = self._index(p.operations for p in self.packs)
        self.overrides: dict[str, OverrideRow] = self._index(p.overrides for p in self.packs)
        self.assigns: dict[str, AssignRow] = self._index(p.assigns for p in self.packs)
        self.loops: dict[str, LoopRow] = self._index(p.loops for p in self.packs)
        self.tests: dict[str, TestRow] = self._index(p.tests for p in self.packs)
        self.runs: dict[str, tuple[RunsRow, ...]] = self._index_all(p.runs for p in self.packs)
        self.decorators: dict[str, tuple[DecoratorRow, ...]] = self._index_all(p.decorators for p in self.packs)
        called = (self.operations, self.overrides, self.loops, self.tests, self.runs, self.results, self.decorators)
        self.members = frozenset(name.rpartition(".")[2] for table in called for name in table)
        known = [*(name for table in called for name in table), *self.assigns]
        spelled = [*known, *self.classes, *self._aliases]
        self._prefixes = {name[:end] for name in spelled for end in _ends(name)}
        self.origin_words = frozenset(name.rpartition(".")[2] for name in self.runs)

    def leads_to(self, name: str) -> bool:
        """Whether this dotted name is one that rows speak of, or the beginning of one."""
        return name in self._prefixes

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

    def lineage(self, cls: str) -> Iterator[str]:
        """The class and its library base classes, nearest first."""
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
            if row is not None and name in row.attributes:
                return row.attributes[name]
        return None

    def is_loop_bound(self, cls: str) -> bool:
        """Whether instances of this class belong to one loop."""
        rows = (self.classes.get(owner) for owner in self.lineage(cls))
        return any(row is not None and row.loop_bound for row in rows)

    def _index(self, tables: Iterable[tuple[_AnyRow, ...]]) -> dict[str, _AnyRow]:
        return {self.canonical(name): row for table in tables for row in table for name in row.names}

    def _index_all(self, tables: Iterable[tuple[_AnyRow, ...]]) -> dict[str, tuple[_AnyRow, ...]]:
        """Several rows may speak of one name, under different conditions."""
        found: dict[str, tuple[_AnyRow, ...]] = {}
        for row in (row for table in tables for row in table):
            for name in map(self.canonical, row.names):
                found[name] = (*found.get(name, ()), row)
        return found


def _ends(name: str) -> list[int]:
    """Where the dotted beginnings of a name end, the whole name included."""
    return [*(at for at, letter in enumerate(name) if letter == "."), len(name)]


def read_pack(text: str, filename: str) -> Pack:
    """One pack from its text.

    Raises:
        KnowledgeError: it is not TOML or not of the schema; the message names the file, the row and the key.
    """
    try:
        return msgspec.toml.decode(text.encode(), type=Pack)
    except msgspec.ValidationError as error:
        raise KnowledgeError(f"{filename}: {error}") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise KnowledgeError(f"{filename}: not TOML: {error}") from error


@lru_cache(maxsize=1)
def built_in_packs() -> tuple[Pack, ...]:
    """The packs that come with loopsafe, in order of file name."""
    files = sorted(f for f in resources.files(__package__).iterdir() if f.name.endswith(".toml"))  # type: ignore[type-var]
    return tuple(read_pack(file.read_text("utf-8"), file.name) for file in files)


def applicable(packs: Iterable[Pack], imported: set[str]) -> tuple[Pack, ...]:
    """The packs whose library the project imports. `imported` holds dotted prefixes of imports."""
    return tuple(p for p in packs if not p.imports or not imported.isdisjoint(p.imports))
