"""Running a decoder in tests: on every kind of event loop, with nothing left over."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

import numpy as np

from reference_decoder import AudioStreamDecoder, Frame

T = TypeVar("T")
# Nothing takes a second; a machine under load may be slow.
PATIENCE = 60


def cut(data: bytes, size: int) -> list[bytes]:
    """The data in chunks of one size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


async def collect(decoder: AudioStreamDecoder, frames: list[Frame] | None = None) -> list[Frame]:
    """Every frame up to the end; those before an error are in the list that was given."""
    frames = [] if frames is None else frames
    async for frame in decoder:
        frames.append(frame)
    return frames


async def decode(chunks: Iterable[bytes], mime: str | None = None, **options: Any) -> list[Frame]:
    """Feed and collect at the same time."""
    async with AudioStreamDecoder(mime, **options) as decoder:

        async def feed() -> None:
            for chunk in chunks:
                await decoder.feed(chunk)
            decoder.end_input()

        feeding = asyncio.create_task(feed())
        try:
            return await collect(decoder)
        finally:
            feeding.cancel()
            await asyncio.wait([feeding])


async def until_idle(decoder: AudioStreamDecoder) -> None:
    """Wait until the decoder's job has ended, and with it everything it had to say."""
    while decoder._handover._working:
        await asyncio.sleep(0)
    await asyncio.sleep(0)


def joined(frames: list[Frame]) -> np.ndarray:
    """The samples of all frames; their positions have no gap."""
    assert [frame.position for frame in frames] == list(np.cumsum([0] + [frame.count for frame in frames])[:-1])
    return np.concatenate([frame.samples for frame in frames])


def others() -> set[threading.Thread]:
    """The threads that are not the decoders' shared pool."""
    return {thread for thread in threading.enumerate() if not thread.name.startswith("reference_decoder")}


Run = Callable[[Coroutine[Any, Any, T]], T]


def run_on(factory: Callable[[], asyncio.AbstractEventLoop], coroutine: Coroutine[Any, Any, T], debug: bool) -> T:
    """Run to the end; nothing may be left over, and nothing reported to the loop's exception handler."""
    loop = factory()
    loop.set_debug(debug)
    reported: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    try:
        result = loop.run_until_complete(asyncio.wait_for(coroutine, PATIENCE))
        assert not asyncio.all_tasks(loop)
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    assert not reported
    return result
