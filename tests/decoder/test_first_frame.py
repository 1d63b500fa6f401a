"""A frame comes as soon as the bytes for it are in."""

from __future__ import annotations

import pytest

from reference_decoder import AudioStreamDecoder
from tests.support.audio import file_of, first_sound
from tests.support.streaming import Run, cut, until_idle

# What a decoder may want beyond the first packet with sound: the next one's header, to be sure of the format.
MORE = 256
STEP = 32
MIMES = {
    "mp3 24k mono": "audio/mpeg",
    "mp3 44k stereo": "audio/mpeg",
    "mp3 without tags": "audio/mpeg",
    "aac 24k mono": "audio/aac",
    "aac 44k stereo": "audio/aac",
    "ogg opus mono": "audio/ogg",
    "ogg opus stereo": "audio/ogg",
    "ogg vorbis": "audio/ogg",
    "ogg flac": "audio/ogg",
    "webm opus": "audio/webm",
    "webm opus live": "audio/webm",
    "webm vorbis": "audio/webm",
    "m4a index first": "audio/mp4",
    "m4a fragments": "audio/mp4",
    "flac 16k mono": "audio/flac",
    "flac 48k stereo": "audio/flac",
    "wav 24k mono": "audio/wav",
}


@pytest.mark.parametrize("declared", [True, False], ids=["MIME", "no MIME"])
@pytest.mark.parametrize("kind", MIMES)
def test_bytes_to_the_first_frame(kind: str, declared: bool, run_once: Run) -> None:
    data = file_of(kind)

    async def scenario() -> int:
        async with AudioStreamDecoder(MIMES[kind] if declared else None) as decoder:
            for number, chunk in enumerate(cut(data, STEP), 1):
                decoder.push(chunk)
                await until_idle(decoder)
                if decoder.statistics().samples_decoded:
                    return number * STEP
        return len(data)

    assert run_once(scenario()) <= first_sound(data) + MORE


@pytest.mark.parametrize("kind", MIMES)
def test_a_frame_for_every_packet_at_the_pace_of_the_stream(kind: str, run_once: Run) -> None:
    """What is decoded is not held back until there is more of it."""
    data = file_of(kind)
    steps = 65

    async def scenario() -> int:
        came, decoded = 0, 0
        async with AudioStreamDecoder() as decoder:
            for chunk in cut(data, len(data) // steps + 1):
                decoder.push(chunk)
                await until_idle(decoder)
                came += decoder.statistics().samples_decoded > decoded
                decoded = decoder.statistics().samples_decoded
                while decoder.statistics().seconds_buffered > 1e-6:
                    await anext(decoder)
        return came

    # A FLAC frame lasts up to a tenth of a second, an index may take half of a short file.
    assert run_once(scenario()) >= 10
