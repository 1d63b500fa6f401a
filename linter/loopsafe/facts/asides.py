"""What the facts leave out since few ask for it: docstrings, and which rows stand in the `with` of an attribute."""

from __future__ import annotations

import ast
from typing import NamedTuple


class Asides(NamedTuple):
    """Of a file: docstrings by the row of the `def` or `class`; the first and last row under each `with self.name`."""

    docstrings: dict[int, str]
    held: tuple[tuple[str, int, int], ...]


def asides(source: str) -> Asides:
    """Read them from text that is known to be Python."""
    docstrings: dict[int, str] = {}
    held: list[tuple[str, int, int]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            docstrings[node.lineno] = ast.get_docstring(node) or ""
        elif isinstance(node, ast.With):
            values = (item.context_expr for item in node.items)
            names = [v.attr for v in values if isinstance(v, ast.Attribute) and _is_self(v.value)]
            held += [(name, node.body[0].lineno, node.end_lineno or 0) for name in names]
    return Asides(docstrings, tuple(held))


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
