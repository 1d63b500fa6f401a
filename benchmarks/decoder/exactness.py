"""Are the samples those of a blocking decode of the same bytes, no more and no fewer?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.decoder.peers import PEERS, Peer, cut, stream
from tests.support.audio import KINDS, chunk, encode, file_of, reference, tone, wav

_SECONDS = 3.0
_PATIENCE = 20
_MIMES = {"mp3": "mpeg", "adts": "aac", "matroska": "webm", "ipod": "mp4"}


@dataclass(frozen=True, slots=True)
class Case:
    """A file, what it is declared to be, and the samples it holds."""

    name: str
    data: bytes
    mime: str
    expected: np.ndarray


def measure() -> list[dict[str, str]]:
    """A row for each file: its samples, and what each decoder makes of it with the MIME type and without."""
    rows = []
    for case in _cases():
        row = {"file": case.name, "samples": str(len(case.expected))}
        for peer in PEERS:
            row[peer.name] = _verdict(peer, case, case.mime)
            row[f"{peer.name}, no MIME"] = _verdict(peer, case, None)
        rows.append(row)
    return rows


def _verdict(peer: Peer, case: Case, mime: str | None) -> str:
    channels = case.expected.shape[1]
    work = asyncio.wait_for(stream(peer, cut(case.data, 2048), mime, None, channels), _PATIENCE)
    try:
        frames = asyncio.run(work)
    except Exception as error:
        return type(error).__name__
    got = np.frombuffer(b"".join(map(peer.pcm, frames)), np.int16).reshape(-1, channels)
    if np.array_equal(got, case.expected):
        return "exact"
    if not len(got):
        return "no sound, no error"
    return f"{len(got) - len(case.expected):+}" if len(got) != len(case.expected) else "other samples"


def _cases() -> Iterator[Case]:
    for name, (container, _, rate, *_) in KINDS.items():
        if name.startswith(("aiff", "caf", "wav adpcm", "m4a alac", "m4a flac", "mkv")):
            continue
        expected = reference(file_of(name, _SECONDS))
        if name in ("m4a index first", "m4a opus"):
            # PyAV leaves in what fills the last frame up.
            expected = expected[: round(_SECONDS * rate)]
        yield Case(name, file_of(name, _SECONDS), f"audio/{_MIMES.get(container, container)}", expected)
    yield from _wavs()
    first, second = file_of("mp3 24k mono", _SECONDS), file_of("mp3 24k mono", 2.0)
    yield _joined("two mp3 files", [first, second], "audio/mpeg")
    yield _joined("two WAV files", [file_of("wav 24k mono", _SECONDS), file_of("wav 24k mono", 2.0)], "audio/wav")
    yield from _seams()
    for name, codec, rate in (("Opus", "libopus", 48000), ("Vorbis", "vorbis", 44100)):
        options = {"strict": "experimental"} if codec == "vorbis" else {}
        links = [encode(tone(2.0, rate, 2), rate, "ogg", codec, serial_offset=serial, **options) for serial in "12"]
        yield _joined(f"Ogg {name}, two links", links, "audio/ogg")


def _seams() -> Iterator[Case]:
    """Files joined where it is hard to see where one ends."""
    tagged = file_of("mp3 24k mono", _SECONDS)
    plain = {"write_xing": "0", "id3v2_version": "0"}
    untagged = encode(tone(2.0, 24000, 1), 24000, "mp3", "libmp3lame", bit_rate=64000, **plain)
    yield _joined("mp3 with a note, then one without", [tagged, untagged], "audio/mpeg")
    at = tagged.index(b"Info") + 8
    # A blocking decode leaves out samples in the middle, where the note says that the end is; with one that counts too
    # many it leaves out none.
    few, many = (tagged[:at] + count.to_bytes(4, "big") + tagged[at + 4 :] for count in (20, 1000))
    yield Case("mp3 with a note that counts too few", few, "audio/mpeg", reference(many))
    yield _joined("two FLAC files", [file_of("flac 16k mono", _SECONDS), file_of("flac 16k mono", 2.0)], "audio/flac")
    endless = [_endless(file_of("wav 24k mono", seconds)) for seconds in (_SECONDS, 2.0)]
    yield _joined("two WAV files of unknown size", endless, "audio/wav")
    yield _joined("two WAV files, ADPCM", [file_of("wav adpcm", _SECONDS), file_of("wav adpcm", 2.0)], "audio/wav")
    yield _joined(
        "two m4a, index last", [file_of("m4a index last", _SECONDS), file_of("m4a index last", 2.0)], "audio/mp4"
    )


def _endless(data: bytes) -> bytes:
    at = data.index(b"data")
    return data[:4] + b"\xff" * 4 + data[8 : at + 4] + b"\xff" * 4 + data[at + 8 :]


def _wavs() -> Iterator[Case]:
    samples = tone(1.0, 8000, 1)
    floats, wide = (samples / 32768).astype("<f4"), samples.astype("<i4") << 16
    files = {
        "WAV float": wav(floats.tobytes(), tag=3, bits=32),
        "WAV 32 bits": wav(wide.tobytes(), bits=32),
        "WAV mu-law": wav(bytes(range(256)) * 30, tag=7, bits=8),
        "WAV extensible": wav(samples.tobytes(), extensible=True),
        "WAV, odd chunk in front": wav(samples.tobytes(), before=chunk(b"JUNK", b"odd")),
        "WAV, chunk behind": wav(samples.tobytes(), after=chunk(b"LIST", bytes(range(256)) * 16)),
        "WAV of unknown size": wav(samples.tobytes(), size=0xFFFFFFFF),
    }
    for name, data in files.items():
        yield Case(name, data, "audio/wav", reference(data))


def _joined(name: str, files: list[bytes], mime: str) -> Case:
    return Case(name, b"".join(files), mime, np.concatenate([reference(data) for data in files]))
