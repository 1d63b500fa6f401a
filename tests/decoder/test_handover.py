"""The module where two threads meet: bounded both ways, few wake-ups, nothing that holds the loop."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from reference_decoder import AudioStreamDecoder
from reference_decoder.pool import cores
from tests.support.audio import file_of, reference
from tests.support.streaming import Run, collect, cut, decode, joined, until_idle

DATA = file_of("mp3 24k mono", 10.0)
SHORT = file_of("mp3 24k mono", 2.0)
EACH = ["mp3 24k mono", "aac 44k stereo", "flac 16k mono", "ogg opus mono", "ogg vorbis", "webm opus", "m4a fragments"]
TASKS = Path("/proc/self/task")


def test_output_is_bounded(run: Run) -> None:
    async def scenario() -> None:
        async with AudioStreamDecoder(max_buffered=1.0) as decoder:
            decoder.push(DATA)
            decoder.end_input()
            await until_idle(decoder)
            counts = decoder.statistics()
            assert 1.0 <= counts.seconds_buffered <= 1.55
            assert counts.bytes_waiting
            assert np.array_equal(joined(await collect(decoder)), reference(DATA))
            assert decoder.statistics().seconds_buffered == pytest.approx(0, abs=1e-6)

    run(scenario())


def test_input_is_bounded(run: Run) -> None:
    async def scenario() -> None:
        async with AudioStreamDecoder(max_input=8000, max_buffered=0.5) as decoder:

            async def feed() -> None:
                for _ in range(4):
                    for chunk in cut(DATA, 1000):
                        await decoder.feed(chunk)
                decoder.end_input()

            feeding = asyncio.create_task(feed())
            count, most = 0, 0
            async for frame in decoder:
                count += frame.count
                counts = decoder.statistics()
                most = max(most, counts.bytes_waiting)
                assert counts.seconds_buffered <= 0.8
            await feeding
            assert count == 4 * len(reference(DATA))
            assert most <= 9000

    run(scenario())


def test_at_most_one_wakeup_for_a_chunk(run: Run) -> None:
    """With a consumer that waits for every frame, at the pace of the stream."""

    async def scenario() -> None:
        async with AudioStreamDecoder() as decoder:
            frames = asyncio.create_task(collect(decoder))
            chunks = cut(SHORT, 500)
            for chunk in chunks:
                decoder.push(chunk)
                await until_idle(decoder)
            wakeups = decoder.statistics().wakeups
            assert 0 < wakeups <= len(chunks)
            decoder.end_input()
            assert np.array_equal(joined(await frames), reference(SHORT))

    run(scenario())


@pytest.mark.parametrize("kind", ["mp3 44k stereo", "aac 44k stereo", "flac 48k stereo", "ogg opus mono", "ogg vorbis"])
def test_few_wakeups_at_full_speed(kind: str, run: Run) -> None:
    seconds = 5.0

    async def scenario() -> int:
        async with AudioStreamDecoder(rate=48000, channels=1) as decoder:

            async def feed() -> None:
                for chunk in cut(file_of(kind, seconds), 2048):
                    await decoder.feed(chunk)
                decoder.end_input()

            feeding = asyncio.create_task(feed())
            await collect(decoder)
            await feeding
            return decoder.statistics().wakeups

    assert run(scenario()) <= 10 * seconds


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_what_may_be_pushed(kind: type, run: Run) -> None:
    """What belongs to somebody else, who may write to it, is copied at once."""

    async def scenario() -> None:
        async with AudioStreamDecoder() as decoder:
            for chunk in cut(SHORT, 999):
                buffer = bytearray(chunk)
                decoder.push(kind(buffer))
                buffer[:] = bytes(len(buffer))
            decoder.end_input()
            assert np.array_equal(joined(await collect(decoder)), reference(SHORT))

    run(scenario())


def test_no_wakeup_when_nobody_waits(run: Run) -> None:
    async def scenario() -> None:
        async with AudioStreamDecoder() as decoder:
            decoder.push(DATA)
            await until_idle(decoder)
            assert decoder.statistics().wakeups == 0

    run(scenario())


def test_the_loop_is_not_held(run_once: Run) -> None:
    """Pushing 10 MB, and closing with an hour queued. The thread's own time: a busy machine may stop anybody."""

    async def scenario() -> tuple[float, float]:
        pushes, closes = [], []
        large, hour = bytes(10_000_000), cut(DATA * 360, 2048)
        for _ in range(5):
            async with AudioStreamDecoder("audio/pcm;rate=44100;channels=2", rate=48000) as decoder:
                start = time.thread_time()
                decoder.push(large)
                pushes.append(time.thread_time() - start)
            decoder = AudioStreamDecoder(rate=48000)
            for chunk in hour:
                decoder.push(chunk)
            start = time.thread_time()
            await decoder.aclose()
            closes.append(time.thread_time() - start)
        return float(np.median(pushes)), float(np.median(closes))

    push, close = run_once(scenario())
    assert push < 0.002
    assert close < 0.002


def test_threads_for_many_decoders(run_once: Run) -> None:
    async def scenario() -> int:
        threads = []

        async def one() -> int:
            count = 0
            async with AudioStreamDecoder(rate=16000, allow_truncated=True) as decoder:
                decoder.push(DATA[:20000])
                decoder.end_input()
                async for frame in decoder:
                    count += frame.count
                    threads.append(sum(thread.name.startswith("reference_decoder") for thread in threading.enumerate()))
            return count

        counts = await asyncio.gather(*(one() for _ in range(200)))
        assert len(set(counts)) == 1
        return max(threads)

    assert 1 <= run_once(scenario()) <= cores()


@pytest.mark.skipif(not TASKS.exists(), reason="needs Linux's list of a process's threads")
def test_ffmpeg_starts_no_threads(run_once: Run) -> None:
    """Python knows nothing of those: PyAV's own resampler has as many as there are cores, each time."""

    async def scenario() -> int:
        decoders = [AudioStreamDecoder(rate=48000, channels=2) for _ in range(20)]
        for decoder, data in zip(decoders, files * 3, strict=False):
            decoder.push(data)
            await anext(decoder)
        threads = len([*TASKS.iterdir()])
        for decoder in decoders:
            await decoder.aclose()
        return threads

    files = [file_of(kind, 0.4) for kind in EACH]
    before = len([*TASKS.iterdir()])
    assert run_once(scenario()) <= before + cores()


def test_idle_decoders_have_their_turn(run_once: Run) -> None:
    """One that works through an hour does not keep the others waiting."""

    async def scenario() -> None:
        long = [AudioStreamDecoder(max_buffered=1e9) for _ in range(3 * cores())]
        for decoder in long:
            decoder.push(DATA * 60)
        async with AudioStreamDecoder() as quick:
            quick.push(DATA)
            await anext(quick)
            assert any(decoder.statistics().bytes_waiting for decoder in long)
        for decoder in long:
            await decoder.aclose()

    run_once(scenario())


def test_under_frequent_switches(run: Run) -> None:
    """With the interpreter switching threads all the time, the order of things is another at every run."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        frames = run(decode(cut(SHORT, 300), frame_ms=5, max_input=600, max_buffered=0.1))
        assert np.array_equal(joined(frames), reference(SHORT))
    finally:
        sys.setswitchinterval(before)
