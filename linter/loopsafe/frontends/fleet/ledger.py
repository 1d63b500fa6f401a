"""The results file: a line for each project that is done, from which a run that was killed goes on."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, Any

import msgspec

from loopsafe.frontends.fleet.outcomes import Outcome, Settings, as_json, identity, read_outcome
from loopsafe.frontends.fleet.targets import Target
from loopsafe.frontends.terminal import CannotWork

_FORMAT = 1
_NONE = "is no results file of this loopsafe"


@dataclass
class Ledger:
    """What came of the projects that are done, by their keys; without a file, only here."""

    done: dict[str, Outcome] = field(default_factory=dict)
    _file: IO[bytes] | None = None

    def add(self, target: Target, outcome: Outcome) -> None:
        """Keep an outcome, on the disk before anything else is done.

        Raises:
            OSError: it cannot be written.
        """
        self.done[target.key] = outcome
        if self._file:
            _append(self._file, {"target": target.key, "outcome": outcome})

    def outcome(self, target: Target) -> Outcome:
        """What came of a project that is done."""
        return replace(self.done[target.key], project=target.name)

    def forget_failed(self) -> None:
        """Have what did not go well done again. Its lines stay, and later ones count."""
        self.done = {key: outcome for key, outcome in self.done.items() if outcome.status == "ok"}


@contextlib.contextmanager
def opened(path: str, settings: Settings, resume: bool) -> Iterator[Ledger]:
    """The results file at a path, new or, to `resume`, with what is in it; no path, no file.

    Raises:
        CannotWork: there is one already, or it is of another run, or is no results file, or another run writes to it.
    """
    if not path:
        yield Ledger()
        return
    head = {"format": _FORMAT, **identity(), "settings": msgspec.to_builtins(settings)}
    with _open(path) as file:
        _lock(path, file)
        file.seek(0)
        content = file.read()
        if content and not resume:
            raise CannotWork(f"{path}: is there already; with --resume a run goes on from it")
        ledger = Ledger(_file=file)
        # What stands behind the last end of a row was being written when the run was killed.
        whole = content.rfind(b"\n") + 1
        rows = content[:whole].splitlines()
        if rows:
            _check(path, rows[0], head)
            ledger.done = dict(map(_Reader(path).row, rows[1:], range(2, len(rows) + 1)))
        elif not _written(head).startswith(content):
            raise CannotWork(f"{path}:1: {_NONE}")
        file.truncate(whole)
        if not rows:
            _append(file, head)
        yield ledger


def _open(path: str) -> IO[bytes]:
    try:
        return open(path, "a+b")
    except (OSError, ValueError) as error:
        raise CannotWork(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from error


def _append(file: IO[bytes], value: object) -> None:
    # In one piece, so that what a killed run leaves is a beginning of the line.
    file.write(_written(value))
    file.flush()
    os.fsync(file.fileno())


def _written(value: object) -> bytes:
    return as_json(value).encode() + b"\n"


def _lock(path: str, file: IO[bytes]) -> None:
    """See that no other run writes there; the system gives the lock back however this process ends."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CannotWork(f"{path}: another run writes to it") from error
    except OSError:
        return  # a file system without locks


def _check(path: str, row: bytes, head: Mapping[str, Any]) -> None:
    """See that this run would find what that one did.

    Raises:
        CannotWork: the first row is no head, or is one of other settings or another loopsafe.
    """
    try:
        found = json.loads(row)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise CannotWork(f"{path}:1: {_NONE}")
    # As it is after a way through JSON.
    wanted = json.loads(as_json(head))
    told = list(_differences(found, wanted))
    if told:
        raise CannotWork(f"{path}: was begun with {', '.join(told)}; results are not mixed: name another file")


def _differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for name in ("loopsafe", "python"):
        if found.get(name) != wanted[name]:
            yield f"{name} {found.get(name)}, not {wanted[name]}"
            return
    if found.get("state") != wanted["state"]:
        yield "another state of loopsafe's files"
        return
    old, new = _flat(found.get("settings")), _flat(wanted["settings"])
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield f"{name.replace('_', '-')} {json.dumps(old.get(name))}, not {json.dumps(new.get(name))}"


def _flat(settings: object) -> dict[str, Any]:
    if not isinstance(settings, dict):
        return {}
    selection = settings.get("selection")
    return {**settings, **selection, "selection": None} if isinstance(selection, dict) else settings


@dataclass(frozen=True, slots=True)
class _Reader:
    """Rows of a file that somebody may have changed."""

    path: str

    def row(self, row: bytes, number: int) -> tuple[str, Outcome]:
        """The key and outcome in a row.

        Raises:
            CannotWork: there are none.
        """
        try:
            told = json.loads(row)
            return str(told["target"]), read_outcome(told["outcome"])
        except (ValueError, TypeError, KeyError, RecursionError, msgspec.ValidationError) as error:
            raise CannotWork(f"{self.path}:{number}: is no result: {error}") from error
