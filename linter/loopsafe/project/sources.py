"""Source text and the bytes it came from, there and back without a change."""

from __future__ import annotations

import codecs
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
# They take time that grows with the square of the length.
_FOR_HOST_NAMES = {"idna", "punycode"}
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
        SyntaxError: the bytes are not text in the encoding that holds for them; `msg` says all.
    """
    # The comment stands on one of the first two rows; `readline` would not end one at a lone carriage return.
    head = _TWO_ROWS.match(data)
    rows = head.group().splitlines(keepends=True) if head else []
    try:
        encoding, _ = tokenize.detect_encoding(iter(rows).__next__)
    except SyntaxError as error:
        raise SyntaxError(f"cannot be decoded: {error.msg}") from error
    except ValueError as error:
        raise SyntaxError(f"cannot be decoded: {error}") from error
    return Source(_text(data, encoding), encoding)


def _text(data: bytes, encoding: str) -> str:
    try:
        if codecs.lookup(encoding).name in _FOR_HOST_NAMES:
            raise SyntaxError(f"cannot be decoded: `{encoding}` is not an encoding for files")
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SyntaxError(f"cannot be decoded as {error.encoding}: {error.reason} at byte {error.start}") from error
    # Not all codecs are for text, and those that are may fail in ways of their own.
    except (ValueError, LookupError, ArithmeticError, TypeError) as error:
        raise SyntaxError(f"cannot be decoded as {encoding}: {error}") from error


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
        ValueError: the path cannot be one: it has a NUL.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        os.scandir(path).close()  # a folder that may not be looked into says so
    if not stat.S_ISREG(mode):
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
        raise OSError(errno.EFBIG, too_large(largest), path)
    return content, status


def too_large(largest: int) -> str:
    """What is said of what has more bytes than this."""
    return f"larger than {largest:,} bytes (`max-file-size`)"


def _pieces(descriptor: int, largest: int) -> Iterator[bytes]:
    """What is read one after the other, up to where it is too much."""
    left = largest + 1
    while left > 0 and (piece := os.read(descriptor, min(left, _PIECE))):
        left -= len(piece)
        yield piece
