"""Stream a file, or what comes on standard input, to WAV: `python -m reference_decoder FILE_OR_- [-o out.wav]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import BinaryIO

from reference_decoder.decoder import AudioStreamDecoder, decode_stream
from reference_decoder.errors import DecoderError
from reference_decoder.frames import Frame, joined
from reference_decoder.options import Settings
from reference_decoder.wavfile import WavWriter

_CHUNK = 1 << 16


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m reference_decoder", description=__doc__)
    parser.add_argument("input", help="a file, or - for standard input")
    parser.add_argument("-o", "--output", help="the WAV to write, - for standard output; without it, only decode")
    parser.add_argument("--rate", type=int, help="samples per second of the output; default: the source's")
    parser.add_argument("--channels", type=int, help="channels of the output; default: the source's")
    parser.add_argument("--mime", help="what the input is; needed for bare samples: audio/pcm;rate=24000")
    parser.add_argument("--plot", metavar="PNG", help="draw waveform and spectrogram (needs matplotlib)")
    parser.add_argument("--dtype", choices=("int16", "float32"), default="int16", help="of the WAV's samples")
    parser.add_argument("--frame-ms", type=float, help="milliseconds of a frame; default: as they come")
    parser.add_argument("--json", action="store_true", help="print facts and counts as JSON, on standard output")
    parser.add_argument("--quiet", action="store_true", help="no progress, no statistics")
    return parser.parse_args(arguments)


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    """What the file holds, as it comes: reading a pipe may wait, so a thread does it."""
    # `read` would wait until a pipe has given all of a chunk.
    read = getattr(file, "read1", file.read)
    while chunk := await asyncio.to_thread(read, _CHUNK):
        yield chunk


class _Progress:
    """One line on standard error that keeps changing, where sound is missing, and the figures at the end."""

    def __init__(self, options: argparse.Namespace, size: int) -> None:
        self._options, self._size, self._skipped = options, size, 0
        self._started = self._shown = time.monotonic()
        self.gaps: list[float] = []

    def show(self, decoder: AudioStreamDecoder, frame: Frame) -> None:
        counts, now = decoder.statistics(), time.monotonic()
        if counts.skipped_packets + counts.skipped_bytes > self._skipped:
            self._skipped = counts.skipped_packets + counts.skipped_bytes
            self.gaps.append(frame.position / frame.rate)
        if not self._options.quiet and sys.stderr.isatty() and now - self._shown > 0.1:
            self._shown = now
            done = counts.bytes_pushed - counts.bytes_waiting
            share = f"{done / self._size:6.0%}" if self._size else ""
            print(f"\r{share}{frame.position / frame.rate:10.1f} s of sound", end="", file=sys.stderr, flush=True)

    def finish(self, decoder: AudioStreamDecoder, frame: Frame | None) -> None:
        info, counts, took = decoder.info, decoder.statistics(), time.monotonic() - self._started
        seconds = (frame.position + frame.count) / frame.rate if frame else 0.0
        if self._options.json:
            facts = {"seconds": seconds, "took": took, "gaps": self.gaps} | (asdict(info) if info else {})
            print(json.dumps(facts | asdict(counts)), file=sys.stderr if self._options.output == "-" else sys.stdout)
        if self._options.quiet or frame is None:
            return
        if info:
            print(f"\r{info.container}/{info.codec}, {info.rate} Hz, {info.channels} channel(s)", file=sys.stderr)
        print(f"{seconds:.2f} s of sound at {frame.rate} Hz from {counts.bytes_pushed} bytes", file=sys.stderr)
        print(f"{took:.2f} s, {seconds / took:.0f} times real time, {counts.wakeups} wake-ups", file=sys.stderr)
        if self._skipped:
            print(f"skipped: {counts.skipped_packets} packets, {counts.skipped_bytes} bytes", file=sys.stderr)


async def _run(options: argparse.Namespace) -> None:
    settings = Settings(rate=options.rate, channels=options.channels, dtype=options.dtype, frame_ms=options.frame_ms)
    # Gaps are seen as they are decoded, and told where the frames are.
    settings["max_buffered"] = 0.5
    with ExitStack() as stack:
        source = sys.stdin.buffer if options.input == "-" else stack.enter_context(open(options.input, "rb"))
        writer: WavWriter | None = None
        if options.output:
            target = sys.stdout.buffer if options.output == "-" else stack.enter_context(open(options.output, "wb"))
            writer = stack.enter_context(WavWriter(target))
        # Of a pipe it is 0: not known.
        progress, last, kept = _Progress(options, os.fstat(source.fileno()).st_size), None, []
        async with decode_stream(_chunks(source), options.mime, **settings) as frames:
            try:
                async for last in frames:
                    progress.show(frames, last)
                    if writer:
                        writer.write(last)
                    if options.plot:
                        kept.append(last)
            finally:
                progress.finish(frames, last)
    if kept:
        from reference_decoder.plot import draw

        draw(joined(kept), progress.gaps, options.input, options.plot)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code is 1 where the input could not be decoded to its end."""
    try:
        asyncio.run(_run(_parse(arguments)))
    except (DecoderError, OSError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
