"""Fixable cases, executed before and after their fix, with asyncio's debug mode off and on.

By default a sample; a third where `LOOPSAFE_EXECUTE` is `third`, as for one Python of the build; with `all` all but
those that show what libraries do, which are fixed like the others; with `every` these, too. `execution/not_run.md`
lists the cases that are not executed, and why.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixes.execution.staging import HARNESS, Stage, complaints, fix, fixable, names_of, places_of, request, write
from tests.support.cases import Case, read_cases

CASES = read_cases(Path(__file__).parents[1] / "cases")
NOT_RUN = {
    row.removeprefix("- ")
    for row in Path(__file__).with_name("execution").joinpath("not_run.md").read_text("utf-8").splitlines()
    if row.startswith("- ")
}
WITH_FINDINGS = [case for case in CASES if any(expected.kind == "error" for expected in case.expected)]
_WANTED = os.environ.get("LOOPSAFE_EXECUTE")
OF_LIBRARIES = {case.id for case in WITH_FINDINGS if case.file in ("device-libraries.md", "general-libraries.md")}
SAMPLE = [
    case
    for number, case in enumerate(WITH_FINDINGS)
    if number % (3 if _WANTED == "third" else 12) == 0
    or _WANTED == "every"
    or (_WANTED == "all" and case.id not in OF_LIBRARIES)
]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


@pytest.mark.parametrize("case", [case for case in SAMPLE if case.id not in NOT_RUN], ids=lambda case: case.id)
def test_it_fails_before_and_works_after(case: Case, stage: Stage, tmp_path: Path) -> None:
    broken, folder = (write(case, tmp_path.resolve() / name) for name in ("before", "after"))
    findings = fixable(folder)
    if not findings:
        assert HARNESS not in dict(case.files)
        pytest.skip("nothing in it has a fix")
    places, names = places_of(folder, findings), names_of(folder, findings)
    asked = [request(folder, findings, case) | {"folder": str(where)} for where in (broken, folder)]
    fix(folder, findings)
    before, after = stage.play(asked)
    if any("module 'asyncio' has no attribute" in error for error in before[0].errors):
        pytest.skip("it needs a newer Python")
    if complaints(places, names, before, after):
        # On a machine that is busy, a thread may be late.
        before, after = stage.play(asked)
    assert complaints(places, names, before, after) == []


def test_each_rule_with_a_fix_is_executed() -> None:
    codes = {e.code for case in WITH_FINDINGS if case.id not in NOT_RUN for e in case.expected}
    assert codes >= {f"LSF{number}" for number in (*range(101, 109), 201, 204)}


def test_what_is_listed_as_not_run_exists() -> None:
    assert {case.id for case in CASES} >= NOT_RUN
