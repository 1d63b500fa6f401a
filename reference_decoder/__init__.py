"""A streaming audio decoder for asyncio that decodes on worker threads and keeps the rule loopsafe checks.

Only `handover` touches both threads; docs/decoder.md tells the rest.
"""

import sys

try:
    from reference_decoder.decoder import AudioPacketDecoder, AudioStreamDecoder, decode, decode_stream
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("av", "numpy"):
        raise
    told = "reference_decoder needs PyAV and numpy: pip install 'loopsafe[decoder]'"
    # What Python calls the program while it looks for the module that `-m` names: nobody can handle an error yet.
    if sys.argv[:1] == ["-m"]:
        print(told, file=sys.stderr)
        raise SystemExit(2) from None
    raise ModuleNotFoundError(told, name=error.name) from None

from reference_decoder.errors import (
    ClosedError,
    DecodeError,
    DecoderError,
    MimeMismatchError,
    NotStreamableError,
    SourceError,
    TruncatedError,
    UnknownFormatError,
)
from reference_decoder.frames import Frame, Statistics, StreamInfo
from reference_decoder.options import Settings

__all__ = ["AudioPacketDecoder", "AudioStreamDecoder", "Frame", "Settings", "Statistics", "StreamInfo"]
__all__ += ["ClosedError", "DecodeError", "DecoderError", "MimeMismatchError", "NotStreamableError", "SourceError"]
__all__ += ["TruncatedError", "UnknownFormatError", "decode", "decode_stream"]
