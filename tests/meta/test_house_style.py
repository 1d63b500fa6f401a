"""The house-style figures are measured as their script says, and the package keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.scripts import ROOT, load_script

house_style = load_script("house_style")

SAMPLE = '''\
"""Module docstring."""

# Why this is so.
import os  # noqa: F401


def documented(path: str, *rest: int) -> None:
    """Docstring,

    of three rows.
    """
    text = """two
rows"""

    def inner(untyped):
        return text
'''


def test_what_counts(tmp_path: Path) -> None:
    package = tmp_path / "sample"
    package.mkdir()
    (package / "module.py").write_text(SAMPLE, "utf-8")
    (module,) = house_style.read_package(package)
    outer, inner = module.functions()
    assert module.name == "sample.module"
    assert len(module.code_rows) == 6
    assert module.comments == 1
    assert (module.code_lines(outer), module.code_lines(inner)) == (5, 2)
    assert (house_style.annotated(outer), house_style.annotated(inner)) == ((3, 3), (0, 2))


def test_percentile() -> None:
    assert house_style.percentile(list(range(1, 11)), 0.9) == 9
    assert house_style.percentile([5], 0.9) == 5


@pytest.mark.parametrize("package", ["linter/loopsafe", "reference_decoder"])
def test_the_package_keeps_the_limits(package: str) -> None:
    rows = house_style.figures(house_style.read_package(ROOT / package))
    # How much to explain is a matter of judgement: the script prints that figure, a test would only breed filler.
    broken = [
        f"{row.name}: {row.value}, not {row.limit}" for row in rows if not row.kept and "comments" not in row.name
    ]
    assert not broken
