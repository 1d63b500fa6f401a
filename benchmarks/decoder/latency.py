"""How many bytes, and how much time at the pace of a live stream, until there is sound."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

from benchmarks.decoder.peers import PEERS, Peer
from tests.support.audio import file_of, first_sound

_SECONDS = 5.0
# A decoder that has what it needs answers within a few milliseconds.
_PATIENCE = 0.25
_FINENESS = 16
_FILES = {
    "mp3 24k mono": "audio/mpeg",
    "mp3 44k stereo": "audio/mpeg",
    "aac 24k mono": "audio/aac",
    "aac 44k stereo": "audio/aac",
    "ogg opus mono": "audio/ogg",
    "ogg opus stereo": "audio/ogg",
    "ogg vorbis": "audio/ogg",
    "webm opus": "audio/webm",
    "m4a index first": "audio/mp4",
    "m4a fragments": "audio/mp4",
    "flac 16k mono": "audio/flac",
    "flac 48k stereo": "audio/flac",
}
_PACED = ("mp3 24k mono", "aac 24k mono", "ogg opus mono", "ogg vorbis", "flac 16k mono")


def measure_bytes() -> list[dict[str, Any]]:
    """The fewest bytes that make a frame come out, with the MIME type and without."""
    rows = []
    for name, mime in _FILES.items():
        data = file_of(name, _SECONDS)
        row: dict[str, Any] = {"file": name, "limit": first_sound(data)}
        for peer in PEERS:
            row[peer.name] = _fewest(peer, data, mime)
            row[f"{peer.name}, no MIME"] = _fewest(peer, data, None)
        rows.append(row)
    return rows


def _fewest(peer: Peer, data: bytes, mime: str | None) -> int | None:
    enough = 512
    while not asyncio.run(_answers(peer, data[:enough], mime)):
        if enough >= len(data):
            return None
        enough *= 2
    too_few = enough // 2 if enough > 512 else 0
    while enough - too_few > _FINENESS:
        middle = (enough + too_few) // 2
        if asyncio.run(_answers(peer, data[:middle], mime)):
            enough = middle
        else:
            too_few = middle
    return enough


async def _answers(peer: Peer, data: bytes, mime: str | None) -> bool:
    decoder = peer.make(mime, None, 1)
    decoder.push(data)
    first = asyncio.ensure_future(anext(decoder))
    done, _ = await asyncio.wait([first], timeout=_PATIENCE)
    first.cancel()
    await asyncio.wait([first])
    await decoder.aclose()
    return bool(done) and first.exception() is None


def measure_pace(rounds: int) -> list[dict[str, Any]]:
    """Milliseconds to the first frame where 256 bytes at a time come as fast as they are played."""
    rows = []
    for name in _PACED:
        row: dict[str, Any] = {"file": name}
        times: dict[str, list[float]] = {peer.name: [] for peer in PEERS}
        for _ in range(rounds):
            for peer in PEERS:
                times[peer.name].append(asyncio.run(_first_at_pace(peer, file_of(name, _SECONDS), _FILES[name])))
        rows.append(row | {peer: 1000 * statistics.median(found) for peer, found in times.items()})
    return rows


async def _first_at_pace(peer: Peer, data: bytes, mime: str) -> float:
    decoder = peer.make(mime, 48000, 1)
    begun = time.perf_counter()

    async def feed() -> None:
        for start in range(0, len(data), 256):
            await asyncio.sleep(begun + start / len(data) * _SECONDS - time.perf_counter())
            decoder.push(data[start : start + 256])

    feeding = asyncio.create_task(feed())
    await anext(decoder)
    took = time.perf_counter() - begun
    feeding.cancel()
    await asyncio.wait([feeding])
    await decoder.aclose()
    return took
