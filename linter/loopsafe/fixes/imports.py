"""Where an import statement goes: beside those of its kind, never between a comment and what it is about."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from loopsafe.fixes.text import Change, SourceText

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


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


def add_beside(text: SourceText, names: Iterable[tuple[ast.alias, str]]) -> list[Change]:
    """The insertions that import further names, each after one from the same module; on a row where that has one."""
    changes = []
    for alias, name in names:
        assert alias.end_lineno is not None
        assert alias.end_col_offset is not None
        row = text.line(alias.end_lineno)
        column = len(row.encode("utf-8")[: alias.end_col_offset].decode("utf-8"))
        offset = text.offset(alias.end_lineno, column + 1)
        indent = row[: len(row) - len(row.lstrip())]
        has_a_row = row[column:].strip() == "," and row[:column].strip() == ast.unparse(alias)
        beside = f"{text.newline(alias.end_lineno)}{indent}" if has_a_row and indent else " "
        changes.append(Change(offset, offset, f",{beside}{name}"))
    return changes


def _insertion(text: SourceText, place: _Place, modules: list[str]) -> Change:
    newline = text.newline(place.row - 1 if place.row > 1 else 1)
    lines = [*[""] * place.before, *(f"import {module}" for module in modules), *[""] * place.after]
    if place.row > 1 and not text.line(place.row - 1).endswith(("\n", "\r")):
        # The file ends without a line end, on the row to insert after.
        offset = len(text.source)
        return Change(offset, offset, "".join(newline + line for line in lines))
    offset = text.offset(place.row, 1)
    return Change(offset, offset, "".join(line + newline for line in lines))


def _blocks(tree: ast.Module) -> Iterator[_Block]:
    block = _Block(0, 0, ())
    for statement in tree.body:
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
        last = statement.end_lineno or first
        if first <= block.last:
            block = _Block(block.first, last, (*block.statements, statement))
            continue
        if block.statements:
            yield block
        block = _Block(first, last, (statement,))
    if block.statements:
        yield block


def _place(text: SourceText, blocks: list[_Block], module: str) -> _Place:
    section = list(_section(blocks))
    kin = [block for block in section if _kind(block) == _is_standard(module)]
    # Sorters put `import a` before `from a import b`, and so find nothing to do here.
    plain = [block for block in kin if isinstance(block.statements[0], ast.Import)]
    if plain:
        earlier = [block for block in plain if _module(block).lower() < module.lower()]
        return _Place(earlier[-1].last + 1) if earlier else _Place(plain[0].first)
    if kin:
        return _Place(kin[0].first)
    if not section:
        return _without_imports(text, blocks)
    standard = [block for block in section if _kind(block) is True]
    if standard:
        return _Place(standard[-1].last + 1, before=True)
    return _Place(_above_comments(text, section[0].first), after=1)


def _section(blocks: list[_Block]) -> Iterator[_Block]:
    """The first run of imports, those from `__future__` left out."""
    # Later ones often stand below code that must run first.
    found = False
    for block in blocks:
        imports = all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in block.statements)
        if imports and _module(block) != "__future__":
            found = True
            yield block
        elif found and not imports:
            return


def _module(block: _Block) -> str:
    statement = block.statements[0]
    if isinstance(statement, ast.Import):
        return statement.names[0].name
    return (statement.module or "") if isinstance(statement, ast.ImportFrom) else ""


def _kind(block: _Block) -> bool | None:
    """Whether the module is one of the standard library's; None for the project's own by relative import."""
    if isinstance(block.statements[0], ast.ImportFrom) and block.statements[0].level:
        return None
    return _is_standard(_module(block))


def _is_standard(module: str) -> bool:
    return module.split(".", 1)[0] in sys.stdlib_module_names


def _without_imports(text: SourceText, blocks: list[_Block]) -> _Place:
    head = [block for block in blocks if _module(block) == "__future__" or _is_docstring(block, blocks)]
    if head:
        return _Place(head[-1].last + 1, before=True, after=0 if _is_blank(text.line(head[-1].last + 1)) else 1)
    first = blocks[0].first if blocks else 1
    row = _above_comments(text, first)
    definition = bool(blocks) and isinstance(blocks[0].statements[0], _DEFINITIONS)
    return _Place(row, after=2 if definition else 1)


def _is_docstring(block: _Block, blocks: list[_Block]) -> bool:
    match block.statements[0]:
        case ast.Expr(value=ast.Constant(value=str())):
            return block is blocks[0]
    return False


def _is_blank(line: str) -> bool:
    return not line.strip()


def _above_comments(text: SourceText, row: int) -> int:
    """The first of the comment rows right above `row`, unless they are the head of the file (licence, coding)."""
    top = row
    while top > 1 and text.line(top - 1).lstrip().startswith("#"):
        top -= 1
    return top if top > 1 else row
