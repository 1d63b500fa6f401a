"""Where the event loop's thread and a worker thread meet. Nothing else in this package is touched by both.

The loop's side pushes chunks in and takes frames out; jobs on the shared pool do the work in between. Why it is right:

- **The worker never touches what belongs to the loop.** It has one thing to tell the loop, "look again", and says it by
  `loop.call_soon_threadsafe(self._changed.set)`: the operation is passed, and runs on the loop. `asyncio.Event.set`
  called here would wake nobody: the loop sleeps in its selector, and is not told.
- **What both touch is changed through one door**, `with self._door()`: under a lock, held for a few operations on
  plain data, never while decoding, waiting, submitting or waking. Who leaves by that door looks whether somebody sleeps
  who now need not, and whether there is work that nobody does. So no change can go unnoticed, whoever makes it.
- **At most one wake-up is under way**, and none when nobody sleeps: a sleeper says so behind the door, after a last
  look, and the first to bring what one waits for takes that word back. Frames are handed over by the queue, not by the
  wake-up, so none can be lost or doubled.
- **No thread waits.** A job makes one block, or what the input is good for, and ends. If there is more to do it queues
  up again, so that other decoders have their turn.
- **One owner at a time.** `_working` is true from the submission of a job to its end, so there is never a second, and
  the pipeline with its native objects is only used, and closed, inside of a job.
- **No wait is without an end that can be seen.** On another loop than the decoder's nobody would be woken, so nobody
  may wait there. Where frames have filled up, a producer is woken as well, and raises if it is the one who takes them.
- **Nobody has to be there.** If the loop is closed the wake-up raises RuntimeError: there is no one to tell, so the job
  frees what it has and ends. If the interpreter exits, the pool takes no more jobs. If the decoder is dropped without
  being closed, `abandon` sets a flag and takes no lock, because it runs in a finalizer, on whichever thread, perhaps in
  the middle of the methods here.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from contextlib import suppress
from threading import Lock

from reference_decoder.errors import ClosedError
from reference_decoder.frames import Frame, Statistics
from reference_decoder.pipeline import Pipeline
from reference_decoder.pool import shared_pool

# Large chunks are passed on in pieces, so that no copy holds the interpreter for long.
_PIECE = 1 << 16
# What somebody may sleep for.
_ROOM, _FRAMES, _FULL = 1, 2, 4


class Handover:
    """Chunks one way, frames the other; bounded both ways."""

    def __init__(self, pipeline: Pipeline, max_input: int, max_buffered: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._pipeline = pipeline
        self._steps = pipeline.steps()
        self._max_input, self._max_buffered = max_input, max_buffered
        # Who takes frames.
        self._taker: weakref.ref[asyncio.Task[object]] | None = None
        self._lock = Lock()
        # Guarded by the lock from here on. None stands for a mark.
        self._chunks: deque[memoryview | None] = deque()
        self._waiting = self._pushed = 0
        self._frames: deque[Frame] = deque()
        self._buffered = 0.0
        self._asleep = self._jobs = self._wakeups = 0
        # Starved: nothing to decode before more comes. Full: nothing to decode before some is taken.
        self._starved = True
        self._full = self._working = self._ended = self._finished = self._closed = False
        self._error: BaseException | None = None

    # ---- on the loop

    def push(self, chunk: bytes) -> None:
        """Add input. Never waits."""
        self.check_loop()
        with self._door():
            if self._error or self._ended:
                raise self._error or ClosedError("the decoder's input has been ended")
            if chunk:
                self._chunks.append(memoryview(chunk))
                self._waiting += len(chunk)
                self._pushed += len(chunk)
                self._starved = False

    def mark(self) -> None:
        """What has been pushed so far is to come out, to the last sample."""
        with self._door():
            if not self._ended:
                self._chunks.append(None)
                self._starved = False

    def end(self, error: BaseException | None = None) -> None:
        """No more input. The consumer gets `error`, if there is one, after the frames."""
        with self._door():
            self._ended, self._starved = True, False
            self._error = self._error or error

    def close(self) -> None:
        """Drop everything. What the pipeline holds is freed by a job, now or when the running one comes to an end."""
        with self._door():
            self._closed = self._ended = True

    def check_loop(self) -> None:
        """Raise RuntimeError where another loop runs than the decoder's: who waits there would not be woken."""
        elsewhere = False
        # Where none runs, nobody can wait.
        with suppress(RuntimeError):
            elsewhere = asyncio.get_running_loop() is not self._loop
        if elsewhere:
            raise RuntimeError("the decoder is used on another event loop than the one it was made on")

    async def room(self) -> None:
        """Where more input is waiting than the limit, wait until it is half of that. Raises what ended the decoder."""
        # Looked at without the lock: what changes in this moment is seen at the next chunk.
        if self._waiting > self._max_input:
            await self._until(_ROOM | _FULL)
            if not self._granted() & _ROOM:
                self._check_taker()
                await self._until(_ROOM)
        if self._closed or (self._finished and self._error):
            raise self._error or ClosedError("the decoder has been closed")

    def _check_taker(self) -> None:
        """Raise where nobody but this task will make room: it has taken the frames so far, or is alone."""
        task, taker = asyncio.current_task(), self._taker and self._taker()
        if taker is task or (asyncio.all_tasks() == {task} and taker is None):
            instead = "feed in another task, or use `push`, which does not wait, or raise `max_input` or `max_buffered`"
            raise RuntimeError(f"{self._buffered:.1f} s of frames wait for this task, which waits for room: {instead}")

    async def take(self) -> Frame | None:
        """The next frame; None after the last."""
        self.check_loop()
        if task := asyncio.current_task():
            self._taker = weakref.ref(task)
        await self._until(_FRAMES)
        with self._door():
            if self._frames and not self._closed:
                frame = self._frames.popleft()
                self._buffered -= frame.duration
                self._full = self._full and self._buffered > self._max_buffered / 2
                return frame
            if self._error and not self._closed:
                raise self._error
            return None

    def statistics(self) -> Statistics:
        """The counts at this moment."""
        work = self._pipeline
        with self._lock:
            counts = (self._pushed, self._waiting, max(0.0, self._buffered))
            # A worker may just be counting on in the last three: they are to be shown, nothing is decided by them.
            return Statistics(*counts, work.position, work.skipped, work.source.lost, self._jobs, self._wakeups)

    async def _until(self, wish: int) -> None:
        while True:
            with self._lock:
                if self._granted() & wish:
                    return
                self._changed.clear()
                self._asleep |= wish
            await self._changed.wait()

    # ---- on either side

    def _door(self) -> Handover:
        """The one door: `with self._door():` holds the lock for a change; then whoever that concerns is seen to."""
        return self

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        submit = not self._working and self._has_work()
        self._working = self._working or submit
        wake = bool(self._asleep & self._granted())
        # All sleepers hear it; one who finds it was for another says again what it sleeps for.
        self._asleep = 0 if wake else self._asleep
        self._jobs, self._wakeups = self._jobs + submit, self._wakeups + wake
        self._lock.release()
        if wake:
            self._wake()
        if submit:
            # After the interpreter has begun to exit, the pool refuses: nobody will ask for these frames.
            with suppress(RuntimeError):
                shared_pool().submit(self._job)

    def _granted(self) -> int:
        """What nobody has to sleep for."""
        if self._finished or self._closed:
            return _ROOM | _FRAMES
        room = self._waiting <= self._max_input // 2
        return _ROOM * room | _FRAMES * bool(self._frames) | _FULL * self._full

    def _has_work(self) -> bool:
        return not self._finished and (self._closed or not (self._starved or self._full))

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._changed.set)
        except RuntimeError:
            # The loop is closed.
            self._closed = True

    def abandon(self) -> bool:
        """From a finalizer: have a running job end. False where the decoder was done anyway."""
        over = self._finished or self._closed
        self._closed = True
        return not over

    # ---- on a worker

    def _job(self) -> None:
        frames: list[Frame] = []
        over, error = True, None
        try:
            frames, over = self._block()
        except BaseException as failure:
            error = failure
        with self._door():
            self._frames.extend(frames)
            self._buffered += sum(frame.duration for frame in frames)
            self._full = self._buffered >= self._max_buffered
            self._working, self._finished = False, over
            self._error = self._error or error
            if over and self._closed:
                self._chunks.clear()
                self._frames.clear()

    def _block(self) -> tuple[list[Frame], bool]:
        """The next frames, and whether there will be no more."""
        if self._closed or self._loop.is_closed():
            self._steps.close()
            self._pipeline.close()
            return [], True
        for frames in self._steps:
            if frames is not None:
                return frames, False
            if self._pipeline.source.paused:
                return self._pipeline.mark(), False
            if not self._refill():
                return self._pipeline.flush(), False
        return [], True

    def _refill(self) -> bool:
        """Move chunks into the source, or tell it that the input has ended. False where more may come, but has not."""
        source = self._pipeline.source
        with self._door():
            if not self._chunks:
                self._starved = not self._ended
                source.ended = self._ended
                return self._ended
            moved = 0
            while self._chunks and moved < _PIECE and not source.paused:
                chunk = self._chunks.popleft()
                if chunk is None:
                    source.paused = True
                    continue
                if len(chunk) > _PIECE:
                    self._chunks.appendleft(chunk[_PIECE:])
                    chunk = chunk[:_PIECE]
                moved += len(chunk)
                source.append(chunk)
            self._waiting -= moved
        return True
