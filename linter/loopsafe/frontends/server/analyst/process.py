"""The process beside the server: questions come on standard input, answers go to standard output.

It reads projects and keeps the facts of their files. Each answer is worked out in a fork, which has these at hand and
can be ended at any moment, with all the memory that it took. What is asked anew makes what goes on outdated. Where
there is no fork, the process does it all itself, and looks now and then for whether it is outdated.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import queue
import selectors
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

from loopsafe.frontends.server.analyst.desk import Desk, Job, solve_all
from loopsafe.frontends.server.analyst.messages import (
    Analyse,
    Answer,
    Done,
    Failed,
    Fix,
    Frames,
    Going,
    Question,
    Send,
    framed,
)
from loopsafe.project.config import ConfigError

_PIECE = 1 << 20
_ANSWERS = 1


class Outdated(Exception):
    """Nobody waits for this answer any more."""


def main() -> NoReturn:
    """Answer until standard input ends."""
    _take_streams()
    # There are many objects, and hardly any garbage.
    gc.set_threshold(100_000)
    forking = hasattr(os, "fork") and os.environ.get("LOOPSAFE_SERVER_FORKS") != "0"
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        Forking().run() if forking else Alone().run()
    os._exit(0)


def _take_streams() -> None:
    """Answers go out by a descriptor of their own: what else may be printed would be taken for a part of them."""
    # Ctrl-C is for the server, which ends this process by closing its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    global _ANSWERS  # noqa: PLW0603
    _ANSWERS = os.dup(1)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _answer(message: Answer) -> None:
    _write(_ANSWERS, framed(message))


def _guarded(number: int, send: Send, work: Callable[[], None]) -> None:
    """Do some work, and answer why where it fails."""
    try:
        work()
    except (ConfigError, FileNotFoundError) as error:
        send(Failed(number, str(error)))
    except MemoryError:
        send(Failed(number, "there is not enough memory for this project"))
    except Outdated:
        pass
    except Exception:
        send(Failed(number, f"this is a bug in loopsafe; please report it:\n{traceback.format_exc()}"))


@dataclass(slots=True)
class _Child:
    """A fork at work, and what it has said so far."""

    process: int
    output: int
    question: Question
    jobs: Sequence[Job]
    frames: Frames

    def end(self) -> None:
        """It is not needed any more."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)

    def wait(self) -> int:
        """Its exit status; -9 where a signal has ended it."""
        os.close(self.output)
        _, status = os.waitpid(self.process, 0)
        return os.waitstatus_to_exitcode(status)


class Forking:
    """Reads by itself and solves in forks."""

    def __init__(self) -> None:
        self._desk = Desk()
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(0, selectors.EVENT_READ)

    def run(self) -> None:
        """Go on until standard input ends."""
        frames, open_ = Frames(), True
        while open_:
            for key, _ in self._selector.select():
                if key.fd != 0:
                    self._hear(self._children[key.fd])
                elif piece := os.read(0, _PIECE):
                    self._ask([pickle.loads(content) for content in frames.feed(piece)])
                else:
                    open_ = False
        for child in self._children.values():
            child.end()

    def _ask(self, questions: Sequence[Question]) -> None:
        """Begin with the latest of the questions to analyse, and with all others."""
        latest = [question for question in questions if isinstance(question, Analyse)][-1:]
        wanted: list[Question] = [question for question in questions if isinstance(question, Fix)]
        for question in (*wanted, *latest):
            _guarded(question.number, _answer, partial(self._begin, question))

    def _begin(self, question: Question) -> None:
        if isinstance(question, Fix):
            self._start(question, (), lambda send: self._desk.fix(question, send))
            return
        for child in list(self._children.values()):
            if isinstance(child.question, Analyse):
                child.end()
                self._close(child)
        jobs = self._desk.prepare(question, _answer)
        if jobs:
            self._start(question, jobs, lambda send: solve_all(jobs, question, send))
        else:
            _answer(Done(question.number))

    def _start(self, question: Question, jobs: Sequence[Job], work: Callable[[Send], None]) -> None:
        output, end = os.pipe()
        # Nothing of what there is now is garbage to the fork; to look for it would copy all of it.
        gc.freeze()
        process = os.fork()
        if not process:
            os.close(output)
            self._work(question, end, work)
        gc.unfreeze()
        os.close(end)
        self._children[output] = _Child(process, output, question, jobs, Frames())
        self._selector.register(output, selectors.EVENT_READ)

    @staticmethod
    def _work(question: Question, output: int, work: Callable[[Send], None]) -> NoReturn:
        code = 1
        try:
            gc.disable()

            def send(message: Answer) -> None:
                _write(output, framed(message))

            _guarded(question.number, send, lambda: work(send))
            code = 0
        finally:
            os._exit(code)

    def _hear(self, child: _Child) -> None:
        piece = os.read(child.output, _PIECE)
        if piece:
            for content in child.frames.feed(piece):
                _pass_on(content)
            return
        code, question = self._close(child), child.question
        if code:
            _answer(Failed(question.number, f"the analysis has ended early (exit status {code})"))
        elif isinstance(question, Analyse):
            self._desk.keep(child.jobs)
            _answer(Done(question.number))

    def _close(self, child: _Child) -> int:
        self._selector.unregister(child.output)
        del self._children[child.output]
        return child.wait()


def _pass_on(content: bytes) -> None:
    _write(_ANSWERS, len(content).to_bytes(4, "little") + content)


class Alone:
    """Does everything in this process, one question after the other."""

    def __init__(self) -> None:
        self._desk = Desk()
        self._questions: queue.SimpleQueue[Question | None] = queue.SimpleQueue()

    def run(self) -> None:
        """Go on until standard input ends."""
        threading.Thread(target=self._listen, daemon=True).start()
        while (question := self._questions.get()) is not None:
            # What waits behind it makes it outdated.
            if isinstance(question, Fix) or self._questions.empty():
                _guarded(question.number, self._send, partial(self._work, question))
                gc.collect()

    def _listen(self) -> None:
        frames = Frames()
        while piece := os.read(0, _PIECE):
            for content in frames.feed(piece):
                self._questions.put(pickle.loads(content))
        self._questions.put(None)

    def _work(self, question: Question) -> None:
        if isinstance(question, Fix):
            self._desk.fix(question, _answer)
            return
        jobs = self._desk.prepare(question, self._send)
        solve_all(jobs, question, self._send)
        self._desk.keep(jobs)
        self._send(Done(question.number))

    def _send(self, message: Answer) -> None:
        if isinstance(message, Going) and not self._questions.empty():
            raise Outdated
        _answer(message)


if __name__ == "__main__":
    sys.exit("this is started by the server")
