"""Positions, rows that have moved, edits by rows, and texts that are only shown."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopsafe.findings import Edit
from loopsafe.frontends.server.actions import row_edits
from loopsafe.frontends.server.hovers import _code, _escaped
from loopsafe.frontends.server.names import Folder, is_installed, path_of, uri_of
from loopsafe.frontends.server.settings import Settings, read_settings
from loopsafe.frontends.server.texts import Moved, Text, Units
from loopsafe.locations import Span
from tests.support.scripts import ROOT

ROWS = st.lists(st.sampled_from(["", "a", "bb", "é🐍", "  x = 1", "\x0c", "\u2028"]), max_size=8)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def applied(text: str, edits: list[Edit]) -> str:
    """A text after edits of whole rows or parts of them, from the last to the first."""
    starts, at = [0], 0
    for row in re.split(r"(\r\n|\r|\n)", text):
        at += len(row)
        if row in ("\r\n", "\r", "\n"):
            starts.append(at)
    for edit in reversed(edits):
        span = edit.span
        start, end = starts[span.row - 1] + span.column - 1, starts[span.end_row - 1] + span.end_column - 1
        text = text[:start] + edit.content + text[end:]
    return text


@given(ROWS, ROWS, ENDS)
@settings(max_examples=300, deadline=None)
def test_edits_by_rows_make_the_other_text(one: list[str], other: list[str], end: str) -> None:
    old, new = end.join(one), end.join(other)
    assert applied(old, list(row_edits(old, new))) == new


@given(st.text(alphabet="aé🐍𝔘\t", max_size=12), st.integers(0, 12), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
@settings(deadline=None)
def test_columns_there_and_back(row: str, column: int, encoding: str) -> None:
    units, column = Units(encoding), min(column, len(row))
    position = units.position(1, column + 1, row)
    assert units.column(row, position.character) == column
    sizes = {"utf-8": len(row[:column].encode()), "utf-16": len(row[:column].encode("utf-16-le")) // 2}
    assert position.character == sizes.get(encoding, column)


def test_places_beyond_the_end() -> None:
    text, units = Text("a\nbb"), Units()
    assert text.range(Span(9, 5, 9, 9), units).start.line == 8
    assert units.column("é", 99) == 1
    assert units.position(0, 0, None).line == 0


@given(ROWS, ROWS, ROWS, ROWS)
@settings(deadline=None)
def test_rows_that_have_moved(before: list[str], old: list[str], new: list[str], after: list[str]) -> None:
    one, other = Text("\n".join([*before, *old, *after])), Text("\n".join([*before, *new, *after]))
    moved = Moved.between(one, other)
    for row in (*range(1, moved.before + 1), *range(len(one.rows) - moved.after + 1, len(one.rows) + 1)):
        assert one.row(row) == other.row(moved.row(row))
    assert moved.before >= min(len(before), len(other.rows))
    for row in range(1, len(one.rows) + 1):
        assert 1 <= moved.row(row) <= len(other.rows)


@pytest.mark.parametrize("text", ["`", "``x`", "a`b", "\x1b[31m", "![x](http://e)", "\u202e"])
def test_code_ends_where_it_is_to_end(text: str) -> None:
    shown = _code(text)
    fence = re.match("`+", shown)
    assert fence
    assert shown.endswith(fence[0])
    inside = shown[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inside)
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_text_in_markdown_is_no_markdown() -> None:
    assert _escaped("[x](y) <b> *z*") == r"\[x\]\(y\) \<b\> \*z\*"


def test_addresses() -> None:
    folder = Folder("/tmp/link", "/tmp/real")
    assert uri_of("/tmp/real/a b.py", [folder]) == "file:///tmp/link/a%20b.py"
    assert uri_of("/tmp/real", [folder]) == "file:///tmp/link"
    assert uri_of("/tmp/reality/x.py", [folder]) == "file:///tmp/reality/x.py"
    assert path_of("file:///tmp/a%20b.py") == "/tmp/a b.py"
    assert path_of("untitled:One") is None
    assert path_of("file:///tmp/a%00b.py") is None
    assert is_installed("/usr/lib/python3.13/asyncio/queues.py")
    assert is_installed("/x/.venv/lib/python3.13/site-packages/a.py")
    assert not is_installed("/x/lib/mine.py")


def test_the_page_names_all_settings() -> None:
    page = (ROOT / "docs" / "editors.md").read_text("utf-8")
    names = {field.encode_name for field in msgspec.structs.fields(Settings)}
    assert not {name for name in names if f"`{name}`" not in page}


def test_the_extension_knows_the_settings_and_commands() -> None:
    manifest = json.loads((ROOT / "editors" / "vscode" / "package.json").read_text("utf-8"))["contributes"]
    names = [name.removeprefix("loopsafe.") for name in manifest["configuration"]["properties"]]
    defaults = {"minConfidence": "likely", "dependencies": True, "codeLens": True, "delay": 300}
    given = {name: defaults.get(name, []) for name in names if name not in ("path", "interpreter", "trace.server")}
    assert read_settings(given) == Settings(min_confidence="likely")
