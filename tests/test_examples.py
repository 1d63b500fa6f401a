"""The examples are true: broken programs fail, fixed ones work, loopsafe tells them apart, and the table says so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.command_line import ROOT, environment, loopsafe_in

EXAMPLES = ROOT / "examples"


class Row(NamedTuple):
    """A row of the table in examples/README.md."""

    name: str
    printed: str
    codes: set[str]


def table() -> list[Row]:
    cells = re.findall(r"(?m)^\| \[(\w+)\].* \| `(.+)` \| (.+) \|$", (EXAMPLES / "README.md").read_text("utf-8"))
    return [Row(name, printed, set(codes.split(", "))) for name, printed, codes in cells]


ROWS = table()
each_example = pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS])


def run(*command: str | Path, cwd: Path = EXAMPLES, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with this Python's scripts first on PATH, away from any git repository around the tests."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    inherited = environment(PATH=path, **variables)
    kept = {name: value for name, value in inherited.items() if not name.startswith("GIT_")}
    return subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, timeout=120, check=False)


def run_example(folder: str, row: Row, debug: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, EXAMPLES / folder / f"{row.name}.py", PYTHONASYNCIODEBUG=debug)


def reported(output: str) -> set[tuple[str, int, str]]:
    """File name, row and code of each line that reports a finding, by any of the front ends."""
    found = re.findall(r"(?m)^(?:.*/)?(\w+\.py):(\d+):\d+: (LSF\d+) ", output)
    return {(name, int(row), code) for name, row, code in found}


def test_table_lists_every_program() -> None:
    names = [f"{row.name}.py" for row in ROWS]
    for folder in ("broken", "fixed"):
        assert sorted(file.name for file in (EXAMPLES / folder).iterdir() if file.is_file()) == sorted(names)


@each_example
def test_broken_program_fails_in_debug_mode(row: Row) -> None:
    ran = run_example("broken", row, debug="1")
    assert ran.returncode != 0
    assert row.printed in ran.stderr


@each_example
@pytest.mark.parametrize("debug", ["", "1"], ids=["plain", "debug"])
def test_fixed_program_works(row: Row, debug: str) -> None:
    ran = run_example("fixed", row, debug)
    assert (ran.returncode, bool(ran.stdout)) == (0, True), ran.stderr
    assert "Error" not in ran.stderr


@pytest.fixture(scope="module")
def findings() -> set[tuple[str, int, str]]:
    checked = loopsafe_in(EXAMPLES)("check", "--output-format", "concise", "broken")
    assert checked.returncode == 1, checked.stderr
    return reported(checked.stdout)


@each_example
def test_broken_program_is_reported(row: Row, findings: set[tuple[str, int, str]]) -> None:
    assert {code for name, _, code in findings if name == f"{row.name}.py"} == row.codes


def test_fixed_programs_are_clean() -> None:
    checked = loopsafe_in(EXAMPLES)("check", "--output-format", "concise", "fixed")
    assert (checked.stdout, checked.returncode) == ("", 0)


@pytest.fixture(scope="module")
def repaired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the broken programs after `loopsafe fix`."""
    folder = tmp_path_factory.mktemp("repaired") / "broken"
    shutil.copytree(EXAMPLES / "broken", folder, ignore=shutil.ignore_patterns("__pycache__"))
    # As this repository tells its formatter.
    (folder.parent / "pyproject.toml").write_text("[tool.ruff]\nline-length = 120\n", "utf-8")
    fixed = loopsafe_in(folder.parent)("fix", folder)
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    return folder


@each_example
def test_fix_writes_the_fixed_program(row: Row, repaired: Path) -> None:
    name = f"{row.name}.py"
    assert (repaired / name).read_text("utf-8") == (EXAMPLES / "fixed" / name).read_text("utf-8")


def shown() -> list[tuple[str, str]]:
    """Each command that README.md shows, and its output."""
    text = (ROOT / "README.md").read_text("utf-8")
    return re.findall(r"(?ms)^\$ loopsafe ([^\n]+)\n(.*?)(?=^\$ |^```)", text)


@pytest.mark.parametrize(("command", "output"), [pytest.param(*pair, id=pair[0]) for pair in shown()])
def test_readme_shows_what_is_printed(command: str, output: str) -> None:
    printed = loopsafe_in(ROOT)(*command.split()).stdout
    assert [line.rstrip() for line in printed.splitlines()] == output.splitlines()


def test_flake8_setup_reports_the_same(findings: set[tuple[str, int, str]]) -> None:
    ran = run(sys.executable, "-m", "flake8", "--config", "flake8.ini", "broken", "fixed")
    assert ran.returncode == 1, ran.stderr
    assert reported(ran.stdout) == findings


def test_pre_commit_setup_reports_the_same(findings: set[tuple[str, int, str]], tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "broken", tmp_path / "broken", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(EXAMPLES / "pre-commit-config.yaml", tmp_path / ".pre-commit-config.yaml")
    run("git", "init", "--quiet", cwd=tmp_path)
    run("git", "add", "--all", cwd=tmp_path)
    command = (sys.executable, "-m", "pre_commit", "run", "--all-files")
    ran = run(*command, cwd=tmp_path, PRE_COMMIT_HOME=str(tmp_path / "cache"))
    assert ran.returncode == 1, ran.stderr
    assert reported(ran.stdout) == findings
