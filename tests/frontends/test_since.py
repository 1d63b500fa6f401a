"""`--since`: findings whose path touches what has changed, by git itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, Cli

BROKEN = ROOT / "examples" / "broken" / "thread_queue.py"


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout with a finding in the branch `main`."""
    git(tmp_path, "init", "-q", "-b", "main")
    shutil.copy(BROKEN, tmp_path / "a.py")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "begin")
    return tmp_path


def replaced(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_nothing_changed(project: Path, cli: Cli) -> None:
    assert cli("check").returncode == 1
    assert cli("check", "--since", "main").returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        pytest.param("put_nowait(reading)", "put_nowait(reading + 1)", 1, id="where it is done"),
        pytest.param(
            "class Sensor(threading.Thread):", "class Sensor(threading.Thread):  #", 1, id="where it starts"
        ),
        pytest.param("self._publish(reading)", "self._publish( reading)", 1, id="on the way"),
        pytest.param("import asyncio\n", "import asyncio\n# more\n", 0, id="above"),
        pytest.param("async def main():", "async def main():  # x", 0, id="below"),
    ],
)
def test_edits(old: str, new: str, code: int, project: Path, cli: Cli) -> None:
    replaced(project / "a.py", old, new)
    assert cli("check", "--since", "HEAD").returncode == code
    git(project, "commit", "-qam", "edit")
    assert cli("check", "--since", "HEAD~1").returncode == code
    assert cli("check", "--since", "HEAD").returncode == 0


def test_a_row_taken_away_beside_it(project: Path, cli: Cli) -> None:
    replaced(
        project / "a.py", "        self._readings.put_nowait", "        print()\n        self._readings.put_nowait"
    )
    git(project, "commit", "-qam", "more")
    replaced(project / "a.py", "        print()\n", "")
    assert cli("check", "--since", "HEAD").returncode == 1


@pytest.mark.parametrize("name", ["new.py", "ä b.py", 'quo"ted.py'])
def test_new_and_renamed_files(name: str, project: Path, cli: Cli) -> None:
    shutil.copy(BROKEN, project / name)
    told = cli("check", "--since", "HEAD", "--output-format", "concise", "-q").stdout
    assert told.count("\n") == 1
    assert told.startswith(name)
    (project / name).unlink()
    git(project, "mv", "a.py", name)
    assert cli("check", "--since", "HEAD").returncode == 0
    replaced(project / name, "put_nowait(reading)", "put_nowait(reading + 1)")
    assert cli("check", "--since", "HEAD").returncode == 1


def test_what_the_other_branch_did_is_not_ours(project: Path, cli: Cli) -> None:
    git(project, "switch", "-qc", "ours")
    git(project, "switch", "-q", "main")
    replaced(project / "a.py", "put_nowait(reading)", "put_nowait(reading + 1)")
    git(project, "commit", "-qam", "theirs")
    git(project, "switch", "-q", "ours")
    assert cli("check", "--since", "main").returncode == 0


def test_rows_that_look_like_a_header(project: Path, cli: Cli) -> None:
    (project / "b.txt").write_text("++ b/a.py\n@@ -1 +1,99 @@\n", "utf-8")
    git(project, "add", ".")
    assert cli("check", "--since", "HEAD").returncode == 0


@pytest.mark.parametrize("revision", ["nothing", "--output=x", "HEAD:a.py", "a\nb"])
def test_what_is_no_revision(revision: str, project: Path, cli: Cli) -> None:
    done = cli("check", f"--since={revision}")
    assert done.returncode == 2
    assert "git knows no revision" in done.stderr
    assert not (project / "x").exists()


def test_outside_of_a_checkout(tmp_path: Path, cli: Cli) -> None:
    shutil.copy(BROKEN, tmp_path / "a.py")
    done = cli("check", "--since", "HEAD")
    assert done.returncode == 2
    assert "not a git repository" in done.stderr
