"""Unchanged and fixed pairs in Markdown, for tests of the fixer alone.

A case is a `## heading` that says in a few words what it shows. Then comes one line a rewrite, (`action` `text` at
`start of the call`); the lines of one paragraph are one plan, and may name modules: imports `anyio.from_thread`. Then
a block with the text before, and one with the text after unless nothing changes. A plan that fails has a line
`fails: reason`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from loopsafe.findings import FixPlan, Rewrite
from loopsafe.locations import Span

_REWRITE = re.compile(r"^`(\w+)`(?: `([^`]*)`)? at `([^`]+)`$", re.M)
_IMPORTS = re.compile(r"^imports ((?:`[\w.]+`(?:, )?)+)$", re.M)
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True, slots=True)
class Pair:
    """One case: the text before and after, the plans, and the reasons of those that fail."""

    name: str
    before: str
    plans: tuple[FixPlan, ...]
    after: str
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


def read_pairs(folder: Path) -> list[Pair]:
    """All cases of the folder's `*.md` files, in order."""
    return [pair for file in sorted(folder.glob("*.md")) for pair in _read_file(file)]


def _read_file(file: Path) -> Iterator[Pair]:
    for section in re.split(r"^## ", file.read_text("utf-8"), flags=re.M)[1:]:
        title, body = section.split("\n", 1)
        yield _read_case(f"{file.stem}: {title}", body)


def _read_case(name: str, body: str) -> Pair:
    before, *after = _BLOCK.findall(body)
    text = _BLOCK.sub("", body)
    plans = tuple(_plan(before, part) for part in text.split("\n\n") if _REWRITE.search(part))
    assert plans, f"{name} has no rewrite"
    return Pair(name, before, plans, after[0] if after else before, tuple(re.findall(r"^fails: (.+)$", text, re.M)))


def _plan(before: str, text: str) -> FixPlan:
    rewrites = [
        Rewrite(call_span(before, start), cast(Any, action), to) for action, to, start in _REWRITE.findall(text)
    ]
    found = _IMPORTS.search(text)
    return FixPlan("safe", rewrites=tuple(rewrites), imports=tuple(re.findall(r"[\w.]+", found[1])) if found else ())


def call_span(source: str, start: str) -> Span:
    """The span of the shortest call whose text starts so."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    texts = {ast.get_source_segment(source, node) or "": node for node in calls}
    return span_of(source, texts[min((text for text in texts if text.startswith(start)), key=len)])


def span_of(source: str, node: ast.expr) -> Span:
    """The span of a node, in characters."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    lines = re.split(r"\r\n|\r|\n", source)
    column = len(lines[node.lineno - 1].encode()[: node.col_offset].decode()) + 1
    end_column = len(lines[node.end_lineno - 1].encode()[: node.end_col_offset].decode()) + 1
    return Span(node.lineno, column, node.end_lineno, end_column)
