"""A baseline hides what it knows, for as long as that is there, and nothing else."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from loopsafe.frontends.narrowing import narrowed, renewed
from loopsafe.pipeline import analyze
from loopsafe.project.config import load_config
from tests.support.command_line import ROOT, Cli, environment
from tests.support.edits import edit

BROKEN = ROOT / "examples" / "broken"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one file and one finding."""
    (tmp_path / ".git").mkdir()
    shutil.copy(BROKEN / "thread_queue.py", tmp_path / "a.py")
    return tmp_path


def replaced(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_what_is_known_is_not_reported(project: Path, cli: Cli) -> None:
    done = cli("check", "--write-baseline", "known.jsonl")
    assert (done.returncode, done.stderr) == (0, "Wrote 1 problem to known.jsonl.\n")
    (line,) = (project / "known.jsonl").read_text("utf-8").splitlines()[1:]
    assert line == (
        '{"path": "a.py", "code": "LSF102", "function": "Sensor._publish", '
        '"line": "self._readings.put_nowait(reading)"}'
    )
    assert cli("check").returncode == 1
    assert cli("check", "--baseline", "known.jsonl").stdout == "No problems found.\n"
    (project / "loopsafe.toml").write_text('baseline = "known.jsonl"\n', "utf-8")
    for arguments in (["check"], ["check", "a.py"], ["fix", "--diff"]):
        assert cli(*arguments).returncode == 0
    assert cli("check", "--no-baseline").returncode == 1


def test_flake8_knows_it_too(project: Path, cli: Cli) -> None:
    cli("check", "--write-baseline", "known.jsonl")
    flake8 = [sys.executable, "-m", "flake8", "--select", "LSF", "a.py"]

    def lines() -> int:
        done = subprocess.run(flake8, cwd=project, env=environment(), capture_output=True, text=True, check=False)
        return len(done.stdout.splitlines())

    assert lines() == 1
    (project / "loopsafe.toml").write_text('baseline = "known.jsonl"\n', "utf-8")
    assert lines() == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("import asyncio", "\n\n\n# more\nimport asyncio", id="rows"),
        pytest.param("put_nowait(reading)", "put_nowait(\n            reading,\n        )", id="layout"),
        pytest.param("_publish", "_send", id="the function has another name"),
        pytest.param("class Sensor(", "class Meter(", id="the class has another name"),
    ],
)
def test_edits_leave_it_known(old: str, new: str, project: Path, cli: Cli) -> None:
    cli("check", "--write-baseline", "known.jsonl")
    replaced(project / "a.py", old, new)
    replaced(project / "a.py", "Sensor(", "Meter(") if "Meter" in new and "Sensor(" in (
        project / "a.py"
    ).read_text() else None
    assert cli("check").returncode == 1
    done = cli("check", "--baseline", "known.jsonl")
    assert (done.returncode, done.stderr) == (0, "")


def test_it_follows_a_file_and_no_copy(project: Path, cli: Cli) -> None:
    cli("check", "--write-baseline", "known.jsonl")
    shutil.copy(project / "a.py", project / "b.py")
    assert cli("check", "--baseline", "known.jsonl", "--output-format", "concise", "-q").stdout.startswith("b.py:")
    (project / "a.py").unlink()
    assert cli("check", "--baseline", "known.jsonl").returncode == 0


def test_equal_ones_are_counted(project: Path, cli: Cli) -> None:
    cli("check", "--write-baseline", "known.jsonl")
    line = "        self._readings.put_nowait(reading)\n"
    replaced(project / "a.py", line, line * 2)
    assert cli("check", "--baseline", "known.jsonl", "-q", "--output-format", "concise").stdout.count("\n") == 1
    cli("check", "--write-baseline", "known.jsonl")
    assert cli("check", "--baseline", "known.jsonl").returncode == 0


def test_what_is_no_longer_found_is_named(project: Path, cli: Cli) -> None:
    shutil.copy(project / "a.py", project / "b.py")
    cli("check", "--write-baseline", "known.jsonl")
    assert cli("fix", "a.py").returncode == 0
    stale = "known.jsonl:2:1: warning: no longer found in a.py: LSF102 `self._readings.put_nowait(reading)`\n"
    done = cli("check", "--baseline", "known.jsonl")
    assert (done.returncode, done.stderr) == (0, stale)
    assert cli("check", "--baseline", "known.jsonl", "b.py").stderr == ""
    assert cli("check", "--baseline", "known.jsonl", "--select", "LSF2").stderr == ""
    cli("check", "--write-baseline", "known.jsonl", "a.py")
    assert cli("check", "--baseline", "known.jsonl").stderr == ""
    assert (project / "known.jsonl").read_text("utf-8").count("b.py") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<<<<<<< HEAD\n", "known.jsonl:1: no line of a baseline"),
        (b'# x\n{"path": 1}\n', "known.jsonl:2: no line of a baseline"),
        (b"[" * 100_000, "known.jsonl:1: no line of a baseline"),
        (b"\xff", "known.jsonl: the baseline cannot be read: "),
        (None, "known.jsonl: the baseline cannot be read: No such file or directory"),
    ],
)
def test_what_is_no_baseline_is_named(content: bytes | None, message: str, project: Path, cli: Cli) -> None:
    if content is not None:
        (project / "known.jsonl").write_bytes(content)
    done = cli("check", "--baseline", "known.jsonl")
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: {message}")


def test_git_merges_two_that_grew_apart(project: Path, cli: Cli) -> None:
    """Lines are sorted, so that two branches that know different findings do not collide."""
    names = ["c.py", "g.py", "k.py", "p.py"]
    for name in names:
        shutil.copy(project / "a.py", project / name)
    cli("check", "--write-baseline", "base", *names)
    cli("check", "--write-baseline", "ours", *names)
    cli("check", "--write-baseline", "ours", "a.py")
    shutil.copy(project / "a.py", project / "z.py")
    cli("check", "--write-baseline", "theirs", *names, "z.py")
    merged = subprocess.run(
        ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=project, capture_output=True, check=True
    )
    cli("check", "--write-baseline", "all")
    assert merged.stdout == (project / "all").read_bytes()


def test_no_entry_is_lost_and_no_new_finding_hidden(tmp_path: Path) -> None:
    """Edits elsewhere, of files with findings; scripts/try_baseline.py does more of it, on packages."""
    project = shutil.copytree(BROKEN, tmp_path / "project")
    (project / "pyproject.toml").write_text("", "utf-8")
    survives(project, edits=int(os.environ.get("LOOPSAFE_BASELINE_EDITS", "25")), seed=1)


def survives(project: Path, edits: int, seed: int) -> int:
    """Edit a project over and over: the same findings stay known, and what is added is told. How many were known."""
    chance, config = random.Random(seed), load_config(project)
    before = analyze([project], config).findings
    assert before
    known = project / "known.jsonl"
    known.write_text("\n".join(renewed(before, known, config, [str(project)])), "utf-8")
    narrowing = load_config(project, file=_configuration(project))
    assert narrowed(analyze([project], narrowing), narrowing, {}, [str(project)]).findings == ()
    files = sorted({Path(os.path.abspath(finding.location.path)) for finding in before})
    added = 0
    for number in range(edits):
        added += edit(chance.choice(files), chance, number)
        report = narrowed(analyze([project], narrowing), narrowing, {}, [str(project)])
        assert not report.warnings, number
        assert not report.problems, number
        assert len(report.findings) == added, number
        assert {finding.witness[-1].source.partition("(")[0] for finding in report.findings} <= {
            "self.queue.put_nowait"
        }
    return len(before)


def _configuration(project: Path) -> Path:
    file = project / "baseline.toml"
    file.write_text('baseline = "known.jsonl"\n', "utf-8")
    return file
