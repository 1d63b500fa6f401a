"""What cannot be decoded is said by an exception from the iterator, after every good frame, and in no other way."""

from __future__ import annotations

import asyncio
import contextlib
import io
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from reference_decoder import (
    AudioStreamDecoder,
    ClosedError,
    DecodeError,
    DecoderError,
    Frame,
    MimeMismatchError,
    NotStreamableError,
    TruncatedError,
    UnknownFormatError,
    decode_stream,
)
from tests.support.audio import file_of, reference, wav
from tests.support.command_line import environment
from tests.support.scripts import ROOT
from tests.support.streaming import Run, collect, cut, decode, joined, run_on

GARBAGE = np.random.default_rng(3).integers(0, 256, 40_000, np.uint8).tobytes()
PAGE = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>\r\n" * 20
# One for each container.
EACH = ["mp3 24k mono", "aac 24k mono", "flac 16k mono", "ogg opus mono", "webm opus", "m4a index first"]
EACH += ["wav 24k mono"]
MIMES = [None, "audio/mpeg", "audio/aac", "audio/flac", "audio/ogg", "audio/wav", "audio/webm", "audio/mp4"]


async def outcome(
    chunks: list[bytes], mime: str | None = None, **options: object
) -> tuple[np.ndarray | None, BaseException | None]:
    """The samples, and the error that ended them."""
    frames, failure = [], None
    async with AudioStreamDecoder(mime, max_input=1 << 30, **options) as decoder:
        try:
            for chunk in chunks:
                decoder.push(chunk)
            decoder.end_input()
        except DecoderError as error:
            failure = error
        try:
            async for frame in decoder:
                frames.append(frame)
        except DecoderError as error:
            failure = error
    return (joined(frames) if frames else None), failure


@pytest.mark.parametrize("mime", MIMES)
@pytest.mark.parametrize("data", [GARBAGE, PAGE, b'{"error": "quota"}', b"\0" * 5000, b"x"], ids=range(5))
def test_garbage(data: bytes, mime: str | None, run_once: Run) -> None:
    samples, failure = run_once(outcome(cut(data, 512), mime))
    assert samples is None
    assert isinstance(failure, UnknownFormatError)
    assert repr(data[:12]) in str(failure)


def test_garbage_is_known_before_the_input_ends(run: Run) -> None:
    async def scenario() -> None:
        async with AudioStreamDecoder() as decoder:
            decoder.push(PAGE * 20)
            with pytest.raises(UnknownFormatError):
                await anext(decoder)
            with pytest.raises(UnknownFormatError):
                decoder.push(b"more")

    run(scenario())


@pytest.mark.parametrize("mime", MIMES)
@pytest.mark.parametrize("chunks", [[], [b""], [b"", b""]], ids=["nothing", "empty", "twice"])
def test_no_input_is_a_clean_end(chunks: list[bytes], mime: str | None, run: Run) -> None:
    assert run(outcome(chunks, mime)) == (None, None)


@pytest.mark.parametrize(
    "data", [wav(b""), file_of("ogg opus mono")[:47 + 60], file_of("flac 16k mono")[:42], file_of("mp3 24k mono")[:45]]
)
def test_input_without_sound(data: bytes, run_once: Run) -> None:
    samples, failure = run_once(outcome([data]))
    assert samples is None
    assert isinstance(failure, DecoderError)


def patient(data: bytes) -> int:
    """How many samples a blocking decode gets that skips bad packets, as FFmpeg's command does."""
    count = 0
    with av.open(io.BytesIO(data)) as opened:
        for packet in opened.demux(audio=0):
            with contextlib.suppress(av.FFmpegError):
                count += sum(frame.samples for frame in packet.decode())
    return count


@pytest.mark.parametrize("kind", [*EACH, "ogg vorbis", "m4a fragments"])
def test_damaged_middle(kind: str, run_once: Run) -> None:
    """64 bad bytes cost no more than they cost FFmpeg's command, and mostly a few frames."""
    good = file_of(kind, 3.0)
    middle = len(good) // 2
    # Between fragments lies the index of the next one, without which nobody can play that.
    middle = good.index(b"mdat", middle) + 500 if "fragments" in kind else middle
    bad = good[:middle] + GARBAGE[:64] + good[middle + 64 :]
    samples, failure = run_once(outcome([bad]))
    # WebM's blocks are so short that the damage hits the next one's header, which then reaches to the end.
    assert isinstance(failure, TruncatedError) if kind == "webm opus" else failure is None
    assert len(samples) >= patient(bad) - 64
    assert len(samples) >= len(reference(good)) - 3 * 1152 or kind in ("webm opus", "flac 16k mono")


def test_bad_packets_are_counted(run_once: Run) -> None:
    good = file_of("aac 24k mono", 3.0)
    # The contents of three frames, not their headers.
    frames, at = [], 0
    while at < len(good):
        length = (good[at + 3] & 3) << 11 | good[at + 4] << 3 | good[at + 5] >> 5
        frames.append(good[at : at + length])
        at += length
    for number in (10, 20, 30):
        frames[number] = frames[number][:7] + b"\xff" * (len(frames[number]) - 7)

    async def scenario() -> tuple[int, int]:
        async with AudioStreamDecoder() as decoder:
            decoder.push(b"".join(frames))
            decoder.end_input()
            count = sum(frame.count for frame in await collect(decoder))
            return count, decoder.statistics().skipped_packets

    count, skipped = run_once(scenario())
    assert (len(reference(good)) - count) == 1024 * skipped
    assert 1 <= skipped <= 3


def test_nothing_but_bad_packets(run_once: Run) -> None:
    data = file_of("aac 24k mono", 3.0)
    broken = bytearray(data)
    at = 0
    while at < len(data):
        length = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        broken[at + 7 : at + length] = b"\xff" * (length - 7)
        at += length
    samples, failure = run_once(outcome([bytes(broken)], max_bad_packets=10))
    assert samples is None
    assert isinstance(failure, DecodeError)
    assert isinstance(failure.__cause__, av.FFmpegError)
    assert "11 packets in a row of adts" in str(failure)


def test_junk_after_sound(run_once: Run) -> None:
    data = file_of("mp3 24k mono")
    samples, failure = run_once(outcome([data, b"\0" * 100_000]))
    assert np.array_equal(samples, reference(data))
    assert isinstance(failure, DecodeError)


def test_junk_in_front(run_once: Run) -> None:
    """A live stream is joined anywhere: in the middle of a frame."""
    data = file_of("aac 24k mono")
    samples, failure = run_once(outcome([data[50:]]))
    assert failure is None
    assert len(samples) == len(reference(data)) - 1024


@pytest.mark.parametrize("kind", ["mp3 24k mono", "wav 24k mono", "flac 16k mono", "ogg opus mono", "webm opus"])
@pytest.mark.parametrize("mime", MIMES[1:])
def test_wrong_mime(kind: str, mime: str, run_once: Run) -> None:
    data = file_of(kind)
    samples, failure = run_once(outcome(cut(data, 1000), mime))
    assert failure is None
    assert np.array_equal(samples, reference(data))
    right = {"audio/mpeg": "mp3", "audio/wav": "wav", "audio/flac": "flac", "audio/ogg": "ogg", "audio/webm": "webm"}
    samples, failure = run_once(outcome(cut(data, 1000), mime, strict=True))
    if right.get(mime) == kind.split(maxsplit=1)[0]:
        assert failure is None
    else:
        assert isinstance(failure, MimeMismatchError)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("mime", ["", "nonsense", "audio/x-new", "application/octet-stream", "AUDIO/MPEG; codecs=mp3"])
def test_mime_that_says_nothing_new(mime: str, strict: bool, run_once: Run) -> None:
    samples, failure = run_once(outcome([file_of("mp3 24k mono")], mime, strict=strict))
    assert failure is None
    assert np.array_equal(samples, reference(file_of("mp3 24k mono")))


def test_wav_where_bare_samples_were_declared(run_once: Run) -> None:
    samples, failure = run_once(outcome([file_of("wav 24k mono")], "audio/pcm;rate=8000"))
    assert failure is None
    assert np.array_equal(samples, reference(file_of("wav 24k mono")))


@pytest.mark.parametrize("mime", ["audio/pcm", "audio/L16", "audio/pcm;rate=x", "audio/pcm;rate=8000;bits=12"])
def test_mime_that_does_not_tell_enough(mime: str, run_once: Run) -> None:
    with pytest.raises(ValueError, match=r"sample rate|invalid literal|12 bits"):
        run_once(outcome([], mime))


@pytest.mark.parametrize(
    "options",
    [{"rate": 0}, {"channels": -1}, {"dtype": "int8"}, {"layout": "rows"}, {"frame_ms": 0}, {"max_whole": 0}],
    ids=str,
)
def test_settings_that_make_no_sense(options: dict, run_once: Run) -> None:
    with pytest.raises(ValueError, match=r"must be positive|is one of"):
        run_once(outcome([], **options))


@pytest.mark.parametrize("kind", ["m4a index last", "aiff", "wav adpcm"])
def test_whole_files_have_a_limit(kind: str, run_once: Run) -> None:
    samples, failure = run_once(outcome(cut(file_of(kind), 4096), max_whole=10_000))
    assert samples is None
    assert isinstance(failure, NotStreamableError)
    assert "10000" in str(failure)


def test_forged_sizes_do_not_take_memory(run_once: Run) -> None:
    forged = b"\0\0\0\x10ftypM4A \0\0\0\0\x7f\xff\xff\xffmoov" + bytes(1000)
    _, failure = run_once(outcome([forged]))
    assert isinstance(failure, NotStreamableError)


def test_error_reaches_a_producer_that_waits(run: Run) -> None:
    async def scenario() -> None:
        async with AudioStreamDecoder(max_input=1000) as decoder:
            with pytest.raises(UnknownFormatError):
                await asyncio.gather(*(decoder.feed(PAGE) for _ in range(1000)))

    run(scenario())


@pytest.mark.parametrize("after", ["end", "close"])
def test_push_when_it_is_over(after: str, run: Run) -> None:
    async def scenario() -> None:
        async with AudioStreamDecoder() as decoder:
            decoder.push(file_of("mp3 24k mono"))
            if after == "end":
                decoder.end_input()
                decoder.feed_eof()
            else:
                await decoder.aclose()
            with pytest.raises(ClosedError):
                decoder.push(b"more")
            with pytest.raises(ClosedError):
                await decoder.feed(b"more")
            await collect(decoder)
            with pytest.raises(ClosedError):
                decoder.push(b"")

    run(scenario())


class Lost(Exception):
    """A connection that broke."""


@pytest.mark.parametrize("pushed", [b"", file_of("mp3 24k mono"), file_of("mp3 24k mono")[:5000]], ids=len)
def test_error_of_the_source(pushed: bytes, run: Run) -> None:
    """It comes after every frame there is, and instead of the error that the input is cut short."""

    async def source() -> AsyncIterator[bytes]:
        yield pushed
        raise Lost("peer went away")

    async def scenario() -> int:
        async with decode_stream(source()) as decoder:
            frames: list[Frame] = []
            with pytest.raises(Lost, match="peer went away"):
                await collect(decoder, frames)
            with pytest.raises(Lost):
                decoder.push(b"more")
        return len(frames)

    assert bool(run(scenario())) == bool(pushed)


@pytest.mark.parametrize("pushed", [b"", file_of("mp3 24k mono")], ids=["nothing", "sound"])
def test_exception_that_was_set(pushed: bytes, run: Run) -> None:
    """It ends a consumer that waits, after the frames, and stays."""

    async def scenario() -> np.ndarray | None:
        frames: list[Frame] = []
        async with AudioStreamDecoder() as decoder:
            consumer = asyncio.create_task(collect(decoder, frames))
            decoder.push(pushed)
            while pushed and not frames:
                await asyncio.sleep(0)
            decoder.set_exception(Lost("peer went away"))
            for attempt in (consumer, anext(decoder), decoder.feed(b"more")):
                with pytest.raises(Lost, match="peer went away"):
                    await attempt
        return joined(frames) if frames else None

    samples = run(scenario())
    assert np.array_equal(samples, reference(pushed)) if pushed else samples is None


def test_source_is_closed_with_the_decoder(run: Run) -> None:
    closed = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            while True:
                yield file_of("mp3 24k mono")
        finally:
            closed.set()

    async def scenario() -> bool:
        async with decode_stream(source(), rate=48000) as decoder:
            async for frame in decoder:
                if frame.position > 48000 * 3:
                    break
        return closed.is_set()

    assert run(scenario())


def small(kind: str) -> bytes:
    return file_of(kind, 0.1)


# Formats that tell neither their length nor a last frame may end after any frame, and a byte or two of the next header
# behind it may be anything.
OPEN_ENDED = {"aac 24k mono": 7, "mp3 without tags": 4, "flac 16k mono": 10}


@pytest.mark.parametrize("kind", [*EACH, "m4a fragments", "ogg vorbis", "mp3 without tags"])
def test_cut_short_at_every_byte(kind: str) -> None:
    """What decodes comes out, all of it the beginning of the whole; and the end is an error but where it may be one."""
    data = small(kind)

    async def scenario() -> list[tuple[int, np.ndarray | None, BaseException | None]]:
        sizes = range(1, len(data))
        results = await asyncio.gather(*(outcome([data[:size]]) for size in sizes))
        return [(size, *result) for size, result in zip(sizes, results, strict=True)]

    run_once = partial(run_on, asyncio.new_event_loop, debug=False)
    whole = joined(run_once(decode([data])))
    counts, clean = [], []
    for size, samples, failure in run_once(scenario()):
        count = 0 if samples is None else len(samples)
        counts.append(count)
        if samples is None:
            assert isinstance(failure, DecoderError), size
            continue
        assert isinstance(failure, TruncatedError | None), size
        clean += [count] if failure is None else []
        if kind != "aac 24k mono":
            # The last frame may be a stump that the codec made something of.
            sure = max(0, count - 4608)
            assert np.array_equal(samples[:sure], whole[:sure]), size
    assert counts == sorted(counts)
    if kind in OPEN_ENDED:
        assert max(clean.count(count) for count in clean) <= OPEN_ENDED[kind]
    else:
        # After all of the sound there may be an index for players that seek.
        assert set(clean) <= {len(whole)}
    assert whole.shape[0] - counts[-1] <= 4608


def test_cut_short_may_be_allowed(run_once: Run) -> None:
    data = file_of("wav 24k mono")
    samples, failure = run_once(outcome([data[:-1001]]))
    assert isinstance(failure, TruncatedError)
    allowed, nothing = run_once(outcome([data[:-1001]], allow_truncated=True))
    assert nothing is None
    assert np.array_equal(samples, allowed)
    assert len(samples) == round(1.3 * 24000) - 501


LOCALE = """
import asyncio, locale, sys
from reference_decoder import AudioStreamDecoder
locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
assert locale.localeconv()["decimal_point"] == ","

async def count():
    async with AudioStreamDecoder(rate=48000, frame_ms=7.5) as decoder:
        decoder.push(open(sys.argv[1], "rb").read())
        decoder.end_input()
        return sum([frame.count async for frame in decoder])

print(asyncio.run(count()))
"""


def test_locale_does_not_matter(tmp_path: Path) -> None:
    """Decimal commas, and FFmpeg's messages in another language, which once broke PyAV's resampler."""
    compile_locale = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(tmp_path / "de_DE.UTF-8")]
    if shutil.which("localedef") is None or subprocess.run(compile_locale, capture_output=True, check=False).returncode:
        pytest.skip("no German locale can be made here")
    sound = tmp_path / "sound.mp3"
    sound.write_bytes(file_of("mp3 44k stereo"))
    command = [sys.executable, "-W", "error", "-c", LOCALE, str(sound)]
    variables = environment(LOCPATH=str(tmp_path), LC_ALL="de_DE.UTF-8", PYTHONUTF8="0")
    ran = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert ran.stdout == f"{round(1.3 * 48000)}\n", ran.stderr
