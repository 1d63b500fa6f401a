"""The configuration of a project, read once into a frozen Config."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from loopsafe.findings import Confidence, Level
from loopsafe.project.exclusion import Exclusion, FileIgnores
from loopsafe.project.keys import DEFAULTS, Strings, Unusable, brief, read_values
from loopsafe.project.places import CONFIGURATIONS, ConfigError, Place, named_place, places_in

__all__ = ["Config", "ConfigError", "find_root", "load_config"]


@dataclass(frozen=True, slots=True)
class Config:
    """What to analyse and what to report: the keys of `keys.Settings`, with the project's folder, see `find_root`.

    `since` is a revision of git: what is not new since then is not reported. `origins` says of the keys that stand in a
    file, by the names of fields, in which.
    """

    root: Path
    select: Strings = DEFAULTS.select
    ignore: Strings = DEFAULTS.ignore
    exclude: Strings = DEFAULTS.exclude
    extend_exclude: Strings = DEFAULTS.extend_exclude
    min_confidence: Confidence = DEFAULTS.min_confidence
    annotations: tuple[tuple[str, str], ...] = ()
    knowledge: Strings = DEFAULTS.knowledge
    dependencies: bool = DEFAULTS.dependencies
    site_packages: Strings = DEFAULTS.site_packages
    max_file_size: int = DEFAULTS.max_file_size
    unreadable: Level = DEFAULTS.unreadable
    extend_select: Strings = DEFAULTS.extend_select
    per_file_ignores: tuple[tuple[str, Strings], ...] = ()
    force_exclude: bool = DEFAULTS.force_exclude
    respect_gitignore: bool = DEFAULTS.respect_gitignore
    baseline: str = DEFAULTS.baseline
    since: str = ""
    origins: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def selects(self, code: str) -> bool:
        """Whether findings of this code are wanted. The longer of two matching prefixes decides; a tie ignores."""
        return _longest((*self.select, *self.extend_select), code) > _longest(self.ignore, code)

    def file_ignores(self) -> FileIgnores:
        """Which codes are not wanted in which files."""
        return FileIgnores(os.path.realpath(self.root), self.per_file_ignores)

    def exclusion(self) -> Exclusion:
        """What is left out, made ready for many paths."""
        return Exclusion(os.path.realpath(self.root), (*self.exclude, *self.extend_exclude), git=self.respect_gitignore)

    def excludes(self, path: Path) -> bool:
        """Whether a file or folder is left out. Outside `root` only the path's own name counts."""
        return not Exclusion(str(self.root), (*self.exclude, *self.extend_exclude), git=self.respect_gitignore).admits(
            str(path)
        )

    def place(self, key: str) -> str:
        """Where a key of this configuration stands, for a message."""
        return dict(self.origins).get(key.replace("-", "_"), "the configuration")


def _longest(prefixes: tuple[str, ...], code: str) -> int:
    return max((len(prefix) for prefix in prefixes if code.startswith(prefix)), default=-1)


_ROOT_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", ".git")
ROOT_NAMES = frozenset((*_ROOT_MARKS, *CONFIGURATIONS))
"""What a project's folder has at least one of; which a folder that is none may have, too."""


def find_root(start: Path, *, isolated: bool = False) -> Path:
    """The project's folder for a path, which need not exist.

    That is the nearest folder upwards with a configuration of ours, within one git checkout, but not where this is
    `isolated` from such; else the nearest with a project mark (pyproject.toml, setup.cfg, setup.py, .git); else the
    folder itself.

    Raises:
        ConfigError: a file on the way that may have a configuration cannot be read.
    """
    # os.path rather than Path: it takes symlink loops and folders that may not be searched as "not there".
    folder = Path(os.path.realpath(start if os.path.isdir(start) else start.parent))
    return marked_root(folder, isolated=isolated) or folder


def marked_root(folder: Path, *, isolated: bool = False) -> Path | None:
    """What `find_root` says of a folder, given by its real path; None where there is neither configuration nor mark.

    Raises:
        ConfigError: a file on the way that may have a configuration cannot be read.
    """
    candidates = list(_upwards(folder))
    configured = (candidate for candidate in candidates if not isolated and any(places_in(candidate)))
    return next(configured, None) or next(filter(_is_marked, candidates), None)


def _is_marked(folder: Path) -> bool:
    """Whether a folder has the mark of a project. In a package, `setup.py` is a module as others."""
    marks = [mark for mark in _ROOT_MARKS if os.path.exists(folder / mark)]
    return bool(marks) and (marks != ["setup.py"] or not os.path.exists(folder / "__init__.py"))


def _upwards(folder: Path) -> Iterator[Path]:
    """The folder and those above it, up to the top of its git checkout."""
    for candidate in (folder, *folder.parents):
        yield candidate
        if os.path.exists(candidate / ".git"):
            return


def load_config(start: Path, *, file: Path | None = None, isolated: bool = False) -> Config:
    """Read the configuration that holds for `start`, a file or folder that need not exist.

    With `file`, what it says and nothing else; if `isolated`, nothing that any file says.

    Raises:
        ConfigError: a file cannot be read, a key is unknown, a value cannot be used, or two files contradict.
    """
    root = find_root(start, isolated=isolated or file is not None)
    if isolated:
        return Config(root)
    places = [named_place(file)] if file else list(places_in(root))
    values: dict[str, object] = {}
    origins: dict[str, Place] = {}
    for place in places:
        for name, value in _values(root, place).items():
            if values.setdefault(name, value) != value:
                told = f"{brief(values[name])} in {origins[name]}, but {brief(value)} in {place}"
                raise ConfigError(f"`{name.replace('_', '-')}` is {told}: leave one of them out")
            origins.setdefault(name, place)
    told_from = tuple((name, str(place)) for name, place in origins.items())
    return replace(Config(root), **values, origins=told_from)  # type: ignore[arg-type]


def _values(root: Path, place: Place) -> dict[str, object]:
    try:
        return read_values(root, place.table, place.texts)
    except Unusable as error:
        where = f" in [{place.section}]" if place.section else ""
        told = f"`{error.key}`{where} {error}" if error.known else f"unknown key `{error.key}`{where}{error}"
        raise ConfigError(f"{place.shown}: {told}") from error
