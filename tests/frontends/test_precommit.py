"""The pre-commit hooks, by running pre-commit, which builds and installs loopsafe as it would for a user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import ROOT
from tests.support.threads import FIXED_SENSOR, OFFENDING, SENSOR, START, STARTING, write_bug

PLAYER = """\
import asyncio
import threading

from base import Base


class Player(Base):
    async def start(self):
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._pump).start()

    def _pump(self):
        self.queue.put_nowait(1)
"""
FIXED = PLAYER.replace("self.queue.put_nowait(1)", "self._loop.call_soon_threadsafe(self.queue.put_nowait, 1)")
BASE = """\
import asyncio


class Base:
    def __init__(self):
        self.queue = asyncio.Queue()
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which git and pre-commit keep to the test's own folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
    kept.pop("PYTHONPATH", None)
    who = {f"GIT_{role}_{key}": "test@example.org" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    return {**kept, **who, "PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CONFIG_GLOBAL": os.devnull}


def commit(folder: Path, environment: dict[str, str]) -> None:
    """Make the folder a git repository with all its files in one commit."""
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "All"]):
        subprocess.run(["git", *command], cwd=folder, env=environment, check=True, capture_output=True)


@pytest.fixture
def hooks(tmp_path: Path, environment: dict[str, str]) -> Path:
    """A repository of this checkout's files as they are, with all that a build needs."""
    folder = tmp_path / "loopsafe"
    folder.mkdir()
    for name in (".pre-commit-hooks.yaml", "LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "linter", folder / "linter", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    commit(folder, environment)
    return folder


@pytest.fixture
def project(tmp_path: Path, environment: dict[str, str]) -> Path:
    """A repository with a finding that rests on a file that is not staged."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "base.py").write_text(BASE)
    commit(folder, environment)
    (folder / "player.py").write_text(PLAYER)
    subprocess.run(["git", "add", "player.py"], cwd=folder, env=environment, check=True)
    return folder


def test_both_hooks_on_a_staged_file(hooks: Path, project: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", str(hooks), "--verbose"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 1, output
    assert "player.py:13:9: LSF102 `self.queue.put_nowait` runs on a worker thread" in output
    assert "starts   player.py:10:9" in output
    assert "- exit code: 1" in output
    assert "- files were modified by this hook" in output
    assert (project / "player.py").read_text() == FIXED
    assert (project / "base.py").read_text() == BASE


CONFIGURATION = """\
repos:
  - repo: local
    hooks:
      - id: {hook}
        name: {hook}
        entry: {python} -m loopsafe {command}
        language: system
        types: [python]
        require_serial: true
"""


@pytest.fixture
def hooked(tmp_path: Path, environment: dict[str, str]) -> Path:
    """A repository with the hook of the examples installed, and files in which nothing starts a thread yet."""
    folder = tmp_path / "hooked"
    write_bug(folder)
    (folder / "start.py").write_text("")
    (folder / ".pre-commit-config.yaml").write_text(configuration("loopsafe", "check"))
    commit(folder, environment)
    done = git(folder, environment, sys.executable, "-m", "pre_commit", "install")
    assert done.returncode == 0, done.stderr
    return folder


def configuration(hook: str, command: str) -> str:
    return CONFIGURATION.format(python=sys.executable, hook=hook, command=command)


def git(folder: Path, environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    kept = {**environment, "PYTHONPATH": str(ROOT / "linter")}
    return subprocess.run(
        command, cwd=folder, env=kept, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False
    )


@pytest.mark.parametrize(
    ("before", "staged"),
    [
        ({"start.py": ""}, {"start.py": START}),
        ({"start.py": START, "sensor.py": FIXED_SENSOR}, {"sensor.py": SENSOR}),
    ],
    ids=["what starts the thread", "what has the queue"],
)
def test_a_commit_that_brings_the_bug_fails(
    hooked: Path, environment: dict[str, str], before: dict[str, str], staged: dict[str, str]
) -> None:
    def commit_all(texts: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
        for name, text in texts.items():
            (hooked / name).write_text(text)
            git(hooked, environment, "git", "add", name)
        return git(hooked, environment, "git", "commit", "--message", "Change", *options)

    commit_all({**before, "other.py": "x = 1\n"}, "--no-verify")
    # What has no part in it passes.
    assert commit_all({"other.py": "x = 2\n"}).returncode == 0
    done = commit_all(staged)
    assert done.returncode == 1
    assert f"{OFFENDING}: LSF102" in done.stdout + done.stderr
    assert f"starts   {STARTING}" in done.stdout + done.stderr
    assert git(hooked, environment, "git", "diff", "--cached", "--name-only").stdout.split() == list(staged)
    every = git(hooked, environment, sys.executable, "-m", "pre_commit", "run", "--all-files")
    assert f"{OFFENDING}: LSF102" in every.stdout


def test_the_fixing_hook_with_only_the_starting_file_staged(hooked: Path, environment: dict[str, str]) -> None:
    (hooked / ".pre-commit-config.yaml").write_text(configuration("loopsafe-fix", "fix"))
    git(hooked, environment, "git", "add", ".pre-commit-config.yaml")
    git(hooked, environment, "git", "commit", "--no-verify", "--message", "Fix")

    def commit_start() -> subprocess.CompletedProcess[str]:
        git(hooked, environment, "git", "add", "start.py")
        return git(hooked, environment, "git", "commit", "--message", "Start")

    (hooked / "start.py").write_text(START)
    done = commit_start()
    told = f"Not fixed {OFFENDING}: LSF102: its file was not named; `loopsafe fix sensor.py` does it"
    assert (done.returncode, told in done.stdout + done.stderr) == (1, True)
    # What is not staged is not touched.
    assert ((hooked / "sensor.py").read_text(), (hooked / "start.py").read_text()) == (SENSOR, START)
    every = git(hooked, environment, sys.executable, "-m", "pre_commit", "run", "--all-files")
    assert "files were modified by this hook" in every.stdout
    assert (hooked / "sensor.py").read_text() == FIXED_SENSOR
    git(hooked, environment, "git", "add", "sensor.py")
    assert commit_start().returncode == 0
