"""The flake8 plugin, by running flake8. loopsafe must be installed: flake8 looks for plugins among distributions."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loopsafe import pipeline
from loopsafe.findings import Whole
from loopsafe.frontends.flake8 import Session
from tests.support.command_line import Cli, environment
from tests.support.threads import OFFENDING, SENSOR, START, STARTING, write_bug

Flake8 = Callable[..., "subprocess.CompletedProcess[str]"]

PLAYER = """\
import asyncio
import threading


class Player:
    async def start(self):
        self._loop = asyncio.get_running_loop()
        self._queue = asyncio.Queue()
        threading.Thread(target=self._pump).start()

    def _pump(self):
        é = 'ü'; self._queue.put_nowait(é)
        self._queue.put_nowait(
            2,
        )
"""
BASE = """\
import asyncio


class Base:
    def __init__(self):
        self.done = asyncio.Event()
"""
CHILD = """\
import threading

from base import Base


class Child(Base):
    async def start(self):
        threading.Thread(target=self.work).start()

    def work(self):
        self.done.set()
"""
# Starts flake8 with a way of its own to start processes; spawned ones import this file again.
STARTER = """\
import multiprocessing
import sys

from flake8.main.cli import main

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv.pop(1))
    raise SystemExit(main())
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Files with findings, one of them known only by what another file says, and files without."""
    (tmp_path / "pyproject.toml").touch()
    for name in ("one", "two", "three"):
        (tmp_path / f"{name}.py").write_text(PLAYER, "utf-8")
        (tmp_path / f"clean_{name}.py").write_text("x = 1\n")
    (tmp_path / "base.py").write_text(BASE)
    (tmp_path / "child.py").write_text(CHILD)
    return tmp_path


@pytest.fixture
def flake8(project: Path) -> Flake8:
    """Run flake8 in the project; output without the `./` that it puts before paths, and without our hints."""

    def run(
        *arguments: str, stdin: str = "", starter: str = "", hints: bool = False
    ) -> subprocess.CompletedProcess[str]:
        command = ["-m", "flake8"]
        if starter:
            (project.parent / "starter.py").write_text(STARTER)
            command = [str(project.parent / "starter.py"), starter]
        done = subprocess.run(
            [sys.executable, *command, *arguments],
            cwd=project,
            env=environment(),
            input=stdin.encode(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        output = "".join(line.removeprefix("./") for line in done.stdout.decode().splitlines(keepends=True))
        output = output if hints else re.sub(r" \(`loopsafe fix[^`]*`\)$", "", output, flags=re.MULTILINE)
        return subprocess.CompletedProcess(done.args, done.returncode, output, done.stderr.decode())

    return run


@pytest.fixture
def checked(project: Path, cli: Cli) -> Callable[..., str]:
    """What the command line prints for the project."""

    def run(*arguments: str) -> str:
        done = cli("check", "--output-format", "concise", *arguments)
        assert done.returncode in {0, 1}
        return done.stdout

    return run


@pytest.mark.parametrize("jobs", ["1", "2", "4", "auto"])
@pytest.mark.parametrize("starter", ["", "fork", "spawn"])
def test_the_same_findings_as_the_command_line(
    flake8: Flake8, checked: Callable[..., str], project: Path, jobs: str, starter: str
) -> None:
    (project / "unused.py").write_text("x = 1  # noqa: LSF102\n")
    cell = {"cell_type": "code", "source": PLAYER, "metadata": {}, "outputs": [], "execution_count": None}
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}
    (project / "book.ipynb").write_text(json.dumps(notebook))
    done = flake8("--select", "LSF", "--jobs", jobs, starter=starter)
    # flake8 reads no notebooks.
    every = checked().splitlines(keepends=True)
    assert done.stdout == "".join(line for line in every if not line.startswith("book.ipynb:cell 1:"))
    assert (done.stdout.count("\n"), len(every)) == (8, 10)
    assert "unused.py:1:8: LSF001" in done.stdout
    assert done.returncode == 1


def test_the_default_selection_has_our_codes_too(flake8: Flake8, checked: Callable[..., str]) -> None:
    ours = [line for line in flake8("--isolated").stdout.splitlines() if " LSF" in line]
    assert ours == checked().splitlines()


def test_what_can_be_fixed_is_said(flake8: Flake8, checked: Callable[..., str]) -> None:
    lines = flake8("--select", "LSF", "one.py", "child.py", hints=True).stdout.splitlines()
    assert [line.rpartition(" (")[2] for line in lines[-2:]] == ["`loopsafe fix`)"] * 2
    assert {line.rpartition(" (")[0] for line in lines if line.endswith(")")} <= set(checked().splitlines())


def test_a_file_alone_is_seen_with_its_project(flake8: Flake8, checked: Callable[..., str]) -> None:
    done = flake8("--select", "LSF", "child.py")
    assert done.stdout == checked("child.py")
    assert "child.py:11:9: LSF103" in done.stdout


def test_several_paths_as_typed(flake8: Flake8, checked: Callable[..., str], project: Path) -> None:
    (project / "pkg").mkdir()
    (project / "one.py").rename(project / "pkg" / "one.py")
    assert flake8("--select", "LSF", "pkg", "two.py", "--jobs", "2").stdout == checked("pkg", "two.py")


def test_a_path_that_does_not_exist_is_told_by_flake8(flake8: Flake8) -> None:
    output = flake8("--select", "LSF,E9", "none.py", "one.py").stdout
    assert "none.py:0:1: E902" in output
    assert output.count("LSF102") == 2


def test_noqa_is_flake8s_own(flake8: Flake8, checked: Callable[..., str], project: Path) -> None:
    text = PLAYER.replace("put_nowait(é)", "put_nowait(é)  # noqa: LSF102").replace("nowait(\n", "nowait(  # NOQA\n")
    (project / "one.py").write_text(text, "utf-8")
    assert flake8("--select", "LSF", "one.py").stdout == checked("one.py") == ""
    assert flake8("--select", "LSF", "--disable-noqa", "one.py").stdout.count("LSF102") == 2


def test_standard_input_with_a_name(flake8: Flake8, checked: Callable[..., str], project: Path) -> None:
    text = "\n\n" + (project / "child.py").read_text()
    done = flake8("--select", "LSF", "-", "--stdin-display-name", "child.py", stdin=text)
    assert done.stdout.startswith("child.py:13:9: LSF103")
    assert done.stdout.count("\n") == 1


def test_standard_input_without_a_name(flake8: Flake8) -> None:
    done = flake8("--select", "LSF", "-", stdin=PLAYER)
    assert [line.split(" ")[:2] for line in done.stdout.splitlines()] == [
        ["stdin:12:18:", "LSF102"],
        ["stdin:13:9:", "LSF102"],
    ]


def test_syntax_errors_are_flake8s_own(flake8: Flake8, project: Path) -> None:
    (project / "bad.py").write_text("def f(:\n")
    output = flake8("--select", "LSF,E9", "bad.py", "one.py").stdout
    assert output.count("bad.py") == output.count("E999") == 1
    assert output.count("LSF102") == 2


def test_what_only_loopsafe_cannot_analyse_is_a_warning(flake8: Flake8, project: Path) -> None:
    (project / "large.py").write_text("x = 1\n" * 1_000, "utf-8")
    (project / "pyproject.toml").write_text("[tool.loopsafe]\nmax-file-size = 3000\n", "utf-8")
    reason = "cannot be read: larger than 3,000 bytes (`max-file-size`)"
    done = flake8("--select=LSF")
    assert "large.py" not in done.stdout
    assert done.stderr == f"loopsafe: large.py: warning: {reason}\n"
    assert f"large.py:1:1: LSF000 {reason}\n" in flake8("--select=LSF", "large.py").stdout
    with (project / "pyproject.toml").open("a") as file:
        file.write('unreadable = "error"\n')
    done = flake8("--select=LSF")
    assert f"large.py:1:1: LSF000 {reason}\n" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")


def test_files_that_only_loopsafe_excludes_are_checked(flake8: Flake8, project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.loopsafe]\nextend-exclude = ['t*.py']\n")
    files = [line.split(":")[0] for line in flake8("--select", "LSF").stdout.splitlines()]
    assert files == ["child.py", "one.py", "one.py", "three.py", "three.py", "two.py", "two.py"]


def test_files_that_flake8_excludes_are_read_but_not_checked(flake8: Flake8) -> None:
    output = flake8("--select", "LSF", "--extend-exclude", "base.py,one.py").stdout
    assert "child.py:11:9: LSF103" in output
    assert "one.py" not in output


@pytest.mark.parametrize("how", ["option", "flake8's configuration", "loopsafe's configuration"])
def test_confidence(flake8: Flake8, checked: Callable[..., str], project: Path, how: str) -> None:
    arguments = []
    if how == "option":
        arguments = ["--loopsafe-min-confidence", "certain"]
    elif how == "flake8's configuration":
        (project / ".flake8").write_text("[flake8]\nloopsafe-min-confidence = certain\n")
    else:
        (project / "pyproject.toml").write_text("[tool.loopsafe]\nmin-confidence = 'certain'\n")
    assert flake8("--select", "LSF", *arguments).stdout == checked("--min-confidence", "certain")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (".flake8", "[flake8]\nloopsafe-min-confidence = sure\n", "loopsafe-min-confidence must be one of"),
        ("pyproject.toml", "[tool.loopsafe]\nselekt = []\n", "unknown key `selekt`"),
    ],
)
def test_a_wrong_configuration_ends_flake8_with_a_message(
    flake8: Flake8, project: Path, file: str, text: str, message: str
) -> None:
    (project / file).write_text(text)
    done = flake8("--select", "LSF")
    assert done.returncode == 1
    assert "loopsafe: " in done.stdout + done.stderr
    assert message in done.stdout + done.stderr
    silenced = flake8("--select", "E9")
    assert (silenced.returncode, silenced.stdout) == (0, "")


PASSING = (
    f"{STARTING}: LSF102 `self.queue.put_nowait` runs on a worker thread; use `self.loop.call_soon_threadsafe`"
    f"; starts {STARTING}, reaches {OFFENDING}\n"
)


@pytest.mark.parametrize("starter", ["fork", "spawn"])
def test_every_file_on_the_path_is_told(
    flake8: Flake8, checked: Callable[..., str], project: Path, starter: str
) -> None:
    write_bug(project)
    alone = flake8("--select", "LSF", "start.py", starter=starter)
    assert (alone.stdout, alone.returncode) == (PASSING, 1)
    both = flake8("--select", "LSF", "--jobs", "2", "sensor.py", "start.py", "one.py", starter=starter).stdout
    assert both == checked("one.py", "sensor.py") + PASSING
    assert flake8("--select", "LSF", "start.py", hints=True).stdout == PASSING.replace(
        "\n", " (`loopsafe fix sensor.py`)\n"
    )


def test_each_project_has_its_own_configuration(flake8: Flake8, checked: Callable[..., str], project: Path) -> None:
    write_bug(project / "a", "[tool.loopsafe]\n")
    write_bug(project / "b", "[tool.loopsafe]\nignore = ['LSF102']\n")
    for paths in (["a/start.py", "b", "child.py"], ["child.py", "b", "a/start.py"]):
        lines = flake8("--select", "LSF", *paths).stdout.splitlines()
        assert sorted(line.split(" ")[0] for line in lines) == ["a/start.py:8:5:", "child.py:11:9:"]
        assert checked(*paths).count("\n") == 2


def test_noqa_counts_where_it_is_told_and_at_the_offending_line(
    flake8: Flake8, checked: Callable[..., str], project: Path
) -> None:
    write_bug(project)
    (project / "start.py").write_text(START.replace(".start()", ".start()  # noqa: LSF102"))
    assert flake8("--select", "LSF", "start.py").stdout == checked("start.py") == ""
    assert flake8("--select", "LSF", "start.py", "sensor.py").stdout == checked("start.py", "sensor.py") != ""
    write_bug(project)
    (project / "sensor.py").write_text(SENSOR.replace("nowait(reading)", "nowait(reading)  # noqa"))
    assert flake8("--select", "LSF", "start.py").stdout == checked("start.py") == ""
    assert flake8("--select", "LSF", "--disable-noqa", "start.py").stdout == PASSING


def session(**options: object) -> Session:
    """A session as flake8 would open it, without processes."""
    defaults = {
        "filenames": [],
        "select": None,
        "extend_select": None,
        "ignore": None,
        "extend_ignore": None,
        "jobs": argparse.Namespace(is_auto=False, n_jobs=1),
        "loopsafe_min_confidence": None,
        "stdin_display_name": "stdin",
        "filename": ["*.py"],
        "exclude": [],
        "extend_exclude": [],
        "disable_noqa": False,
    }
    return Session(argparse.Namespace(**{**defaults, **options}))


def test_one_analysis_for_all_files_and_one_for_all_excluded_ones(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    real = pipeline.analyze_whole

    def counting(*args: object, **kwargs: object) -> Whole:
        runs.append(len(runs))
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "analyze_whole", counting)
    monkeypatch.chdir(project)
    (project / "pyproject.toml").write_text("[tool.loopsafe]\nextend-exclude = ['t*.py']\n")
    opened = session()
    opened.prepare()
    assert runs == []
    files = sorted(path.name for path in project.glob("*.py"))
    found = {name: len(opened.found(name, ())[0]) for name in files}
    assert {name: count for name, count in found.items() if count} == {
        "child.py": 1,
        "one.py": 2,
        "three.py": 2,
        "two.py": 2,
    }
    assert len(runs) == 2


@pytest.mark.parametrize(
    ("options", "silenced"),
    [
        ({}, False),
        ({"select": ["E"]}, True),
        ({"select": ["E", "LSF101"]}, False),
        ({"select": ["L"]}, False),
        ({"select": ["E"], "extend_select": ["LSF"]}, False),
        ({"ignore": ["LSF"]}, True),
        ({"ignore": ["LSF101"]}, False),
        ({"extend_ignore": ["L"]}, True),
        ({"extend_ignore": ["LSF"], "select": ["LSF1"]}, False),
        ({"select": []}, True),
    ],
    ids=str,
)
def test_nothing_is_analysed_where_flake8_would_drop_it(options: dict[str, list[str]], silenced: bool) -> None:
    assert session(**options).silenced is silenced


def test_the_plugin_costs_little_to_import() -> None:
    dear = {"libcst", "rich", "click", "loopsafe.pipeline"}
    code = f"import sys, loopsafe.frontends.flake8; print({dear} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
