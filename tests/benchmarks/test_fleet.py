"""The benchmark of fleets checks projects that differ, and its page has a place for its table."""

from __future__ import annotations

import ast
from pathlib import Path

from benchmarks.accuracy.pages import filled
from benchmarks.fleet.projects import SOURCES, make
from benchmarks.fleet.run import PAGE


def test_projects_are_programs_and_none_is_the_same(tmp_path: Path) -> None:
    count = 2 * len(SOURCES)
    projects = make(tmp_path, count)
    texts = ["".join(sorted(file.read_text("utf-8") for file in one.rglob("*.py"))) for one in projects]
    assert all(map(ast.parse, (file.read_text("utf-8") for one in projects for file in one.rglob("*.py"))))
    names = {path.name for one in projects for path in one.iterdir() if path.is_dir()}
    assert len(names) == count
    # A package that imports itself does so by its new name.
    assert "reference_decoder_00003." in texts[3]
    assert "reference_decoder." not in texts[3]


def test_the_page_has_a_place_for_the_table() -> None:
    text = PAGE.read_text("utf-8")
    assert filled(text, "runs", "new") != text
