"""A program that is too entangled to be followed to the end: every output says so, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

import loopsafe
from loopsafe.frontends.commands.checking.check import CheckRequest, run_check
from loopsafe.frontends.settings import Selection
from loopsafe.program import graph
from loopsafe.render import formats
from tests.support.threads import write_bug

SAID = "is followed in part only"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one finding, which takes more work than there may be."""
    monkeypatch.setattr(graph, "_LEAST_WORK", 10)
    monkeypatch.setattr(graph, "_WORK_A_CALL", 0)
    monkeypatch.chdir(write_bug(tmp_path / "sensors"))
    return tmp_path / "sensors"


def test_the_report_says_so(project: Path) -> None:
    report = loopsafe.analyze([project])
    [problem] = report.problems
    assert (problem.path, problem.level, report.partial) == (".", "warning", 1)
    assert SAID in problem.message
    assert not report.failed


@pytest.mark.parametrize("name", formats.names())
def test_every_format_says_so(name: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_check(CheckRequest((".",), Selection(), output_format=name))
    out, err = capsys.readouterr()
    assert code == 0
    assert SAID in out + err
    if formats.load(name).for_people:
        assert out.endswith("No problems found; not everything could be followed.\n")


def test_what_is_followed_to_the_end_says_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "_LEAST_WORK", 100_000)
    report = loopsafe.analyze([project])
    assert (report.problems, report.partial, len(report.findings)) == ((), 0, 1)
