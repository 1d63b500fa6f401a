"""Jupyter notebooks as one text of Python, with the cells that its rows come from.

A notebook says which cell it is by its number among all cells, as ruff does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import msgspec

from loopsafe.locations import Cells
from loopsafe.project.magics import plain
from loopsafe.project.sources import NEWLINE, Source, decode, read_bytes

SUFFIX = ".ipynb"
NOT_REWRITTEN = "its file is a notebook, and those are not rewritten"
"""Why what is found there is not fixed."""
_PYTHON = ("python", "ipython")


class _Cell(msgspec.Struct, frozen=True):
    cell_type: str
    source: str | list[str] = ""


class _Language(msgspec.Struct, frozen=True):
    name: str = ""
    language: str = ""


class _Metadata(msgspec.Struct, frozen=True):
    kernelspec: _Language | None = None
    language_info: _Language | None = None

    @property
    def spoken(self) -> str:
        """The language of the code; Python where nothing says another."""
        kernel = self.kernelspec.language if self.kernelspec else ""
        file = self.language_info.name if self.language_info else ""
        return (kernel or file or _PYTHON[0]).lower()


class _Notebook(msgspec.Struct, frozen=True):
    cells: list[_Cell]
    metadata: _Metadata = _Metadata()
    nbformat: int = 4


def is_notebook(path: str) -> bool:
    """Whether a file of this name is one."""
    return path.endswith(SUFFIX)


def source_of(path: str, data: bytes) -> tuple[Source, Cells]:
    """What a file holds to be analysed, and the cells of a notebook.

    Raises:
        SyntaxError: it is not text, or no notebook; `msg` says all.
    """
    if not is_notebook(path):
        return decode(data), ()
    text, cells = text_of(data)
    return Source(text, "utf-8"), cells


def code_at(path: str, largest: int = sys.maxsize) -> str:
    """What is analysed of a file on disk.

    Raises:
        OSError: it cannot be read, or has more than `largest` bytes.
        SyntaxError: it is not text, or no notebook.
    """
    return source_of(path, read_bytes(path, largest))[0].text


def code_in(path: str, text: str) -> str:
    """Of a text that stands in for a file, what is analysed.

    Raises:
        SyntaxError: it is no notebook.
    """
    return text_of(text)[0] if is_notebook(path) else text


def text_of(data: bytes | str) -> tuple[str, Cells]:
    """The code of a notebook's cells, one below the other, and where each begins.

    Raises:
        SyntaxError: it is no notebook.
    """
    try:
        # Some programs begin what they write with a byte order mark.
        content = data.removeprefix(b"\xef\xbb\xbf") if isinstance(data, bytes) else data.removeprefix("\ufeff")
        notebook = msgspec.json.decode(content, type=_Notebook)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SyntaxError(f"is no notebook: {error}") from error
    if notebook.nbformat != 4:
        raise SyntaxError(f"is a notebook of format {notebook.nbformat}; only 4 is read")
    if notebook.metadata.spoken not in _PYTHON:
        return "", ()
    return _together(notebook.cells)


def _together(cells: list[_Cell]) -> tuple[str, Cells]:
    parts, starts, row = [], [], 1
    for number, text in _code(cells):
        # Two ends: a backslash at the end of a cell must not reach the next.
        parts.append(f"{text}\n\n")
        starts.append((number, row))
        row += len(NEWLINE.findall(text)) + 2
    return "".join(parts), tuple(starts)


def _code(cells: list[_Cell]) -> Iterator[tuple[int, str]]:
    for number, cell in enumerate(cells, 1):
        if cell.cell_type == "code":
            yield number, plain(cell.source if isinstance(cell.source, str) else "".join(cell.source))
