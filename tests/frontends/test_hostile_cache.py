"""Whatever stands where the cache should be: nothing outside is touched, and nothing that others made is believed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import msgspec
import pytest

from loopsafe import cached, pipeline
from loopsafe.cache import place
from loopsafe.cache.folders import _TAG_TEXT, TAG
from loopsafe.cache.place import clean, open_store, tidy
from loopsafe.findings import Report, Whole
from loopsafe.project.config import load_config
from tests.support.command_line import environment
from tests.support.trees import snapshot

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links and pipes")

BAD = """\
import asyncio
import threading

queue = asyncio.Queue()

def work():
    queue.put_nowait(1)

threading.Thread(target=work).start()
"""
NO_FINDINGS = msgspec.msgpack.encode([Whole((), ()), []])
OWN_NAMES = (
    f"report-{1:032x}",
    f"facts-{2:032x}-3",
    "files",
    "environment",
    "holder-1",
    *(f"{number}.lock" for number in range(16)),
    "files.1.1.tmp",
    f"{TAG}.1.1.tmp",
)


@dataclass(frozen=True)
class World:
    """A project, the user's folders, and `victim`, which holds files of all names that the cache's own have."""

    folder: Path

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def base(self) -> Path:
        named = os.environ.get("LOOPSAFE_CACHE_DIR")
        return Path(named or os.environ["XDG_CACHE_HOME"]) / "loopsafe"

    @property
    def kept(self) -> Path:
        return self.base / place._name(str(self.project))

    @property
    def secret(self) -> Path:
        return Path(os.environ["XDG_CONFIG_HOME"], "loopsafe", "cache-secret")

    @property
    def victim(self) -> Path:
        return self.folder / "victim"

    def run(self) -> Report:
        return cached.analyze([self.project], load_config(self.project))

    def truth(self) -> Report:
        return pipeline.analyze([self.project], load_config(self.project))


@pytest.fixture(params=["the user's folder", "a folder that is named"])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """With a cache that is filled."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").write_text("[tool.loopsafe]\n", "utf-8")
    (tmp_path / "project" / "bad.py").write_text(BAD, "utf-8")
    victim = tmp_path / "victim"
    victim.mkdir()
    for name in (*OWN_NAMES, "diary.txt"):
        (victim / name).write_text(f"mine: {name}", "utf-8")
        os.utime(victim / name, (1, 1))
    (victim / TAG).write_bytes(_TAG_TEXT)
    (victim / f"{5:032x}").mkdir()
    (victim / f"{5:032x}" / "files").write_text("mine", "utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("LOOPSAFE_LOCK_SECONDS", "0.1")
    if request.param == "a folder that is named":
        monkeypatch.setenv("LOOPSAFE_CACHE_DIR", str(tmp_path / "named"))
    made = World(tmp_path)
    made.run()
    # Whatever waits for ever ends the test.
    signal.alarm(100)
    yield made
    signal.alarm(0)


def aside(path: Path) -> None:
    """Take away what is at a path."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path)


def link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def hard_link(path: Path, victim: Path) -> None:
    # Not of a tag: a file with its content is one.
    os.link(victim / "diary.txt" if victim.is_dir() else victim.with_name("diary.txt"), path)


def foreign_folder(path: Path, victim: Path) -> None:
    path.mkdir()
    (path / "files").write_text("mine", "utf-8")


def pipe(path: Path, victim: Path) -> None:
    os.mkfifo(path)


def device(path: Path, victim: Path) -> None:
    path.symlink_to("/dev/zero")


def text(path: Path, victim: Path) -> None:
    path.write_text("mine", "utf-8")


Plant = Callable[[Path, Path], None]
PLANTS: tuple[Plant, ...] = (link, hard_link, foreign_folder, pipe, device, text)


# Where somebody may put something, all paths of a kind at once.
PLACES: dict[str, Callable[[World], list[Path]]] = {
    "base": lambda world: [world.base],
    "project": lambda world: [world.kept],
    "settings": lambda world: [world.secret.parent],
    "secret": lambda world: [world.secret],
    "tag of the base": lambda world: [world.base / TAG],
    "tag of the project": lambda world: [world.kept / TAG],
    "entries": lambda world: [path for path in world.kept.iterdir() if path.name != TAG],
    "locks": lambda world: [world.kept / f"{number}.lock" for number in range(16)],
    "holders": lambda world: [world.kept / f"holder-{number}" for number in range(16)],
    "temporary": lambda world: [world.kept / f"files.{os.getpid()}.1.tmp", world.kept / f"{TAG}.99999999.1.tmp"],
}
FOLDERS = ("base", "project", "settings")
# What is there is somebody else's. All other names are ours to take away.
STAYS = (*FOLDERS, "secret", "tag of the base", "tag of the project")


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("kind", PLACES)
def test_nothing_outside_is_touched_or_believed(world: World, kind: str, plant: Plant) -> None:
    paths = PLACES[kind](world)
    for path in paths:
        aside(path)
        # The more tempting, the more alike they are.
        copy = world.victim / TAG if path.name == TAG else world.victim / "diary.txt"
        plant(path, world.victim if kind in FOLDERS else copy)
    victim, planted = snapshot(world.victim), state(paths)
    truth = world.truth()
    assert world.run() == truth
    (world.project / "bad.py").write_text(f"\n{BAD}", "utf-8")
    truth = world.truth()
    assert world.run() == world.run() == truth
    tidy(str(world.project))
    clean(str(world.project))
    assert world.run() == truth
    assert snapshot(world.victim) == victim
    assert kind not in STAYS or planted <= state(paths)
    assert sorted(path.name for path in world.project.iterdir()) == ["bad.py", "pyproject.toml"]


def state(paths: list[Path]) -> set[object]:
    """What is there, and all below it."""
    inside = {(path, *held) for path in paths if not path.is_symlink() for path, held in snapshot(path).items()}
    return {(path, os.lstat(path).st_ino) for path in paths} | inside


def unkeyed(name: str, content: bytes) -> bytes:
    return blake2b(content, digest_size=32).digest() + content


def of_another_user(name: str, content: bytes) -> bytes:
    return blake2b(content, digest_size=32, key=bytes(32)).digest() + content


@pytest.mark.parametrize("seal", [unkeyed, of_another_user])
def test_entries_made_elsewhere_are_none(world: World, seal: Callable[[str, bytes], bytes]) -> None:
    for path in PLACES["entries"](world):
        if path.name.startswith("report-"):
            path.write_bytes(seal(path.name, NO_FINDINGS))
    assert world.run() == world.truth()


def test_a_folder_with_another_secret_is_none(world: World) -> None:
    """All of a cache as another user's loopsafe wrote it."""
    forge(world)
    world.secret.unlink()
    assert world.run() == world.truth()


def test_an_entry_of_another_project_or_name_is_none(world: World) -> None:
    [report] = world.kept.glob("report-*")
    forge(world)
    forged = report.read_bytes()
    twin = world.folder / "twin"
    shutil.copytree(world.project, twin)
    cached.analyze([twin], load_config(twin))
    for path in Path(world.base, place._name(str(twin))).glob("report-*"):
        path.write_bytes(forged)
    assert cached.analyze([twin], load_config(twin)).findings
    report.rename(world.kept / f"report-{7:032x}")
    assert world.run() == world.truth()


def test_an_entry_with_the_secret_is_believed(world: World) -> None:
    """Or the tests above would show nothing."""
    forge(world)
    assert not world.run().findings
    assert world.truth().findings


def forge(world: World) -> None:
    with open_store(str(world.project)) as store:
        assert store
        for path in world.kept.glob("report-*"):
            store.write(path.name, NO_FINDINGS)


@pytest.mark.parametrize("mode", [0o660, 0o602])
def test_a_secret_that_others_may_choose_is_none(world: World, mode: int) -> None:
    forge(world)
    world.secret.chmod(mode)
    assert world.run() == world.truth()


def test_a_secret_that_was_not_finished_is_made_anew(world: World) -> None:
    world.secret.write_bytes(b"")
    with open_store(str(world.project)) as store:
        assert store is None  # somebody may be about to write it
    os.utime(world.secret, (1, 1))
    for _ in range(2):
        with open_store(str(world.project)) as store:
            pass
    assert store
    assert (len(world.secret.read_bytes()), world.secret.stat().st_mode & 0o777) == (32, 0o600)


def test_the_secret_is_not_taken_from_the_project(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, variable in (("cache", "XDG_CACHE_HOME"), ("settings", "XDG_CONFIG_HOME")):
        (world.project / kind).mkdir()
        monkeypatch.setenv(variable, str(world.project / kind))
    with open_store(str(world.project)) as store:
        assert store is None
    assert list(world.project.rglob("loopsafe")) == []


@pytest.mark.parametrize("home", ["", "relative", "/dev/null", "/proc"])
def test_no_home_is_no_cache(home: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOPSAFE_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    monkeypatch.setenv("XDG_CONFIG_HOME", home)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.chdir(world.project)
    assert world.run() == world.truth()
    assert sorted(path.name for path in world.project.iterdir()) == ["bad.py", "pyproject.toml"]


def test_a_link_in_the_project_does_not_lead_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder may have been named in the project, where others make the links."""
    (world.project / "kept").symlink_to(world.victim)
    monkeypatch.setenv("LOOPSAFE_CACHE_DIR", "kept")
    monkeypatch.chdir(world.project)
    before = snapshot(world.victim)
    assert world.run() == world.truth()
    clean(str(world.project))
    assert snapshot(world.victim) == before


@pytest.mark.parametrize("as_what", ["the user's cache", "the named folder", "the old folder in the project"])
def test_from_the_command_line_and_flake8(world: World, as_what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if as_what == "the user's cache":
        monkeypatch.setenv("XDG_CACHE_HOME", str(world.victim))
        monkeypatch.delenv("LOOPSAFE_CACHE_DIR", raising=False)
    elif as_what == "the named folder":
        monkeypatch.setenv("LOOPSAFE_CACHE_DIR", str(world.victim))
    else:
        (world.project / ".loopsafe_cache").symlink_to(world.victim)
    before = snapshot(world.victim)
    check = [sys.executable, "-m", "loopsafe", "check", "--output-format", "concise", "."]
    flake8 = [sys.executable, "-m", "flake8", "--isolated", "--select", "LSF", "--jobs", "1", "."]
    for command, expected in ((check, 1), (check, 1), (flake8, 1), ([*check[:3], "clean"], 0), (check, 1)):
        done = subprocess.run(
            command, cwd=world.project, env=environment(), capture_output=True, text=True, timeout=90, check=False
        )
        assert (done.returncode, done.stderr) == (expected, "")
        assert expected == 0 or "bad.py:7:5: LSF102" in done.stdout
    after = snapshot(world.victim)
    assert {path: after[path] for path in before} == before
    # A folder of its own, next to what was there.
    assert {path.partition("/")[0] for path in after.keys() - before.keys()} <= {"loopsafe"}
