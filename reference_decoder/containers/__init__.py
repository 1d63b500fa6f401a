"""Container readers: each turns a source's bytes into packets, and says which codec they are for."""

from __future__ import annotations

from reference_decoder.containers import adts, flac, mp3, mp4, ogg, wav, webm
from reference_decoder.containers.items import Reader

# By the names `headers` gives; what is not here, but has a name, FFmpeg reads as a whole.
READERS: dict[str, Reader] = {m.__name__.rpartition(".")[2]: m.read for m in (adts, flac, mp3, mp4, ogg, wav, webm)}
