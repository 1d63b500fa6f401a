"""Of several processes that want the same, one works and the others wait; but for nobody for ever."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command_line import environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stops processes")

BAD = """\
import asyncio
import threading

queue = asyncio.Queue()

def work():
    queue.put_nowait(1)

threading.Thread(target=work).start()
"""
# It takes every lock there is, as a run takes one, says so, and keeps them.
HOLDER = """\
import contextlib, sys, time
from loopsafe.cache import locks
from loopsafe.cache.place import open_store

with open_store(sys.argv[1]) as store, contextlib.ExitStack() as stack:
    for number in range(16):
        locks.digest = lambda name, number=number: bytes([number])
        stack.enter_context(locks.alone(store, "work"))
    print("holds", flush=True)
    time.sleep(1000)
"""
CHECK = (sys.executable, "-m", "loopsafe", "check", "--output-format", "concise", ".")
FLAKE8 = (sys.executable, "-m", "flake8", "--isolated", "--select", "LSF", "--jobs", "1", ".")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.loopsafe]\n", "utf-8")
    (tmp_path / "bad.py").write_text(BAD, "utf-8")
    return tmp_path


@contextmanager
def holding(project: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds all locks of the project."""
    command = [sys.executable, "-c", HOLDER, str(project)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout
            assert holder.stdout.readline() == "holds\n"
            yield holder
        finally:
            holder.kill()


@pytest.fixture
def stopped(project: Path) -> Iterator[subprocess.Popen[str]]:
    """One that is stopped."""
    with holding(project) as holder:
        holder.send_signal(signal.SIGSTOP)
        yield holder


def run(project: Path, command: tuple[str, ...], patience: str) -> subprocess.CompletedProcess[str]:
    env = environment(LOOPSAFE_LOCK_SECONDS=patience)
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("command", [CHECK, FLAKE8])
def test_a_stopped_process_is_named_and_not_waited_for_for_ever(
    project: Path, stopped: subprocess.Popen[str], command: tuple[str, ...]
) -> None:
    started = time.monotonic()
    done = run(project, command, "2")
    assert time.monotonic() - started >= 2
    assert done.returncode == 1
    assert "bad.py:7:5: LSF102" in done.stdout
    waiting, going_on = done.stderr.splitlines()
    since = rf"process {stopped.pid} \(since \d\d:\d\d:\d\d\)"
    assert re.fullmatch(rf"loopsafe: waiting for {since}, which analyses this project", waiting)
    assert re.fullmatch(rf"loopsafe: going on without {since}", going_on)


@pytest.mark.parametrize("command", [(*CHECK, "--quiet"), (*FLAKE8, "-q")])
def test_who_wants_quiet_has_it(project: Path, stopped: subprocess.Popen[str], command: tuple[str, ...]) -> None:
    assert run(project, command, "1.1").stderr == ""


def test_what_is_known_needs_no_lock(project: Path) -> None:
    run(project, CHECK, "60")
    with holding(project):
        assert run(project, CHECK, "60").stderr == ""


def test_a_process_that_is_over_is_not_waited_for(project: Path, stopped: subprocess.Popen[str]) -> None:
    stopped.kill()
    stopped.communicate()
    assert run(project, CHECK, "60").stderr == ""
