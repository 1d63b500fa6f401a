"""Addresses of files, as editors write them, and their paths."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from pygls.uris import to_fs_path

# Whoever goes to a definition opens files of libraries, which are nothing to report on.
_INSTALLED = re.compile(r"[\\/](site|dist)-packages[\\/]|[\\/]lib[\\/]python3")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the editor by its path as given, and where that leads."""

    path: str
    real: str

    @classmethod
    def of(cls, uri: str) -> Folder | None:
        """The folder at an address; None where it is no file's."""
        path = path_of(uri)
        return None if path is None else cls(path.rstrip(os.sep) or os.sep, os.path.realpath(path))

    def has(self, real: str) -> bool:
        """Whether a real path lies in it."""
        return real == self.real or real.startswith(os.path.join(self.real, ""))


def path_of(uri: str) -> str | None:
    """The path of a file's address; None of anything else."""
    try:
        parts = urlsplit(uri)
        # Names of files need not be UTF-8.
        path = to_fs_path(uri) if os.name == "nt" else os.fsdecode(unquote_to_bytes(parts.path))
    except ValueError:
        return None
    return path if parts.scheme == "file" and path and "\0" not in path else None


def uri_of(real: str, folders: Iterable[Folder]) -> str:
    """The address of a file by its real path: as the editor would write it, whose folder may be a link."""
    around = [folder for folder in folders if folder.has(real)]
    if around:
        nearest = max(around, key=lambda folder: len(folder.real))
        real = os.path.join(nearest.path, os.path.relpath(real, nearest.real))
    return Path(os.path.normpath(real)).as_uri()


def is_installed(real: str) -> bool:
    """Whether a file is part of Python or of an installed package."""
    return _INSTALLED.search(real) is not None
