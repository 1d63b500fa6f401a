"""TOML files that nobody has looked at: what is in one, within bounds of size, depth and time."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from loopsafe.project.sources import read_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LARGEST = 1_000_000
"""Bytes of such a file; those that people write have some ten thousand."""

_DEEPEST = 100
_BRACKET = re.compile(r"[\[\]{}]")
_PART = re.compile(r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*(\.?)[ \t]*""")


class TableError(Exception):
    """A file has no tables to give; the message says why, and does not name it."""


def read_tables(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file and what it says.

    Raises:
        TableError: it cannot be read, or is not TOML.
    """
    try:
        text = read_bytes(str(path), LARGEST).decode("utf-8")
    except OSError as error:
        raise TableError(f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise TableError(f"not UTF-8: {error.reason} at byte {error.start}") from error
    # A NUL in the path.
    except ValueError as error:
        raise TableError(f"cannot be read: {error}") from error
    return text, parse_tables(text)


def parse_tables(text: str) -> dict[str, Any]:
    """What a text says.

    Raises:
        TableError: it is not TOML.
    """
    try:
        _check_depth(text)
        return tomllib.loads(text)
    # Not only what TOML's parser raises: numbers may have too many digits.
    except (ValueError, OverflowError) as error:
        raise TableError(f"not TOML: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise TableError("not TOML: nested too deeply") from error


def _check_depth(text: str) -> None:
    """Parsers call themselves for each bracket, and take time squared for the parts of a key.

    Counted without regard to strings: nobody writes so many in those either.
    """
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth = depth + 1 if bracket[0] in "[{" else max(0, depth - 1)
        if depth > _DEEPEST:
            raise ValueError(f"nested more than {_DEEPEST} deep")
    if any(line.count(".") > _DEEPEST for line in text.splitlines()):
        _check_keys(text)


def _check_keys(text: str) -> None:
    parts, end = 0, -1
    for part in _PART.finditer(text):
        parts = parts + 1 if part[1] and part.start() == end else bool(part[1])
        end = part.end()
        if parts > _DEEPEST:
            raise ValueError(f"a key of more than {_DEEPEST} parts")
