"""Source text and the bytes it came from, there and back without a change."""

from __future__ import annotations

import re
import tokenize
from dataclasses import dataclass

# Python ends a line here and nowhere else; str.splitlines() would also split at form feeds and \x1c to \x1e.
NEWLINE = re.compile(r"\r\n|\r|\n")
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


def read_bytes(path: str) -> bytes:
    """A file's content.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        return file.read()
