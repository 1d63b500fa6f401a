"""Text -> FileFacts: one pass over the `ast` of the running Python."""

from __future__ import annotations

import ast
import warnings

from loopsafe.facts.comments import find_remarks
from loopsafe.facts.limits import check_cost
from loopsafe.facts.room import with_room
from loopsafe.facts.schema import FileFacts, SyntaxProblem
from loopsafe.facts.scopes import Positions
from loopsafe.facts.statements import FileBuilder
from loopsafe.facts.type_comments import has_comments, parse_with_comments

_TOO_MUCH = "nested too deeply, or too large for the memory there is"


def parse(source: str | bytes, filename: str = "<unknown>") -> ast.Module:
    """Parse a file's text, or its bytes with their own encoding.

    Raises:
        SyntaxProblem: it cannot be parsed by the running Python, or nests too deeply for it.
    """
    try:
        # Invalid escapes and the like are the analysed file's business.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if isinstance(source, str) and has_comments(source):
                return parse_with_comments(source, filename)
            return ast.parse(source, filename)
    except SyntaxError as error:
        row = error.lineno or 0
        raise SyntaxProblem(f"cannot parse: {error.msg}", row, error.offset or min(row, 1)) from error
    except (ValueError, UnicodeDecodeError) as error:
        raise SyntaxProblem(f"cannot parse: {error}") from error
    # A MemoryError is also how the parser says that its stack is full.
    except (RecursionError, MemoryError) as error:
        raise SyntaxProblem(f"cannot parse: {_TOO_MUCH}") from error


def extract(source: str, filename: str = "<unknown>") -> FileFacts:
    """The facts of one file.

    Raises:
        SyntaxProblem: see parse(); or it would take more time or memory than its size explains.
    """
    return with_room(lambda: _extract(source, filename))


def _extract(source: str, filename: str) -> FileFacts:
    check_cost(source)
    tree = parse(source, filename)
    try:
        scopes = FileBuilder(Positions(source)).build(tree)
        return FileFacts(scopes=scopes, remarks=find_remarks(source, tree, scopes), exports=_exports(tree))
    except (RecursionError, MemoryError) as error:
        raise SyntaxProblem(f"cannot analyse: {_TOO_MUCH}") from error


def _exports(tree: ast.Module) -> tuple[str, ...] | None:
    """The names of a literal `__all__`, with `+=` and without anything computed."""
    names: list[str] | None = None
    for statement in tree.body:
        value = _assigned_all(statement)
        if isinstance(value, (ast.List, ast.Tuple)):
            names = names or []
            names += [e.value for e in value.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
    return None if names is None else tuple(names)


def _assigned_all(statement: ast.stmt) -> ast.expr | None:
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        targets = [statement.target]
    else:
        return None
    is_all = any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets)
    return statement.value if is_all else None
