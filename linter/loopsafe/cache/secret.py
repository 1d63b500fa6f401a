"""What tells this user's entries from all others: a few random bytes, kept with the user's settings."""

from __future__ import annotations

import contextlib
import os
import stat
import time

from loopsafe.cache.folders import Folder

_NAME = "cache-secret"
_SIZE = 32
# Between making the file and writing into it a process may be killed.
_UNFINISHED_SECONDS = 10


def secret(folder: Folder) -> bytes:
    """The secret in this folder, made on first use. Processes that come at once agree on one.

    Raises:
        OSError: it can neither be read nor made, or somebody else could have chosen it.
    """
    with contextlib.suppress(FileNotFoundError):
        return _read(folder)
    with contextlib.suppress(FileExistsError):
        folder.create(_NAME, os.urandom(_SIZE))
    return _read(folder)


def _read(folder: Folder) -> bytes:
    status = folder.status(_NAME)
    others = stat.S_IWGRP | stat.S_IWOTH
    if hasattr(os, "geteuid") and (status.st_uid != os.geteuid() or status.st_mode & others):
        raise PermissionError(f"{_NAME} may be written by others")
    found = folder.read(_NAME, _SIZE)
    if len(found) == _SIZE:
        return found
    if not found and status.st_mtime < time.time() - _UNFINISHED_SECONDS:
        folder.delete(_NAME)
    raise FileNotFoundError(f"{_NAME} is not finished")
