"""The speed benchmark measures what it says, on shapes that are programs; its page has places for its tables."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.accuracy.pages import filled
from benchmarks.accuracy.releases import Release
from benchmarks.speed import shapes, tables
from benchmarks.speed.measuring import Cost, measure, middle
from benchmarks.speed.run import EDITED, PAGE, RELEASES


def test_a_cost_is_that_of_the_command(tmp_path: Path) -> None:
    work = "sum(range(3_000_000)); open('here', 'w').close(); b'x' * 90_000_000"
    cost = measure((sys.executable, "-c", work), tmp_path, 60)
    assert (tmp_path / "here").exists()
    assert cost.failure == ""
    assert cost.cpu > 0
    assert cost.megabytes > 80


def test_what_fails_or_takes_too_long_is_said(tmp_path: Path) -> None:
    assert measure((sys.executable, "-c", "raise SystemExit(3)"), tmp_path, 60).failure == "exit code 3"
    slow = measure((sys.executable, "-c", "import time; time.sleep(60)"), tmp_path, 0.5)
    assert slow.failure == "longer than 0 s"
    assert slow.wall < 30


def test_medians_are_taken_one_by_one() -> None:
    assert middle([Cost(1, 9, 5), Cost(2, 7, 4, "bad"), Cost(3, 8, 6)]) == Cost(2, 8, 5, "bad")


@pytest.mark.parametrize("make", shapes.SHAPES.values(), ids=lambda make: make.__name__)
def test_shapes_are_programs_as_large_as_asked(make: Callable[..., None], tmp_path: Path) -> None:
    sizes = []
    for count in (5, 10):
        folder = tmp_path / str(count)
        folder.mkdir()
        make(folder, count)
        texts = [file.read_text("utf-8") for file in folder.glob("*.py")]
        assert all(map(ast.parse, texts))
        sizes.append(sum(map(len, texts)))
    assert sizes[0] < sizes[1]


def test_ratios_are_to_ruff() -> None:
    table = tables.releases(Release("a", "1"), 7, {"loopsafe, cold": Cost(3, 1, 1), "ruff, ASYNC rules": Cost(2, 1, 1)})
    assert "| loopsafe, cold | 3.00 | 1.50 |" in table


def test_the_page_has_every_part() -> None:
    text = PAGE.read_text("utf-8")
    for part in ("releases", "curve", "shapes"):
        assert filled(text, part, "new") != text
    assert EDITED.keys() == {release.name for release in RELEASES}
