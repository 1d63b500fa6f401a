"""Container readers: each turns a source's bytes into packets, and says which codec they are for."""

from __future__ import annotations

from reference_decoder.containers import adts, flac, mp3, mp4, ogg, wav, webm
from reference_decoder.containers.items import Reader

# By the names `headers` gives; what is not here, but has a name, FFmpeg reads as a whole.
READERS: dict[str, Reader] = {
    module.__name__.rpartition(".")[2]: module.read for module in (adts, flac, mp3, mp4, ogg, wav, webm)
}
