"""Files written whole or not at all, in the folder that was meant: no link that comes into the way is followed."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_BY_DESCRIPTOR = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_UNFOLLOWED = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
# A folder that may be entered but not listed can be gone through, where the system has O_PATH.
_FOLDER = sum(getattr(os, name, 0) for name in ("O_PATH", "O_DIRECTORY", "O_CLOEXEC"))
_LINKED = (errno.ELOOP, errno.EMLINK, errno.ENOTDIR)


class CannotWrite(OSError):
    """A file was left as it is. The message names it and says why."""


@dataclass(frozen=True, slots=True)
class Old:
    """The file in a place that is to be written: its state, extended attributes and content."""

    status: os.stat_result
    attributes: dict[str, bytes]
    content: bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that stays the one it was when it was opened, whatever its path comes to mean.

    Where the system has no descriptors of folders, it is its path.
    """

    path: Path
    descriptor: int | None = None

    def _at(self, name: str) -> str:
        return name if self.descriptor is not None else str(self.path / name)

    def status(self, name: str) -> os.stat_result:
        """What stands there, links not followed."""
        return os.stat(self._at(name), dir_fd=self.descriptor, follow_symlinks=False)

    def writable(self, name: str) -> bool:
        """Whether we may write to what stands there."""
        return os.access(self._at(name), os.W_OK, dir_fd=self.descriptor)

    def old(self, name: str) -> Old:
        """The regular file of that name.

        Raises:
            CannotWrite: it is none, not even where it is a link to one.
            OSError: it is not there or cannot be read.
        """
        path = self.path / name
        # Before it is opened: to open a device may do something.
        _check_regular(path, self.status(name))
        with open(os.open(self._at(name), os.O_RDONLY | _UNFOLLOWED, dir_fd=self.descriptor), "rb") as file:
            status = os.fstat(file.fileno())
            _check_regular(path, status)
            return Old(status, _attributes(file.fileno()), file.read())

    def found(self, name: str) -> Old | None:
        """The same; None where there is nothing."""
        with contextlib.suppress(FileNotFoundError):
            return self.old(name)
        return None

    def put(self, name: str, data: bytes, old: Old | None = None, check: Callable[[], None] = lambda: None) -> None:
        """Put a file there in one step, with the mode, owner and attributes of the old one; `check` may still object.

        Raises:
            CannotWrite: the owner cannot be kept.
            OSError: it cannot be written.
        """
        # By bytes a name can be four times as long, and 255 are allowed.
        temporary = f".{name[:40]}.{os.urandom(4).hex()}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _UNFOLLOWED
        mode = 0o600 if old else 0o666
        descriptor = os.open(self._at(temporary), flags, mode, dir_fd=self.descriptor)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                if old:
                    self._keep(name, temporary, descriptor, old)
                os.fsync(descriptor)
            check()
            os.replace(self._at(temporary), self._at(name), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        except BaseException:
            os.unlink(self._at(temporary), dir_fd=self.descriptor)
            raise
        self._sync()

    def _keep(self, name: str, temporary: str, descriptor: int, old: Old) -> None:
        if hasattr(os, "fchown"):
            made = os.fstat(descriptor)
            if (made.st_uid, made.st_gid) != (old.status.st_uid, old.status.st_gid):
                try:
                    os.fchown(descriptor, old.status.st_uid, old.status.st_gid)
                except PermissionError as error:
                    told = f"{self.path / name} belongs to another user or group, which could not be kept"
                    raise CannotWrite(told) from error
        # After the owner: changing that clears set-user-id bits.
        mode = stat.S_IMODE(old.status.st_mode)
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, mode)
        else:
            os.chmod(self._at(temporary), mode)
        if sys.platform == "linux":
            for attribute, value in old.attributes.items():
                # Those that the system does not let us set are lost.
                with contextlib.suppress(OSError):
                    os.setxattr(descriptor, attribute, value)

    def _sync(self) -> None:
        """Make the new name last through a power cut, where folders can be opened and read."""
        if self.descriptor is not None:
            with contextlib.suppress(PermissionError):
                descriptor = os.open(".", os.O_RDONLY, dir_fd=self.descriptor)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)


def _check_regular(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise CannotWrite(f"{path} is {'a link' if stat.S_ISLNK(status.st_mode) else 'not a regular file'}")


def _attributes(descriptor: int) -> dict[str, bytes]:
    """Extended attributes, and with them access control lists, where the system and the file system have them."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return {name: os.getxattr(descriptor, name) for name in os.listxattr(descriptor)}
    return {}


@contextmanager
def open_folder(path: Path) -> Iterator[Folder]:
    """A folder by a path in which no part may be a link.

    Raises:
        OSError: a part is, or is no folder; it is not there or may not be entered.
    """
    if not _BY_DESCRIPTOR:
        if any(os.path.islink(part) for part in (path.absolute(), *path.absolute().parents)):
            raise _in_the_way(path)
        yield Folder(path)
        return
    descriptor = _descend(path)
    try:
        yield Folder(path, descriptor)
    finally:
        os.close(descriptor)


def _descend(path: Path) -> int:
    folder = os.open(path.anchor or ".", _FOLDER)
    for part in path.parts[1 if path.anchor else 0 :]:
        above = folder
        try:
            folder = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=above)
        except OSError as error:
            if error.errno in _LINKED:
                raise _in_the_way(path) from error
            raise
        finally:
            os.close(above)
    return folder


def _in_the_way(path: Path) -> OSError:
    return OSError(errno.ELOOP, "a link is in the way", str(path))


def write_output(path: str, data: bytes) -> None:
    """Write to a file that the user has named: whole or not at all, but to pipes and devices as they are.

    Raises:
        OSError: it cannot be written.
    """
    if _is_stream(path):
        Path(path).write_bytes(data)
        return
    # Whoever names a link means what it leads to.
    real = Path(os.path.realpath(path))
    with open_folder(real.parent) as folder:
        old = folder.found(real.name)
        if old and not folder.writable(real.name):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        folder.put(real.name, data, old)


def _is_stream(path: str) -> bool:
    try:
        # What a shell has opened is written to where it stands, also where it is a file.
        return os.path.abspath(path).startswith("/dev/") or not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
