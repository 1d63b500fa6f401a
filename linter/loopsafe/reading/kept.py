"""Facts of files as they were, kept in the cache by content."""

from __future__ import annotations

from typing import Protocol

import msgspec

from loopsafe.cache.store import Store, decoded, digest
from loopsafe.project.notebooks import is_notebook
from loopsafe.project.sources import Source


class Known(Protocol):
    """Packed facts by the digest of the content that they are of."""

    def get(self, content: bytes) -> bytes | None:
        """The facts of this content."""

    def add(self, content: bytes, packed: bytes) -> None:
        """Keep these."""

    def save(self) -> None:
        """Whatever was asked for or added until now is there in the next run."""


def digest_of(path: str, content: bytes, source: Source) -> bytes:
    """What facts are kept by: of a notebook, the text that they are of, not what the file holds beside it."""
    return digest(source.text.encode("utf-8", "surrogatepass") if is_notebook(path) else content)


class Nothing:
    """Nothing is known and nothing kept."""

    def get(self, content: bytes) -> None:
        """None."""

    def add(self, content: bytes, packed: bytes) -> None:
        """Forget it."""

    def save(self) -> None:
        """There is nothing."""


_PARTS = 16


class Kept:
    """The facts of a project in a store: thousands of small files would take longer to read.

    In parts, by the first digits of the digests, so that an edit does not write all of them anew.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._names = store, [f"{name}-{part:x}" for part in range(_PARTS)]
        self._known = [decoded(store.read(part), dict[bytes, bytes]) or {} for part in self._names]
        self._used: dict[bytes, bytes] = {}

    def get(self, content: bytes) -> bytes | None:
        """The facts of this content."""
        packed = self._known[_part(content)].get(content)
        if packed is not None:
            self._used[content] = packed
        return packed

    def add(self, content: bytes, packed: bytes) -> None:
        """Keep these."""
        self._used[content] = packed

    def save(self) -> None:
        """Whatever was asked for or added until now is there in the next run; from here on nothing is known.

        Where that is too much, a part is: always the same, so that not each run drives out what the last one kept.
        """
        parts: list[dict[bytes, bytes]] = [{} for _ in self._names]
        # Beside them there is a report, and an index of the files.
        left = self._store.largest // 4 * 3
        for content in sorted(self._used):
            left -= len(self._used[content])
            if left >= 0:
                parts[_part(content)][content] = self._used[content]
        for name, known, used in zip(self._names, self._known, parts, strict=True):
            if used.keys() != known.keys():
                self._store.write(name, msgspec.msgpack.encode(used)) if used else self._store.delete(name)
        # The analysis needs the memory.
        self._known, self._used = [{} for _ in self._names], {}


def _part(content: bytes) -> int:
    return int.from_bytes(content[:1], "big") * _PARTS // 256
