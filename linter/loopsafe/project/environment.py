"""Where the packages that a project uses are installed. It is only looked at: nothing of an environment is run."""

from __future__ import annotations

import contextlib
import os
import re
import site
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from loopsafe.project.config import Config
from loopsafe.project.tables import TableError, read_tables

_FOLDERS = (".venv", "venv", "env", ".env", ".pixi/envs/default")
_MOST_NAMES = 3
_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")


@dataclass(frozen=True, slots=True)
class Environment:
    """Folders with installed packages, in the order of Python's own path, and by what they were found.

    An environment is `own` if nothing says that it is the project's: loopsafe itself runs in it.
    """

    folders: tuple[str, ...]
    found_by: str
    own: bool = False

    def __str__(self) -> str:
        return f"{', '.join(self.folders)} (by {self.found_by})"

    def stamps(self) -> list[tuple[str, int]]:
        """The folders and when a package was last put into or taken out of each; 0 where there is none any more."""
        return [(folder, os.stat(folder).st_mtime_ns if os.path.isdir(folder) else 0) for folder in self.folders]


def where_are(missing: Sequence[str]) -> str:
    """What to say once where the libraries of a project are not installed where loopsafe runs, and nothing else is."""
    names = ", ".join(missing[:_MOST_NAMES])
    more = f" and {len(missing) - _MOST_NAMES} more" if len(missing) > _MOST_NAMES else ""
    return (
        f"note: {names}{more} cannot be read: loopsafe runs in an environment of its own, and none of the project's is "
        "found. Make `.venv` beside it, or name the folder with `site-packages`; `dependencies = false` goes without."
    )


def environment_of(config: Config) -> Environment | None:
    """The environment of a project; None where there is none, or none is wanted.

    What the configuration names comes first, then what is active, lies beside or above the project, is kept for it
    elsewhere by the tool that manages it, and at last the environment that loopsafe itself runs in.
    """
    if config.site_packages:
        named = tuple(os.path.realpath(config.root / folder) for folder in config.site_packages)
        return Environment(named, f"`site-packages`, {config.place('site-packages')}")
    if not config.dependencies:
        return None
    for prefix, found_by in _prefixes(os.path.realpath(config.root)):
        folders = tuple(_packages_in(prefix))
        if folders:
            return Environment(folders, found_by)
    folders = tuple(folder for folder in site.getsitepackages([sys.prefix]) if os.path.isdir(folder))
    return Environment(folders, "the Python that runs loopsafe", own=True) if folders else None


def _prefixes(root: str) -> Iterator[tuple[str, str]]:
    """The environments that may be a project's, by their folders, with what speaks for each; the likeliest first."""
    for name in _ACTIVE:
        active = os.environ.get(name, "")
        # A tool that is run from an environment of its own says nothing of the project.
        if active and os.path.realpath(active) != os.path.realpath(sys.prefix):
            yield os.path.realpath(active), name
    for folder in _upwards(root):
        for name in _FOLDERS:
            prefix = os.path.join(folder, name)
            # A link in a repository may lead anywhere.
            if os.path.isdir(prefix) and os.path.realpath(prefix) == os.path.join(folder, name):
                yield prefix, f"its place, {prefix}"
    # Without a home there is nothing that is kept there.
    with contextlib.suppress(RuntimeError):
        for managed in _managed(root):
            yield str(managed), "the tool that manages the project"


def _upwards(folder: str) -> Iterator[str]:
    """A folder and those above it, up to the top of its git checkout."""
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder or os.path.exists(os.path.join(folder, ".git")):
            return
        folder = above


def _managed(root: str) -> Iterator[Path]:
    """The environments that Poetry, Pipenv and Hatch keep for the project in this folder, each by its own names."""
    # Every run would wait for them, and most projects have their environment at hand.
    import platformdirs

    name, folder = _project_name(root), _plain(os.path.basename(root))
    poetry, pipenv = platformdirs.user_cache_path("pypoetry"), Path.home() / ".local/share"
    yield from sorted(poetry.glob(f"virtualenvs/{_plain(name.lower())}-{_mark(os.path.normcase(root))}-py*"))
    yield from pipenv.glob(f"virtualenvs/{folder}-{_mark(os.path.join(root, 'Pipfile'))}")
    hatch = _plain(re.sub(r"[-_.]+", "-", name).lower())
    yield from platformdirs.user_data_path("hatch").glob(f"env/virtual/{hatch}/{_mark(root)}/{hatch}")


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name)[:42]


def _mark(path: str) -> str:
    """How those tools tell the projects of one name apart: the first eight letters of a digest of their place."""
    import base64
    import hashlib

    return base64.urlsafe_b64encode(hashlib.sha256(os.fsencode(path)).digest()).decode()[:8]


def _project_name(root: str) -> str:
    """The project's name in its pyproject.toml; that of its folder where there is none."""
    try:
        _, table = read_tables(Path(root) / "pyproject.toml")
    except TableError:
        return os.path.basename(root)
    tool = table.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    named = (part.get("name") for part in (table.get("project"), poetry) if isinstance(part, dict))
    return next((name for name in named if isinstance(name, str) and name), os.path.basename(root))


def _packages_in(prefix: str) -> Iterator[str]:
    """The folders for packages in an environment: Windows has one, others one for each Python."""
    for pattern in ("lib/*/site-packages", "Lib/site-packages"):
        for folder in sorted(Path(prefix).glob(pattern)):
            if os.path.realpath(folder) == str(folder):
                yield str(folder)
