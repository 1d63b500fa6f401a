"""The specification: every case in tests/cases/ through the real analysis.

Where `LOOPSAFE_CASES` is `half`, every second one: other halves on Pythons of even and of odd versions.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import loopsafe
from tests.support.cases import Case, read_cases, run

CASES = read_cases(Path(__file__).parent / "cases")
if os.environ.get("LOOPSAFE_CASES") == "half":
    CASES = CASES[sys.version_info.minor % 2 :: 2]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_case(case: Case, tmp_path: Path) -> None:
    found = run(case, tmp_path, loopsafe.analyze)
    assert not found, "\n".join(["", *found])
