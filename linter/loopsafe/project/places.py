"""The files in which a configuration may stand, and the tables there; what the keys mean is not known here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from loopsafe.project.keys import brief
from loopsafe.project.sources import read_bytes
from loopsafe.project.tables import LARGEST, TableError, read_tables

_OWN = ("loopsafe.toml", ".loopsafe.toml")
# Those that flake8 reads. Ours is a section of its own there: flake8 refuses values of other kinds in its own.
_SECTIONED = (".flake8", "setup.cfg", "tox.ini")
_SECTION = "loopsafe"
CONFIGURATIONS = (*_OWN, "pyproject.toml", *_SECTIONED)
"""The names of all of them."""


class ConfigError(Exception):
    """The configuration cannot be used. The message names the file and the key."""


@dataclass(frozen=True, slots=True)
class Place:
    """The table of keys in one file; `section` is empty where it is the whole file, `texts` says all are strings."""

    file: Path
    section: str
    table: Mapping[str, object]
    texts: bool = False

    @property
    def shown(self) -> str:
        """The file as users see it: relative to the working directory where it lies below it."""
        return _shown(self.file)

    def __str__(self) -> str:
        return f"{self.shown} [{self.section}]" if self.section else self.shown


def places_in(folder: Path) -> Iterator[Place]:
    """The tables in the files of a folder.

    Raises:
        ConfigError: a file cannot be read.
    """
    for name in _OWN:
        yield from _whole(folder / name)
    yield from _in_pyproject(folder / "pyproject.toml")
    for name in _SECTIONED:
        yield from _in_sections(folder / name)


def named_place(file: Path) -> Place:
    """The table in a file that the user has named.

    Raises:
        ConfigError: it cannot be read or has none.
    """
    if not os.path.exists(file):
        raise ConfigError(f"{_shown(file)}: no such file")
    if file.suffix != ".toml":
        places = _in_sections(file)
    elif "tool" in _tables(file):
        places = _in_pyproject(file)
    else:
        places = iter(()) if file.name == "pyproject.toml" else _whole(file)
    for place in places:
        return place
    section = f"tool.{_SECTION}" if file.suffix == ".toml" else _SECTION
    raise ConfigError(f"{_shown(file)}: has no [{section}]")


def _whole(file: Path) -> Iterator[Place]:
    # Not isfile: of a folder or a device of this name somebody should hear.
    if os.path.lexists(file):
        yield Place(file, "", _tables(file))


def _in_pyproject(file: Path) -> Iterator[Place]:
    tool = _tables(file).get("tool") if os.path.exists(file) else None
    table = tool.get(_SECTION) if isinstance(tool, dict) else None
    if table is None:
        return
    if not isinstance(table, dict):
        raise ConfigError(f"{_shown(file)}: `tool.{_SECTION}` must be a table, not {brief(table)}")
    yield Place(file, f"tool.{_SECTION}", table)


def _tables(file: Path) -> Mapping[str, object]:
    try:
        return read_tables(file)[1]
    except TableError as error:
        raise ConfigError(f"{_shown(file)}: {error}") from error


def _in_sections(file: Path) -> Iterator[Place]:
    # Others have more to say of these files than we: what does not name us is not looked at more closely.
    try:
        text = read_bytes(str(file), LARGEST).decode("utf-8", "replace") if os.path.exists(file) else ""
    except OSError:
        return
    if f"[{_SECTION}]" not in text:
        return
    import configparser

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text, _shown(file))
    except configparser.Error as error:
        raise ConfigError(f"{_shown(file)}: {' '.join(str(error).split())}") from error
    if parser.has_section(_SECTION):
        yield Place(file, _SECTION, dict(parser.items(_SECTION)), texts=True)


def _shown(file: Path) -> str:
    here = Path.cwd()
    return (file.relative_to(here) if file.is_relative_to(here) else file).as_posix()
