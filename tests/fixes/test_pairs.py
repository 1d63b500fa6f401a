"""The fixer alone, on hand-made plans: `pairs/*.md`."""

from __future__ import annotations

import ast
from pathlib import Path

import libcst
import pytest

from loopsafe.findings import Edit
from loopsafe.fixes import fix_source
from tests.support.pairs import Pair, read_pairs

PAIRS = read_pairs(Path(__file__).parent / "pairs")


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_fix_is_as_written(pair: Pair) -> None:
    result = fix_source(pair.before, pair.plans)
    assert result.source == pair.after
    assert tuple(reason for _, reason in result.failed) == pair.reasons
    assert sorted([*result.applied, *(plan for plan, _ in result.failed)]) == sorted(pair.plans)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_expected_text_is_python(pair: Pair) -> None:
    ast.parse(pair.after)
    libcst.parse_module(pair.after)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_a_second_run_changes_nothing(pair: Pair) -> None:
    again = fix_source(pair.after, ())
    assert (again.source, again.edits) == (pair.after, ())


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_the_edits_alone_make_the_new_text(pair: Pair) -> None:
    assert carried_out(pair.before, fix_source(pair.before, pair.plans).edits) == pair.after


def carried_out(source: str, edits: tuple[Edit, ...]) -> str:
    """Edits made the plain way, from the last to the first."""
    for edit in reversed(edits):
        lines = source.split("\n")
        span = edit.span
        head = "\n".join([*lines[: span.row - 1], lines[span.row - 1][: span.column - 1]])
        tail = "\n".join([lines[span.end_row - 1][span.end_column - 1 :], *lines[span.end_row :]])
        source = head + edit.content + tail
    return source
