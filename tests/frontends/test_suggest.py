"""`loopsafe suggest`: methods that say any thread may call them, and touch what belongs to a loop."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from tests.support.command_line import Cli

STATION = '''\
import asyncio
import threading


class Station:
    """A weather station."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._readings: asyncio.Queue[int] = asyncio.Queue()

    async def run(self) -> None:
        print(await self._readings.get())

    def push(self, reading: int) -> None:
        self._readings.put_nowait(reading)
'''
PUSH = "    def push(self, reading: int) -> None:\n        self._readings.put_nowait(reading)\n"
HANDS_OVER = """
    def offer(self, reading: int) -> None:
        self._loop.call_soon_threadsafe(self._readings.put_nowait, reading)
"""


def saying(docstring: str) -> str:
    """The station, whose `push` has a docstring."""
    return STATION.replace(
        "-> None:\n        self._readings.put", f'-> None:\n        """{docstring}"""\n        self._readings.put'
    )


def with_push(text: str) -> str:
    """The station with another `push`."""
    return STATION.replace(PUSH, textwrap.indent(textwrap.dedent(text), "    "))


def suggested(cli: Cli, folder: Path, text: str) -> list[str]:
    """Of each method that is suggested, its name and what says so."""
    (folder / "station.py").write_text(text)
    done = cli("suggest", "--output-format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    return [f"{one['function']}: {'; '.join(one['says'])}" for one in json.loads(done.stdout)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(saying("Add one. Thread-safe."), "its docstring says: Thread-safe.", id="docstring"),
        pytest.param(
            saying("May be called from any thread."), "its docstring says: May be called from any thread.", id="any"
        ),
        pytest.param(
            STATION.replace("A weather station.", "A station that is used by several threads."),
            "its class says: A station that is used by several threads.",
            id="docstring of the class",
        ),
        pytest.param(
            with_push(
                "def push(self, reading: int) -> None:\n    with self._lock:\n        self._readings.put_nowait(1)\n"
            ),
            "it holds `self._lock` there, a lock for threads",
            id="lock",
        ),
        pytest.param(
            STATION + HANDS_OVER,
            "of `self._readings`: `offer` hands that to the loop with `self._loop.call_soon_threadsafe`",
            id="sibling that hands over",
        ),
        pytest.param(
            STATION + HANDS_OVER.replace("self._readings.put_nowait, reading", "lambda: self._readings.put_nowait(1)"),
            "of `self._readings`: `offer` hands that to the loop with `self._loop.call_soon_threadsafe`",
            id="sibling that hands over, in a lambda",
        ),
    ],
)
def test_what_says_so(text: str, says: str, cli: Cli, tmp_path: Path) -> None:
    assert suggested(cli, tmp_path, text) == [f"station.Station.push: {says}"]


def test_a_name_says_so(cli: Cli, tmp_path: Path) -> None:
    text = STATION.replace("def push(", "def push_threadsafe(")
    assert suggested(cli, tmp_path, text) == ["station.Station.push_threadsafe: its name says so"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(STATION, id="an ordinary class"),
        pytest.param(saying("Not thread-safe."), id="it says that it is not so"),
        pytest.param(saying("Must be called from one thread only."), id="only"),
        pytest.param(saying("Starts another thread."), id="it speaks of another thing"),
        pytest.param(
            STATION.replace("A weather station.", "This is not thread safe.") + HANDS_OVER, id="the class denies"
        ),
        pytest.param(saying("Thread-safe.").replace("def push", "async def push"), id="a coroutine"),
        pytest.param(saying("Thread-safe.").replace("def push", "def _push"), id="not public"),
        pytest.param(
            saying("Thread-safe.").replace("self._readings.put_nowait(reading)", "print(reading)"), id="harmless"
        ),
        pytest.param(
            saying("Thread-safe.").replace(
                "self._readings.put_nowait(reading)",
                "self._loop.call_soon_threadsafe(self._readings.put_nowait, reading)",
            ),
            id="it crosses itself",
        ),
        pytest.param(saying("Thread-safe.").replace("def push", "@property\n    def push"), id="no call"),
        pytest.param(
            saying("Thread-safe.")
            .replace("(self, reading: int)", "(self, reading: int)")
            .replace("reading: int) -> None:\n", "reading: int) -> None:  # loopsafe: runs-on=loop\n"),
            id="annotated",
        ),
        pytest.param(
            STATION + HANDS_OVER.replace("self._readings.put_nowait, reading", "self.push, reading"),
            id="handed to the loop itself",
        ),
        pytest.param(STATION + HANDS_OVER.replace("def offer", "def _offer"), id="a private sibling, a callback"),
        pytest.param(
            with_push(
                "def push(self, reading: int) -> None:\n    with self._lock:\n        pass\n"
                "    self._readings.put_nowait(1)\n"
            ),
            id="not under the lock",
        ),
    ],
)
def test_silence(text: str, cli: Cli, tmp_path: Path) -> None:
    assert suggested(cli, tmp_path, text) == []


def test_it_is_a_finding_already(cli: Cli, tmp_path: Path) -> None:
    text = saying("Thread-safe.").replace(
        "        print(await", "        threading.Thread(target=self.push, args=(1,)).start()\n        print(await"
    )
    assert suggested(cli, tmp_path, text) == []
    assert "LSF102" in cli("check").stdout


def test_the_annotation_makes_it_a_finding(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "station.py").write_text(saying("Thread-safe."))
    done = cli("suggest")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "station.py:16:5: station.Station.push",
        "  says    its docstring says: Thread-safe.",
        "  touches station.py:18:9  self._readings.put_nowait(reading)  LSF102",
        "  add     # loopsafe: thread-entry  (or # loopsafe: runs-on=loop, if it is not so)",
    ]
    assert cli("check").returncode == 0
    for annotation, code in (("thread-entry", 1), ("runs-on=loop", 0)):
        text = saying("Thread-safe.").replace(
            "reading: int) -> None:", f"reading: int) -> None:  # loopsafe: {annotation}"
        )
        (tmp_path / "station.py").write_text(text)
        assert cli("suggest").stdout == ""
        assert cli("check").returncode == code


def test_the_configuration_speaks_of_it(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.loopsafe.annotations]\n"station.Station.push" = "runs-on=loop"\n')
    assert suggested(cli, tmp_path, saying("Thread-safe.")) == []


def test_only_what_is_named(cli: Cli, tmp_path: Path) -> None:
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text(saying("Thread-safe."))
    (tmp_path / "pyproject.toml").touch()
    assert [line for line in cli("suggest", "two.py").stdout.splitlines() if "Station" in line] == [
        "two.py:16:5: two.Station.push"
    ]


def test_nothing_to_say(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "station.py").write_text(STATION)
    done = cli("suggest")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("Nothing to suggest")
    assert cli("suggest", "--quiet").stderr == ""
    assert cli("suggest", "nowhere").returncode == 2


def test_a_notebook(cli: Cli, tmp_path: Path) -> None:
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": text} for text in ("1", saying("Thread-safe."))
    ]
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    (tmp_path / "book.ipynb").write_text(json.dumps(book))
    assert cli("suggest").stdout.startswith("book.ipynb:cell 2:16:5: ")
