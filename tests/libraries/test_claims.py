"""The names that this folder measures, read from its text: a row that is gone is missed without the library too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.libraries.measure import TABLES, find_claims

MODULES = sorted(file for file in Path(__file__).parent.glob("test_*.py") if "@claims(" in file.read_text("utf-8"))


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
def test_rows_are_there(file: Path) -> None:
    for table, patterns in asked_for(file):
        assert table in TABLES
        assert patterns
        for pattern in patterns:
            find_claims(table, pattern)


def test_there_are_enough() -> None:
    asked = [(table, pattern) for file in MODULES for table, patterns in asked_for(file) for pattern in patterns]
    assert len({claim.library for table, pattern in asked for claim in find_claims(table, pattern)}) >= 60


def asked_for(file: Path) -> Iterator[tuple[str, list[str]]]:
    """The table and the patterns of each `claims` in a module."""
    tree = ast.parse(file.read_text("utf-8"))
    dictionaries = {target.id: value for target, value in assigned(tree) if isinstance(value, ast.Dict)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "claims":
            patterns = [pattern for argument in node.args[1:] for pattern in dotted(argument, dictionaries)]
            yield ast.literal_eval(node.args[0]), patterns


def assigned(tree: ast.Module) -> Iterator[tuple[ast.Name, ast.expr | None]]:
    """What the module's own names stand for."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from ((target, node.value) for target in targets if isinstance(target, ast.Name))  # type: ignore[attr-defined]


def dotted(node: ast.AST, dictionaries: dict[str, ast.Dict]) -> Iterator[str]:
    """The dotted names below a node, with `*` for what is filled in; of a dictionary its keys."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)
    elif isinstance(node, ast.Name) and node.id in dictionaries:
        yield from dotted(ast.Tuple([key for key in dictionaries[node.id].keys if key]), dictionaries)
    elif isinstance(node, ast.Constant) and "." in str(node.value):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from dotted(child, dictionaries)
