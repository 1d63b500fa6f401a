"""`[tool.loopsafe]` of pyproject.toml, read once into a frozen Config."""

from __future__ import annotations

import os
import re
import reprlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import translate
from pathlib import Path
from typing import Any, get_args

from loopsafe.findings import Confidence, Level
from loopsafe.project.sources import LARGEST
from loopsafe.project.tables import TableError, read_tables

CONFIDENCES: tuple[Confidence, ...] = get_args(Confidence)
_LEVELS: tuple[Level, ...] = get_args(Level)
# Above this, columns of a file of one line could not be told: facts keep them in 24 bits.
_LARGEST_ALLOWED = (1 << 24) - 1


class ConfigError(Exception):
    """The configuration cannot be used. The message names the file and the key."""


@dataclass(frozen=True, slots=True)
class Config:
    """What to analyse and what to report.

    `root` is the project's folder, see `find_root`. `select` and `ignore` are prefixes of codes. `exclude` and
    `extend_exclude` are glob patterns: one without `/` is matched against every folder and file name below `root`, one
    with `/` against the path relative to `root`; what excludes a folder excludes all in it. `annotations` pairs dotted
    names of the project's own functions with what a `# loopsafe:` comment there would say. `knowledge` are files with
    more packs, relative to `root`. `site_packages` are folders, relative to `root`, with installed packages to read.
    `max_file_size` is in bytes. `unreadable` is what a file that was found, and cannot be analysed, amounts to; a file
    that was named is always an error.
    """

    root: Path
    select: tuple[str, ...] = ("LSF",)
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = (
        ".*",
        "__pycache__",
        "node_modules",
        "site-packages",
        "venv",
        "build",
        "dist",
        "*.egg-info",
        "__pypackages__",
    )
    extend_exclude: tuple[str, ...] = ()
    min_confidence: Confidence = "likely"
    annotations: tuple[tuple[str, str], ...] = ()
    knowledge: tuple[str, ...] = ()
    site_packages: tuple[str, ...] = ()
    max_file_size: int = LARGEST
    unreadable: Level = "warning"

    def selects(self, code: str) -> bool:
        """Whether findings of this code are wanted. The longer of two matching prefixes decides; a tie ignores."""
        return _longest(self.select, code) > _longest(self.ignore, code)

    @property
    def patterns(self) -> tuple[str, ...]:
        """All that is excluded."""
        return (*self.exclude, *self.extend_exclude)

    def excludes(self, path: Path) -> bool:
        """Whether a file or folder is left out. Outside `root` only the path's own name counts."""
        return not Exclusion(str(self.root), self.patterns).admits(str(path))


class Exclusion:
    """Patterns of what is excluded below `root`, made ready for many paths: real ones, as strings."""

    def __init__(self, root: str, patterns: tuple[str, ...]) -> None:
        self._above = os.path.join(root, "")
        plain = [pattern.removeprefix("./").removeprefix("**/").rstrip("/") for pattern in patterns]
        self._names = [re.compile(translate(pattern)).match for pattern in plain if "/" not in pattern]
        self._paths = [re.compile(translate(pattern)).match for pattern in plain if "/" in pattern]
        # Projects have few different names: `__init__.py`, `models.py`, `tests`.
        self._by_name: dict[str, bool] = {}

    def admits(self, path: str) -> bool:
        """Whether neither a file or folder nor anything above it is left out. Outside `root` only its name counts."""
        if path == self._above.rstrip(os.sep) or path == self._above:
            return True
        if not path.startswith(self._above):
            return not self._named(os.path.basename(path))
        parts = path[len(self._above) :].split(os.sep)
        ends = (self._above + os.sep.join(parts[: end + 1]) for end in range(len(parts)))
        return not any(self.leaves_out(end, part) for end, part in zip(ends, parts, strict=True))

    def leaves_out(self, path: str, name: str) -> bool:
        """Whether a file or folder of this name, in a folder that is admitted, is left out."""
        if self._named(name):
            return True
        if not self._paths or not path.startswith(self._above):
            return False
        below = path[len(self._above) :].replace(os.sep, "/")
        return any(matches(below) for matches in self._paths)

    def _named(self, name: str) -> bool:
        known = self._by_name.get(name)
        if known is None:
            known = self._by_name[name] = any(matches(name) for matches in self._names)
        return known


def _longest(prefixes: tuple[str, ...], code: str) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)


ROOT_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", ".git")
"""What a project's folder has at least one of."""

_LONGEST_PATTERN = 4096
_CODE_PREFIX = re.compile(r"LSF\d{0,3}")


def find_root(start: Path) -> Path:
    """The project's folder for a path, which need not exist.

    That is the nearest folder upwards whose pyproject.toml has a `[tool.loopsafe]`, within one git checkout; else the
    nearest with a project mark (pyproject.toml, setup.cfg, setup.py, .git); else the folder itself.

    Raises:
        ConfigError: a pyproject.toml on the way cannot be read.
    """
    # os.path rather than Path: it takes symlink loops and folders that may not be searched as "not there".
    folder = Path(os.path.realpath(start if os.path.isdir(start) else start.parent))
    candidates = list(_upwards(folder))
    configured = (candidate for candidate in candidates if _read_table(candidate / "pyproject.toml") is not None)
    marked = (candidate for candidate in candidates if any(os.path.exists(candidate / mark) for mark in ROOT_MARKS))
    return next(configured, None) or next(marked, folder)


def _upwards(folder: Path) -> Iterator[Path]:
    """The folder and those above it, up to the top of its git checkout."""
    for candidate in (folder, *folder.parents):
        yield candidate
        if os.path.exists(candidate / ".git"):
            return


def load_config(start: Path) -> Config:
    """Read the configuration that holds for `start`, a file or folder that need not exist.

    Raises:
        ConfigError: the file cannot be read, is not TOML, a key is unknown or a value has the wrong type.
    """
    root = find_root(start)
    file = root / "pyproject.toml"
    table = _read_table(file) or {}
    values: dict[str, Any] = {key.replace("-", "_"): _read_value(file, key, table[key]) for key in table}
    return replace(Config(root), **values)


def _read_table(file: Path) -> dict[str, Any] | None:
    """`[tool.loopsafe]`; None where there is no such table or file."""
    # Not isfile: of a folder or a device of this name somebody should hear.
    if not os.path.exists(file):
        return None
    try:
        tool = read_tables(file)[1].get("tool")
    except TableError as error:
        raise ConfigError(f"{_shown(file)}: {error}") from error
    table = tool.get("loopsafe") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{_shown(file)}: `tool.loopsafe` must be a table, not {_brief(table)}")
    return table


def _shown(file: Path) -> str:
    here = Path.cwd()
    return (file.relative_to(here) if file.is_relative_to(here) else file).as_posix()


def _read_value(file: Path, key: str, value: object) -> object:
    if key not in _READERS:
        raise ConfigError(f"{_shown(file)}: unknown key `{_cut(key)}` in [tool.loopsafe]{_hint(key)}")
    try:
        return _READERS[key](file.parent, value)
    except ValueError as error:
        raise ConfigError(f"{_shown(file)}: `{key}` in [tool.loopsafe] {error}") from error


def _cut(text: str) -> str:
    return text if len(text) <= _BRIEF else f"{text[: _BRIEF - 4]} ..."


_short = reprlib.Repr()
_BRIEF = _short.maxstring = _short.maxother = _short.maxlong = 80


def _brief(value: object) -> str:
    """A value for a message, which does not get longer than people read."""
    return _cut(_short.repr(value))


def _hint(key: str) -> str:
    # An underscore for a hyphen is the commonest slip; without this, difflib may prefer a shorter key.
    close = get_close_matches(key[:_BRIEF].lower().replace("_", "-"), _READERS, 1)
    return f"; did you mean `{close[0]}`?" if close else f"; known keys: {', '.join(sorted(_READERS))}"


def _strings(_root: Path, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"must be a list of strings, not {_brief(value)}")
    return tuple(value)


def _codes(_root: Path, value: object) -> tuple[str, ...]:
    return code_prefixes(value)


def code_prefixes(value: object) -> tuple[str, ...]:
    """A list of rule codes and prefixes of codes (`LSF`, `LSF1`, `LSF101`).

    Raises:
        ValueError: it is not a list, or an item is not such a prefix; the message goes on after the key's name.
    """
    prefixes = _strings(Path(), value)
    for prefix in prefixes:
        if not _CODE_PREFIX.fullmatch(prefix):
            raise ValueError(f"has `{_cut(prefix)}`, which is neither a code such as `LSF101` nor the start of one")
    return prefixes


def _patterns(root: Path, value: object) -> tuple[str, ...]:
    patterns = _strings(root, value)
    for pattern in patterns:
        if not pattern.strip() or "\0" in pattern or len(pattern) > _LONGEST_PATTERN:
            raise ValueError(f"has {_brief(pattern)}, which no path matches")
    return patterns


def _paths(root: Path, value: object) -> tuple[str, ...]:
    paths = _strings(root, value)
    for path in paths:
        if not path or "\0" in path:
            raise ValueError(f"has {_brief(path)}, which is no path")
    return paths


def _packs(root: Path, value: object) -> tuple[str, ...]:
    paths = _paths(root, value)
    for path in paths:
        if not _within(os.path.realpath(root / path), os.path.realpath(root)):
            raise ValueError(f"has {_brief(path)}, which leads out of the project")
    return paths


def _package_folders(root: Path, value: object) -> tuple[str, ...]:
    """Folders of the project, and those of an environment that whoever runs this has chosen."""
    paths = _paths(root, value)
    for path in paths:
        real = os.path.realpath(root / path)
        own = _within(real, os.path.realpath(root)) and real != os.path.dirname(real)
        if not own and not _of_environment(real):
            raise ValueError(f"has {_brief(path)}, which is neither in the project nor in the active environment")
    return paths


def _of_environment(folder: str) -> bool:
    active = (os.environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX"))
    prefixes = (os.path.realpath(prefix) for prefix in (sys.prefix, sys.base_prefix, *active) if prefix)
    named = os.path.basename(folder) in ("site-packages", "dist-packages")
    return named and any(_within(folder, prefix) for prefix in prefixes)


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))


def _confidence(_root: Path, value: object) -> Confidence:
    for confidence in CONFIDENCES:
        if value == confidence:
            return confidence
    raise ValueError(f"must be one of {', '.join(CONFIDENCES)}, not {_brief(value)}")


def _level(_root: Path, value: object) -> Level:
    for level in _LEVELS:
        if value == level:
            return level
    raise ValueError(f"must be one of {', '.join(_LEVELS)}, not {_brief(value)}")


def _size(_root: Path, value: object) -> int:
    if type(value) is not int or not 0 < value <= _LARGEST_ALLOWED:
        raise ValueError(f"must be a number of bytes from 1 to {_LARGEST_ALLOWED:,}, not {_brief(value)}")
    return value


def _annotations(_root: Path, value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError(f"must be a table of dotted names and strings, not {_brief(value)}")
    return tuple(value.items())


_READERS: dict[str, Callable[[Path, object], object]] = {
    "select": _codes,
    "ignore": _codes,
    "exclude": _patterns,
    "extend-exclude": _patterns,
    "min-confidence": _confidence,
    "annotations": _annotations,
    "knowledge": _packs,
    "site-packages": _package_folders,
    "max-file-size": _size,
    "unreadable": _level,
}
