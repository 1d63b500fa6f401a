"""Waits that have no end are not begun, or end with an error that says what to do instead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from reference_decoder import AudioStreamDecoder, DecodeError, SourceError, decode_stream
from tests.support.audio import file_of, reference, wav
from tests.support.streaming import Run, collect, cut, joined

DATA = file_of("mp3 24k mono", 3.0)
# More than a job takes at once.
LONG = DATA * 10
WHOLE = np.concatenate([reference(DATA)] * 10)
# So much later than anything takes, even beside other programs.
LIMIT = 30


class Odd(BaseException):
    """Neither an Exception nor one of Python's own."""


@pytest.mark.parametrize("pushed", [b"", DATA], ids=["nothing", "sound"])
def test_source_that_raises_cancelled(pushed: bytes, run: Run) -> None:
    """As one that awaits a task which somebody cancelled: the iteration ends, and not by seeming to be cancelled."""

    async def source() -> AsyncIterator[bytes]:
        yield pushed
        raise asyncio.CancelledError

    async def scenario() -> int:
        async with decode_stream(source()) as decoder:
            frames: list = []
            with pytest.raises(SourceError, match="cancelled"):
                await asyncio.wait_for(collect(decoder, frames), LIMIT)
        return sum(frame.count for frame in frames)

    assert run(scenario()) == (len(reference(DATA)) if pushed else 0)


def test_pump_that_is_cancelled_from_outside(run: Run) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield DATA
        await asyncio.Event().wait()

    async def scenario() -> None:
        async with decode_stream(source()) as decoder:
            await anext(decoder)
            decoder._pump.cancel()
            with pytest.raises(SourceError):
                await asyncio.wait_for(collect(decoder), LIMIT)

    run(scenario())


@pytest.mark.parametrize("error", [Odd("odd"), OSError("gone"), GeneratorExit("left")], ids=repr)
def test_source_that_raises_anything(error: BaseException, run: Run) -> None:
    class Source:
        def __aiter__(self) -> Source:
            return self

        async def __anext__(self) -> bytes:
            raise error

    async def scenario() -> None:
        async with decode_stream(Source()) as decoder:
            with pytest.raises(type(error)):
                await asyncio.wait_for(collect(decoder), LIMIT)

    run(scenario())


def test_source_that_closes_its_own_decoder(run: Run) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield DATA
        await opened[0].aclose()
        yield DATA

    opened: list[AudioStreamDecoder] = []

    async def scenario() -> None:
        async with decode_stream(source()) as decoder:
            opened.append(decoder)
            await asyncio.wait_for(collect(decoder), LIMIT)

    run(scenario())


def test_close_stops_the_reading_of_the_source(run: Run) -> None:
    stopped = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            yield DATA
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def scenario() -> None:
        decoder = decode_stream(source())
        await anext(decoder)
        decoder.close()
        await asyncio.wait_for(stopped.wait(), LIMIT)

    run(scenario())


@pytest.mark.parametrize("use", ["anext", "drain", "feed", "push", "aclose"])
def test_another_loop(use: str, run: Run) -> None:
    async def make() -> AudioStreamDecoder:
        decoder = AudioStreamDecoder(max_input=10)
        decoder.push(DATA[:3000])
        return decoder

    async def elsewhere() -> None:
        async def push() -> None:
            decoder.push(b"more")

        calls = {"anext": decoder.__anext__, "drain": decoder.drain, "aclose": decoder.aclose, "push": push}
        with pytest.raises(RuntimeError, match="another event loop"):
            await asyncio.wait_for(calls.get(use, lambda: decoder.feed(b"more"))(), LIMIT)

    # It stays open: a closed loop would be another matter.
    first = asyncio.new_event_loop()
    try:
        decoder = first.run_until_complete(make())
        run(elsewhere())
        first.run_until_complete(decoder.aclose())
    finally:
        first.close()


def test_feeding_more_than_fits_before_iterating() -> None:
    """The only task there is feeds all, and would iterate then."""

    async def alone() -> np.ndarray:
        async with AudioStreamDecoder(max_input=1000, max_buffered=0.2) as decoder:
            with pytest.raises(RuntimeError, match="feed in another task"):
                await decoder.feed(LONG)
            decoder.end_input()
            return joined(await collect(decoder))

    # `run` would wait in a second task. Without an error this does not come back, and the test's process is ended.
    assert np.array_equal(asyncio.run(alone()), WHOLE)


def test_feeding_more_than_fits_by_the_task_that_iterates(run: Run) -> None:
    async def scenario() -> np.ndarray:
        frames = []
        async with AudioStreamDecoder(max_input=2000, max_buffered=0.2) as decoder:
            await decoder.feed(DATA[:2000])
            frames.append(await anext(decoder))
            with pytest.raises(RuntimeError, match="`push`, which does not wait"):
                await decoder.feed(LONG[2000:])
            decoder.end_input()
            return joined(frames + await collect(decoder))

    assert np.array_equal(run(scenario()), WHOLE)


def test_feeding_more_than_fits_before_another_task_iterates(run: Run) -> None:
    """Somebody else may come, and does."""

    async def scenario() -> np.ndarray:
        async with AudioStreamDecoder(max_input=1000, max_buffered=0.2) as decoder:
            feeding = asyncio.create_task(decoder.feed(LONG))
            while not decoder._handover._full:
                await asyncio.sleep(0)
            await asyncio.sleep(0.01)
            assert not feeding.done()
            consumer = asyncio.create_task(collect(decoder))
            await feeding
            decoder.end_input()
            return joined(await consumer)

    assert np.array_equal(run(scenario()), WHOLE)


@pytest.mark.parametrize("name", ["rate", "channels", "input_rate", "input_channels"])
@pytest.mark.parametrize("value", [0, -1, 1 << 31])
def test_bounds(name: str, value: int, run_once: Run) -> None:
    async def make() -> None:
        with pytest.raises(ValueError, match=f"{name} must be from"):
            AudioStreamDecoder(**{name: value})

    run_once(make())


@pytest.mark.parametrize("rate", [1, 4_000_000_000])
def test_rates_of_a_file_that_cannot_be_resampled(rate: int, run_once: Run) -> None:
    async def scenario() -> None:
        async with AudioStreamDecoder(rate=48000) as decoder:
            for chunk in cut(wav(bytes(100_000), rate=rate, bits=8), 5000):
                decoder.push(chunk)
            decoder.end_input()
            with pytest.raises(DecodeError, match=f"{rate} Hz|damaged"):
                await asyncio.wait_for(collect(decoder), LIMIT)

    run_once(scenario())
