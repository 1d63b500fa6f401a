"""Source text and the bytes it came from, there and back without a change."""

from __future__ import annotations

import io
import tokenize
from dataclasses import dataclass


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
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return Source(data.decode(encoding), encoding)
