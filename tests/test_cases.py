"""The specification: every case in tests/cases/ through the real analysis."""

from __future__ import annotations

from pathlib import Path

import pytest

import loopsafe
from tests.support.cases import Case, read_cases, run

CASES = read_cases(Path(__file__).parent / "cases")


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_case(case: Case, tmp_path: Path) -> None:
    found = run(case, tmp_path, loopsafe.analyze)
    assert not found, "\n".join(["", *found])
