"""Where the cache is: in the user's cache folder, not in the project, with a folder for each project."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator

from loopsafe.cache.folders import TAG, Entry, Folder, own_folder, users_folder
from loopsafe.cache.secret import secret
from loopsafe.cache.store import Store, digest
from loopsafe.project.config import ConfigError

ELSEWHERE = "LOOPSAFE_CACHE_DIR"
SIZE = "LOOPSAFE_CACHE_SIZE"
"""How many megabytes are kept at most, of all projects."""

_APPLICATION = "loopsafe"
# Facts of a million lines are 50 MB.
_MEGABYTES = 1000
# What was checked in passing, a download or a test's own folder, is not to stay until there is too much of it.
_PROJECTS = 200


@contextlib.contextmanager
def open_store(root: str, note: Callable[[str], object] = lambda _: None) -> Iterator[Store | None]:
    """The cache of the project at `root`; None where there can be none, and `note` hears why.

    Raises:
        ConfigError: the wanted size is no number.
    """
    largest = _largest()
    with contextlib.ExitStack() as stack:
        try:
            with users_folder(_users("config", root), make=True) as settings:
                key = secret(settings)
            base = stack.enter_context(_base(root, make=True))
            folder = stack.enter_context(base.folder(_name(root), make=True))
        except OSError as error:
            note(f"none: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")
            yield None
            return
        yield Store(folder, key, largest)
        with contextlib.suppress(OSError):
            folder.sweep()


def tidy(root: str) -> None:
    """Delete what has not been of use for longest, of all projects, until the rest is little enough."""
    with contextlib.suppress(OSError), _base(root, make=False) as base:
        base.sweep()
        kept = dict(sorted(_entries(base).items(), key=lambda item: max(item[1], default=(0, 0, "")), reverse=True))
        for project in list(kept)[_PROJECTS:]:
            del kept[project]
            with contextlib.suppress(OSError):
                _empty(base, project)
        _evict(base, kept)


def clean(root: str) -> tuple[str, bool] | None:
    """Delete the cache of the project at `root`: its folder, and whether that is gone, too. None where there was none.

    Raises:
        OSError: it cannot be deleted.
    """
    with contextlib.ExitStack() as stack:
        try:
            base = stack.enter_context(_base(root, make=False))
            folder = stack.enter_context(base.folder(_name(root), make=False))
        except OSError:
            return None
        gone = folder.empty(lambda: base.remove(_name(root)))
        if base.names() == [TAG]:
            base.empty(lambda: os.rmdir(base.path))
        return folder.path, gone


def _evict(base: Folder, kept: dict[str, list[Entry]]) -> None:
    largest, total, now = _largest(), 0, time.time_ns()
    # A time that is yet to come says nothing.
    entries = (
        (used if used <= now else 0, size, name, project)
        for project, found in kept.items()
        for used, size, name in found
    )
    for _, size, name, project in sorted(entries, reverse=True):
        total += size
        if total > largest:
            with contextlib.suppress(OSError), base.folder(project, make=False) as folder:
                folder.delete(name)


def _entries(base: Folder) -> dict[str, list[Entry]]:
    found = {}
    for name in base.projects():
        with contextlib.suppress(OSError), base.folder(name, make=False) as folder:
            found[name] = list(folder.entries())
    return found


def _empty(base: Folder, name: str) -> None:
    with base.folder(name, make=False) as folder:
        folder.empty(lambda: base.remove(name))


def _name(root: str) -> str:
    """A project's folder. Not from its own name, which its authors choose."""
    return digest(os.fsencode(os.path.realpath(root))).hex()


def _base(root: str, make: bool) -> Folder:
    """The folder of all projects; an `OSError` where there is none to use."""
    named = os.environ.get(ELSEWHERE)
    if not named:
        return own_folder(_users("cache", root), make)
    path = os.path.join(os.path.abspath(named), _APPLICATION)
    # Somebody may want it in the project; but a link there leads wherever its authors like.
    if _inside(path, root) and not _inside(os.path.realpath(path), root):
        raise OSError(f"{path} leads out of {root}")
    return own_folder(path, make)


def _users(kind: str, root: str) -> str:
    """This user's folder of a kind; an `OSError` where it is unknown, or in the project."""
    try:
        path = _said_on_linux(kind) or _asked_of_the_system(kind)
    except RuntimeError as error:
        raise OSError(f"no folder for a {kind}: {error}") from error
    # Without a home, in some versions, it begins with `~`.
    if not os.path.isabs(path) or _inside(os.path.realpath(path), root):
        raise OSError(f"{path} is no folder for a {kind}")
    return path


def _said_on_linux(kind: str) -> str:
    """What the environment says there, nearly always: a run that finds nothing changed would wait for the library."""
    named = os.environ.get(f"XDG_{kind.upper()}_HOME", "")
    home = os.environ.get("HOME", "")
    base = named if os.path.isabs(named) else os.path.join(home, f".{kind}")
    return os.path.join(base, _APPLICATION) if sys.platform == "linux" and os.path.isabs(base) else ""


def _asked_of_the_system(kind: str) -> str:
    import platformdirs

    find = {"cache": platformdirs.user_cache_dir, "config": platformdirs.user_config_dir}[kind]
    return find(_APPLICATION, appauthor=False)


def _inside(path: str, root: str) -> bool:
    return path.startswith(os.path.join(os.path.realpath(root), ""))


def _largest() -> int:
    wanted = os.environ.get(SIZE) or str(_MEGABYTES)
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 10):
        raise ConfigError(f"{SIZE} must be a number of megabytes, not `{wanted}`")
    return int(wanted) * 10**6
