"""Starts the guard with Python itself, where the environment asks for it: `LOOPSAFE_GUARD=report`.

`loopsafe_guard.pth` calls this in each Python of an environment that has loopsafe, `startup/sitecustomize.py` in the
programs of `loopsafe run`. Nothing of ours is loaded before asyncio or trio is. What is needed of the standard library
is: later the folder of a script is on the path, where a file may have such a name.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loopsafe.runtime.violations import Violation

ACTION = "LOOPSAFE_GUARD"
_FIRST = ("asyncio", "trio")
_OFF = ("", "0", "off")
_NEEDED = (
    "ast", "atexit", "ctypes", "dataclasses", "importlib.abc", "inspect", "itertools", "json", "linecache", "re",
    "sysconfig", "threading", "tokenize", "typing", "warnings", "weakref",
)  # fmt: skip
_started: list[Callable[[], None]] = []


def start() -> None:
    """Install the guard as soon as there is something to watch."""
    if os.environ.get(ACTION, "").lower() in _OFF or _started:
        return
    for name in _NEEDED:
        # Where it fails, the guard will say so when it is to begin.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    if any(name in sys.modules for name in _FIRST):
        _started.append(_nothing)
        _install()
        return

    from loopsafe.runtime.imports import after_import

    _started.append(after_import(_loaded))


def _loaded(module: ModuleType) -> None:
    if module.__name__ in _FIRST:
        _started[0]()
        _install()


def _install() -> None:
    try:
        _watch()
    except Exception as error:
        # Not by `journal`, which may be what cannot be loaded.
        with contextlib.suppress(Exception):
            assert sys.stderr
            print(f"loopsafe: the guard is off: {type(error).__name__}: {error}", file=sys.stderr)


def _watch() -> None:
    import atexit

    from loopsafe.runtime import guard
    from loopsafe.runtime.journal import FILE, Journal, complain, harmless, tell

    journal = Journal(os.environ.get(FILE, ""))

    def listen(violation: Violation) -> None:
        harmless(journal.write, violation)
        tell(violation)

    try:
        installed = guard.install(os.environ[ACTION], listen)  # type: ignore[arg-type]
    except ValueError as error:
        complain(f"{ACTION}: {error}")
        return
    atexit.register(_sum_up, installed)


def _sum_up(guard: object) -> None:
    from loopsafe.runtime.journal import complain

    places = len(getattr(guard, "seen", ()))
    if places:
        told = "1 place" if places == 1 else f"{places} places"
        complain(f"objects of a loop were touched off its thread at {told}, told above.")


def _nothing() -> None:
    """There was nothing to wait for."""
