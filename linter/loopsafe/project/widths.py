"""How long the rows of a project may be, as it tells its formatter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from loopsafe.project.tables import TableError, read_tables

_OWN = ("ruff.toml", ".ruff.toml")
_LONGEST = 320


def row_width(path: Path) -> int | None:
    """The columns that ruff or black keep a file to; None where nothing says so, as for rows that are no number."""
    return _said(path.resolve().parent)


def _said(folder: Path) -> int | None:
    # A broken configuration is told of by whoever it is for.
    for tables in _tables(folder):
        found = _number(tables, "tool", "ruff") or _number(tables, "tool", "black") or _number(tables)
        if found:
            return found
    ends = (folder / ".git").exists() or folder.parent == folder
    return None if ends else _said(folder.parent)


def _tables(folder: Path) -> Iterator[Mapping[str, Any]]:
    for name in (*_OWN, "pyproject.toml"):
        file = folder / name
        if file.is_file() and not file.is_symlink():
            try:
                yield read_tables(file)[1]
            except TableError:
                continue


def _number(tables: Mapping[str, Any], *keys: str) -> int | None:
    held: Any = tables
    for key in keys:
        held = held.get(key) if isinstance(held, Mapping) else None
    width = held.get("line-length") if isinstance(held, Mapping) else None
    return width if isinstance(width, int) and 0 < width <= _LONGEST else None
