"""What the server and the process that analyses say to each other: values, pickled, each after its length."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from loopsafe.findings import Problem, Report
from loopsafe.frontends.options import Selection
from loopsafe.frontends.server.analyst.layout import RowMap
from loopsafe.traces import Running

_LENGTH = struct.Struct("<I")
HEAD = _LENGTH.size
"""Bytes in front of a message, which `length_of` reads."""

Rows: TypeAlias = dict[str, dict[int, str]]
"""Rows of files by path and number: those in which a column is another one in other encodings."""


@dataclass(frozen=True, slots=True)
class Analyse:
    """Say what is found at these paths. `texts` stand in for files, by real path."""

    number: int
    paths: tuple[str, ...]
    texts: Mapping[str, str]
    selection: Selection


@dataclass(frozen=True, slots=True)
class Fix:
    """Work out what `loopsafe fix` would write into these paths."""

    number: int
    paths: tuple[str, ...]
    texts: Mapping[str, str]
    selection: Selection
    unsafe: bool = False


@dataclass(frozen=True, slots=True)
class Going:
    """How far the work is: files read, or values followed, of which nobody knows how many there are."""

    number: int
    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A text that is no Python now, why, and the text that was analysed for it; None where that is what is on disk."""

    problem: Problem
    instead: str | None


@dataclass(frozen=True, slots=True)
class Begun:
    """The folders of all projects that there are, and the texts that are not analysed as they are, by real path."""

    number: int
    roots: tuple[str, ...]
    broken: Mapping[str, Broken]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a project. `here` is the folder that paths in it count from.

    `quiet` are the places, as path, row and code, at which a file is not told of a finding that another is told of.
    """

    number: int
    root: str
    here: str
    report: Report
    quiet: frozenset[tuple[str, int, str]]
    rows: Rows


@dataclass(frozen=True, slots=True)
class Shifted:
    """What was found in a project still is, in other rows of these files, by their paths as shown."""

    number: int
    root: str
    maps: Mapping[str, RowMap]


@dataclass(frozen=True, slots=True)
class Part:
    """The functions of one file, packed, and the position of the first of them among those of the project.

    With each come the positions of those that it leads to.
    """

    path: str
    first: int
    packed: bytes

    def functions(self) -> list[tuple[Running, tuple[int, ...]]]:
        """The functions, in order of row."""
        found: list[tuple[Running, tuple[int, ...]]] = pickle.loads(self.packed)
        return found


@dataclass(frozen=True, slots=True)
class Places:
    """Where the functions of a project run, file by file."""

    number: int
    root: str
    here: str
    parts: tuple[Part, ...]
    rows: Rows


@dataclass(frozen=True, slots=True)
class Done:
    """All is said that has changed since the last time."""

    number: int


@dataclass(frozen=True, slots=True)
class Fixed:
    """New texts by real path, and a line for each finding that could have been fixed and is not."""

    number: int
    changes: Mapping[str, str]
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing comes of it, and why."""

    number: int
    message: str


Question: TypeAlias = "Analyse | Fix"
Answer: TypeAlias = "Going | Begun | Found | Shifted | Places | Done | Fixed | Failed"
Send: TypeAlias = Callable[[Answer], None]


def framed(message: object) -> bytes:
    """A message with its length in front."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(content)) + content


def length_of(head: bytes) -> int:
    """How many bytes follow."""
    (length,) = _LENGTH.unpack(head)
    return int(length)


@dataclass(slots=True)
class Frames:
    """Messages out of a stream that comes in pieces."""

    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, piece: bytes) -> Iterable[bytes]:
        """The contents that are complete with this piece."""
        self._rest += piece
        while len(self._rest) >= HEAD and len(self._rest) >= (end := HEAD + length_of(bytes(self._rest[:HEAD]))):
            content = bytes(self._rest[HEAD:end])
            del self._rest[:end]
            yield content
