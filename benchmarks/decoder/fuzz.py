"""Feed the decoder with damaged files and packets: whatever comes in, it ends, with frames or with one of its errors.

    python -m benchmarks.decoder.fuzz                         # 100,000 inputs
    python -m benchmarks.decoder.fuzz 1 --first 4711          # one of them again

Each input is made from its number alone. They are decoded in a process of their own, many at a time; a crash, a hang,
an error that is none of the decoder's, a thread too many or memory that grows is reported with the inputs' numbers.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import faulthandler
import gc
import random
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

from reference_decoder import AudioPacketDecoder, AudioStreamDecoder, DecoderError, Settings
from reference_decoder.pool import cores
from tests.support.audio import KINDS, file_of

ROOT = Path(__file__).resolve().parents[2]
_BATCH = 50
# A batch takes a fraction of a second, on a machine that does nothing else.
_PATIENCE = 600
_ADDRESS_SPACE = 4 << 30
# What the process may grow by when so many inputs come once more: two kilobytes each.
_AGAIN = 10_000
_GROWTH_MB = 20
_MIMES = [None, "audio/mpeg", "audio/aac", "audio/flac", "audio/ogg", "audio/wav", "audio/webm", "audio/mp4"]
_MIMES += ["audio/pcm;rate=8000", "audio/L16;rate=44100;channels=2", "audio/basic"]
_PACKETS = ["opus", "g722", "pcmu", "pcma", "l16", "aac", "mp3float", "flac", "gsm", "ac3"]
_WORDS = [b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"OggS", b"RIFF", b"moov", b"ID3\4", b"\xff\xf8"]


class UnexpectedError(Exception):
    """An input did something that none may do."""


def damaged(number: int) -> bytes:
    """The input of this number: a small file of some kind, with one to eight things done to it."""
    dice = random.Random(number)
    data = bytearray(file_of(dice.choice(list(KINDS)), 0.2))
    for _ in range(dice.randint(1, 8)):
        # Most of what can go wrong does so in headers.
        reach = len(data) if dice.random() < 0.5 else min(len(data), 400)
        _damage(data, dice.randrange(reach + 1), dice)
    return bytes(data)


def _damage(data: bytearray, at: int, dice: random.Random) -> None:
    length = dice.choice([1, 2, 4, 16, 200, 3000])
    kind = dice.randrange(7)
    if kind == 0 and at < len(data):
        data[at] ^= 1 << dice.randrange(8)
    elif kind == 1:
        data[at : at + length] = dice.randbytes(length)
    elif kind == 2:
        del data[at : at + length]
    elif kind == 3:
        data[at:at] = data[at : at + length] * dice.randint(1, 3)
    elif kind == 4:
        data[at : at + 4] = dice.choice(_WORDS)
    elif kind == 5:
        other = file_of(dice.choice(list(KINDS)), 0.2)
        data[at:at] = other[dice.randrange(len(other)) :][: length * 10]
    elif at:
        del data[at:]


async def decode(number: int) -> bool:
    """Decode an input, cut anyhow, asked for anything; whether it ended without an error. Every tenth is of packets."""
    data, dice = damaged(number), random.Random(-number)
    sizes = dice.choice([(1, 60), (100, 3000), (len(data) + 1, len(data) + 1)])
    settings = Settings(
        rate=dice.choice([None, 8000, 48000]),
        channels=dice.choice([None, 1, 2]),
        dtype=dice.choice(["int16", "float32"]),
        layout=dice.choice(["interleaved", "planar"]),
        frame_ms=dice.choice([None, None, 20]),
        max_whole=1 << 20,
    )
    if number % 10:
        decoder = AudioStreamDecoder(dice.choice(_MIMES), **settings)
    else:
        settings |= {"input_channels": dice.choice([1, 2]), "max_bad_packets": dice.choice([3, 1000])}
        decoder = AudioPacketDecoder(dice.choice(_PACKETS), input_rate=16000, **settings)
    async with decoder:
        feeding = asyncio.create_task(_feed(decoder, data, sizes, dice))
        try:
            async for frame in decoder:
                if not ((frame.count or frame.last) and frame.rate > 0 and frame.channels > 0):
                    raise UnexpectedError(f"input {number}: {frame}")
                if dice.random() < 0.001:
                    break
        except DecoderError:
            return False
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])
    return True


async def _feed(decoder: AudioStreamDecoder, data: bytes, sizes: tuple[int, int], dice: random.Random) -> None:
    try:
        at = 0
        while at < len(data):
            size = dice.randint(*sizes)
            await decoder.feed(data[at : at + size])
            at += size
            if dice.random() < 0.01:
                decoder.flush()
            if isinstance(decoder, AudioPacketDecoder) and dice.random() < 0.1:
                decoder.lost(dice.randint(1, 3))
        decoder.end_input()
    except DecoderError:
        # The iteration raises it as well.
        pass


async def _batch(numbers: range) -> int:
    """Decode them at the same time; how many ended without an error."""
    results = await asyncio.wait_for(asyncio.gather(*map(decode, numbers), return_exceptions=True), _PATIENCE)
    for number, result in zip(numbers, results, strict=True):
        if isinstance(result, BaseException):
            raise UnexpectedError(f"input {number}") from result
    return results.count(True)


def _megabytes() -> float:
    """What is in use: what has been freed, but is kept for later, is given back first where the C library can."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize() / 1e6


def run(first: int, count: int) -> None:
    """Decode the inputs in this process. Raises `UnexpectedError`, or does not come back."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    numbers = range(first, first + count)
    clean = _all(numbers)
    before = _megabytes()
    # The same again: what rare inputs are the first to need is there by now, and only what leaks is not.
    again = numbers[-_AGAIN:]
    _all(again)
    grown, threads = _megabytes() - before, threading.active_count()
    if (grown > _GROWTH_MB and len(again) == _AGAIN) or threads > cores() + 1:
        raise UnexpectedError(f"{grown:.0f} MB more when {len(again)} inputs came again, {threads} threads")
    print(f"\r{count} inputs, {clean} of them without an error; {threads} threads, ", end="")
    print(f"{grown:+.0f} MB when the last {len(again)} came again")


def _all(numbers: range) -> int:
    """Decode these inputs batch by batch; how many ended without an error."""
    clean = 0
    for start in range(0, len(numbers), _BATCH):
        batch = numbers[start : start + _BATCH]
        print(f"\r{batch.start}..{batch.stop - 1}", end="", flush=True)
        faulthandler.dump_traceback_later(_PATIENCE, exit=True)
        clean += asyncio.run(_batch(batch))
    faulthandler.cancel_dump_traceback_later()
    return clean


def main() -> int:
    """Run the inputs in a process of their own and say how that ended."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decoder.fuzz", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("count", type=int, nargs="?", default=100_000, help="how many inputs (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first (default: %(default)s)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        run(options.first, options.count)
        return 0
    begun = time.monotonic()
    command = [sys.executable, "-X", "faulthandler", "-m", "benchmarks.decoder.fuzz", "--here"]
    ran = subprocess.run([*command, str(options.count), "--first", str(options.first)], cwd=ROOT, check=False)
    print(f"{'ended well' if not ran.returncode else f'FAILED, exit code {ran.returncode}'}", end=" ")
    print(f"after {time.monotonic() - begun:.0f} s")
    return bool(ran.returncode)


if __name__ == "__main__":
    sys.exit(main())
