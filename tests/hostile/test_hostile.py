"""Hostile projects, as many of them as fit into a minute; scripts/test_hostile.sh runs all, each by itself."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from loopsafe.findings import Report
from loopsafe.pipeline import analyze
from loopsafe.project.config import ConfigError
from tests.hostile.encodings import ENCODINGS
from tests.hostile.fuzz import fuzz
from tests.hostile.judging import WAYS, judge
from tests.hostile.nesting import CHAINS, DEEP
from tests.hostile.projects import CANARY, FOUND, SECRET, Hostile, text
from tests.hostile.settings import SETTINGS
from tests.hostile.surroundings import SURROUNDINGS
from tests.hostile.texts import TEXTS

_CPU_SECONDS_EACH = 10
BATCHES = {
    "encodings": ENCODINGS,
    "texts": [hostile for hostile in TEXTS if not hostile.never],
    "chains": [text(f"{name}, {n} long", shape(n)) for name, shape in CHAINS.items() for n in (200, 900)],
    "depths": [text(f"{name}, {n} deep", shape(n)) for name, shape in DEEP.items() for n in (21, 99, 300, 5_000)],
}

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits and devices are Linux's")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "made"
    shutil.rmtree(tmp_path / "made", ignore_errors=True)


def found(report: Report) -> list[str]:
    """The findings in the victim, as they are told."""
    return [f"{f.location}: {f.code} " for f in report.findings if f.location.path.endswith("victim.py")]


def gathered(batch: Iterable[Hostile], folder: Path) -> Path:
    """One project with the bad files of many."""
    project = Hostile("all", lambda _: None).make(folder)
    for number, hostile in enumerate(batch):
        made = hostile.make(folder / f"{number}")
        (made / "bad.py").rename(project / f"bad{number}.py")
    return project


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_bad_files_beside_the_victim(batch: list[Hostile], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = gathered(batch, folder)
    monkeypatch.chdir(project)
    start = time.process_time()
    report = analyze(["."])
    assert time.process_time() - start < _CPU_SECONDS_EACH * 6
    assert FOUND in found(report)
    assert report.files == len(batch) + 1
    assert not report.failed
    # Nothing twice.
    assert len(set(report.problems)) == len(report.problems) == len({problem.path for problem in report.problems})
    assert len(set(report.findings)) == len(report.findings)


@pytest.mark.parametrize("hostile", [one for one in SETTINGS if not one.never], ids=lambda hostile: hostile.name)
def test_bad_settings(hostile: Hostile, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = hostile.make(folder)
    monkeypatch.chdir(project)
    start = time.process_time()
    try:
        report = analyze(["."])
    except ConfigError as error:
        told = str(error)
        assert hostile.refused, told
    else:
        told = ""
        assert FOUND in found(report)
    assert bool(told) == hostile.refused
    assert len(told) < 500
    assert SECRET not in told
    assert time.process_time() - start < _CPU_SECONDS_EACH
    assert not (folder / CANARY).exists()


@linux
@pytest.mark.parametrize("hostile", [one for one in SURROUNDINGS if not one.never], ids=lambda hostile: hostile.name)
def test_bad_surroundings(hostile: Hostile, folder: Path) -> None:
    outcome = judge(hostile, WAYS[0], folder)
    assert not outcome.faults, outcome.said


@linux
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("name", ["shadows of modules", "no text, rot13", "pack from elsewhere", "pipe"])
def test_every_way(name: str, way, folder: Path) -> None:
    if (name, way.name) == ("pipe", "flake8"):
        pytest.skip("flake8 itself waits for a writer")
    candidates = [*SURROUNDINGS, *SETTINGS, *ENCODINGS]
    hostile = next(one for one in candidates if one.name.removeprefix("coding comment: ") == name)
    outcome = judge(hostile, way, folder)
    assert not outcome.faults, outcome.said


@linux
def test_damaged_files_and_runs_that_must_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    installed = Path(pytest.__file__).parents[1]
    wrong = fuzz(200, 7, [installed / "_pytest", installed / "libcst"], compared=2)
    assert not wrong, capsys.readouterr().out
