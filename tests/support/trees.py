"""What a folder holds, to compare it with what it holds later."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def snapshot(folder: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a folder by its path: its mode, when it was changed, and its content or where it leads."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = os.lstat(path)
        held: object = None
        if stat.S_ISREG(status.st_mode):
            held = path.read_bytes()
        elif stat.S_ISLNK(status.st_mode):
            held = os.readlink(path)
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_mtime_ns, held)
    return found
