"""Archives that nobody has looked at, written into a folder: no path leads out, no link is made, no size believed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, cast

LARGEST_FILE = 1 << 24
"""Bytes of a file that is not written any more: none of this size is analysed, whatever the configuration says."""

_DEEPEST = 100
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,  # an encrypted member
    NotImplementedError,  # a compression that Python does not have
    ValueError,
)
_OPENERS: dict[str, Callable[[str], Any]] = {
    ".tar.gz": gzip.GzipFile,
    ".tgz": gzip.GzipFile,
    ".tar.bz2": bz2.BZ2File,
    ".tar.xz": lzma.LZMAFile,
    ".tar": partial(open, mode="rb"),
}
SUFFIXES = (*_OPENERS, ".zip")
"""Of archives of source that can be unpacked."""


class UnpackError(Exception):
    """An archive or repository is broken, too large, or tries to get out of its folder; the message says which."""


@dataclass
class Tree:
    """A folder that files are put into, and how much more may be. Nothing in it is a link, so no path leads out."""

    folder: str
    files: int = 100_000
    size: int = 2 << 30

    def put(self, name: str, content: Callable[[], IO[bytes]]) -> None:
        """Write a file, unless it is larger than any that is analysed. Of two of one name the first counts.

        Raises:
            UnpackError: the name leads out of the folder, or there are too many files or bytes.
        """
        path = self._path(name)
        if path is None:
            return
        self.files -= 1
        if self.files < 0:
            raise UnpackError("has too many files")
        with content() as source:
            data = source.read(LARGEST_FILE)
        self.size -= len(data)
        if self.size < 0:
            raise UnpackError("is too large")
        if len(data) < LARGEST_FILE:
            self._write(path, data)

    def _path(self, name: str) -> str | None:
        """Where a file of this name belongs; None where nobody would read it."""
        parts = name.split("/")
        strange = os.name == "nt" and any(char in name for char in "\\:")
        if name.startswith("/") or ".." in parts or "\0" in name or strange:
            raise UnpackError(f"has a file that leads out of it: `{name}`")
        parts = [part for part in parts if part not in ("", ".")]
        # What git keeps for itself says where its own settings and hooks are.
        if not parts or any(part.lower() == ".git" for part in parts):
            return None
        if len(parts) > _DEEPEST:
            raise UnpackError("has folders that nest too deeply")
        return os.path.join(self.folder, *parts)

    @staticmethod
    def _write(path: str, data: bytes) -> None:
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "xb") as file:
                file.write(data)
        except (FileExistsError, NotADirectoryError):
            return


def unpack(archive: str, folder: str) -> str:
    """Write what is in a wheel or an archive of source into a new folder; give the one that has the project in it.

    Raises:
        UnpackError: see there.
        OSError: it cannot be read or written.
    """
    os.mkdir(folder)
    tree = Tree(folder)
    name = os.path.basename(archive).lower()
    try:
        if name.endswith((".whl", ".zip")):
            _unzip(archive, tree)
        else:
            suffix = next((suffix for suffix in _OPENERS if name.endswith(suffix)), "")
            if not suffix:
                raise UnpackError("is of a kind that is not known")
            _untar(_OPENERS[suffix](archive), tree)
    except _BROKEN as error:
        raise UnpackError(f"is broken: {error}") from error
    return folder if name.endswith(".whl") else _top(folder)


def _top(folder: str) -> str:
    """The one folder in an archive of source, or all of it."""
    names = os.listdir(folder)
    only = os.path.join(folder, names[0]) if len(names) == 1 else folder
    return only if os.path.isdir(only) else folder


def _unzip(archive: str, tree: Tree) -> None:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            # Links are files of another mode here, and are written as what they are: text.
            if not member.is_dir() and member.file_size < LARGEST_FILE:
                tree.put(member.filename, partial(opened.open, member))


def _untar(stream: IO[bytes], tree: Tree) -> None:
    bounded = _Bounded(stream, 2 * tree.size)
    with stream, tarfile.open(fileobj=cast("IO[bytes]", bounded), mode="r|") as opened:
        for member in opened:
            if member.isreg() and member.size < LARGEST_FILE:
                tree.put(member.name, partial(_content, opened, member))


def _content(opened: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = opened.extractfile(member)
    if content is None:
        raise UnpackError("is broken")
    return content


class _Bounded:
    """A stream that ends in an error: what is passed over is decompressed, too, and may have no end."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self._stream, self._left = stream, most

    def read(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            UnpackError: there were too many.
        """
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise UnpackError("is too large")
        return data
