"""What is left out of a project: by patterns of its configuration, and by what git ignores."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate
from typing import TYPE_CHECKING

from loopsafe.project.sources import read_bytes

if TYPE_CHECKING:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_LARGEST_IGNORE_FILE = 100_000
# git has no such limits, and people stay far below. Each star may end anywhere: with some more, a name takes minutes.
_MOST_LINES, _MOST_STARS = 1000, 2
_ANYWHERE = "^(?:.+/)?"


class Exclusion:
    """Patterns of what is excluded below `root`, made ready for many paths: real ones, as strings.

    A pattern without `/` is matched against every folder and file name below `root`, one with `/` against the path from
    there; what excludes a folder excludes all in it. With `git`, what git ignores is excluded, too.
    """

    def __init__(self, root: str, patterns: Iterable[str], git: bool = False) -> None:
        self._above = os.path.join(root, "")
        plain = [pattern.removeprefix("./").removeprefix("**/").rstrip("/") for pattern in patterns]
        self._names = [re.compile(translate(pattern)).match for pattern in plain if "/" not in pattern]
        self._paths = [re.compile(translate(pattern)).match for pattern in plain if "/" in pattern]
        # Projects have few different names: `__init__.py`, `models.py`, `tests`.
        self._by_name: dict[str, bool] = {}
        self._ignored = _GitIgnored(root) if git else None

    def admits(self, path: str) -> bool:
        """Whether neither a file or folder nor anything above it is left out. Outside `root` only its name counts."""
        if path == self._above.rstrip(os.sep) or path == self._above:
            return True
        if not path.startswith(self._above):
            return not self._named(os.path.basename(path))
        parts = path[len(self._above) :].split(os.sep)
        ends = [self._above + os.sep.join(parts[: end + 1]) for end in range(len(parts))]
        folders = [True] * (len(parts) - 1) + [bool(self._ignored) and os.path.isdir(path)]
        return not any(map(self.leaves_out, ends, parts, folders))

    def leaves_out(self, path: str, name: str, folder: bool = False) -> bool:
        """Whether a file or folder of this name, in a folder that is admitted, is left out."""
        if self._named(name):
            return True
        if not path.startswith(self._above):
            return False
        if self._paths:
            below = path[len(self._above) :].replace(os.sep, "/")
            if any(matches(below) for matches in self._paths):
                return True
        return self._ignored is not None and self._ignored.has(path, folder)

    def _named(self, name: str) -> bool:
        known = self._by_name.get(name)
        if known is None:
            known = self._by_name[name] = any(matches(name) for matches in self._names)
        return known


class _GitIgnored:
    """What the `.gitignore` files of one checkout, and its `info/exclude`, ignore; the nearest that speaks decides."""

    def __init__(self, root: str) -> None:
        self._top = _checkout(root)
        self._files: dict[str, tuple[_IgnoreFile, ...]] = {}

    def has(self, path: str, folder: bool) -> bool:
        """Whether a file or folder, in a folder that is not ignored, is."""
        # Asked of each file of each run.
        files = self._files_for(path[: path.rfind(os.sep)]) if self._top else ()
        if not files:
            return False
        said = (file.says(path, folder) for file in files)
        return next((ignored for ignored in said if ignored is not None), False)

    def _files_for(self, folder: str) -> tuple[_IgnoreFile, ...]:
        """Those that hold in a folder, the nearest first."""
        known = self._files.get(folder)
        if known is None:
            own = _ignore_files(os.path.join(folder, ".gitignore"), folder)
            if folder in (self._top, os.path.dirname(folder)):
                above = _ignore_files(os.path.join(folder, ".git", "info", "exclude"), folder)
            else:
                above = self._files_for(os.path.dirname(folder))
            known = self._files[folder] = own + above
        return known


class _IgnoreFile:
    """One file of patterns, which count from `folder`."""

    def __init__(self, patterns: Sequence[GitIgnoreSpecPattern], folder: str) -> None:
        import pathspec

        self._above = len(os.path.join(folder, ""))
        self._spec = pathspec.GitIgnoreSpec(patterns)
        # Nearly always there is no match: one look at the name and one at the path say so.
        expressions = [pattern.regex.pattern.replace("?P<ps_d>", "?:") for pattern in patterns if pattern.regex]
        names = [text.removeprefix(_ANYWHERE) for text in expressions if text.startswith(_ANYWHERE)]
        paths = [text for text in expressions if not text.startswith(_ANYWHERE)]
        self._by_name = re.compile("|".join(names)).match if names else None
        self._by_path = re.compile("|".join(paths)).match if paths else None

    def says(self, path: str, folder: bool) -> bool | None:
        """Whether it ignores a file or folder; None where it does not speak of it."""
        below = path[self._above :].replace(os.sep, "/") + ("/" if folder else "")
        name = os.path.basename(path) + ("/" if folder else "")
        if (self._by_name and self._by_name(name)) or (self._by_path and self._by_path(below)):
            return self._spec.check_file(below).include
        return None


def _ignore_files(file: str, folder: str) -> tuple[_IgnoreFile, ...]:
    """What a file of patterns says, if there is one and it says anything."""
    try:
        text = read_bytes(file, _LARGEST_IGNORE_FILE).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ()
    lines = text.removeprefix("\ufeff").splitlines()[:_MOST_LINES]
    rows = [line for line in lines if line and not line.startswith("#")]
    patterns = list(_patterns(rows)) if rows else []
    return (_IgnoreFile(patterns, folder),) if patterns else ()


def _patterns(rows: Iterable[str]) -> Iterator[GitIgnoreSpecPattern]:
    # It takes long to load, and many checkouts have no such rows.
    import pathspec

    for line in rows:
        if line.count("**") <= _MOST_STARS and all(part.count("*") <= _MOST_STARS for part in line.split("/")):
            # git passes over what is no pattern, and so do we.
            with contextlib.suppress(ValueError):
                found = pathspec.GitIgnoreSpec.from_lines([line]).patterns
                yield from (pattern for pattern in found if pattern.include is not None)


def _checkout(folder: str) -> str:
    """The top of the checkout that a folder lies in; empty where it lies in none."""
    while not os.path.exists(os.path.join(folder, ".git")):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return ""
    return folder


class FileIgnores:
    """`per-file-ignores`: which codes are not wanted in which files, real paths as strings."""

    def __init__(self, root: str, ignores: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        self._ignores = [(Exclusion(root, [pattern]), codes) for pattern, codes in ignores]
        self._by_path: dict[str, tuple[str, ...]] = {}

    def ignores(self, path: str, code: str) -> bool:
        """Whether findings of this code are not wanted in this file."""
        if not self._ignores:
            return False
        known = self._by_path.get(path)
        if known is None:
            matching = (codes for exclusion, codes in self._ignores if not exclusion.admits(path))
            known = self._by_path[path] = tuple(code for codes in matching for code in codes)
        return code.startswith(known)


def unmatched(root: str, patterns: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Which patterns exclude nothing below `root`, beside `others` that do. Looks no further than it has to."""
    left = {pattern: Exclusion(root, [pattern]) for pattern in dict.fromkeys(patterns)}
    excluded = Exclusion(root, [*patterns, *others])
    for path, name in _entries(root, excluded):
        if not left:
            break
        left = {pattern: one for pattern, one in left.items() if not one.leaves_out(path, name)}
    return tuple(left)


def _entries(root: str, excluded: Exclusion) -> Iterator[tuple[str, str]]:
    """The files and folders below `root`, those high up first, without what lies in an excluded folder."""
    folders = [root]
    while folders:
        below = []
        for folder in folders:
            try:
                with os.scandir(folder) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in found:
                yield entry.path, entry.name
                if entry.is_dir(follow_symlinks=False) and not excluded.leaves_out(entry.path, entry.name):
                    below.append(entry.path)
        folders = below
