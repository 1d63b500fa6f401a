"""Runs cases, each in a forked process: reads lists of requests, one JSON a line, and answers each with a line.

A request names the folder of the case, the functions that start its threads, those that stand on the thread, and
whether asyncio's debug mode is on. What the functions need is made up from their annotations and names. A case that
has more to say about how it is run carries a program of its own, whose function `run` is called: in a loop of the
stage's where it is a coroutine function, else on the main thread, where it runs its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import inspect
import io
import json
import os
import re
import select
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import IO, Any
from unittest.mock import MagicMock

sys.path.insert(0, str(Path(__file__).parent))
import observed

LIMIT = 3.0
PATIENCE = 0.3
_PLAIN: dict[Any, Any] = {int: 1, str: "x", float: 1.0, bytes: b"x", bool: True, list: [], dict: {}}
_BY_TEXT = ("Queue", "Event", "Lock", "Condition", "Semaphore")


def main() -> None:
    """Answer requests until there are no more."""
    for line in sys.stdin:
        children = [[_begin(one | {"debug": debug}) for debug in (False, True)] for one in json.loads(line)]
        print(json.dumps([[_end(*child) for child in pair] for pair in children]), flush=True)


def _begin(request: dict[str, Any]) -> tuple[int, int]:
    """Start a run in a child; its id and where its answer will come from."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(ours)
        sys.stdout = sys.stderr = io.StringIO()
        with os.fdopen(theirs, "w") as answer:
            Case(request, answer).run()
    os.close(theirs)
    return child, ours


def _end(child: int, ours: int) -> dict[str, Any]:
    """What a child answers. It ends with all it forked, which holds the pipe open: nothing waits for the pipe's end."""
    with os.fdopen(ours) as answer:
        ready, _, _ = select.select([answer], [], [], LIMIT)
        text = answer.readline() if ready else ""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return json.loads(text) if text.endswith("\n") else {"faults": [], "crossed": [], "errors": ["it hangs"]}


class Case:
    """One run of one case."""

    def __init__(self, request: dict[str, Any], answer: IO[str]) -> None:
        self.request, self.answer = request, answer
        self.folder = request["folder"]
        self.errors: list[str] = []
        self.kept: list[Any] = []
        self._ending = threading.Lock()

    def run(self) -> None:
        """Run it, say what was seen, and end the process: what was lost might keep its loop from ever ending."""
        try:
            self._prepare()
            run = self._harness() if self.request["script"] else self._made_up_calls
            if inspect.iscoroutinefunction(run):
                asyncio.run(self._play(run), debug=self.request["debug"])
            else:
                threading.Thread(target=self._watch, daemon=True).start()
                run()
                self._end()
        except BaseException as error:
            self._failed(error)
            self._end()

    async def _play(self, run: Callable[[], Any]) -> None:
        try:
            task = asyncio.ensure_future(run())
            task.add_done_callback(self._done)
            if self.request["script"]:
                # Nobody waits for the end of what has lost its wake-up, or cancels it: that may not be possible.
                await self._settle(lambda: task.done() or bool(observed.FAULTS))
            else:
                await task
        except Exception as error:
            self._failed(error)
        self._end()

    def _watch(self) -> None:
        end = time.monotonic() + PATIENCE
        while not self._seen() and time.monotonic() < end:
            time.sleep(10)
        self._end()

    def _end(self) -> None:
        self._ending.acquire()
        json.dump({"faults": observed.FAULTS, "crossed": observed.CROSSED, "errors": self.errors}, self.answer)
        print(file=self.answer, flush=True)
        os._exit(0)

    def _prepare(self) -> None:
        os.chdir(self.folder)
        sys.path.insert(0, self.folder)
        sys.meta_path.append(_Missing())
        observed.install(self.folder, self.request["debug"], self._failed)
        warnings.simplefilter("always", RuntimeWarning)
        warnings.showwarning = self._warned
        threading.excepthook = lambda args: self._failed(args.exc_value)
        pause, wait = time.sleep, asyncio.sleep
        time.sleep = lambda seconds=0: pause(min(seconds, 0.001))
        asyncio.sleep = lambda delay, result=None: wait(min(delay, 0.02), result)
        run = threading.Thread.run
        threading.Thread.run = lambda self: (observed.LOOPS and observed.LOOPS[0].fall_asleep(), run(self))[1]
        start = threading.Timer.__init__
        threading.Timer.__init__ = lambda self, interval, *args, **kwargs: start(self, 0.01, *args, **kwargs)

    def _failed(self, error: BaseException | None) -> None:
        text = "".join(traceback.format_exception_only(type(error), error)).strip()
        # Debug mode tells more of the same error, and it stands in another folder when it is fixed.
        self.errors.append(re.sub(r" created at [^ >]+", "", text).replace(self.folder, ""))

    def _warned(self, message: Warning | str, *rest: object) -> None:
        if "never awaited" in str(message):
            self.errors.append(str(message).splitlines()[0])

    async def _made_up_calls(self) -> None:
        for path, name in self.request["inside"]:
            # Of a class and its base, the class is meant.
            with contextlib.suppress(Exception):
                self._function(path, name)
        for start in self.request["starts"]:
            await self._start(start)
        await self._settle()
        if not self._seen():
            for path, name in self.request["inside"]:
                # Nobody here calls it, so a thread of ours does.
                with contextlib.suppress(AttributeError):
                    function = self._function(path, name)
                    threading.Thread(target=lambda f=function: f(*self._arguments(f)), daemon=True).start()
            await self._settle()

    def _harness(self) -> Any:
        names: dict[str, Any] = {"__name__": "harness"}
        exec(compile(self.request["script"], "harness", "exec"), names)
        return names["run"]

    async def _settle(self, done: Callable[[], bool] = lambda: True) -> None:
        end = time.monotonic() + PATIENCE
        while not (self._seen() and done()) and time.monotonic() < end:
            await asyncio.sleep(10)

    def _seen(self) -> bool:
        reached = [place for _, places in observed.FAULTS for place in places]
        reached += [place for places in observed.CROSSED for place in places]
        return {name for _, _, name in reached} >= {name.rpartition(".")[2] for _, name in self.request["inside"]}

    async def _start(self, start: list[str]) -> None:
        try:
            function = self._function(*start)
            result = function(*self._arguments(function))
            if inspect.iscoroutine(result):
                task = asyncio.ensure_future(result)
                self.kept.append(task)
                task.add_done_callback(self._done)
        except Exception as error:
            self._failed(error)
        await asyncio.sleep(0)

    def _done(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception():
            self._failed(task.exception())

    def _module(self, path: str) -> ModuleType:
        return importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))

    def _function(self, path: str, name: str) -> Callable[..., Any]:
        """A function or a bound method, by its qualified name; instances are made once."""
        found: Any = self._module(path)
        for part in name.split("."):
            found = getattr(self._instance(found) if inspect.isclass(found) else found, part)
        return found

    def _instance(self, cls: type) -> Any:
        for one in self.kept:
            if isinstance(one, cls):
                return one
        self.kept.append(cls(*self._arguments(cls)))
        return self.kept[-1]

    def _arguments(self, function: Callable[..., Any]) -> Iterator[Any]:
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return
        for parameter in parameters:
            plain = parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
            if plain and parameter.default is parameter.empty:
                yield self._made_up(parameter.name, parameter.annotation, function)

    def _made_up(self, name: str, annotation: Any, function: Any) -> Any:
        text = annotation if isinstance(annotation, str) else str(annotation)
        loop = observed.LOOPS[0]
        module = sys.modules.get(getattr(function, "__module__", ""), None)
        own = getattr(module, text.strip("'\""), None) if isinstance(annotation, str) else annotation
        if annotation in _PLAIN or own in _PLAIN:
            return _PLAIN.get(annotation, _PLAIN.get(own))
        if inspect.isclass(own) and own.__module__ in sys.modules and _of_case(own):
            return self._instance(own)
        if "loop" in name.lower() or "EventLoop" in text:
            return loop
        if "Future" in text or "future" in name or (not text and name in ("done", "reply")):
            return loop.create_future()
        for kind in _BY_TEXT:
            if kind in text or kind.lower() in name.lower():
                return getattr(asyncio, kind)()
        if "Executor" in text:
            return ThreadPoolExecutor(1)
        return MagicMock()


def _of_case(cls: type) -> bool:
    return str(getattr(sys.modules[cls.__module__], "__file__", "")).startswith(observed.Observed.folder)


class _Missing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes up modules that are not installed."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        """A module with everything in it, unless Python has it, on another system."""
        if name.partition(".")[0] in sys.stdlib_module_names:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> ModuleType:
        """The module."""
        return _Anything(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is to be run."""


class _Anything(ModuleType):
    """Has every name: each a class that takes all arguments, and gives back the function it decorates."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (_Thing,), {"__module__": self.__name__})
        setattr(self, name, made)
        return made


class _Meta(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Thing()


class _Thing(metaclass=_Meta):
    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and inspect.isfunction(args[0]) and not kwargs:
            return args[0]
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Thing()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _Thing(*args, **kwargs)

    def __iter__(self) -> Iterator[Any]:
        return iter(())


if __name__ == "__main__":
    main()
