"""Bytes of a file: fixed without touching the others, and written so that a file is the old one or the new one."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from loopsafe.findings import FixPlan
from loopsafe.fixes.engine import FixResult, fix_source
from loopsafe.sources import decode


class CannotWrite(OSError):
    """A file was left as it is. The message names it and says why."""


def fix_bytes(data: bytes, plans: Sequence[FixPlan]) -> tuple[bytes, FixResult]:
    """Carry out plans on a file's content, in its own encoding, with its byte order mark and line ends.

    Where the content cannot be decoded or encoded again, it is returned as it is and all plans have failed; the
    result's text is then empty.
    """
    try:
        old = decode(data)
        if old.encode(old.text) != data:
            return _unchanged(data, plans, f"its encoding {old.encoding} does not give the same bytes back")
        result = fix_source(old.text, plans)
        return old.encode(result.source), result
    except (SyntaxError, UnicodeError) as error:
        return _unchanged(data, plans, str(error))


def _unchanged(data: bytes, plans: Sequence[FixPlan], reason: str) -> tuple[bytes, FixResult]:
    return data, FixResult("", failed=tuple((plan, reason) for plan in plans))


def write_atomically(path: Path, data: bytes, expected: bytes) -> None:
    """Replace a file's content, keeping its mode and owner. A symbolic link is followed and stays a link.

    A kill at any moment leaves the old content or the new, and at worst a hidden temporary file beside it.

    Raises:
        CannotWrite: the file is gone, read-only, no longer has the content `expected`, or cannot be replaced.
    """
    try:
        # Path.resolve() raises a RuntimeError for a loop of links.
        target = Path(os.path.realpath(path, strict=True))
        status = target.stat()
        _check_writable(path, target, status)
        _replace(path, target, status, data, expected)
    except CannotWrite:
        raise
    except FileNotFoundError as error:
        raise CannotWrite(f"{path} has vanished") from error
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror or error}") from error


def _check_writable(path: Path, target: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise CannotWrite(f"{path} is not a regular file")
    # The superuser may write everything; a file without any write bit is still meant to stay.
    if not status.st_mode & 0o222 or not os.access(target, os.W_OK):
        raise CannotWrite(f"{path} is read-only")


def _replace(path: Path, target: Path, status: os.stat_result, data: bytes, expected: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            _keep_owner_and_mode(path, file.fileno(), name, status)
            os.fsync(file.fileno())
        if target.read_bytes() != expected:
            raise CannotWrite(f"{path} has changed since it was analysed")
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
    _sync_folder(target.parent)


def _keep_owner_and_mode(path: Path, descriptor: int, name: str, status: os.stat_result) -> None:
    if hasattr(os, "fchown"):
        made = os.fstat(descriptor)
        if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
            try:
                os.fchown(descriptor, status.st_uid, status.st_gid)
            except PermissionError as error:
                raise CannotWrite(f"{path} belongs to another user or group, which could not be kept") from error
    # After the owner: changing that clears set-user-id bits.
    os.chmod(name, stat.S_IMODE(status.st_mode))


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where folders can be opened."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
