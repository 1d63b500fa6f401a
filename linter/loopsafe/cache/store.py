"""The cache's folder: entries by name, each whole or absent, at most so many bytes, safe to use from many processes.

Every failure to read or write is a miss: a cache may make a run faster, never make it fail.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

import msgspec

FOLDER = ".loopsafe_cache"
ELSEWHERE = "LOOPSAFE_CACHE_DIR"

_DIGEST_SIZE = 16
# Facts of a million lines are 70 MB.
_LARGEST = 256 << 20
_LOCKS = 16
# Whatever writes for longer than this has been killed.
_ABANDONED_SECONDS = 3600
_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This folder was made by loopsafe and can be deleted. On cache folders: https://bford.info/cachedir/\n"
)


_Kind = TypeVar("_Kind")


def decoded(content: bytes | None, kind: type[_Kind]) -> _Kind | None:
    """What an entry says, as plain data of this kind; None where there is no entry, or one of another kind."""
    try:
        return None if content is None else msgspec.msgpack.decode(content, type=kind)
    except msgspec.MsgspecError:
        return None


def digest(data: bytes) -> bytes:
    """A short name for this content."""
    return blake2b(data, digest_size=_DIGEST_SIZE).digest()


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of entries; `largest` bounds their bytes in all. Reading and writing never raise `OSError`."""

    folder: str
    largest: int = _LARGEST

    def read(self, name: str) -> bytes | None:
        """An entry's content; None where there is none, or what is there is not what was written."""
        path = self._path(name)
        try:
            with open(path, "rb") as file:
                checksum, content = file.read(_DIGEST_SIZE), file.read()
        except OSError:
            return None
        if digest(content) != checksum:
            with contextlib.suppress(OSError):
                os.unlink(path)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # says that it was of use
        return content

    def write(self, name: str, content: bytes) -> None:
        """Put an entry in its place; readers see the old one or the new one."""
        temporary = self._path(f"{name}.{os.getpid()}.{time.monotonic_ns()}.tmp")
        try:
            self._prepare()
            with open(temporary, "wb") as file:
                file.write(digest(content))
                file.write(content)
            os.replace(temporary, self._path(name))
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            return
        self._evict()

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """While no other process does work of this name; where the system has no locks, without waiting."""
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                self._prepare()
                # Not one for each name: lock files must not be deleted while in use, so there are only so many.
                file = stack.enter_context(open(self._path(f"{digest(name.encode())[0] % _LOCKS}.lock"), "ab"))
                _wait_for(file.fileno())
            yield

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def _prepare(self) -> None:
        if os.path.isdir(self.folder):
            return
        os.makedirs(self.folder, exist_ok=True)
        for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", _TAG)):
            with open(self._path(name), "w", encoding="utf-8") as file:
                file.write(text)

    def _evict(self) -> None:
        """Delete what has not been of use for longest, until the rest is small enough."""
        entries = sorted(self._entries(), reverse=True)
        kept, now = 0, time.time_ns()
        for used, size, path in entries:
            kept += size
            abandoned = path.endswith(".tmp") and used < now - _ABANDONED_SECONDS * 10**9
            if kept > self.largest or abandoned:
                with contextlib.suppress(OSError):
                    os.unlink(path)

    def _entries(self) -> Iterator[tuple[int, int, str]]:
        """When each file was last of use, its size and its path."""
        with contextlib.suppress(OSError), os.scandir(self.folder) as found:
            for entry in found:
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if not entry.name.endswith((".lock", ".gitignore", "CACHEDIR.TAG")):
                        yield status.st_mtime_ns, status.st_size, entry.path


def open_store(root: str) -> Store | None:
    """The cache of the project at `root`; None where somebody else's stands in its place."""
    folder = os.environ.get(ELSEWHERE) or os.path.join(root, FOLDER)
    try:
        owner = os.lstat(folder).st_uid
    except OSError:
        return Store(folder)
    # In a folder that all may write to, another user could put findings into our mouth.
    return Store(folder) if not hasattr(os, "geteuid") or owner == os.geteuid() else None


def clean(root: str) -> str | None:
    """Delete the cache of the project at `root`; the folder deleted, None where there was none.

    Raises:
        OSError: it cannot be deleted.
    """
    store = open_store(root)
    if store is None or not os.path.isfile(os.path.join(store.folder, "CACHEDIR.TAG")):
        return None
    shutil.rmtree(store.folder)
    return store.folder


def _wait_for(descriptor: int) -> None:
    """Take the lock of an open file. The system gives it back when the file is closed, however the process ends."""
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)
