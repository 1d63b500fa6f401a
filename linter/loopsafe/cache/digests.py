"""Which content each file has, without reading those that have not changed since they were last read."""

from __future__ import annotations

import contextlib
import os
import time

import msgspec

from loopsafe.cache.store import Store, decoded, digest
from loopsafe.project.sources import LARGEST, read_regular

_INDEX = "files"
# A file may change twice within one tick of the file system's clock; this is longer than any such tick.
TICK = 2 * 10**9

# Size, times of last change to content and to anything else, inode.
_Stamp = tuple[int, int, int, int]
_Index = dict[str, tuple[_Stamp, bytes]]


class Digests:
    """Digests of files by path. A file that cannot be read has one, too: it says why."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = decoded(store.read(_INDEX), _Index) or {}
        self._used: _Index = {}

    def of(self, path: str, largest: int = LARGEST) -> bytes:
        """The digest of what a file of at most so many bytes holds now."""
        try:
            stamp = _stamp(os.stat(path))
            known = self._used.get(path) or self._known.get(path)
            if known is None or known[0] != stamp:
                self.read(path, largest)
                known = self._used[path]
        except OSError as error:
            return f"unreadable: {error.errno}".encode()
        self._used[path] = known
        return known[1]

    def read(self, path: str, largest: int = LARGEST) -> bytes:
        """A file's content. Its digest is from now on that of what is returned here.

        Raises:
            OSError: it cannot be read.
        """
        content, status = read_regular(path, largest)
        self._used[path] = (_stamp(status), digest(content))
        return content

    def save(self) -> None:
        """Keep for the next run the digests that were asked for in this one."""
        if self._used == self._known:
            return
        now = time.time_ns()
        sure = {path: entry for path, entry in self._used.items() if max(entry[0][1:3]) < now - TICK}
        # Names of files need not be text.
        with contextlib.suppress(UnicodeEncodeError):
            self._store.write(_INDEX, msgspec.msgpack.encode(sure))


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
