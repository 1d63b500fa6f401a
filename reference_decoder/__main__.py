"""Stream a file, or what comes on standard input, to WAV: `python -m reference_decoder FILE_OR_- [-o out.wav]`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import BinaryIO

import numpy as np

from reference_decoder.decoder import AudioStreamDecoder, decode_stream
from reference_decoder.errors import DecoderError
from reference_decoder.frames import Frame
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
    parser.add_argument("--quiet", action="store_true", help="no progress, no statistics")
    return parser.parse_args(arguments)


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    """What the file holds, as it comes: reading a pipe may wait, so a thread does it."""
    # `read` would wait until a pipe has given all of a chunk.
    read = getattr(file, "read1", file.read)
    while chunk := await asyncio.to_thread(read, _CHUNK):
        yield chunk


class _Progress:
    """One line on standard error that keeps changing, and the figures at the end."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._started = self._shown = time.monotonic()

    def show(self, frame: Frame) -> None:
        now = time.monotonic()
        if not self._quiet and sys.stderr.isatty() and now - self._shown > 0.1:
            self._shown = now
            print(f"\r{frame.position / frame.rate:10.1f} s of sound", end="", file=sys.stderr, flush=True)

    def finish(self, decoder: AudioStreamDecoder, frame: Frame | None) -> None:
        if self._quiet or frame is None:
            return
        info, counts = decoder.info, decoder.statistics()
        took = time.monotonic() - self._started
        seconds = (frame.position + frame.count) / frame.rate
        if info:
            print(f"\r{info.container}/{info.codec}, {info.rate} Hz, {info.channels} channel(s)", file=sys.stderr)
        print(f"{seconds:.2f} s of sound at {frame.rate} Hz from {counts.bytes_pushed} bytes", file=sys.stderr)
        print(f"{took:.2f} s, {seconds / took:.0f} times real time, {counts.wakeups} wake-ups", file=sys.stderr)
        if counts.skipped_packets or counts.skipped_bytes:
            print(f"skipped: {counts.skipped_packets} packets, {counts.skipped_bytes} bytes", file=sys.stderr)


async def _run(options: argparse.Namespace) -> None:
    with ExitStack() as stack:
        source = sys.stdin.buffer if options.input == "-" else stack.enter_context(open(options.input, "rb"))
        writer: WavWriter | None = None
        if options.output:
            target = sys.stdout.buffer if options.output == "-" else stack.enter_context(open(options.output, "wb"))
            writer = stack.enter_context(WavWriter(target))
        progress, last, kept = _Progress(options.quiet), None, []
        chunks = _chunks(source)
        async with decode_stream(chunks, options.mime, rate=options.rate, channels=options.channels) as frames:
            try:
                async for last in frames:
                    progress.show(last)
                    if writer:
                        writer.write(last)
                    if options.plot:
                        kept.append(last.samples)
            finally:
                progress.finish(frames, last)
    if options.plot and last:
        from reference_decoder.plot import draw

        draw(np.concatenate(kept), last.rate, options.plot)


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
