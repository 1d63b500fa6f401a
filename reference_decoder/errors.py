"""What can go wrong, as the caller sees it."""

from __future__ import annotations


class DecoderError(Exception):
    """The base of every error of this package."""


class UnknownFormatError(DecoderError):
    """The bytes are of no format this decoder knows; the message shows the first of them."""


class MimeMismatchError(DecoderError):
    """`strict=True`, and the bytes are not what the MIME type says."""


class NotStreamableError(DecoderError):
    """The file can only be decoded as a whole, and the whole is larger than `max_whole`."""


class DecodeError(DecoderError):
    """Input came but cannot be decoded, or held no sound. The codec's own error, if there is one, is the cause."""


class TruncatedError(DecoderError):
    """The input ended in the middle of something. Every frame before that has been delivered."""


class SourceError(DecoderError):
    """The source that `decode_stream` reads was cancelled from elsewhere before its end."""


class ClosedError(DecoderError):
    """The decoder takes no more: its input has been ended, or it has been closed."""
