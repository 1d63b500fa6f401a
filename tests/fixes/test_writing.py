"""A file is replaced whole or not at all."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loopsafe import writing
from loopsafe.fixes import CannotWrite, write_atomically
from tests.support.command_line import environment

OLD, NEW = b"old\n", b"new\r\n"
unix = pytest.mark.skipif(os.name != "posix", reason="needs Unix file modes")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes(OLD)
    return path


def refuses(path: Path, reason: str, expected: bytes = OLD) -> None:
    with pytest.raises(CannotWrite, match=reason) as caught:
        write_atomically(path, NEW, expected)
    assert str(path) in str(caught.value)


def test_the_content_is_replaced_and_nothing_else_is_left(file: Path) -> None:
    write_atomically(file, NEW, OLD)
    assert file.read_bytes() == NEW
    assert list(file.parent.iterdir()) == [file]


@unix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o664, 0o4755])
def test_the_mode_stays(file: Path, mode: int) -> None:
    file.chmod(mode)
    write_atomically(file, NEW, OLD)
    assert file.stat().st_mode & 0o7777 == mode


@unix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_stays(file: Path) -> None:
    os.chown(file, 12345, 54321)
    write_atomically(file, NEW, OLD)
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 54321)


@unix
def test_an_owner_that_cannot_be_kept_refuses(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = os.stat_result([*file.stat()[:4], 12345, 54321, *file.stat()[6:]])
    fstat = os.fstat

    def forbidden(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fstat", lambda at: status if os.path.samestat(fstat(at), status) else fstat(at))
    monkeypatch.setattr(os, "fchown", forbidden)
    refuses(file, "belongs to another user or group")
    monkeypatch.undo()
    assert [path.name for path in file.parent.iterdir()] == ["a.py"]


@unix
def test_a_link_is_not_followed(file: Path) -> None:
    link = file.with_name("link.py")
    link.symlink_to("a.py")
    refuses(link, "is a link")
    assert link.is_symlink()
    assert file.read_bytes() == OLD


@unix
def test_a_link_among_the_folders_is_not_followed(file: Path) -> None:
    (file.parent / "real").mkdir()
    (file.parent / "real" / "deep").mkdir()
    inside = file.rename(file.parent / "real" / "deep" / "a.py")
    link = file.parent / "link"
    link.symlink_to("real", target_is_directory=True)
    refuses(link / "deep" / "a.py", "a link is in the way")
    link.unlink()
    link.symlink_to("real/deep", target_is_directory=True)
    refuses(link / "a.py", "a link is in the way")
    assert inside.read_bytes() == OLD
    assert list(inside.parent.iterdir()) == [inside]


@unix
@pytest.mark.parametrize("exchanged", ["a folder for a link", "the file for a link", "the file for another"])
def test_what_is_exchanged_meanwhile(exchanged: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes between the look at the file and the write, nothing outside is written to."""
    file, outside = tmp_path / "project" / "a.py", tmp_path / "outside" / "a.py"
    for path in (file, outside):
        path.parent.mkdir()
        path.write_bytes(OLD)
    put = writing.Folder.put

    def exchange(*arguments: object) -> None:
        if exchanged == "a folder for a link":
            file.parent.rename(tmp_path / "moved")
            file.parent.symlink_to(outside.parent, target_is_directory=True)
        elif exchanged == "the file for a link":
            file.rename(file.with_name("old.py"))
            file.symlink_to(outside)
        else:
            file.rename(file.with_name("old.py"))
            file.write_bytes(OLD)
        put(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(writing.Folder, "put", exchange)
    if exchanged == "a folder for a link":
        # The folder that was opened is the one that is written to, wherever it is by now.
        write_atomically(file, NEW, OLD)
        assert (tmp_path / "moved" / "a.py").read_bytes() == NEW
    else:
        refuses(file, "has changed since|is a link")
        assert sorted(path.name for path in file.parent.iterdir()) == ["a.py", "old.py"]
    assert outside.read_bytes() == OLD
    assert list(outside.parent.iterdir()) == [outside]


@unix
def test_a_file_with_two_names_stays(file: Path) -> None:
    other = file.with_name("b.py")
    other.hardlink_to(file)
    refuses(file, "has other names")
    assert other.read_bytes() == file.read_bytes() == OLD


@unix
def test_a_folder_that_cannot_be_listed(file: Path) -> None:
    folder = file.parent / "entered"
    folder.mkdir()
    moved = file.rename(folder / "a.py")
    folder.chmod(0o311)
    write_atomically(moved, NEW, OLD)
    folder.chmod(0o755)
    assert moved.read_bytes() == NEW


@pytest.mark.skipif(sys.platform != "linux", reason="Python knows extended attributes on Linux only")
def test_extended_attributes_stay(file: Path) -> None:
    try:
        os.setxattr(file, "user.comment", b"kept")
    except OSError:
        pytest.skip("this file system has none")
    write_atomically(file, NEW, OLD)
    assert os.getxattr(file, "user.comment") == b"kept"


def test_a_long_name(tmp_path: Path) -> None:
    file = tmp_path / f"{'本' * 80}.py"
    file.write_bytes(OLD)
    write_atomically(file, NEW, OLD)
    assert file.read_bytes() == NEW


def test_a_file_changed_in_the_meantime_stays(file: Path) -> None:
    refuses(file, "has changed since it was analysed", expected=b"older\n")
    assert file.read_bytes() == OLD
    assert list(file.parent.iterdir()) == [file]


def test_a_vanished_file_is_told(file: Path) -> None:
    file.unlink()
    refuses(file, "has vanished")
    assert list(file.parent.iterdir()) == []


@unix
def test_a_read_only_file_stays(file: Path) -> None:
    file.chmod(0o444)
    refuses(file, "is read-only")
    assert file.read_bytes() == OLD


def test_a_folder_is_told(tmp_path: Path) -> None:
    refuses(tmp_path, "is not a regular file")


@unix
def test_a_loop_of_links_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("b.py")
    (tmp_path / "b.py").symlink_to("a.py")
    with pytest.raises(CannotWrite):
        write_atomically(tmp_path / "a.py", NEW, OLD)


def test_a_full_disk_leaves_the_file_and_no_litter(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refuses(file, "No space left on device")
    assert file.read_bytes() == OLD
    assert list(file.parent.iterdir()) == [file]


WRITER = """
import sys
from pathlib import Path
from loopsafe.fixes import write_atomically
path, one, two = Path(sys.argv[1]), b"1" * 300_000, b"2" * 300_000
print("ready", flush=True)
while True:
    write_atomically(path, two, one)
    write_atomically(path, one, two)
"""


@unix
def test_a_kill_leaves_one_content_or_the_other(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    contents = {b"1" * 300_000, b"2" * 300_000}
    moments = random.Random(time.time_ns())
    for _ in range(20):
        path.write_bytes(b"1" * 300_000)
        path.chmod(0o640)
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(moments.random() * 0.02)
            process.send_signal(signal.SIGKILL)
        assert path.read_bytes() in contents
        assert path.stat().st_mode & 0o777 == 0o640
        litter = [other.name for other in tmp_path.iterdir() if other != path]
        assert all(name.startswith(".a.py.") and name.endswith(".tmp") for name in litter)


CODE = """\
import asyncio
import threading


class Reader:
    async def start(self):
        self._loop = asyncio.get_running_loop()
        self.queue = asyncio.Queue()
        threading.Thread(target=self.work).start()

    def work(self):
        self.queue.put_nowait(1)
"""


@unix
def test_a_killed_run_leaves_each_file_old_or_new(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    files = [tmp_path / f"reader{number}.py" for number in range(40)]
    moved = "self._loop.call_soon_threadsafe(self.queue.put_nowait, 1)"
    old, new = CODE, CODE.replace("self.queue.put_nowait(1)", moved)
    moments = random.Random(time.time_ns())
    seen: set[int] = set()
    for _ in range(8):
        for file in files:
            file.write_text(old, "utf-8")
        command = [sys.executable, "-m", "loopsafe", "fix", "--quiet", "."]
        with subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL) as process:
            while process.poll() is None and files[0].read_text("utf-8") == old:
                time.sleep(0.001)
            time.sleep(moments.random() * 0.05)
            process.send_signal(signal.SIGKILL)
        texts = [file.read_text("utf-8") for file in files]
        assert set(texts) <= {old, new}
        seen.add(texts.count(new))
    assert any(seen)
