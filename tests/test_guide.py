"""The guide is true: what its pages show as printed is printed, and every other command runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import tomli

from tests.support.command_line import ROOT, environment, loopsafe_in

GUIDE = ROOT / "docs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
# What installs is tried by scripts/demo.sh and tests/frontends/test_installed.py.
INSTALLS = re.compile(r"pip install (?:\.|\"\.\[(?P<extra>\w+)\]\")")
TEST = """\
import asyncio


def test_a_queue():
    async def main():
        queue = asyncio.Queue()
        queue.put_nowait(1)
        return await queue.get()

    assert asyncio.run(main()) == 1
"""


class Shown(NamedTuple):
    """A command on a page, and what is printed, where the page says that."""

    page: str
    command: str
    output: str = ""


def printed() -> list[Shown]:
    blocks = [(page.name, page.read_text("utf-8")) for page in PAGES]
    return [
        Shown(name, command, output)
        for name, text in blocks
        for block in re.findall(r"(?ms)^```console\n(.*?)^```", text)
        for command, output in re.findall(r"(?ms)^\$ ([^\n]+)\n(.*?)(?=^\$ |\Z)", block)
    ]


def others() -> list[Shown]:
    return [
        Shown(page.name, line.partition("  #")[0].rstrip())
        for page in PAGES
        for block in re.findall(r"(?ms)^```sh\n(.*?)^```", page.read_text("utf-8"))
        for line in block.splitlines()
        if line
    ]


def test_each_page_shows_commands_that_are_tried() -> None:
    shown = [*printed(), *others()]
    assert {one.page for one in shown} == {page.name for page in PAGES}
    # No other kind of block could hold a command unseen.
    kinds = {kind for page in PAGES for kind in re.findall(r"(?m)^```(\w*)$", page.read_text("utf-8")) if kind}
    assert kinds == {"console", "sh", "python", "toml"}


@pytest.mark.parametrize("shown", [pytest.param(one, id=f"{one.page}: {one.command}") for one in printed()])
def test_what_is_shown_is_printed(shown: Shown) -> None:
    program, *arguments = shlex.split(shown.command)
    assert program == "loopsafe"
    lines = [line.rstrip() for line in loopsafe_in(ROOT)(*arguments).stdout.splitlines()]
    assert lines == shown.output.splitlines()


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *who, *arguments], cwd=folder, env=surroundings(), check=True, capture_output=True)


def surroundings(**extra: str) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {name: value for name, value in environment(PATH=path, **extra).items() if not name.startswith("GIT_")}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with sources that have findings, a test, and a commit."""
    shutil.copytree(ROOT / "examples" / "broken", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_queue.py").write_text(TEST)
    (tmp_path / "pyproject.toml").write_text("[tool.loopsafe]\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "all")
    return tmp_path


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_every_other_command_runs(page: str, project: Path) -> None:
    extras = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    commands = [one.command for one in others() if one.page == page]
    for command in commands:
        if install := INSTALLS.fullmatch(command):
            assert install["extra"] is None or install["extra"] in extras
            continue
        words = shlex.split(command)
        assert words[0] in ("loopsafe", "pytest")
        run = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=project,
            env=surroundings(LOOPSAFE_CACHE_DIR=str(project.parent / "cache")),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        # Findings are no failure; of pytest's codes, 1 is one.
        allowed = (0,) if words[0] == "pytest" else (0, 1)
        assert run.returncode in allowed, f"{command}\n{run.stdout}{run.stderr}"
        assert "Error" not in run.stderr, f"{command}\n{run.stderr}"
        assert "Traceback" not in run.stderr


def test_what_the_guide_writes_is_written(project: Path) -> None:
    """The commands do not only end well."""
    cli = loopsafe_in(project)
    assert cli("check", "src", "--write-baseline", ".loopsafe-baseline").returncode == 0
    assert cli("check", "src", "--baseline", ".loopsafe-baseline").stdout == "No problems found.\n"
    assert cli("check", "src", "--exit-zero", "--output-format", "html", "--output-file", "report.html").returncode == 0
    assert (project / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")
    assert cli("graph", "src", "--around", "Sensor._publish", "--format", "html", "--output", "a.html").returncode == 0
    assert "Sensor._publish" in (project / "a.html").read_text("utf-8")


def test_the_guides_remedies_have_no_finding(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    broken = (ROOT / "examples/guide/web_app.py").read_text("utf-8")
    [remedy] = re.findall(r"(?ms)^```python\n(.*?)^```", (GUIDE / "fastapi.md").read_text("utf-8"))
    head, _, rest = broken.partition('@app.post("/jobs/{name}")')
    imports = "from contextlib import asynccontextmanager\n\nfrom fastapi import Request\n"
    rest = rest[rest.index("@app.get") :]
    (tmp_path / "web_app.py").write_text(f"{imports}{head}{remedy}\n\n{rest}")
    cli = loopsafe_in(tmp_path)
    assert cli("check", "web_app.py").stdout == "No problems found.\n"
    (tmp_path / "web_app.py").write_text(broken)
    assert "LSF102" in cli("check", "web_app.py").stdout
