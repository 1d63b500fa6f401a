"""The LibCST codemod, by running LibCST's tool."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command_line import Cli, environment, loopsafe_in
from tests.support.threads import FIXED_SENSOR, OFFENDING, SENSOR, write_bug

Codemod = Callable[..., "subprocess.CompletedProcess[str]"]
NAME = "loopsafe.frontends.codemod.UseCallSoonThreadsafe"

PLAYER = """\
import asyncio
import threading


class Player:
    async def start(self):
        self._loop = asyncio.get_running_loop()
        self._queue = asyncio.Queue()
        self._other = asyncio.Queue()
        threading.Thread(target=self._pump).start()

    def _pump(self):
        self._queue.put_nowait( 1 )   # odd   blanks stay
        self._other.task_done()  # noqa: LSF102
"""
UNSAFE = """\
import asyncio
import threading


class Player:
    async def start(self):
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._pump).start()

    def _pump(self):
        task = self._loop.create_task(self.other())
        return task

    async def other(self):
        pass
"""
BASE = """\
import asyncio


class Base:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.done = asyncio.Event()
"""
CHILD = """\
import threading

from pkg.base import Base


class Child(Base):
    async def start(self):
        threading.Thread(target=self.work).start()

    def work(self):
        self.done.set()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh project: no configuration of LibCST, nor any mark of a project."""
    folder = tmp_path / "project"
    (folder / "pkg" / "sub").mkdir(parents=True)
    (folder / "player.py").write_text(PLAYER)
    (folder / "unsafe.py").write_text(UNSAFE)
    (folder / "pkg" / "__init__.py").touch()
    (folder / "pkg" / "base.py").write_text(BASE)
    (folder / "pkg" / "sub" / "__init__.py").touch()
    (folder / "pkg" / "sub" / "child.py").write_text(CHILD)
    return folder


@pytest.fixture
def codemod(project: Path) -> Codemod:
    """Run the codemod in the project."""

    def run(*arguments: str, cwd: Path = project, fails: bool = False) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "libcst.tool", "codemod", "-x", NAME, *arguments],
            cwd=cwd,
            env=environment(),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert (done.returncode != 0) is fails, done.stderr
        return done

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.py")}


@pytest.mark.parametrize("options", [(), ("--unsafe-fixes",)], ids=["safe", "unsafe"])
@pytest.mark.parametrize("mark", ["", "pyproject.toml", "setup.cfg"])
def test_the_same_files_as_the_command_line_writes(
    project: Path, codemod: Codemod, cli: Cli, options: tuple[str, ...], mark: str
) -> None:
    if mark:
        (project / mark).touch()
    before = contents(project)
    twin = Path(shutil.copytree(project, project.with_name("twin")))
    cli("fix", *options, str(twin))
    codemod(".", *options)
    assert contents(project) == contents(twin)
    changed = {name for name, data in contents(project).items() if data != before[name]}
    assert changed == {"player.py", "pkg/sub/child.py", *(["unsafe.py"] if options else [])}


def test_the_layout_of_the_rest_stays(project: Path, codemod: Codemod) -> None:
    codemod("player.py")
    after = "self._loop.call_soon_threadsafe( self._queue.put_nowait, 1 )   # odd   blanks stay"
    assert (project / "player.py").read_text() == PLAYER.replace(
        "self._queue.put_nowait( 1 )   # odd   blanks stay", after
    )


def test_only_the_files_named_are_changed(project: Path, codemod: Codemod) -> None:
    codemod("pkg")
    assert (project / "player.py").read_text() == PLAYER


def test_a_project_elsewhere(project: Path, codemod: Codemod) -> None:
    (project / "pyproject.toml").touch()
    codemod(str(project), cwd=project.parent)
    assert "call_soon_threadsafe" in (project / "pkg" / "sub" / "child.py").read_text()


def test_several_processes(project: Path, codemod: Codemod) -> None:
    for number in range(8):
        (project / f"player{number}.py").write_text(PLAYER)
    codemod("--jobs", "2", ".")
    assert all("call_soon_threadsafe" in file.read_text() for file in project.glob("player*.py"))


def test_a_second_run_changes_nothing(project: Path, codemod: Codemod) -> None:
    codemod(".")
    once = contents(project)
    codemod(".")
    assert contents(project) == once


def test_a_finding_whose_file_is_not_named_is_told(project: Path, codemod: Codemod) -> None:
    write_bug(project)
    told = f"{OFFENDING}: LSF102: its file was not named"
    done = codemod("start.py")
    assert done.stderr.count(told) == 1
    assert (project / "sensor.py").read_text() == SENSOR
    done = codemod("start.py", "sensor.py")
    assert told not in done.stderr
    assert (project / "sensor.py").read_text() == FIXED_SENSOR


def test_each_project_has_its_own_configuration(project: Path, codemod: Codemod) -> None:
    write_bug(project, "")
    write_bug(project / "inner", "[tool.loopsafe]\nignore = ['LSF102']\n")
    codemod("inner", ".")
    assert (project / "inner" / "sensor.py").read_text() == SENSOR
    assert (project / "sensor.py").read_text() == FIXED_SENSOR


def test_what_the_baseline_knows_is_left_alone(project: Path, codemod: Codemod) -> None:
    write_bug(project, '[tool.loopsafe]\nbaseline = "known"\n')
    written = loopsafe_in(project)("check", "--write-baseline", "known", "sensor.py")
    assert written.stderr == "Wrote 1 problem to known.\n"
    codemod(".")
    assert (project / "sensor.py").read_text() == SENSOR
    assert "call_soon_threadsafe" in (project / "player.py").read_text()
    (project / "known").write_text("")
    codemod(".")
    assert (project / "sensor.py").read_text() == FIXED_SENSOR


def test_a_diff_instead_of_the_change(project: Path, codemod: Codemod) -> None:
    before = contents(project)
    done = codemod("-u", "1", "player.py")
    assert "+        self._loop.call_soon_threadsafe( self._queue.put_nowait, 1 )" in done.stdout
    assert contents(project) == before


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + PLAYER.encode(),
        PLAYER.replace("\n", "\r\n").encode(),
        ("# coding: latin-1\n" + PLAYER.replace("odd", "größer")).encode("latin-1"),
        PLAYER.rstrip("\n").encode(),
        PLAYER.replace("    ", "\t").encode(),
    ],
    ids=["byte order mark", "carriage returns", "latin-1", "no final line end", "tabs"],
)
def test_bytes_stay(project: Path, codemod: Codemod, data: bytes) -> None:
    (project / "player.py").write_bytes(data)
    codemod("player.py")
    old, new = b"self._queue.put_nowait( 1 )", b"self._loop.call_soon_threadsafe( self._queue.put_nowait, 1 )"
    assert (project / "player.py").read_bytes() == data.replace(old, new)


@pytest.mark.parametrize("text", [PLAYER, "x = 1\n"], ids=["to be fixed", "nothing to fix"])
def test_a_file_whose_layout_libcst_would_change_is_left_alone(project: Path, codemod: Codemod, text: str) -> None:
    data = text.encode() + b"\x0c\ny = 2\n\x0cz = 3\n"
    (project / "player.py").write_bytes(data)
    done = codemod("player.py")
    assert (project / "player.py").read_bytes() == data
    assert "`loopsafe fix` does" in done.stderr


def test_a_wrong_configuration_is_told_once(project: Path, codemod: Codemod) -> None:
    (project / "pyproject.toml").write_text("[tool.loopsafe]\nselekt = []\n")
    done = codemod(".", fails=True)
    assert done.stderr.count("unknown key `selekt`") == 1


def test_standard_input_is_declined(codemod: Codemod) -> None:
    codemod("-", fails=True)
