"""The environment of a project: found by itself, and what is read there."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clock import CLOCK
from tests.support.command_line import Cli, environment

LIBRARY = """\
import threading

_handlers = []


def every_tick(function):
    _handlers.append(function)
    return function


class Ticker:
    def __init__(self, on_tick=None) -> None:
        self._on_tick = on_tick

    def start(self) -> None:
        threading.Thread(target=self._run).start()

    def _run(self) -> None:
        if self._on_tick:
            self._on_tick(1)
        self.ticked(1)
        for handler in _handlers:
            handler(1)

    def ticked(self, number) -> None:
        pass
"""
HOOK = """\
import asyncio

from tickers.core import Ticker


class Clock(Ticker):
    def __init__(self) -> None:
        super().__init__()
        self._ticks: asyncio.Queue[int] = asyncio.Queue()

    async def run(self) -> None:
        self.start()
        await self._ticks.get()

    def ticked(self, number: int) -> None:
        self._ticks.put_nowait(number)
"""
DECORATED = """\
import asyncio

import tickers

ticks: asyncio.Queue[int] = asyncio.Queue()


async def run() -> None:
    tickers.Ticker().start()
    await ticks.get()


@tickers.every_tick
def tick(number: int) -> None:
    ticks.put_nowait(number)
"""


def install(environment: Path, library: str = LIBRARY) -> Path:
    """Put a library into an environment: its folder."""
    folder = environment / "lib" / "python3.12" / "site-packages" / "tickers"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("from .core import Ticker, every_tick\n")
    (folder / "core.py").write_text(library)
    (environment / "pyvenv.cfg").touch()
    return folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a project that nothing is configured for."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "clock.py").write_text(CLOCK)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "clock"\n')
    return tmp_path


@pytest.mark.parametrize(
    ("text", "row"), [(CLOCK, 15), (HOOK, 16), (DECORATED, 15)], ids=["stored callback", "hook", "decorator"]
)
def test_what_a_library_calls_on_its_thread(text: str, row: int, cli: Cli, project: Path) -> None:
    core = install(project / ".venv") / "core.py"
    (project / "clock.py").write_text(text)
    done = cli("check")
    assert f"clock.py:{row}:" in done.stdout
    assert str(core.relative_to(project)) in done.stdout
    assert done.stdout.count("LSF102") == 1


@pytest.mark.parametrize("place", [".venv", "venv", "../.venv"])
def test_places_beside_and_above(place: str, cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = project / "inner"
    inner.mkdir()
    for name in ("clock.py", "pyproject.toml"):
        (project / name).rename(inner / name)
    install(Path(os.path.normpath(inner / place)))
    monkeypatch.chdir(inner)
    assert "LSF102" in cli("check").stdout


def test_the_active_one_comes_first(cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(project / ".venv", "")
    install(project / "elsewhere" / "active")
    assert cli("check").returncode == 0
    monkeypatch.setenv("VIRTUAL_ENV", str(project / "elsewhere" / "active"))
    assert "LSF102" in cli("check").stdout


def test_a_tool_s_own_environment_is_not_taken_for_the_project_s(
    cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(project / ".venv")
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    assert "LSF102" in cli("check").stdout


def test_poetry_keeps_it_elsewhere(cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = base64.urlsafe_b64encode(hashlib.sha256(os.path.realpath(project).encode()).digest()).decode()[:8]
    monkeypatch.setenv("XDG_CACHE_HOME", str(project / "cache"))
    install(project / "cache" / "pypoetry" / "virtualenvs" / f"clock-{mark}-py3.12")
    if sys.platform == "linux":
        assert "LSF102" in cli("check").stdout


@pytest.mark.parametrize("below", ["", "lib/python3.12/site-packages", "lib/python3.12/site-packages/tickers"])
def test_links_are_not_followed(below: str, cli: Cli, project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / ".venv"
    install(outside)
    link = project / ".venv" / below
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside / below, target_is_directory=True)
    assert cli("check").returncode == 0


def test_switched_off(cli: Cli, project: Path) -> None:
    install(project / ".venv")
    assert cli("check", "--no-dependencies").returncode == 0
    (project / "pyproject.toml").write_text("[tool.loopsafe]\ndependencies = false\n")
    assert cli("check").returncode == 0
    assert "environment: none" in cli("env").stdout


def test_nothing_of_a_library_is_reported(cli: Cli, project: Path) -> None:
    own = CLOCK.replace("from tickers import Ticker", "").replace("Clock", "Own")
    folder = install(project / ".venv", LIBRARY + own)
    (project / "clock.py").write_text("import tickers\ntickers.core.Own\n")
    assert cli("check").returncode == 0
    assert folder.is_dir()


def test_reports_are_kept_until_a_library_changes(cli: Cli, project: Path) -> None:
    core = install(project / ".venv") / "core.py"
    first = cli("check", "--verbose")
    assert "has no report" in first.stderr
    second = cli("check", "--verbose")
    assert "had the report" in second.stderr
    assert second.stdout == first.stdout
    core.write_text("class Ticker: ...\ndef every_tick(f): return f\nimport threading\nthreading.Thread\n")
    assert cli("check").returncode == 0


def test_what_is_read_is_told(cli: Cli, project: Path) -> None:
    install(project / ".venv")
    (project / "more.py").write_text("import paho.mqtt\nimport nowhere_to_be_found\n")
    told = cli("env").stdout
    assert "tickers: read: 2 of its modules are reached" in told
    assert "paho: a pack describes it" in told
    assert "nowhere_to_be_found: no Python file of it is installed" in told
    assert ".venv" in cli("check", "--verbose").stderr


UNREACHED = """\
import threading


class Ticker:
    def __init__(self, on_tick=None) -> None:
        self._on_tick = on_tick

    def start(self) -> None:
        self._on_tick(1)

    def start_in_background(self) -> None:
        threading.Thread(target=self.start).start()


class Server:
    def __init__(self) -> None:
        self._ticker = Ticker()

    def serve(self) -> None:
        threading.Thread(target=self._ticker.start).start()


def every_tick(function):
    return function


if __name__ == "__main__":
    ticker = Ticker()
    threading.Thread(target=ticker.start).start()
"""


def test_threads_that_the_project_never_starts(cli: Cli, project: Path) -> None:
    install(project / ".venv", UNREACHED)
    assert cli("check").returncode == 0
    (project / "clock.py").write_text(CLOCK.replace(".start()", ".start_in_background()"))
    assert "LSF102" in cli("check").stdout


@pytest.mark.parametrize(
    "base",
    [
        "from threads import Base",
        "import http.server\n\n\nclass Base(http.server.ThreadingHTTPServer):\n    pass",
    ],
)
def test_a_library_on_another(base: str, cli: Cli, project: Path) -> None:
    core = install(project / ".venv", f"{base}\n\n\nclass Ticker(Base):\n    pass\n\n\ndef every_tick(f): return f\n")
    (core.parent / "threads.py").write_text(LIBRARY.replace("Ticker", "Base"))
    assert ("LSF102" in cli("check").stdout) == ("threads" in base)
    assert "tickers: read:" in cli("env").stdout


def test_a_library_that_starts_threads_only_now(cli: Cli, project: Path) -> None:
    quiet = LIBRARY.replace("threading.Thread(target=self._run).start()", "self._run()").replace("import threading", "")
    core = install(project / ".venv", quiet) / "core.py"
    assert cli("check").returncode == 0
    core.write_text(LIBRARY)
    assert "LSF102" in cli("check").stdout


def test_threads_of_a_library_s_tests_are_none_of_the_library(cli: Cli, project: Path) -> None:
    core = install(project / ".venv", "class Ticker: ...\ndef every_tick(f): return f\n")
    (core / "tests").mkdir()
    (core / "tests" / "test_core.py").write_text("import threading\nthreading.Thread()\n")
    assert "tickers: nothing in it starts a thread" in cli("env").stdout


def test_threads_of_a_library_that_are_not_reached(cli: Cli, project: Path) -> None:
    core = install(project / ".venv", "class Ticker: ...\ndef every_tick(f): return f\n")
    (core / "more.py").write_text("import threading\nthreading.Thread(target=print).start()\n")
    assert "tickers: nothing of it that is reached starts a thread" in cli("env").stdout
    assert cli("check").returncode == 0
    (core / "core.py").write_text(LIBRARY)
    assert "LSF102" in cli("check").stdout


def test_a_module_comes_before_a_folder_of_its_name(cli: Cli, project: Path) -> None:
    packages = install(project / ".venv").parent
    (packages / "ticks").mkdir()
    (packages / "ticks.py").write_text(LIBRARY)
    (project / "clock.py").write_text(CLOCK.replace("tickers", "ticks"))
    assert "LSF102" in cli("check").stdout


def test_without_a_home(cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "~")
    assert cli("check", "--no-cache").returncode == 0


def flake8(folder: Path, *arguments: str) -> str:
    """What flake8 says on standard error."""
    command = [sys.executable, "-m", "flake8", "--select", "LSF", *arguments]
    return subprocess.run(command, cwd=folder, env=environment(), check=False, capture_output=True, text=True).stderr


def test_an_environment_that_has_none_of_the_libraries(cli: Cli, project: Path) -> None:
    (project / "second.py").write_text(CLOCK)
    for _ in ("cold", "warm"):
        done = cli("check")
        assert (done.returncode, done.stdout) == (0, "No problems found.\n")
        assert done.stderr.count("note: tickers cannot be read") == 1
        assert "`.venv`" in done.stderr
        assert "`site-packages`" in done.stderr
    assert cli("fix").stderr.count("note: tickers") == 1
    for jobs in ("1", "2"):
        assert flake8(project, "--jobs", jobs).count("note: tickers") == 1


def test_who_is_not_told_where_the_environment_could_be(cli: Cli, project: Path) -> None:
    assert cli("check", "--quiet").stderr == ""
    assert cli("check", "--no-dependencies").stderr == ""
    assert cli("check", "--output-format", "json").stderr == ""
    assert flake8(project, "-q") == ""
    install(project / ".venv")
    assert "note:" not in cli("check").stderr


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("import asyncio\nimport threading\n", id="no library"),
        pytest.param("import asyncio\nimport paho.mqtt.client\n", id="a pack describes it"),
        pytest.param("import tickers\n", id="no loop"),
        pytest.param("import asyncio\nimport click\n", id="it is here"),
    ],
)
def test_no_library_could_change_anything(text: str, cli: Cli, project: Path) -> None:
    (project / "clock.py").write_text(text)
    assert cli("check").stderr == ""
