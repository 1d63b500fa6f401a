"""Where an import statement goes: beside those of its kind, never between a comment and what it is about."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from loopsafe.fixes.text import Change, SourceText


class _Block(NamedTuple):
    """Top-level statements that share their rows: one, or several with semicolons."""

    first: int
    last: int
    statements: tuple[ast.stmt, ...]


class _Place(NamedTuple):
    """Just before `row`, with an empty row before or after."""

    row: int
    before: bool = False
    after: int = 0


def add_imports(text: SourceText, tree: ast.Module, modules: Iterable[str]) -> list[Change]:
    """The insertions that import the modules at the top of the file."""
    blocks = list(_blocks(tree))
    groups: dict[_Place, list[str]] = defaultdict(list)
    for module in sorted(modules):
        groups[_place(text, blocks, module)].append(module)
    return [_insertion(text, place, names) for place, names in groups.items()]


def _insertion(text: SourceText, place: _Place, modules: list[str]) -> Change:
    newline = text.newline(place.row - 1 if place.row > 1 else 1)
    lines = [*[""] * place.before, *(f"import {module}" for module in modules), *[""] * place.after]
    if place.row > 1 and not text.line(place.row - 1).endswith(("\n", "\r")):
        # The file ends without a line end, on the row to insert after.
        offset = len(text.source)
        return Change(offset, offset, "".join(newline + line for line in lines))
    offset = text.offset(place.row, 1)
    return Change(offset, offset, "".join(line + newline for line in lines))
