"""Sound made on the spot, encoded with PyAV's own encoders, and what a blocking decode makes of it."""

from __future__ import annotations

import functools
import io
import struct
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

LAYOUT = {1: "mono", 2: "stereo"}


def tone(seconds: float, rate: int, channels: int) -> np.ndarray:
    """`(n, channels)` int16: a voice-like sweep that swells, other on each channel, over a little noise."""
    count = round(seconds * rate)
    time = np.arange(count) / rate
    noise = np.random.default_rng(7).standard_normal(count)
    sides = []
    for side in range(channels):
        pitch = 180 + 120 * side + 60 * np.sin(2 * np.pi * 0.7 * time)
        swell = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * time + side)
        sides.append(swell * (0.5 * np.sin(2 * np.pi * np.cumsum(pitch) / rate) + 0.05 * noise))
    return (np.clip(np.stack(sides, axis=1), -1, 1) * 32767).astype(np.int16)


def encode(
    samples: np.ndarray, rate: int, container: str, codec: str, *, bit_rate: int | None = None, **options: str
) -> bytes:
    """A file of the samples. Options with names of a codec's go to it, all others to the container."""
    codec_options = {name: options.pop(name) for name in ("strict", "compression_level") if name in options}
    with tempfile.TemporaryDirectory() as folder:
        # A real file: to put an MP4's index in front, FFmpeg opens it a second time.
        path = Path(folder, "sound")
        _write(str(path), samples, rate, container, codec, bit_rate, options, codec_options)
        return path.read_bytes()


def _write(
    path: str, samples: np.ndarray, rate: int, container: str, codec: str, bit_rate: int | None,
    options: dict[str, str], codec_options: dict[str, str],
) -> None:  # fmt: skip
    channels = samples.shape[1]
    with av.open(path, "w", format=container, options=options) as output:
        stream = output.add_stream(codec, rate=rate, layout=LAYOUT[channels], options=codec_options)
        if bit_rate:
            stream.bit_rate = bit_rate
        resampler = av.AudioResampler(stream.codec_context.format, LAYOUT[channels], rate)
        for start in range(0, len(samples), rate):
            block = np.ascontiguousarray(samples[start : start + rate]).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(block, "s16", LAYOUT[channels])
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            for converted in resampler.resample(frame):
                output.mux(stream.encode(converted))
        output.mux(stream.encode(None))


# name: (container, codec, rate, channels, bit rate, options)
KINDS = {
    "mp3 24k mono": ("mp3", "libmp3lame", 24000, 1, 64000, {}),
    "mp3 44k stereo": ("mp3", "libmp3lame", 44100, 2, 128000, {}),
    "mp3 8k mono": ("mp3", "libmp3lame", 8000, 1, 16000, {}),
    "mp3 without tags": ("mp3", "libmp3lame", 22050, 1, 32000, {"write_xing": "0", "id3v2_version": "0"}),
    "aac 24k mono": ("adts", "aac", 24000, 1, 64000, {}),
    "aac 44k stereo": ("adts", "aac", 44100, 2, 128000, {}),
    "flac 16k mono": ("flac", "flac", 16000, 1, None, {}),
    "flac 48k stereo": ("flac", "flac", 48000, 2, None, {}),
    "ogg opus mono": ("ogg", "libopus", 48000, 1, 32000, {}),
    "ogg opus stereo": ("ogg", "libopus", 48000, 2, 96000, {}),
    "ogg opus short pages": ("ogg", "libopus", 48000, 1, 32000, {"page_duration": "20000"}),
    "ogg vorbis": ("ogg", "vorbis", 44100, 2, 96000, {"strict": "experimental"}),
    "ogg flac": ("ogg", "flac", 44100, 2, None, {}),
    "webm opus": ("webm", "libopus", 48000, 1, 32000, {}),
    "webm opus live": ("webm", "libopus", 48000, 1, 32000, {"live": "1"}),
    "webm vorbis": ("webm", "vorbis", 44100, 2, 96000, {"strict": "experimental"}),
    "mkv aac": ("matroska", "aac", 44100, 2, 96000, {}),
    "mkv flac": ("matroska", "flac", 44100, 2, None, {}),
    "mkv mp3": ("matroska", "libmp3lame", 44100, 2, 96000, {}),
    "m4a index first": ("mp4", "aac", 44100, 2, 128000, {"movflags": "faststart"}),
    "m4a fragments": (
        "mp4", "aac", 44100, 2, 128000, {"movflags": "frag_keyframe+empty_moov", "frag_duration": "300000"}
    ),
    "m4a fragments, own offsets": (
        "mp4", "aac", 44100, 2, 128000,
        {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "300000"},
    ),
    "m4a index last": ("mp4", "aac", 44100, 2, 128000, {}),
    "m4a opus": ("mp4", "libopus", 48000, 2, 96000, {"movflags": "faststart"}),
    "m4a flac": ("mp4", "flac", 44100, 2, None, {"movflags": "faststart"}),
    "m4a alac": ("ipod", "alac", 44100, 2, None, {"movflags": "faststart"}),
    "wav 24k mono": ("wav", "pcm_s16le", 24000, 1, None, {}),
    "wav 44k stereo": ("wav", "pcm_s16le", 44100, 2, None, {}),
    "wav adpcm": ("wav", "adpcm_ima_wav", 44100, 2, None, {}),
    "aiff": ("aiff", "pcm_s16be", 44100, 2, None, {}),
    "caf": ("caf", "pcm_s16be", 44100, 2, None, {}),
}  # fmt: skip


@functools.cache
def file_of(kind: str, seconds: float = 1.3) -> bytes:
    """A file of one of the kinds above."""
    container, codec, rate, channels, bit_rate, options = KINDS[kind]
    return encode(tone(seconds, rate, channels), rate, container, codec, bit_rate=bit_rate, **options)


def reference(
    data: bytes, rate: int | None = None, channels: int | None = None, container: str | None = None, form: str = "s16"
) -> np.ndarray:
    """What PyAV makes of the whole file, blocking: `(n, channels)`."""
    blocks = []
    resampler = None
    with av.open(io.BytesIO(data), "r", format=container) as opened:
        for frame in opened.decode(audio=0):
            if resampler is None:
                channels = channels or frame.layout.nb_channels
                resampler = av.AudioResampler(form, LAYOUT.get(channels, f"{channels}c"), rate or frame.sample_rate)
            blocks += resampler.resample(frame)
    blocks += resampler.resample(None)
    return np.concatenate([block.to_ndarray().reshape(-1, channels) for block in blocks if block is not None])


def first_sound(data: bytes) -> int:
    """Where the first packet ends that a blocking decode gets sound from: no decoder can do with less."""
    after = 0
    with av.open(io.BytesIO(data)) as container:
        for packet in container.demux(audio=0):
            # Its end is enough: an Ogg packet may be spread over pages.
            tail = bytes(packet)[-16:]
            after = data.index(tail, after) + len(tail)
            if any(frame.samples for frame in packet.decode()):
                return after
    raise ValueError("no sound")


def chunk(kind: bytes, content: bytes, size: int | None = None) -> bytes:
    """A RIFF chunk, padded to an even length; `size` is what its header says."""
    return struct.pack("<4sI", kind, len(content) if size is None else size) + content + b"\0" * (len(content) % 2)


def wav(
    content: bytes, rate: int = 8000, channels: int = 1, *, tag: int = 1, bits: int = 16, size: int | None = None,
    before: bytes = b"", after: bytes = b"", extensible: bool = False,
) -> bytes:  # fmt: skip
    """A WAV file around raw samples."""
    align = channels * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else tag, channels, rate, rate * align, align, bits)
    if extensible:
        form += struct.pack("<HHIH14s", 22, bits, 0, tag, bytes.fromhex("000000001000800000aa00389b71"))
    body = b"WAVE" + chunk(b"fmt ", form) + before + chunk(b"data", content, size) + after
    return struct.pack("<4sI", b"RIFF", len(body) if size is None else size) + body
