"""The tests that docs/security.md calls as witnesses exist."""

from __future__ import annotations

import re

from tests.support.scripts import ROOT

# `test_name` in `tests/file.py`, also across the end of a row.
WITNESS = re.compile(r"`(test_\w+)`\s+in\s+`(tests/[\w/]+\.py)`")
FILE = re.compile(r"`((?:tests|scripts|requirements)/[\w/.]+)`")
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")


def test_every_witness_exists() -> None:
    witnesses = WITNESS.findall(PAGE)
    missing = [
        f"{file}::{name}"
        for name, file in witnesses
        if not (ROOT / file).is_file() or f"def {name}(" not in (ROOT / file).read_text("utf-8")
    ]
    assert len(witnesses) == PAGE.count("`test_")
    assert not missing


def test_every_file_exists() -> None:
    assert not [file for file in FILE.findall(PAGE) if not (ROOT / file).exists()]
