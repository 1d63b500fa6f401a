"""What was seen: one violation, as text, as a line of JSON, and whether a comment silences it."""

from __future__ import annotations

import json
import linecache
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from types import CodeType, FrameType
from typing import TYPE_CHECKING

from loopsafe.runtime.rows import NAMES

if TYPE_CHECKING:
    from loopsafe.project.noqa import NoqaLines


@dataclass(frozen=True, slots=True)
class Spot:
    """A row that a thread or a task stands on. `path` is absolute."""

    path: str
    row: int
    function: str
    source: str

    def __str__(self) -> str:
        return f"{shown(self.path)}:{self.row}"


@dataclass(frozen=True, slots=True)
class Violation:
    """An operation on a thread that does not run the loop of its object.

    Attributes:
        code: the rule, LSF and three digits.
        api: what was done, by its name in the library.
        place: the row to change: of the call that leaves the code of the thread.
        stack: where the thread stands, from the inside out, in the program's own files.
        thread: its name.
        loop: the loop of the object, in words.
        loop_thread: the name of the thread that runs it.
        waiting: where the tasks stand that wait for the object; where nobody does, where the loop's thread stands.
        waits: whether somebody waits for it.
        second_loop: whether a loop runs on this thread, another one.
        start: the row that started the thread, or gave an executor this job, if it is known.
    """

    code: str
    api: str
    place: Spot
    stack: tuple[Spot, ...]
    thread: str
    loop: str
    loop_thread: str
    waiting: tuple[Spot, ...]
    waits: bool
    second_loop: bool = False
    start: Spot | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        """What is told of once: a rule at a row."""
        return self.code, self.place.path, self.place.row

    @property
    def name(self) -> str:
        """The name of the rule."""
        return NAMES[self.code]

    @property
    def message(self) -> str:
        """What is wrong, on one line."""
        if self.code == "LSF205":
            return f"`{self.api}` waits on `{self.thread}` for the loop that runs there; await it"
        where = f"another loop, on `{self.thread}`" if self.second_loop else f"`{self.thread}`"
        return f"`{self.api}` runs on {where}; its loop runs on `{self.loop_thread}`: use `call_soon_threadsafe`"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The message, the row, and both stacks."""
        yield f"{self.place}: {self.code} {self.message}"
        yield f"    {self.place.row:>7} | {self.place.source}"
        yield f"    used on {self.thread}{' by another loop' if self.second_loop else ''}"
        yield from map(_told, self.stack)
        if self.start:
            yield f"    started at {self.start} in {self.start.function}  {self.start.source}"
        yield f"    belongs to {self.loop} on {self.loop_thread}{', where somebody waits for it' if self.waits else ''}"
        yield from map(_told, self.waiting)

    def as_json(self) -> str:
        """One line: an object with `code`, `name`, `message` and all that is said above."""
        return json.dumps({"name": self.name, "message": self.message, **asdict(self)})


def from_json(line: str) -> Violation:
    """A violation from its line.

    Raises:
        ValueError, TypeError, KeyError: it is no such line.
    """
    told = json.loads(line)
    stack, waiting = (tuple(Spot(**one) for one in told[name]) for name in ("stack", "waiting"))
    plain = {name: told[name] for name in ("code", "api", "thread", "loop", "loop_thread", "waits", "second_loop")}
    if plain["code"] not in NAMES:
        raise ValueError(f"{plain['code']}: no such rule")
    start = Spot(**told["start"]) if told["start"] else None
    return Violation(place=Spot(**told["place"]), stack=stack, waiting=waiting, start=start, **plain)


class LoopSafetyError(RuntimeError):
    """An operation was about to be done on the wrong thread. Nothing has been changed."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(str(violation))
        self.violation = violation

    def __reduce__(self) -> tuple[type[LoopSafetyError], tuple[Violation]]:
        return type(self), (self.violation,)


def spot(frame: FrameType) -> Spot:
    """Where a frame stands."""
    return spot_at(frame.f_code, frame.f_lineno or frame.f_code.co_firstlineno)


def spot_at(code: CodeType, row: int) -> Spot:
    """A row of a function."""
    path = os.path.abspath(code.co_filename) if not code.co_filename.startswith("<") else code.co_filename
    return Spot(path, row, function_name(code), linecache.getline(code.co_filename, row).strip())


def spots(stack: Iterable[FrameType], most: int = 12) -> tuple[Spot, ...]:
    """Where the frames stand; of a deep stack, the innermost."""
    return tuple(spot(frame) for _, frame in zip(range(most), stack, strict=False))


def function_name(code: CodeType) -> str:
    """The name of a function, with its class where Python knows it."""
    name: str = getattr(code, "co_qualname", code.co_name)
    return name


def silenced(place: Spot, code: str) -> bool:
    """Whether a `# noqa` counts for the row."""
    return _noqa(place.path).silences(place.row, code)


def shown(path: str) -> str:
    """The path as it is printed: relative to the working directory where it lies below it."""
    try:
        near = os.path.relpath(path)
    except (OSError, ValueError):
        return path
    return path if near.startswith("..") or path.startswith("<") else near


def _told(one: Spot) -> str:
    return f"        {one} in {one.function}  {one.source}"


@lru_cache(maxsize=1000)
def _noqa(path: str) -> NoqaLines:
    # Only a violation pays for loading it.
    from loopsafe.project.noqa import NoqaLines

    return NoqaLines("".join(linecache.getlines(path)))
