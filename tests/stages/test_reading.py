"""Facts come out the same wherever they come from: the text, the cache, another process."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from loopsafe.cache.place import open_store
from loopsafe.cache.store import Store, digest
from loopsafe.facts.extract import extract
from loopsafe.facts.schema import FileFacts, SyntaxProblem
from loopsafe.project.files import SourceFile
from loopsafe.project.sources import decode
from loopsafe.reading import helpers
from loopsafe.reading.kept import Kept
from loopsafe.reading.packed import pack, unpack
from loopsafe.reading.reader import Reader
from tests.support.command_line import environment

SOURCES = sorted((Path(__file__).parents[2] / "linter").rglob("*.py"))
FACTS = f"facts-{0:032x}"
BAD = """
class Reader:
    def read(self, *names, **others):
        with open(names[0]) as file:
            return [line.strip() for line in file if line or others["x"]]
"""
BROKEN = {"syntax.py": b"def :", "coding.py": b"# coding: klingon\n", "bytes.py": b"x = '\xff'\n"}


@pytest.fixture
def files(tmp_path: Path) -> list[SourceFile]:
    """More than one process's worth of them, some of which cannot be read."""
    made = {**BROKEN, **{f"a{number}.py": path.read_bytes() for number, path in enumerate(SOURCES)}}
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
    names = [*sorted(made), "missing.py"]
    return [SourceFile(str(tmp_path / name), name, wanted=True) for name in names]


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Wherever there are two cores or more, a second process takes its share. Grows by one with each."""
    started: list[object] = []
    real = helpers._start

    def start(share: list[str], largest: int) -> object:
        started.append(share)
        return real(share, largest)

    monkeypatch.setattr(helpers, "_WORTHWHILE", 100_000)
    monkeypatch.setattr(helpers, "cores", lambda: 2)
    monkeypatch.setattr(helpers, "_start", start)
    return started


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path)) as opened:
        assert opened
        yield opened


def said(facts: FileFacts) -> str:
    return repr(facts)


def outcome(reader: Reader, files: list[SourceFile]) -> object:
    read, problems = reader.read_all(files, {})
    reader.known.save()
    return [(one.file, one.text, said(one.facts)) for one in read], problems


def shape(thing: Any, seen: dict[int, int]) -> Any:
    """A value's structure, where what stands in several places is told by the number of its first one."""
    if isinstance(thing, msgspec.Struct):
        if id(thing) in seen:
            return seen[id(thing)]
        seen[id(thing)] = len(seen)
        return [type(thing).__name__, *(shape(getattr(thing, name), seen) for name in thing.__struct_fields__)]
    if isinstance(thing, tuple):
        return tuple(shape(item, seen) for item in thing)
    if isinstance(thing, dict):
        return {key: shape(item, seen) for key, item in thing.items()}
    return type(thing), thing


# scripts/fuzz_files.sh analyses all of it.
ROOT = Path(sysconfig.get_path("stdlib"))
LIBRARY = sorted(path for path in ROOT.rglob("*.py") if "site-packages" not in path.parts)
LIBRARY = LIBRARY[::20]


@pytest.mark.parametrize("part", range(4))
def test_packing_keeps_what_is_said_and_what_is_the_same(part: int) -> None:
    kept = 0
    for source in [*SOURCES, *LIBRARY][part::4]:
        try:
            facts = extract(decode(source.read_bytes()).text)
        except (SyntaxError, UnicodeDecodeError, SyntaxProblem):
            continue
        again = unpack(pack(facts))
        assert shape(again, {}) == shape(facts, {}), source
        kept += 1
    assert kept > 50


ODD = [
    "x = " + "1" * 4000,
    f"x = {1 << 63}, {-(1 << 63)}, {(1 << 63) - 1}, {-(1 << 63) - 1}",
    "x = '\\ud800', 'a\\x00b', '', None, True, 1",
    "x." + "a." * 150 + "b",
    "",
    "__all__ = []",
    "a = b = f(c := g())\nfor x in a: pass\nwith a as b: await b\n",
]


@pytest.mark.parametrize("text", ODD)
def test_packing_keeps_what_is_odd(text: str) -> None:
    facts = extract(text)
    assert shape(unpack(pack(facts)), {}) == shape(facts, {})


def test_spoiled_facts_are_none() -> None:
    """They have a checksum; but what is wrong here must not end in a traceback either."""
    whole = pack(extract(SOURCES[0].read_text("utf-8") + BAD)) or b""
    chance = random.Random(5)
    for _ in range(2000):
        spoiled = bytearray(whole)
        spoiled[chance.randrange(len(whole))] = chance.randrange(256)
        unpack(bytes(spoiled))
        assert unpack(whole[: chance.randrange(len(whole))]) is None


@pytest.mark.parametrize("data", [None, b"", b"\x80", b"\x94\x90\x80\x90\xc0", msgspec.msgpack.encode("text")])
def test_what_is_no_facts_is_none(data: bytes | None) -> None:
    assert unpack(data) is None


def test_two_processes_find_what_one_does(files: list[SourceFile], two_processes: list[object]) -> None:
    alone = outcome(Reader(helpers=False), files)
    assert not two_processes
    assert outcome(Reader(), files) == alone
    assert two_processes
    assert len(alone[1]) == len(BROKEN) + 1  # type: ignore[index]


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false", "/bin/echo"])
def test_helpers_that_do_not_work_are_done_without(
    program: str, files: list[SourceFile], two_processes: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = outcome(Reader(helpers=False), files)
    monkeypatch.setattr("sys.executable", program)
    assert outcome(Reader(), files) == alone
    assert two_processes


def test_nothing_of_the_working_directory_is_imported(
    files: list[SourceFile], two_processes: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("loopsafe", "msgspec", *sys.stdlib_module_names):
        (tmp_path / f"{name}.py").write_text("open('imported', 'w')\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    alone = outcome(Reader(helpers=False), files)
    assert outcome(Reader(), files) == alone
    assert not (tmp_path / "imported").exists()


def test_what_is_kept_is_not_extracted_again(
    files: list[SourceFile], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = outcome(Reader(known=Kept(store, FACTS)), files)
    extracted: list[str] = []
    monkeypatch.setattr("loopsafe.reading.reader.extract", lambda text, name: extracted.append(name) or extract(text))
    assert outcome(Reader(known=Kept(store, FACTS)), files) == first
    assert extracted == ["syntax.py"]
    Path(files[0].path).write_text("x = 1\n", "utf-8")
    outcome(Reader(known=Kept(store, FACTS)), files)
    assert extracted == ["syntax.py", "a0.py", "syntax.py"]


def size(store: Store) -> int:
    return sum(path.stat().st_size for path in Path(store.folder.path).glob("facts-*"))


def test_what_is_no_longer_asked_for_is_dropped(files: list[SourceFile], store: Store) -> None:
    outcome(Reader(known=Kept(store, FACTS)), files)
    whole = size(store)
    outcome(Reader(known=Kept(store, FACTS)), files[:3])
    assert 0 < size(store) < whole
    outcome(Reader(known=Kept(store, FACTS)), [])
    assert size(store) == 0


def test_an_edit_leaves_most_parts_as_they_are(files: list[SourceFile], store: Store) -> None:
    outcome(Reader(known=Kept(store, FACTS)), files)
    for path in Path(store.folder.path).glob("facts-*"):
        os.utime(path, (1, 1))
    before = {path: path.stat().st_ino for path in Path(store.folder.path).glob("facts-*")}
    Path(files[0].path).write_text("x = 1\n", "utf-8")
    outcome(Reader(known=Kept(store, FACTS)), files)
    assert sum(path.stat().st_ino != inode for path, inode in before.items()) <= 2


def test_facts_of_more_than_there_is_room_for_are_kept_in_part(files: list[SourceFile], store: Store) -> None:
    small = replace(store, largest=100_000)
    first = outcome(Reader(known=Kept(small, FACTS)), files)
    before = {path: path.stat().st_ino for path in Path(store.folder.path).glob("facts-*")}
    assert 40_000 < size(store) < 100_000
    assert outcome(Reader(known=Kept(small, FACTS)), files) == first
    assert {path: path.stat().st_ino for path in Path(store.folder.path).glob("facts-*")} == before


def test_foreign_facts_are_worked_out_again(files: list[SourceFile], store: Store) -> None:
    known = Kept(store, FACTS)
    for file in files[:20]:
        known.add(digest(Path(file.path).read_bytes()), b"no facts")
    known.save()
    assert outcome(Reader(known=Kept(store, FACTS)), files) == outcome(Reader(helpers=False), files)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_helpers_end_with_who_started_them(files: list[SourceFile]) -> None:
    """However it ends: killed, it cannot end them itself."""
    script = (
        "import glob, os, signal; from loopsafe.reading import helpers; "
        f"running = helpers.Helpers([glob.glob({os.path.dirname(files[0].path)!r} + '/*.py') * 200])._running; "
        "print(running[0][0].pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    helper = int(killed.stdout)
    end = time.monotonic() + 20
    while _runs(helper) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _runs(helper)


def _runs(process: int) -> bool:
    """Whether it is there and no zombie, which one is for as long as nobody asks how it ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
