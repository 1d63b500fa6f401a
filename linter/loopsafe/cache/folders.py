"""Folders of this program's own: known by a tag, used by descriptor, never entered or left by a link.

Nothing in them counts but regular files with names that this program gives. Where the system has no descriptors of
folders, paths stand in for them and links are looked for before each use.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from types import TracebackType

TAG = "CACHEDIR.TAG"
_TAG_TEXT = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n"
    b"# This folder was made by loopsafe and can be deleted. On cache folders: https://bford.info/cachedir/\n"
)
# As texts: to compile these takes longer than all else here, and a run that finds its report needs none of them.
_ENTRY = r"(?:report-[0-9a-f]{32}|facts-[0-9a-f]{32}-[0-9a-f]|files|environment|holder-\d\d?)"
_LOCK = r"\d\d?\.lock"
_TEMPORARY = rf"(?:{_ENTRY}|CACHEDIR\.TAG)\.(?P<process>\d{{1,10}})\.\d{{1,20}}\.tmp"
_PROJECT = r"[0-9a-f]{32}"

_AT = {
    os.open,
    os.mkdir,
    os.rmdir,
    os.unlink,
    os.rename,
    os.stat,
} <= os.supports_dir_fd and os.scandir in os.supports_fd
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
_FLAGS = _NO_LINKS | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))
# When an entry was last of use, in nanoseconds, its size and its name.
Entry = tuple[int, int, str]

_PIECE = 1 << 24
# Whatever writes for longer than this has been killed.
_ABANDONED_SECONDS = 3600


class Folder:
    """A folder that is open. Whatever cannot be done raises `OSError`."""

    def __init__(self, path: str, descriptor: int | None) -> None:
        self.path, self._descriptor = path, descriptor

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Use it no more."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def read(self, name: str, largest: int) -> bytes:
        """A regular file's content, from now on in use. One that is larger is as good as none."""
        descriptor = self._open(name, os.O_RDONLY)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > largest:
                raise OSError(errno.EINVAL, "no entry", name)
            return b"".join(_pieces(descriptor, status.st_size))
        finally:
            os.close(descriptor)

    def touch(self, name: str) -> None:
        """Say that it was of use."""
        if _AT:
            os.utime(name, dir_fd=self._descriptor, follow_symlinks=False)
        else:
            os.utime(self._named(name))

    def write(self, name: str, *pieces: bytes) -> None:
        """Put a file in its place; readers see the old one or the new one."""
        temporary = f"{name}.{os.getpid()}.{time.monotonic_ns()}.tmp"
        try:
            self.create(temporary, *pieces)
            os.replace(self._named(temporary), self._named(name), src_dir_fd=self._at, dst_dir_fd=self._at)
        except OSError:
            with contextlib.suppress(OSError):
                self.delete(temporary)
            raise

    def create(self, name: str, *pieces: bytes) -> None:
        """Write a file that is not there yet, for nobody else to read."""
        descriptor = self._open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with open(descriptor, "wb") as file:
            file.writelines(pieces)

    def status(self, name: str) -> os.stat_result:
        """The state of what has this name, also if it is a link."""
        return os.stat(self._named(name), dir_fd=self._at, follow_symlinks=False)

    def delete(self, name: str) -> None:
        """Take a file away."""
        os.unlink(self._named(name), dir_fd=self._at)

    def remove(self, name: str) -> None:
        """Take an empty folder away."""
        os.rmdir(self._named(name), dir_fd=self._at)

    def names(self) -> list[str]:
        """Of everything in it."""
        return os.listdir(self.path if self._descriptor is None else self._descriptor)

    def projects(self) -> list[str]:
        """Names of folders that are named as those of projects are."""
        return [name for name in self.names() if re.fullmatch(_PROJECT, name)]

    def entries(self) -> Iterator[Entry]:
        """What is kept here."""
        for name in self.names():
            if re.fullmatch(_ENTRY, name):
                with contextlib.suppress(OSError):
                    status = self.status(name)
                    if stat.S_ISREG(status.st_mode):
                        yield status.st_mtime_ns, status.st_size, name

    def sweep(self) -> None:
        """Delete what processes that have ended were about to write."""
        for name in self.names():
            found = name.endswith(".tmp") and re.fullmatch(_TEMPORARY, name)
            if found:
                with contextlib.suppress(OSError):
                    status = self.status(name)
                    if stat.S_ISREG(status.st_mode) and _abandoned(int(found["process"]), status.st_mtime):
                        self.delete(name)

    def empty(self, remove: Callable[[], None]) -> bool:
        """Delete what is this program's, and `remove` the folder if there is nothing else; whether it is gone."""
        for name in self.names():
            own = re.fullmatch(f"{_ENTRY}|{_LOCK}|{_TEMPORARY}", name)
            if own and stat.S_ISREG(self.status(name).st_mode):
                self.delete(name)
        if self.names() != [TAG]:
            return False
        self.delete(TAG)
        try:
            remove()
        except OSError:
            # Another process has come in.
            self.write(TAG, _TAG_TEXT)
            return False
        return True

    def own(self) -> bool:
        """Whether it carries the tag of this program."""
        with contextlib.suppress(OSError):
            return self.read(TAG, 2 * len(_TAG_TEXT)) == _TAG_TEXT
        return False

    def adopt(self) -> None:
        """Give it the tag of this program, if it is empty and has none.

        Raises:
            OSError: it is somebody else's.
        """
        if self.own():
            return
        # Somebody may have been killed in the middle of this.
        if any(not re.fullmatch(_TEMPORARY, name) for name in self.names()):
            # Or have finished meanwhile.
            if self.own():
                return
            raise OSError(errno.EEXIST, "not a folder of loopsafe", self.path)
        self.write(TAG, _TAG_TEXT)

    def folder(self, name: str, make: bool) -> Folder:
        """A folder of this program in it; with `make`, it is made where there is none.

        Raises:
            OSError: it is somebody else's.
        """
        return _tagged(_folder(os.path.join(self.path, name), self._named(name), self._at, make), make)

    @property
    def _at(self) -> int | None:
        return self._descriptor

    def _named(self, name: str) -> str:
        return os.path.join(self.path, name) if self._descriptor is None else name

    def _open(self, name: str, flags: int) -> int:
        if not _NO_LINKS:
            _refuse_link(self._named(name))
        return os.open(self._named(name), flags | _FLAGS, 0o600, dir_fd=self._at)


def own_folder(path: str, make: bool) -> Folder:
    """The folder of this program that has this path; with `make`, it and those above it are made.

    Raises:
        OSError: there is none, or it is somebody else's.
    """
    return _tagged(users_folder(path, make), make)


def users_folder(path: str, make: bool) -> Folder:
    """A folder of this user, tag or not; otherwise as `own_folder`."""
    if make:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    return _folder(path, path, None, make)


def _tagged(folder: Folder, make: bool) -> Folder:
    try:
        if make:
            folder.adopt()
        elif not folder.own():
            raise OSError(errno.ENOENT, "not a folder of loopsafe", folder.path)
    except OSError:
        folder.close()
        raise
    return folder


def _folder(path: str, name: str, at: int | None, make: bool) -> Folder:
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=at)
    if not _AT:
        _refuse_link(path)
        return Folder(path, None)
    folder = Folder(path, os.open(name, os.O_RDONLY | os.O_DIRECTORY | _FLAGS, dir_fd=at))
    # In a folder that all may write to, another user could put findings into our mouth.
    if os.fstat(folder._descriptor or 0).st_uid != os.geteuid():
        folder.close()
        raise PermissionError(errno.EACCES, "owned by another user", path)
    return folder


def _refuse_link(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", False):
            raise OSError(errno.ELOOP, "a link", path)


def _pieces(descriptor: int, size: int) -> Iterator[bytes]:
    while size > 0 and (piece := os.read(descriptor, min(size, _PIECE))):
        size -= len(piece)
        yield piece


def _abandoned(process: int, written: float) -> bool:
    """Whether nobody goes on with what this process wrote. On Windows a file that is open cannot be deleted."""
    if written < time.time() - _ABANDONED_SECONDS or os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    return False
