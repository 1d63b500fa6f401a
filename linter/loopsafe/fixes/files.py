"""Bytes of a file: fixed without touching the others, and written so that a file is the old one or the new one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from loopsafe.findings import FixPlan
from loopsafe.fixes.engine import FixResult, fix_source
from loopsafe.project.sources import decode
from loopsafe.writing import CannotWrite, Folder, Old, open_folder


def fix_bytes(data: bytes, plans: Sequence[FixPlan], width: int | None = None) -> tuple[bytes, FixResult]:
    """Carry out plans on a file's content, in its own encoding, with its byte order mark and line ends.

    Where the content cannot be decoded or encoded again, it is returned as it is and all plans have failed; the
    result's text is then empty. `width` is how long a row may be, where that is known.
    """
    try:
        old = decode(data)
        if old.encode(old.text) != data:
            return _unchanged(data, plans, f"its encoding {old.encoding} does not give the same bytes back")
        result = fix_source(old.text, plans, width)
        return old.encode(result.source), result
    except (SyntaxError, UnicodeError) as error:
        return _unchanged(data, plans, str(error))


def _unchanged(data: bytes, plans: Sequence[FixPlan], reason: str) -> tuple[bytes, FixResult]:
    return data, FixResult("", failed=tuple((plan, reason) for plan in plans))


def write_atomically(path: Path, data: bytes, expected: bytes) -> None:
    """Replace a file's content, keeping its mode, owner and extended attributes. No part of the path may be a link.

    A kill at any moment leaves the old content or the new, and at worst a hidden temporary file beside it.

    Raises:
        CannotWrite: the file is gone, read-only, a link, has other names, does not hold `expected` any more, or cannot
            be replaced.
    """
    try:
        with open_folder(path.parent) as folder:
            old = folder.old(path.name)
            _check_writable(path, folder, old)
            folder.put(path.name, data, old, lambda: _check_unchanged(path, folder, old, expected))
    except CannotWrite:
        raise
    except FileNotFoundError as error:
        raise CannotWrite(f"{path} has vanished") from error
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror or error}") from error


def _check_writable(path: Path, folder: Folder, old: Old) -> None:
    # The superuser may write everything; a file without any write bit is still meant to stay.
    if not old.status.st_mode & 0o222 or not folder.writable(path.name):
        raise CannotWrite(f"{path} is read-only")
    if old.status.st_nlink > 1:
        raise CannotWrite(f"{path} has other names (hard links), which would keep the old text")


def _check_unchanged(path: Path, folder: Folder, old: Old, expected: bytes) -> None:
    # Once more, as close as can be to the moment when it is replaced.
    now = folder.old(path.name)
    if now.content != expected or not os.path.samestat(now.status, old.status):
        raise CannotWrite(f"{path} has changed since it was analysed")
