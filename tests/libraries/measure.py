"""Claims, which are rows of the packs, and probes, which note on which thread a library really calls them.

A test hands a probe to a library in the way that the row speaks of, and the claim compares. The places of both count:
a probe's `home` is where it was made, which is the thread of the program's event loop where there is one.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from loopsafe.knowledge.load import built_in_packs
from loopsafe.knowledge.schema import Pack, RunsRow, StartRow

# Nothing takes this long: it is how late a test fails whose callback never comes.
LIMIT = 30.0

TABLES = ("runs", "decorators", "overrides", "assigns", "operations")
PACKS = built_in_packs()


def library(module: str) -> ModuleType:
    """The module of a library, or the test module is skipped where that is not installed."""
    return pytest.importorskip(module, reason=f"{module} cannot be imported", exc_type=ImportError)


class Place(NamedTuple):
    """Where code runs: process, thread, and the event loop that runs on this thread."""

    process: int
    thread: int
    loop: object

    @classmethod
    def here(cls) -> Place:
        """Where this call is made."""
        return cls(os.getpid(), threading.get_ident(), _running_loop())

    def seen_from(self, home: Place) -> str:
        """What a row would call this place when `home` is the program's own."""
        if self.process != home.process:
            return "process"
        if self.loop is not None:
            return "loop" if self.loop is home.loop else "own-loop"
        return "here" if self.thread == home.thread else "thread"


def _running_loop() -> object:
    """asyncio's loop or, for want of a loop object, trio's token."""
    loop = asyncio._get_running_loop()
    if loop is None and "trio" in sys.modules:
        try:
            return sys.modules["trio"].lowlevel.current_trio_token()
        except RuntimeError:
            return None
    return loop


class Probe:
    """A callable that takes anything and notes where it is called."""

    def __init__(self, returns: object = None) -> None:
        self.home = Place.here()
        self.places: list[Place] = []
        self._returns = returns
        self._called = threading.Event()

    def __call__(self, *_: object, **__: object) -> Any:
        self.places.append(Place.here())
        self._called.set()
        return self._returns

    def numbers(self) -> Iterator[str]:
        """A generator that notes where it is gone through."""
        self()
        yield "1"
        self()

    def wait(self) -> None:
        """Block until there was a call."""
        assert self._called.wait(LIMIT), f"not called within {LIMIT:.0f} s"

    async def called(self) -> None:
        """Let asyncio's loop run until there was a call."""
        await asyncio.to_thread(self.wait)


@dataclass(frozen=True, repr=False)
class Claim:
    """What a row says of one name; `is_async` says that a coroutine function is handed over."""

    library: str
    table: str
    name: str
    row: Any
    is_async: bool = False

    def __str__(self) -> str:
        return f"{self.name}-async" if self.is_async else self.name

    __repr__ = __str__

    @property
    def member(self) -> str:
        """The bare name of the function, method or attribute."""
        return self.name.rpartition(".")[2]

    def handler(self, probe: Probe, *parameters: str) -> Callable[..., Any]:
        """A function that calls the probe and seems to have these parameters: some libraries look what they are."""

        def function(*args: object, **kwargs: object) -> Any:
            return probe(*args, **kwargs)

        async def coroutine(*args: object, **kwargs: object) -> Any:
            return probe(*args, **kwargs)

        made = coroutine if self.is_async else function
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        made.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in parameters])  # type: ignore[attr-defined]
        return made

    def check(self, probe: Probe, on_async: str = "loop") -> None:
        """The probe was called, and always where the row says; `on_async` is where coroutine functions run."""
        self.check_places(probe.places, probe.home, on_async)

    def check_places(self, places: list[Place], home: Place, on_async: str = "loop") -> None:
        """There are places, and they all are where the row says."""
        expected = on_async if self.is_async else self.row.where
        seen = {place.seen_from(home) for place in places}
        allowed = [{expected}, {expected, "loop"}] if self.row.likely else [{expected}]
        assert seen in allowed, f"{self}: seen {sorted(seen)}, the row says {expected}"
        self.note(expected)

    def check_likely(self, probe: Probe) -> None:
        """Here the library calls on the loop's thread, and the row says no more than that it may be another one."""
        assert self.row.likely
        assert {place.seen_from(probe.home) for place in probe.places} == {"loop"}

    def note(self, observed: str) -> None:
        """Keep for the summary what was observed; without a note the test has measured nothing and fails."""
        NOTED.append((self.library, self.table, str(self), observed))


NOTED: list[tuple[str, str, str, str]] = []


def claims(table: str, *patterns: str, argument: str = "") -> pytest.MarkDecorator:
    """Run the test once for each name of this table that fits a pattern, as its argument `claim`.

    A row that treats coroutine functions otherwise is two claims. `argument` chooses among several rows of one name:
    the row must speak of this keyword, key or method.

    Raises:
        LookupError: no row speaks of one of the patterns any more.
    """
    found = [claim for pattern in patterns for claim in find_claims(table, pattern, argument)]
    return pytest.mark.parametrize("claim", found, ids=str)


def find_claims(table: str, pattern: str, argument: str = "") -> list[Claim]:
    """The claims of one pattern, in the order of the pack."""
    matches = re.compile(translate(pattern)).match
    found = [
        Claim(pack.library, table, name, row, is_async)
        for pack, row in _rows(table)
        for name in filter(matches, row.names)
        if _speaks_of(row, argument)
        for is_async in ((False, True) if getattr(row, "unless_async", False) else (False,))
    ]
    if not found:
        raise LookupError(f"no row under {table} speaks of {pattern} {argument}".rstrip())
    return found


def _rows(table: str) -> Iterator[tuple[Pack, StartRow]]:
    return ((pack, row) for pack in PACKS for row in getattr(pack, table))


def _speaks_of(row: object, argument: str) -> bool:
    if not argument:
        return True
    assert isinstance(row, RunsRow)
    return any(argument in (given.keyword, given.key, *given.methods) for given in row.callables)
