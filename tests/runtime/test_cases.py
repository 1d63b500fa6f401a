"""The static suite, executed under the guard: what is wrong is seen at its row, what is right is left alone.

Only where `LOOPSAFE_EXECUTE` is `guarded` (all) or `sample`: it takes half an hour, or three minutes, and some cases go
by the clock. With asyncio's debug mode off and on, and on uvloop.
`cases/not_seen.md` lists the cases in which the guard sees less, or more, than the rules find, and why.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import loopsafe
from tests.fixes.execution import staging
from tests.fixes.execution.staging import Played, Stage
from tests.runtime.cases.playing import STAGE, Seen, expected, seen, ways
from tests.support.cases import Case, read_cases

CASES = read_cases(Path(__file__).parents[1] / "cases")
_ROWS = Path(__file__).with_name("cases").joinpath("not_seen.md").read_text("utf-8").splitlines()
NOT_SEEN = {row.removeprefix("- ") for row in _ROWS if row.startswith("- ")}
ALL = os.environ.get("LOOPSAFE_EXECUTE") == "guarded"
BROKEN = [case for case in CASES if expected(case)]
RIGHT = [case for case in CASES if not expected(case)]

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.skipif(os.environ.get("LOOPSAFE_EXECUTE") not in ("guarded", "sample"), reason="not asked for"),
]


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "STAGE", STAGE)
        if request.param == "uvloop":
            pytest.importorskip("uvloop")
            patch.setenv("LOOPSAFE_TEST_UVLOOP", "1")
        stage = Stage()
        yield stage
        stage.close()


def sample(cases: list[Case], step: int) -> list[Case]:
    return [case for case in (cases if ALL else cases[::step]) if case.id not in NOT_SEEN]


def play(case: Case, folder: Path, stage: Stage, enough: Seen) -> list[Played]:
    """The runs of a case, with debug mode off and on, by as many ways as it takes to see enough."""
    runs: list[Played] = []
    folder = staging.write(case, folder.resolve())
    for way in ways(case, folder, loopsafe.analyze([folder]).findings):
        # On a machine that is busy, a thread may be late.
        for _ in range(2):
            (pair,) = stage.play([way])
            runs += pair
            if enough and seen(runs) >= enough:
                return runs
            if not enough:
                break
    return runs


def _skip_what_is_too_new(runs: list[Played]) -> None:
    new = ("module 'asyncio' has no attribute", "No module named 'tomllib'", "unexpected keyword argument")
    if any(text in error for run in runs for error in run.errors for text in new):
        pytest.skip("it needs a newer Python")


@pytest.mark.parametrize("case", sample(BROKEN, 12), ids=lambda case: case.id)
def test_what_is_wrong_is_seen_at_its_row(case: Case, stage: Stage, tmp_path: Path) -> None:
    wanted = expected(case)
    runs = play(case, tmp_path / "case", stage, wanted)
    if seen(runs) != wanted:
        _skip_what_is_too_new(runs)
    assert seen(runs) == wanted, [run.errors for run in runs]


@pytest.mark.parametrize("case", sample(RIGHT, 24), ids=lambda case: case.id)
def test_what_is_right_is_left_alone(case: Case, stage: Stage, tmp_path: Path) -> None:
    assert seen(play(case, tmp_path / "case", stage, set())) == set()


@pytest.mark.parametrize("case", sample(BROKEN, 24), ids=lambda case: case.id)
def test_what_is_fixed_is_left_alone(case: Case, stage: Stage, tmp_path: Path) -> None:
    folder = staging.write(case, (tmp_path / "case").resolve())
    findings = staging.fixable(folder)
    places = staging.places_of(folder, findings)
    if not findings:
        pytest.skip("nothing in it has a fix")
    try:
        staging.fix(folder, findings)
    except AssertionError:
        pytest.skip("its fix is refused")
    asked = staging.request(folder, findings, case)
    (runs,) = stage.play([asked])
    rows = {(path, row) for path, span in places for row in span}
    others = {(path, row) for path, row, _ in expected(case)} - rows
    # What has no fix is still wrong, and may stand some rows further down.
    assert not seen(runs) or others, seen(runs)


def test_what_is_listed_exists() -> None:
    assert {case.id for case in CASES} >= NOT_SEEN


def test_each_rule_that_the_guard_watches_for_is_executed() -> None:
    codes = {code for case in BROKEN if case.id not in NOT_SEEN for _, _, code in expected(case)}
    assert codes >= {f"LSF{number}" for number in (*range(101, 109), 204, 205)}
