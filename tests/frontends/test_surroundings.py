"""The command line where the system lacks what programs take for granted, and when it is interrupted."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.hostile.projects import EVIL, FOUND, VICTIM
from tests.support.command_line import environment

CHECK = [sys.executable, "-m", "loopsafe", "check", "--output-format", "concise"]
INTERRUPTED = 130

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell and signals of POSIX")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[tool.loopsafe]\n", "utf-8")
    (folder / "victim.py").write_text(VICTIM, "utf-8")
    return folder


def run(
    project: Path, command: Sequence[str] = CHECK, shell: str = '"$@"', **extra: str
) -> subprocess.CompletedProcess[str]:
    """A command, run by a shell that first takes something away."""
    return subprocess.run(
        ["sh", "-c", shell, "sh", *command],
        cwd=project,
        env=environment(**extra),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(
    "shell",
    [
        '"$@" <&-',
        '"$@" 2>&-',
        'exec "$@" <&- 2>&-',
        'unset HOME; "$@"',
        'TMPDIR=/nowhere HOME=/nowhere "$@"',
        'umask 777; "$@"',
    ],
)
def test_what_it_can_do_without(shell: str, project: Path) -> None:
    done = run(project, shell=shell)
    assert FOUND in done.stdout
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("shell", ['"$@" >&-', '"$@" <&- >&- 2>&-'])
def test_nobody_to_tell(shell: str, project: Path) -> None:
    done = run(project, shell=shell)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr


def test_standard_input_that_is_closed(project: Path) -> None:
    done = run(project, [*CHECK, "-"], '"$@" <&-')
    assert (done.returncode, done.stderr) == (2, "stdin.py: cannot be read: standard input is closed\n")


def test_standard_input_that_is_too_much(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.loopsafe]\nmax-file-size = 1000\n", "utf-8")
    done = run(project, [*CHECK, "-"], '"$@" </dev/zero')
    assert (done.returncode, done.stderr) == (
        2,
        "stdin.py: cannot be read: larger than 1,000 bytes (`max-file-size`)\n",
    )


def test_a_working_directory_that_is_gone(project: Path) -> None:
    done = run(project, shell='mkdir gone; cd gone; rmdir ../gone; "$@"')
    assert done.returncode == 2
    assert done.stderr == "Error: the working directory: No such file or directory\n"


def test_the_limit_is_a_setting(project: Path) -> None:
    (project / "large.py").write_text("x = 1\n" * 1_000, "utf-8")
    (project / "pyproject.toml").write_text("[tool.loopsafe]\nmax-file-size = 5999\n", "utf-8")
    done = run(project)
    assert FOUND in done.stdout
    told = "large.py: warning: cannot be read: larger than 5,999 bytes (`max-file-size`)\n"
    assert (done.returncode, done.stderr) == (1, told)
    assert run(project).stderr == told  # from the cache, too
    (project / "pyproject.toml").write_text("[tool.loopsafe]\nmax-file-size = 6000\n", "utf-8")
    assert run(project).stderr == ""


@pytest.mark.parametrize("module", ["loopsafe.frontends.cli", "click", "msgspec", "loopsafe"])
def test_modules_of_the_project_are_not_imported(module: str, project: Path) -> None:
    name = module.partition(".")[0]
    if name != "loopsafe":  # which Python itself would take from there
        (project / f"{name}.py").write_text(EVIL, "utf-8")
    (project / "sitecustomize.py").write_text(EVIL, "utf-8")
    (project / "json.py").write_text(EVIL, "utf-8")
    done = run(project)
    assert FOUND in done.stdout
    assert (done.returncode, done.stderr) == (1, "")
    assert sorted(path.name for path in project.parent.iterdir()) == ["project"]


class TestInterrupted:
    """Whenever Ctrl-C comes: the exit code is 130, nothing is written that makes no sense, and no process stays."""

    @pytest.fixture
    def long(self, project: Path) -> Path:
        """A project that takes some seconds, so that there are moments to choose from, and several processes."""
        for number in range(40):
            functions = "".join(f"def f{i}(a):\n    return a.b(f{i}, [a, {i}])\n" for i in range(1_500))
            (project / f"m{number}.py").write_text(functions, "utf-8")
        return project

    @pytest.mark.parametrize("seed", range(6))
    def test_at_any_moment(self, seed: int, long: Path) -> None:
        moments = random.Random(seed)
        # After Python's own start, which this program has no part in.
        program = "import sys; from loopsafe.__main__ import main; print('here', flush=True); main()"
        process = subprocess.Popen(
            [sys.executable, "-c", program, "check", "--no-cache", str(long)],
            cwd=long,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout
        assert process.stdout.readline() == "here\n"
        time.sleep(0.02 if seed == 0 else moments.uniform(0.05, 3))
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=300)
        assert process.returncode in (INTERRUPTED, 0, 1), errors
        assert "Traceback" not in errors
        if process.returncode == INTERRUPTED:
            assert output == ""
        assert _gone(long)


def _gone(folder: Path) -> bool:
    """Whether no process works in the folder any more, or in a while."""
    for _ in range(100):
        working = [link for link in Path("/proc").glob("[0-9]*/cwd") if _leads(link) == str(folder)]
        if not working:
            return True
        time.sleep(0.1)
    return False


def _leads(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


@pytest.mark.parametrize("output", ["text", "json", "junit", "sarif"])
def test_a_name_that_is_all_suffix(output: str, project: Path) -> None:
    (project / "victim.py").rename(project / "..py")
    done = run(project, [*CHECK[:-1], output, "--verify", "reproducers", "..py"])
    assert done.returncode == 1, done.stderr
    assert "..py" in done.stdout
    assert "1 reproducer" in done.stdout + done.stderr
    flake8 = run(project, [sys.executable, "-m", "flake8", "--isolated", "--select=LSF", "..py"])
    assert (flake8.returncode, flake8.stderr) == (1, "")
    assert FOUND.partition(":")[2] in flake8.stdout
