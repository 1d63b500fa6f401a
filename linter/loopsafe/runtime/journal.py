"""What is seen, written down: on standard error, and in a file, one JSON object a line.

Lines are appended whole, so that several processes may write into one file, and what was seen is kept however they end.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from loopsafe.runtime.violations import Violation, from_json

FILE = "LOOPSAFE_GUARD_JSON"
"""The environment's name for the file."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


def harmless(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
    """What the function gives. That it fails is said, and is no business of the program that is watched: then None."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        complain(f"something cannot be watched or told: {type(error).__name__}: {error}")
        return None


@functools.lru_cache(maxsize=100)
def complain(text: str) -> None:
    """Say on standard error, once, what ails the guard, if that can be said."""
    with contextlib.suppress(Exception):
        _print(f"loopsafe: {text}")


class Journal:
    """Writes each place down once. An empty path writes nothing."""

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path) if path else ""
        self._written: set[tuple[str, str, int]] = set()

    def begin(self) -> None:
        """Begin the file anew."""
        if self._path:
            with open(self._path, "w", encoding="utf-8"):
                self._written.clear()

    def write(self, violation: Violation) -> None:
        """Add a violation, unless its place is known."""
        if not self._path or violation.key in self._written:
            return
        self._written.add(violation.key)
        line = f"{violation.as_json()}\n".encode()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def read(lines: Iterable[str]) -> list[Violation]:
    """What a file says was seen, each place once.

    Raises:
        ValueError: a line, which is named, is none of a journal.
    """
    found: dict[tuple[str, str, int], Violation] = {}
    for row, line in enumerate(lines, 1):
        if line.strip():
            try:
                violation = from_json(line)
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise ValueError(f"row {row} is not one of a guard's: {error}") from error
            found.setdefault(violation.key, violation)
    return list(found.values())


def tell(violation: Violation) -> None:
    """Print it to standard error."""
    _print(str(violation))


def _print(text: str) -> None:
    if sys.stderr is not None:
        print(text, file=sys.stderr, flush=True)
