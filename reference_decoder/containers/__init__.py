"""Container readers: each turns a source's bytes into packets, and says which codec they are for."""

from __future__ import annotations

from functools import partial

from reference_decoder.containers import adts, flac, mp3, mp4, ogg, wav, webm
from reference_decoder.containers.items import Reader
from reference_decoder.containers.whole import read_whole

# By the names `sniffing` gives; what is not here, but has a name, FFmpeg reads as a whole.
_READERS: dict[str, Reader] = {
    "adts": adts.read,
    "flac": flac.read,
    "mp3": mp3.read,
    "mp4": mp4.read,
    "ogg": ogg.read,
    "wav": wav.read,
    "webm": webm.read,
}


def reader_for(name: str) -> Reader:
    """The reader of a format by its name."""
    return _READERS.get(name) or partial(read_whole, name=name)
