"""Whole reports, found by everything they depend on."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import astuple, replace
from typing import Any, NamedTuple

import msgspec

from loopsafe import __version__
from loopsafe.cache.digests import Digests
from loopsafe.cache.store import Store, decoded, digest
from loopsafe.findings import Whole
from loopsafe.project.config import Config
from loopsafe.project.environment import Environment
from loopsafe.project.files import SourceFile

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class _Kept(NamedTuple):
    """A report, and the installed files that it rests on, each with its digest."""

    report: Whole
    beside: list[tuple[str, bytes]]


def key(
    files: Iterable[SourceFile],
    packs: Iterable[str],
    digests: Digests,
    config: Config,
    environment: Environment | None = None,
) -> str:
    """The name of what is found in these files, whichever of them are asked for.

    `packs` are the paths of knowledge that is not loopsafe's own.
    """
    largest = config.max_file_size
    contents: list[Any] = [
        (
            os.fsencode(file.path),
            os.fsencode(file.target),
            (file.own, file.foreign),
            b"" if file.barred else digests.of(file.path, largest),
        )
        for file in files
    ]
    knowledge = [(os.fsencode(path), digests.of(path)) for path in packs]
    # What is done with a report afterwards, and where a setting comes from, makes it no other.
    settings = [ascii(value) for value in astuple(replace(config, baseline="", since="", origins=()))]
    installed = environment.stamps() if environment else []
    made_from = [_program(), os.fsencode(os.getcwd()), settings, knowledge, contents, ascii(installed)]
    return f"report-{digest(msgspec.msgpack.encode(made_from)).hex()}"


def facts_key() -> str:
    """The name of the facts that this program extracts."""
    return f"facts-{digest(msgspec.msgpack.encode(_program())).hex()}"


def load(store: Store, name: str, digests: Digests) -> Whole | None:
    """The report of this name, if there is one and the installed files are as they were."""
    kept = decoded(store.read(name), _Kept)
    if kept is None or any(digests.of(path) != digest for path, digest in kept.beside):
        return None
    return kept.report


def save(store: Store, name: str, report: Whole, digests: Digests) -> None:
    """Keep a report; one that names files whose names are not text is not kept."""
    kept = _Kept(report, [(path, digests.of(path)) for path in report.beside])
    with contextlib.suppress(UnicodeEncodeError):
        store.write(name, msgspec.msgpack.encode(kept))


def _program() -> list[object]:
    """What analyses: this Python and loopsafe, whose files tell one state of a checkout from another."""
    return [__version__, sys.version, sorted(_stamps(_PACKAGE))]


def _stamps(folder: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _stamps(entry.path)
            else:
                status = entry.stat()
                yield entry.path, status.st_size, status.st_mtime_ns
