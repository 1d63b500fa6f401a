"""Programs of odd shapes are analysed like others: nothing recurses as deep as they go."""

from __future__ import annotations

from pathlib import Path

import pytest

import loopsafe
from benchmarks.speed import shapes

# A method that each class extends is followed up to the class that does it; all others end in one place, too.
DEEP = 1500


@pytest.mark.parametrize("make", [shapes.chain, shapes.stars, shapes.inheritance], ids=lambda make: make.__name__)
def test_what_is_deep_is_found(make: object, tmp_path: Path) -> None:
    make(tmp_path, DEEP)  # type: ignore[operator]
    report = loopsafe.analyze([tmp_path])
    assert not report.problems
    [finding] = report.findings
    assert finding.code == "LSF102"
    assert len(finding.witness) > DEEP


def test_what_is_wide_is_found(tmp_path: Path) -> None:
    shapes.dictionary(tmp_path, DEEP)
    assert [finding.code for finding in loopsafe.analyze([tmp_path]).findings] == ["LSF102"]
