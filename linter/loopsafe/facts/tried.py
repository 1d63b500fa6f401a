"""What `try` statements and their like handle."""

from __future__ import annotations

import ast
from typing import NamedTuple

_EXPECTING = ("raises", "assertRaises", "assertRaisesRegex")


class Suppressed(NamedTuple):
    """The exceptions that a `with` block does not let through, and whether it holds one expression only."""

    names: tuple[str, ...]
    is_brief: bool


def suppressed(manager: ast.expr, is_brief: bool) -> Suppressed | None:
    """What `contextlib.suppress(...)` and tests that expect exceptions handle; None for any other manager."""
    name = getattr(manager.func, "attr", getattr(manager.func, "id", "")) if isinstance(manager, ast.Call) else ""
    if not isinstance(manager, ast.Call) or name not in ("suppress", *_EXPECTING):
        return None
    given = manager.args if name == "suppress" else manager.args[:1]
    names = tuple(found for argument in given for found in exception_names(argument))
    return Suppressed(names, is_brief and name == "suppress")


def exception_names(node: ast.expr | None) -> tuple[str, ...]:
    """The types a handler names, dotted as written; a bare `except` names BaseException."""
    if node is None:
        return ("BaseException",)
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return tuple(ast.unparse(part) for part in parts)


def is_brief(node: ast.Try) -> bool:
    """Whether nothing but an expression is tried, and where that fails no more is done than one call."""
    if len(node.handlers) != 1 or node.orelse or node.finalbody or node.handlers[0].name:
        return False
    body = node.handlers[0].body
    return is_expression(node.body) and (isinstance(body[0], ast.Pass) or is_expression(body)) and len(body) == 1


def is_expression(body: list[ast.stmt]) -> bool:
    """Whether a block holds nothing but one expression."""
    return len(body) == 1 and isinstance(body[0], ast.Expr)
