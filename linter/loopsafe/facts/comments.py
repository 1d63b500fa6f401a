"""`# loopsafe: key=value` comments, and the function, class or parameter that each one speaks of."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Sequence

from loopsafe.facts.schema import Remark, Scope

_REMARK = re.compile(r"#\s*loopsafe:\s*(?P<items>[^#]*)", re.IGNORECASE)
_ITEM = re.compile(r"(?P<key>[a-z][\w-]*)(?:\s*=\s*(?P<value>[\w.*-]*))?", re.IGNORECASE)
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Places = dict[int, list[tuple[int, str]]]


def find_remarks(source: str, tree: ast.Module, scopes: Sequence[Scope]) -> tuple[Remark, ...]:
    """All remarks of a file, by row."""
    if "loopsafe:" not in source.lower():
        return ()
    beside, below = _places(tree, scopes)
    found = []
    for row, text, alone in _comments(source):
        spoken_of = (below.get(row + 1) if alone else None) or beside.get(row) or [(-1, "")]
        for key, value in items(text):
            found += [Remark(row, key, value, scope, parameter) for scope, parameter in spoken_of]
    return tuple(found)


def items(text: str) -> Iterator[tuple[str, str]]:
    """Key and value of each item of `key=value, key`; the value is empty where there is none."""
    for item in _ITEM.finditer(text):
        yield item["key"].lower(), (item["value"] or "").lower()


def _comments(source: str) -> Iterator[tuple[int, str, bool]]:
    """Row and items of each remark, and whether the comment has the line to itself."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            remark = _REMARK.search(token.string) if token.type == tokenize.COMMENT else None
            if remark:
                yield token.start[0], remark["items"], not token.line[: token.start[1]].strip()
    except (tokenize.TokenError, SyntaxError):
        return  # `ast` has read the file, so what is lost is at most the end of it


def _places(tree: ast.Module, scopes: Sequence[Scope]) -> tuple[_Places, _Places]:
    """What a comment beside each row of a signature speaks of, and what one alone above each row does."""
    by_row = {scope.span.row: scope.index for scope in scopes if scope.kind in ("function", "class")}
    beside: _Places = {}
    below: _Places = {}
    for node in ast.walk(tree):
        if isinstance(node, _Definition) and node.lineno in by_row:
            whole, parameters = [(by_row[node.lineno], "")], _parameters(node, by_row[node.lineno])
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            for row in range(first, max(_start(node.body[0]), node.lineno + 1)):
                beside[row] = parameters.get(row, whole)
            below |= {**parameters, first: whole, node.lineno: whole}
    return beside, below


def _start(statement: ast.stmt) -> int:
    decorators = statement.decorator_list if isinstance(statement, _Definition) else []
    return min([statement.lineno, *(d.lineno for d in decorators)])


def _parameters(node: _Definition, scope: int) -> _Places:
    """The parameters that stand on rows of their own, after the row of the `def`."""
    found: _Places = defaultdict(list)
    if not isinstance(node, ast.ClassDef):
        args = node.args
        for arg in (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg):
            if arg is not None and arg.lineno > node.lineno:
                found[arg.lineno].append((scope, arg.arg))
    return dict(found)
