"""The example of docs/adding-knowledge.md works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import loopsafe
from loopsafe.knowledge.load import Knowledge, load_packs
from loopsafe.knowledge.schema import Pack
from tests.support.scripts import ROOT

PAGE = (ROOT / "docs" / "adding-knowledge.md").read_text("utf-8")


def files(folder: Path) -> Path:
    """Write the files that the page shows."""
    for name, text in re.findall(r"(?ms)^```\w+ (\S+)\n(.*?)^```$", PAGE):
        (folder / name).write_text(text, "utf-8")
    return folder


def test_the_example_is_found(tmp_path: Path) -> None:
    found = loopsafe.analyze([files(tmp_path)]).findings
    lines = (tmp_path / "main.py").read_text("utf-8").splitlines()
    wanted = [(row, "LSF102") for row, line in enumerate(lines, 1) if line.endswith("# error: LSF102")]
    assert [(f.location.span.row, f.code) for f in found] == wanted


def test_the_example_has_ten_lines(tmp_path: Path) -> None:
    text = (files(tmp_path) / "meteo.toml").read_text("utf-8")
    assert len([line for line in text.splitlines() if line]) <= 10
    assert Knowledge(load_packs([tmp_path / "meteo.toml"])).runs


def test_every_table_and_condition_is_explained() -> None:
    tables = [f for f in Pack.__struct_fields__ if f not in ("library", "version", "imports")]
    words = [*tables, "unless_async", "unless_decorated", "when", "unless_given", "executor", "only_if_called"]
    words += ["unless_imported", "twin", "unless_defined", "likely", "likely_with", "rest_from", "every_keyword", "key"]
    assert [w for w in (*words, "methods", "method_of", "iterated") if f"`{w}" not in PAGE] == []
