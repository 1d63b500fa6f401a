"""Facts of files as they were, kept in the cache by content."""

from __future__ import annotations

from typing import Protocol

import msgspec

from loopsafe.cache.store import Store, decoded


class Known(Protocol):
    """Packed facts by the digest of the content that they are of."""

    def get(self, content: bytes) -> bytes | None:
        """The facts of this content."""

    def add(self, content: bytes, packed: bytes) -> None:
        """Keep these."""

    def save(self) -> None:
        """Whatever was asked for or added until now is there in the next run."""


class Nothing:
    """Nothing is known and nothing kept."""

    def get(self, content: bytes) -> None:
        """None."""

    def add(self, content: bytes, packed: bytes) -> None:
        """Forget it."""

    def save(self) -> None:
        """There is nothing."""


class Kept:
    """The facts of a project, one entry in a store: thousands of small files would take longer to read."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self._known = decoded(store.read(name), dict[bytes, bytes]) or {}
        self._used: dict[bytes, bytes] = {}

    def get(self, content: bytes) -> bytes | None:
        """The facts of this content."""
        packed = self._known.get(content)
        if packed is not None:
            self._used[content] = packed
        return packed

    def add(self, content: bytes, packed: bytes) -> None:
        """Keep these."""
        self._used[content] = packed

    def save(self) -> None:
        """Whatever was asked for or added until now is there in the next run; from here on nothing is known."""
        if self._used.keys() != self._known.keys():
            self._store.write(self._name, msgspec.msgpack.encode(self._used))
        # The analysis needs the memory.
        self._known, self._used = {}, {}
