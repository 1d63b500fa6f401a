"""The pushed bytes, as container readers see them.

Readers are generators written as if they could block: `head = yield from source.take(4)`. Where the bytes are not there
yet, the generator yields None and is resumed when more have come. A reader that waits is an object, not a thread.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from reference_decoder.errors import NotStreamableError, TruncatedError

T = TypeVar("T")
# A step of reading: yields None while it waits for bytes, and returns a value in the end.
Reading = Generator[None, None, T]

_PIECE = 1 << 16


class Source:
    """Bytes in order. Chunks are joined, all at once, when something reaches over their border."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.ended = False
        # Nothing more will come for a while: what is whole so far is to be handed on.
        self.paused = False
        self.offset = 0
        self.lost = 0
        self._head = b""
        self._at = 0
        self._chunks: list[memoryview] = []
        self._size = 0

    def append(self, chunk: memoryview) -> None:
        """Add bytes at the end."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        self.paused = False

    def more(self) -> Reading[bool]:
        """Wait for a byte; False where none will come, or not soon."""
        while not (self._size or self.ended or self.paused):
            yield None
        return self._size > 0

    def take(self, count: int) -> Reading[bytes]:
        """The next `count` bytes; fewer only at the end of the input."""
        data = yield from self.peek(count)
        self._drop(len(data))
        return data

    def exactly(self, count: int, what: str) -> Reading[bytes]:
        """The next `count` bytes, which are part of something: an end before them is an error."""
        data = yield from self.take(count)
        if len(data) < count:
            raise TruncatedError(f"{what} of {count} bytes cut short after {len(data)}")
        return data

    def peek(self, count: int, ahead: int = 0) -> Reading[bytes]:
        """`count` bytes, so far ahead, which stay; fewer only at the end of the input."""
        if len(self._head) - self._at < ahead + count:
            yield from self._gather(ahead + count)
        start = self._at + ahead
        return self._head[start : start + count]

    def some(self, most: int, align: int = 1) -> Reading[bytes]:
        """What is there, at most `most` bytes and a multiple of `align`; b"" when there will be none."""
        yield from self.peek(align)
        count = min(most, max(len(self._head) - self._at, align))
        return (yield from self.take(count - count % align)) if self._size >= align else b""

    def skip(self, count: int) -> Reading[int]:
        """Drop bytes without keeping them; how many were missing."""
        while count > 0 and (piece := (yield from self.some(min(count, _PIECE)))):
            count -= len(piece)
        return count

    def lose(self, until: bytes) -> Reading[None]:
        """Drop a byte that makes no sense, and of what is there everything up to `until`."""
        yield from self.take(1)
        found = self._head.find(until, self._at)
        junk = (found if found >= 0 else len(self._head)) - self._at
        self._drop(junk)
        self.lost += 1 + junk

    def find(self, needle: bytes, start: int) -> Reading[tuple[int, bool]]:
        """How far ahead `needle` stands, no nearer than `start`, and True.

        Where the input ends or pauses before it, how much there is, and False.
        """
        while (found := self._head.find(needle, self._at + start)) < 0:
            joined = len(self._head) - self._at
            start = max(start, joined - len(needle) + 1)
            while self._size <= joined:
                if self.ended or self.paused:
                    return joined, False
                yield None
            yield from self._gather(joined + 1)
        return found - self._at, True

    def seek(self, needle: bytes, start: int) -> int:
        """How far ahead `needle` stands, no nearer than `start`, in what is joined; below 0 where it does not."""
        return self._head.find(needle, self._at + start) - self._at

    def clear(self, needle: bytes) -> int:
        """How many bytes stand before `needle`, or before what may be the beginning of it; of those that are joined."""
        found = self._head.find(needle, self._at)
        if found < 0:
            tails = (size for size in range(len(needle) - 1, 0, -1) if self._head.endswith(needle[:size], self._at))
            found = len(self._head) - next(tails, 0)
        return found - self._at

    def _drop(self, count: int) -> None:
        self._at += count
        self._size -= count
        self.offset += count

    def _gather(self, count: int) -> Reading[None]:
        """Wait for `count` bytes and join them in the head."""
        if count > self.limit:
            raise NotStreamableError(f"a single element of {count} bytes at {self.offset}; the limit is {self.limit}")
        while self._size < count and not self.ended:
            yield None
        self._head, self._at = b"".join((self._head[self._at :], *self._chunks)), 0
        self._chunks.clear()
