"""Named tuples that a call makes: classes without a `class` statement."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_MAKERS = ("namedtuple", "NamedTuple")


def named_fields(node: ast.expr) -> tuple[tuple[str, ast.expr | None], ...]:
    """The fields of a `namedtuple(name, fields)`, with their types where they have some; nothing of anything else."""
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return ()
    func = node.func
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    return tuple(_fields(node.args[1])) if name in _MAKERS else ()


def _fields(node: ast.expr) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from ((name, None) for name in node.value.replace(",", " ").split())
    for item in node.elts if isinstance(node, (ast.List, ast.Tuple)) else ():
        pair = item.elts if isinstance(item, ast.Tuple) and len(item.elts) == 2 else (item, None)
        if isinstance(pair[0], ast.Constant) and isinstance(pair[0].value, str):
            yield pair[0].value, pair[1]
