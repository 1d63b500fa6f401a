"""Where the event loop's thread and a worker thread meet. Nothing else in this package is touched by both.

The loop's side pushes chunks in and takes frames out; jobs on the shared pool do the work in between. Why it is right:

- **The worker never touches what belongs to the loop.** It has one thing to tell the loop, "look again", and says it by
  `loop.call_soon_threadsafe(self._changed.set)`: the operation is passed, and runs on the loop. `asyncio.Event.set`
  called here would wake nobody: the loop sleeps in its selector, and is not told.
- **What both touch is guarded by one lock**, held for a few operations on plain data, never while decoding, waiting,
  submitting or waking. Frames are handed over by that lock; a wake-up carries nothing, so none can be lost or doubled.
- **At most one wake-up is under way**, and none when nobody sleeps: a sleeper says so under the lock after a last look,
  and the first worker to change anything takes that word back.
- **No thread waits.** A job that finds no input, or finds enough output waiting, ends. `push` and `take` start the next
  one. A job also ends after a few blocks and queues up again, so that other decoders have their turn.
- **One owner at a time.** `_working` is true from the submission of a job to its end, so there is never a second, and
  the pipeline with its native objects is only used, and closed, inside of a job.
- **Nobody has to be there.** If the loop is closed the wake-up raises RuntimeError: there is no one to tell, so the job
  frees what it has and ends. If the interpreter exits, the pool takes no more jobs. If the decoder is dropped without
  being closed, `abandon` sets a flag and takes no lock, because it runs in a finalizer, on whichever thread, perhaps in
  the middle of the methods here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock

from reference_decoder.errors import ClosedError
from reference_decoder.frames import Frame, Statistics
from reference_decoder.pipeline import Pipeline
from reference_decoder.pool import shared_pool

# Large chunks are passed on in pieces, so that no copy holds the interpreter for long.
_PIECE = 1 << 16
# So many blocks, of a quarter of a second each, a job makes before others have their turn.
_TURN = 4
# What somebody may be asleep for.
_ROOM, _FRAMES = 1, 2


class Handover:
    """Chunks one way, frames the other; bounded both ways."""

    def __init__(self, pipeline: Pipeline, max_input: int, max_buffered: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._pipeline = pipeline
        self._steps = pipeline.steps()
        self._max_input, self._max_buffered = max_input, max_buffered
        self._lock = Lock()
        # Guarded by the lock from here on.
        self._chunks: deque[memoryview] = deque()
        self._waiting = self._pushed = 0
        self._frames: deque[Frame] = deque()
        self._buffered = 0.0
        self._asleep = 0
        self._working = False
        self._starved, self._full = True, False
        self._ended = self._finished = self._closed = False
        self._error: BaseException | None = None
        self._jobs = self._wakeups = 0

    # ---- on the loop

    def push(self, chunk: bytes) -> None:
        """Add input. Never waits."""
        with self._lock:
            if self._error or self._ended:
                raise self._error or ClosedError("the decoder's input has been ended")
            if chunk:
                self._chunks.append(memoryview(chunk))
                self._waiting += len(chunk)
                self._pushed += len(chunk)
                self._starved = False
            submit = self._claim()
        self._submit(submit)

    def end(self, error: BaseException | None = None) -> None:
        """No more input. The consumer gets `error`, if there is one, after the frames."""
        with self._lock:
            self._ended, self._starved = True, False
            self._error = self._error or error
            submit = self._claim()
        self._submit(submit)

    def close(self) -> None:
        """Drop everything. What the pipeline holds is freed by a job, now or when the running one comes to an end."""
        with self._lock:
            self._closed = self._ended = True
            submit = self._claim()
        self._changed.set()
        self._submit(submit)

    async def room(self) -> None:
        """Where more input is waiting than the limit, wait until it is half of that. Raises what ended the decoder."""
        if self._waiting > self._max_input:
            await self._until(lambda: self._waiting <= self._max_input // 2 or self._over(), _ROOM)
        if self._over() and (self._error or self._closed):
            raise self._error or ClosedError("the decoder has been closed")

    async def take(self) -> Frame | None:
        """The next frame; None after the last."""
        await self._until(lambda: bool(self._frames) or self._over(), _FRAMES)
        with self._lock:
            if self._closed or not self._frames:
                if self._error and not self._closed:
                    raise self._error
                return None
            frame = self._frames.popleft()
            self._buffered -= frame.duration
            self._full = self._full and self._buffered > self._max_buffered / 2
            submit = self._claim()
        self._submit(submit)
        return frame

    def statistics(self) -> Statistics:
        """The counts at this moment."""
        with self._lock:
            source = self._pipeline.source
            return Statistics(
                bytes_pushed=self._pushed,
                bytes_waiting=self._waiting,
                seconds_buffered=max(0.0, self._buffered),
                samples_decoded=self._pipeline.position,
                skipped_packets=self._pipeline.skipped,
                skipped_bytes=source.lost,
                jobs=self._jobs,
                wakeups=self._wakeups,
            )

    async def _until(self, condition: Callable[[], bool], what: int) -> None:
        while True:
            with self._lock:
                if condition():
                    return
                self._changed.clear()
                self._asleep |= what
            await self._changed.wait()

    def _over(self) -> bool:
        return self._finished or self._closed

    # ---- on either side

    def _claim(self) -> bool:
        """With the lock held: whether a job is to be submitted, for there is something to do and nobody does it."""
        claimed = not self._working and self._has_work()
        self._working = self._working or claimed
        self._jobs += claimed
        return claimed

    def _submit(self, claimed: bool) -> None:
        # After the interpreter has begun to exit, the pool refuses: nobody will ask for these frames.
        with suppress(RuntimeError):
            if claimed:
                shared_pool().submit(self._job)

    def _has_work(self) -> bool:
        return not self._finished and (self._closed or not (self._starved or self._full))

    def abandon(self) -> bool:
        """From a finalizer: have a running job end. Whether that was needed, or the decoder was done."""
        over = self._over()
        self._closed = True
        return not over

    # ---- on a worker

    def _job(self) -> None:
        try:
            turns = _TURN
            while turns and self._go_on():
                turns -= 1
        except BaseException as error:
            self._finish(error)
        with self._lock:
            self._working = False
            submit = self._claim()
        self._submit(submit)

    def _go_on(self) -> bool:
        """Decode the next blocks, or take a chunk. False when there is nothing left to do for now."""
        if self._closed or self._loop.is_closed():
            self._steps.close()
            self._pipeline.close()
            self._finish(None)
            return False
        for frames in self._steps:
            if frames is not None:
                return self._give(frames)
            if not self._refill():
                self._give(self._pipeline.flush())
                return False
        self._finish(None)
        return False

    def _refill(self) -> bool:
        """Move chunks into the source, or tell it that the input has ended. False where more may come, but has not."""
        with self._lock:
            if not self._chunks:
                self._starved = not self._ended
                self._pipeline.source.ended = self._ended
                return self._ended
            before = self._waiting
            while self._chunks and before - self._waiting < _PIECE:
                self._pipeline.source.append(self._next_chunk())
            wake = self._waiting <= self._max_input // 2 and self._rouse(_ROOM)
        if wake:
            self._wake()
        return True

    def _next_chunk(self) -> memoryview:
        chunk = self._chunks.popleft()
        if len(chunk) > _PIECE:
            self._chunks.appendleft(chunk[_PIECE:])
            chunk = chunk[:_PIECE]
        self._waiting -= len(chunk)
        return chunk

    def _give(self, frames: list[Frame]) -> bool:
        """Hand over frames. Whether there is room for more."""
        if not frames:
            return True
        with self._lock:
            self._frames.extend(frames)
            self._buffered += sum(frame.duration for frame in frames)
            self._full = self._buffered >= self._max_buffered
            wake = self._rouse(_FRAMES)
        if wake:
            self._wake()
        return not self._full

    def _finish(self, error: BaseException | None) -> None:
        with self._lock:
            self._finished = True
            self._error = self._error or error
            if self._closed:
                self._chunks.clear()
                self._frames.clear()
            wake = self._rouse(_ROOM | _FRAMES)
        if wake:
            self._wake()

    def _rouse(self, what: int) -> bool:
        """Whether somebody sleeps for this. One wake-up is for all: their word is taken back, so only one is made."""
        if not self._asleep & what:
            return False
        self._asleep = 0
        self._wakeups += 1
        return True

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._changed.set)
        except RuntimeError:
            # The loop is closed.
            self._closed = True
