"""Beginning and end: closing, cancelling, abandoning, loops that go away, interpreters that exit."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
import warnings
import weakref

import numpy as np
import pytest

from reference_decoder import AudioStreamDecoder, ClosedError, decode_stream
from reference_decoder.pool import cores, shared_pool
from tests.support.audio import file_of, reference
from tests.support.scripts import ROOT
from tests.support.streaming import Run, collect, cut, joined, run_on

DATA = file_of("mp3 24k mono", 3.0)


def settle() -> None:
    """Wait until no job is under way: a decoder's last job runs after `aclose` has returned.

    Twice, because a job that is running now may queue up the last one behind the first barrier.
    """
    for _ in range(2):
        barrier = threading.Barrier(cores() + 1)
        for _ in range(cores()):
            shared_pool().submit(barrier.wait, 30)
        barrier.wait(30)


STATES = {"nothing pushed": [], "probing": [b"ID3"], "decoding": [DATA], "waiting for input": [DATA[:3000]]}


@pytest.mark.parametrize("state", STATES)
def test_close_in_any_state(state: str, run: Run) -> None:
    async def scenario() -> weakref.ref:
        decoder = AudioStreamDecoder()
        for chunk in STATES[state]:
            decoder.push(chunk)
        if state == "decoding":
            await anext(decoder)
        await decoder.aclose()
        await decoder.aclose()
        decoder.close()
        with pytest.raises(StopAsyncIteration):
            await anext(decoder)
        with pytest.raises(ClosedError):
            await decoder.drain()
        pipeline = decoder._pipeline
        await asyncio.to_thread(settle)
        # A job has freed what FFmpeg held.
        assert pipeline._codec is None
        assert pipeline._output._resampler is None
        return weakref.ref(decoder)

    gone = run(scenario())
    gc.collect()
    assert gone() is None


def test_close_ends_who_waits(run: Run) -> None:
    async def scenario() -> None:
        decoder = AudioStreamDecoder(max_input=1)
        consumer = asyncio.create_task(collect(decoder))
        await asyncio.sleep(0)
        await decoder.aclose()
        assert await consumer == []
        with pytest.raises(ClosedError):
            await decoder.drain()

    run(scenario())


def test_close_ends_a_producer_that_waits(run: Run) -> None:
    async def scenario() -> None:
        async with AudioStreamDecoder(max_input=1, max_buffered=0.1) as decoder:
            for _ in range(5):
                decoder.push(DATA * 3)
            producer = asyncio.create_task(decoder.drain())
            await anext(decoder)
            assert not producer.done()
        with pytest.raises(ClosedError):
            await producer

    run(scenario())


def test_one_consumer(run: Run) -> None:
    async def scenario() -> None:
        async with AudioStreamDecoder() as decoder:
            first = asyncio.create_task(anext(decoder))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="another task"):
                await anext(decoder)
            decoder.push(DATA)
            assert (await first).position == 0

    run(scenario())


def test_cancelled_consumer_loses_nothing(run: Run) -> None:
    async def scenario() -> np.ndarray:
        frames = []
        async with AudioStreamDecoder() as decoder:
            for number, chunk in enumerate(cut(DATA, 500)):
                waiting = asyncio.ensure_future(anext(decoder))
                await asyncio.sleep(0)
                decoder.push(chunk)
                if number % 2:
                    await asyncio.sleep(0)
                waiting.cancel()
                done, _ = await asyncio.wait([waiting])
                frames += [task.result() for task in done if not task.cancelled()]
            decoder.end_input()
            return joined(frames + await collect(decoder))

    assert np.array_equal(run(scenario()), reference(DATA))


def test_cancelled_producer_doubles_nothing(run: Run) -> None:
    async def scenario() -> np.ndarray:
        async with AudioStreamDecoder(max_input=1000, max_buffered=0.2) as decoder:
            for chunk in cut(DATA, 4000):
                feeding = asyncio.create_task(decoder.feed(chunk))
                await asyncio.sleep(0)
                feeding.cancel()
                await asyncio.wait([feeding])
            decoder.end_input()
            return joined(await collect(decoder))

    assert np.array_equal(run(scenario()), reference(DATA))


def test_cancelled_close_still_closes(run: Run) -> None:
    async def scenario() -> None:
        decoder = AudioStreamDecoder()
        decoder.push(DATA)
        await anext(decoder)
        closing = asyncio.create_task(decoder.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        await asyncio.to_thread(settle)
        assert decoder._pipeline._codec is None

    run(scenario())


def test_cancelled_between_the_two_ends(run: Run) -> None:
    """Cancelling the task that iterates stops the one that reads the source."""
    stopped = []

    async def source():
        try:
            yield DATA
            await asyncio.Event().wait()
        finally:
            stopped.append(True)

    async def iterate(started: asyncio.Event) -> None:
        async with decode_stream(source()) as decoder:
            async for _ in decoder:
                started.set()

    async def scenario() -> None:
        started = asyncio.Event()
        task = asyncio.create_task(iterate(started))
        await started.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    run(scenario())
    assert stopped == [True]


@pytest.mark.parametrize("steps", range(40))
def test_cancelled_at_any_step(steps: int, run: Run) -> None:
    """Wherever the task is that reads, feeds, iterates and closes: both ends are closed, and nothing is left."""
    closed = []

    async def source():
        try:
            for chunk in cut(DATA, 1000):
                yield chunk
                await asyncio.sleep(0)
        finally:
            closed.append(True)

    async def whole(opened: list[AudioStreamDecoder]) -> int:
        async with decode_stream(source(), rate=48000, max_input=2000, max_buffered=0.2, frame_ms=20) as decoder:
            opened.append(decoder)
            return sum([frame.count async for frame in decoder])

    async def scenario() -> None:
        opened: list[AudioStreamDecoder] = []
        task = asyncio.create_task(whole(opened))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled() or task.result() == len(reference(DATA, 48000))
        await asyncio.to_thread(settle)
        assert [decoder._pipeline._codec for decoder in opened] == [None] * len(opened)
        # A source that was never begun has nothing to close.
        assert closed == [True] or steps < 3

    run(scenario())


@pytest.mark.parametrize("pushed", [DATA, DATA[:3000]], ids=["decoding", "waiting"])
def test_loop_that_is_closed(pushed: bytes) -> None:
    async def begin() -> AudioStreamDecoder:
        decoder = AudioStreamDecoder()
        waiting = asyncio.ensure_future(anext(decoder))
        await asyncio.sleep(0)
        decoder.push(pushed)
        waiting.cancel()
        await asyncio.wait([waiting])
        return decoder

    loop = asyncio.new_event_loop()
    decoder = loop.run_until_complete(begin())
    loop.close()
    settle()
    pipeline = decoder._pipeline
    decoder.close()
    settle()
    assert pipeline._codec is None


@pytest.mark.parametrize("pushed", [b"", DATA[:3000], DATA], ids=["new", "waiting", "decoding"])
def test_abandoned_decoders(pushed: bytes) -> None:
    before = threading.active_count()

    async def abandon() -> list[weakref.ref]:
        gone = []
        for _ in range(20):
            decoder = AudioStreamDecoder()
            decoder.push(pushed)
            if len(pushed) > 3000:
                async for _ in decoder:
                    break
            gone.append(weakref.ref(decoder._pipeline))
            del decoder
        return gone

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gone = run_on(asyncio.new_event_loop, abandon(), debug=True)
        gc.collect()
        settle()
        gc.collect()
        categories = [warning.category for warning in caught]
        # A recorded warning keeps what it is about.
        caught.clear()
    assert categories == [ResourceWarning] * 20
    assert [pipeline() for pipeline in gone] == [None] * 20
    assert threading.active_count() <= before + cores()


def test_decoder_that_has_ended_needs_no_close() -> None:
    async def scenario() -> int:
        decoder = AudioStreamDecoder()
        decoder.push(DATA)
        decoder.end_input()
        return len(await collect(decoder))

    assert run_on(asyncio.new_event_loop, scenario(), debug=True)
    gc.collect()


def test_many_one_after_another_leave_nothing(run_once: Run) -> None:
    async def scenario() -> None:
        for _ in range(100):
            async with AudioStreamDecoder(rate=48000) as decoder:
                decoder.push(DATA[:5000])
                await anext(decoder)

    run_once(scenario())
    settle()
    gc.collect()
    assert not [thing for thing in gc.get_objects() if isinstance(thing, AudioStreamDecoder)]


PROGRAM = """
import asyncio, sys, time
from reference_decoder import AudioStreamDecoder
data = open(sys.argv[1], "rb").read()
kept = []

async def main():
    for _ in range(8):
        decoder = AudioStreamDecoder(rate=48000, max_buffered=1e9)
        # Half an hour of sound for each.
        for _ in range(200):
            decoder.push(data)
        if "END" in sys.argv:
            decoder.end_input()
        kept.append(decoder)
    await anext(decoder)
    print(time.monotonic())
    if "RAISE" in sys.argv:
        raise SystemExit(7)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [[], ["END"], ["RAISE"]], ids=["waiting", "decoding", "exit"])
def test_interpreter_exits(how: list[str], tmp_path) -> None:
    sound = tmp_path / "sound.mp3"
    sound.write_bytes(file_of("mp3 44k stereo", 8))
    command = [sys.executable, "-X", "dev", "-c", PROGRAM, str(sound), *how]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == (7 if how == ["RAISE"] else 0), ran.stderr
    # Decoding all that was pushed would take minutes; the clock is the machine's, and the machine may be busy.
    assert time.monotonic() - float(ran.stdout) < 30
    # What was never closed may be named; nothing else is said.
    assert "Error" not in ran.stderr
    assert "Fatal" not in ran.stderr


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork here")
def test_forked_child_decodes(tmp_path) -> None:
    sound = tmp_path / "sound.mp3"
    sound.write_bytes(DATA)
    program = """
import asyncio, os, sys, warnings
from reference_decoder import AudioStreamDecoder
data = open(sys.argv[1], "rb").read()

async def count():
    async with AudioStreamDecoder() as decoder:
        decoder.push(data)
        decoder.end_input()
        return sum([frame.count async for frame in decoder])

asyncio.run(count())
warnings.simplefilter("ignore")
child = os.fork()
if not child:
    os._exit(0 if asyncio.run(count()) == 72000 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    command = [sys.executable, "-c", program, str(sound)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.stdout == "0\n", ran.stderr
