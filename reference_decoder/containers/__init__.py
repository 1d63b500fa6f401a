"""Container readers: each turns a source's bytes into packets, and says which codec they are for."""

from __future__ import annotations

from functools import partial

from reference_decoder.containers import flac, mp3, mp4, ogg, wav, webm
from reference_decoder.containers.framed import read_frames
from reference_decoder.containers.items import Reader

# By the names `headers` gives; what is not here, but has a name, FFmpeg reads as a whole.
READERS: dict[str, Reader] = {
    module.__name__.rpartition(".")[2]: module.read for module in (flac, mp3, mp4, ogg, wav, webm)
}
_FRAMES = {"adts": ("aac", b"\xff"), "ac3": ("ac3", b"\x0b"), "eac3": ("eac3", b"\x0b"), "loas": ("aac_latm", b"\x56")}
READERS |= {name: partial(read_frames, name=name, codec=codec, sync=sync) for name, (codec, sync) in _FRAMES.items()}
