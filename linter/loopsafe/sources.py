"""Source text and the bytes it came from, there and back without a change."""

from __future__ import annotations

import errno
import os
import re
import stat
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

# Python ends a line here and nowhere else; str.splitlines() would also split at form feeds and \x1c to \x1e.
NEWLINE = re.compile(r"\r\n|\r|\n")
LARGEST = 4_000_000
"""Bytes of a file that is read, where the configuration does not say otherwise."""

_PIECE = 1 << 20
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))
_TWO_ROWS = re.compile(rb"(?:[^\r\n]*(?:\r\n|\r|\n|\Z)){0,2}")


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text, line ends as they are, and the encoding that turns it back into the same bytes."""

    text: str
    encoding: str

    def encode(self, text: str) -> bytes:
        """Another text in this file's encoding, with a byte order mark where this file has one.

        Raises:
            UnicodeEncodeError: the encoding lacks a character.
        """
        return text.encode(self.encoding)


def decode(data: bytes) -> Source:
    """The text of a Python file, by its byte order mark or coding comment.

    Raises:
        SyntaxError: the coding comment names no encoding, or contradicts the byte order mark.
        UnicodeDecodeError: the bytes are not in the file's encoding.
    """
    # The comment stands on one of the first two rows; `readline` would not end one at a lone carriage return.
    head = _TWO_ROWS.match(data)
    rows = head.group().splitlines(keepends=True) if head else []
    encoding, _ = tokenize.detect_encoding(iter(rows).__next__)
    return Source(data.decode(encoding), encoding)


def read_bytes(path: str, largest: int = LARGEST) -> bytes:
    """A regular file's content.

    Raises:
        OSError: it cannot be read; see `read_regular`.
    """
    return read_regular(path, largest)[0]


def read_regular(path: str, largest: int = LARGEST) -> tuple[bytes, os.stat_result]:
    """A regular file's content, at most `largest` bytes, and its state from before it was read.

    Nothing else is opened for longer than it takes to see what it is: a pipe would wait for a writer, a device may
    never end.

    Raises:
        OSError: it cannot be read, is not a regular file, or is larger; `strerror` says which.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "not a regular file", path)
    descriptor = os.open(path, _FLAGS)
    try:
        # Before reading: a file that changes meanwhile will look changed. And again: it may have been exchanged.
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        # Some files of the system say that they hold nothing and go on for ever.
        content = b"" if status.st_size > largest else b"".join(_pieces(descriptor, largest))
    finally:
        os.close(descriptor)
    if max(status.st_size, len(content)) > largest:
        raise OSError(errno.EFBIG, f"larger than {largest:,} bytes", path)
    return content, status


def _pieces(descriptor: int, largest: int) -> Iterator[bytes]:
    """What is read one after the other, up to where it is too much."""
    left = largest + 1
    while left > 0 and (piece := os.read(descriptor, min(left, _PIECE))):
        left -= len(piece)
        yield piece
