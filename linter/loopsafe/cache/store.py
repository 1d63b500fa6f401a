"""Entries by name, each whole or absent, each by this user, at most so many bytes, safe to use from many processes.

Every failure to read or write is a miss: a cache may make a run faster, never make it fail.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from loopsafe.cache.folders import Folder

try:
    # What hashlib gives under this name, without OpenSSL, which nothing here needs and every run would wait for.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

_DIGEST_SIZE = 16
_CHECK_SIZE = 32

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
    """A folder of entries. `largest` bounds the bytes of all that is kept, here and elsewhere.

    `secret` is part of their checksums: an entry made by whoever does not know it is no entry. Reading and writing
    never raise `OSError`.
    """

    folder: Folder
    secret: bytes
    largest: int

    def read(self, name: str) -> bytes | None:
        """An entry's content; None where there is none, or what is there is not what was written."""
        try:
            whole = self.folder.read(name, self.largest + _CHECK_SIZE)
        except OSError:
            return None
        content = memoryview(whole)[_CHECK_SIZE:]
        if self._checksum(name, content) != whole[:_CHECK_SIZE]:
            self.delete(name)
            return None
        with contextlib.suppress(OSError):
            self.folder.touch(name)
        return bytes(content)

    def write(self, name: str, content: bytes) -> None:
        """Put an entry in its place, unless it is too large to stay there; readers see the old one or the new one."""
        if len(content) <= self.largest:
            with contextlib.suppress(OSError):
                self.folder.write(name, self._checksum(name, content), content)

    def delete(self, name: str) -> None:
        """Take an entry away."""
        with contextlib.suppress(OSError):
            self.folder.delete(name)

    def _checksum(self, name: str, content: bytes | memoryview) -> bytes:
        # With its place: an entry that was copied to another says something else there.
        place = f"{os.path.basename(self.folder.path)}/{name}/".encode()
        checksum = blake2b(place, digest_size=_CHECK_SIZE, key=self.secret)
        checksum.update(content)
        return checksum.digest()
