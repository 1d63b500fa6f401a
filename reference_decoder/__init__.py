"""A streaming audio decoder for asyncio that decodes on worker threads and keeps the rule loopsafe checks.

Only `handover` touches both threads; docs/decoder.md tells the rest.
"""

from reference_decoder.decoder import AudioStreamDecoder, decode_stream
from reference_decoder.errors import (
    ClosedError,
    DecodeError,
    DecoderError,
    MimeMismatchError,
    NotStreamableError,
    TruncatedError,
    UnknownFormatError,
)
from reference_decoder.frames import Frame, Statistics, StreamInfo

__all__ = [
    "AudioStreamDecoder",
    "ClosedError",
    "DecodeError",
    "DecoderError",
    "Frame",
    "MimeMismatchError",
    "NotStreamableError",
    "Statistics",
    "StreamInfo",
    "TruncatedError",
    "UnknownFormatError",
    "decode_stream",
]
