"""The form of a pack: one library's classes, functions, thread origins, crossings and loop-bound operations.

Every row names what it is about (`names`, dotted; a method is `package.Class.method`) and its `source`. Positions count
from 0 and leave `self` out.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Runs = Literal["thread", "loop", "own-loop", "here", "signal", "finalizer", "process"]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all rows have: the names it speaks of, and where that was read or measured."""

    names: tuple[str, ...]
    source: str
    note: str = ""


class ClassRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A class. The first of `names` is the one used elsewhere; the others are where else it can be imported from.

    `bases` are its library base classes. `attributes` maps attributes to the class they hold. `loop` is how the object's
    own loop is reached (`{}` stands for the object), where there is a public way.
    """

    bases: tuple[str, ...] = ()
    attributes: dict[str, str] = {}
    loop: str = ""
    loop_bound: bool = False


class ResultRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What calling gives: the name of a class, or `argument N` for one of its arguments unchanged.

    `awaited` is what awaiting the result gives; `items` are the positions of a tuple. With `existing` the object was there
    before: the call makes nothing.
    """

    gives: str = ""
    awaited: str = ""
    items: tuple[str, ...] = ()
    existing: bool = False


class Callable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which argument is the callable: by position, by keyword or both; `rest_from` means all arguments from there on.

    With `key`, the argument is a dict and the callable stands under that key.
    """

    position: int | None = None
    keyword: str = ""
    rest_from: int | None = None
    key: str = ""


class Passed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the callable's own arguments are given: the positions after `rest_from`, or a tuple and a dict argument."""

    rest_from: int | None = None
    args: Callable | None = None
    kwargs: Callable | None = None
    keywords: bool = False
    skip_keywords: tuple[str, ...] = ()


class RunsRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A function that runs a callable argument somewhere.

    `where`: `thread` (another thread), `loop` (the loop's thread; for a method of a loop that very loop), `own-loop` (a
    loop of its own, on this thread), `here` (before it returns, on this thread), `signal`, `finalizer`, `process`.
    `unless_async` says that an `async def` runs on the loop instead; `likely` that it may now and then run on the loop too.
    """

    where: Runs
    callables: tuple[Callable, ...]
    passes: Passed = Passed()
    coroutine: bool = False
    crossing: bool = False
    loop_argument: Callable | None = None
    unless_async: bool = False
    executor: Callable | None = None
    likely: bool = False


class OverrideRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Methods of a library base class that the library calls somewhere. `names` are `package.Class.method`."""

    where: Runs


class OperationRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An operation that may be done only where the object's loop runs.

    `category` picks the rule. `fix` says how it is put right: `pass` (hand the operation itself to the crossing), `rename`
    to `twin`, `coroutine` (hand the coroutine to run_coroutine_threadsafe), `none`. `crossing` is the text of the crossing
    call where it is not the loop's own `call_soon_threadsafe`.
    """

    category: Literal[
        "channel", "queue", "sync-primitive", "future", "loop-call", "transport", "task-creation", "framework", "lookup"
    ]
    fix: Literal["pass", "rename", "coroutine", "none"] = "pass"
    twin: str = ""
    crossing: str = ""
    expects: tuple[str, ...] = ()
    needs_running_loop: bool = False


class LoopRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A method that runs its loop on the calling thread (`run_forever`), or a function that makes and runs one."""


class TestRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A function whose result tells threads or loops apart (`threading.get_ident`, `asyncio.get_running_loop`)."""

    tells: Literal["thread", "loop", "running"]


class Pack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """One library. It applies where the project imports one of `imports` (always where that is empty)."""

    library: str
    version: str
    imports: tuple[str, ...] = ()
    classes: tuple[ClassRow, ...] = ()
    results: tuple[ResultRow, ...] = ()
    runs: tuple[RunsRow, ...] = ()
    overrides: tuple[OverrideRow, ...] = ()
    operations: tuple[OperationRow, ...] = ()
    loops: tuple[LoopRow, ...] = ()
    tests: tuple[TestRow, ...] = ()
