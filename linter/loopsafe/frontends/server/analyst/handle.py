"""The server's end of the process that analyses: it is started when there is something to ask, and anew if it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
from collections.abc import Callable

from loopsafe.frontends.server.analyst.messages import HEAD, Answer, Failed, Question, framed, length_of
from loopsafe.reading.helpers import command

_START = "from loopsafe.frontends.server.analyst.process import main; main()"
# One that ends again and again is not started for ever.
_MOST_ENDS = 3


class Analyst:
    """A process and the task that reads its answers. `hear` is told each answer, `lose` why no more come."""

    def __init__(self, hear: Callable[[Answer], None], lose: Callable[[str], None]) -> None:
        self._hear, self._lose = hear, lose
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._ends = 0
        self.folder = ""
        """The folder that paths are told from."""

    async def ask(self, question: Question) -> None:
        """Send a question; the answers are heard later."""
        try:
            process = await self._running()
            assert process.stdin is not None
            process.stdin.write(framed(question))
            await process.stdin.drain()
        except OSError as error:
            self._hear(Failed(question.number, f"the analysis cannot be started: {error.strerror or error}"))

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            if self._ends >= _MOST_ENDS:
                raise OSError("it has ended too often; restart the server to try again")
            self._process = await asyncio.create_subprocess_exec(
                *command(_START),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=self.folder if os.path.isdir(self.folder) else None,
                # Ctrl-C is for the server, which ends it.
                start_new_session=True,
            )
            self._listening = asyncio.create_task(self._listen(self._process))
        return self._process

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = await process.stdout.readexactly(HEAD)
                content = await process.stdout.readexactly(length_of(head))
                self._hear(pickle.loads(content))
        code = await process.wait()
        self._ends += 1
        if process is self._process:
            self._process = None
            self._lose(f"the process that analyses has ended (exit status {code})")

    def worked(self) -> None:
        """An answer was complete: what ended before did not end for what is asked now."""
        self._ends = 0

    async def end(self) -> None:
        """Stop the process; that its input ends tells it to."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), 5)
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        if self._listening is not None:
            self._listening.cancel()
