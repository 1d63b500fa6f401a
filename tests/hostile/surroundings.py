"""Names, links, devices and folders in a project that are not what they seem."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from tests.hostile.projects import EVIL, VICTIM, Hostile

_NAMES = (
    b"two\nrows.py", b"quo\"te'.py", b"\x1b[31mred\x1b]0;title\x07.py", b"\xff\xfe.py", b"-rf.py", b"a b.py",
    "ü😀.py".encode(), b"%0A::stop-commands::x.py", b"a,b:c.py", b"[a]*?.py", b"\x7f\x01.py", b"CON.py", b"~.py",
    b"$HOME.py", b"`id`.py", b"\xe2\x80\xae.py", b"..py", b".py.py", b"a" * 250 + b".py",
)  # fmt: skip
# What this program would import from the working directory, if it did. What `python -m` itself imports is beyond help.
_SHADOWS = (
    "click", "msgspec", "rich", "libcst", "sitecustomize", "usercustomize", "ast", "tokenize", "json",
    "signal", "dataclasses", "re", "traceback", "tomllib", "tomli", "filelock",
    "platformdirs", "conftest", "setup",
)  # fmt: skip
_DEEP = 2_000


def _linked(*links: tuple[str, str]) -> Callable[[Path], None]:
    def write(project: Path) -> None:
        for name, target in links:
            (project / name).symlink_to(target)

    return write


def _names(project: Path) -> None:
    for name in _NAMES:
        Path(os.fsdecode(os.path.join(os.fsencode(project), name))).write_text(VICTIM, "utf-8")
        Path(os.fsdecode(os.path.join(os.fsencode(project), b"bad" + name[:200] + b".py"))).write_text(
            "def (\n", "utf-8"
        )


def _shadows(project: Path) -> None:
    for name in _SHADOWS:
        (project / f"{name}.py").write_text(EVIL, "utf-8")
    (project / "evil-1.dist-info").mkdir()
    (project / "evil-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1\n", "utf-8")
    entries = "[loopsafe.knowledge]\nevil = click:pack.toml\n[flake8.extension]\nEVL = conftest:Plugin\n"
    (project / "evil-1.dist-info" / "entry_points.txt").write_text(entries, "utf-8")


def _socket(project: Path) -> None:
    # The path of a socket may be short only.
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(project)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("bad.py")
    finally:
        os.fchdir(here)
        os.close(here)


def _deep(project: Path) -> None:
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(project)
        for _ in range(_DEEP):
            os.mkdir("d")
            os.chdir("d")
        Path("deep.py").write_text(VICTIM, "utf-8")
    finally:
        os.fchdir(here)
        os.close(here)


def _sparse(project: Path) -> None:
    with open(project / "bad.py", "wb") as file:
        file.truncate(8 << 30)


def _packages(project: Path) -> None:
    for name in (
        "__init__.py",
        "pkg/__init__/__init__.py",
        "pkg/__init__.py",
        "-.py",
        ".py",
        "a.b.py",
        "bad.py/inner.py",
    ):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("from . import *\nfrom .. import x\nx()\n", "utf-8")


def _circle(project: Path) -> None:
    for number in range(200):
        text = f"from m{(number + 1) % 200} import *\nfrom m{(number + 7) % 200} import x as x\nx()\n"
        (project / f"m{number}.py").write_text(text, "utf-8")


def _dense(project: Path) -> None:
    stars = "".join(f"from m{number} import *\n" for number in range(80))
    for number in range(80):
        (project / f"m{number}.py").write_text(f"{stars}def f{number}(): f{(number + 1) % 80}()\n", "utf-8")


def _locked(project: Path) -> None:
    (project / "bad.py").touch(0o000)
    (project / "locked").mkdir(0o000)


SURROUNDINGS = [
    Hostile("names", _names),
    Hostile("shadows of modules", _shadows),
    Hostile("packages that are odd", _packages),
    Hostile("imports in a circle", _circle),
    Hostile("imports of all from all", _dense),
    Hostile("locked", _locked),
    Hostile(
        "links in circles",
        _linked(("bad.py", "bad.py"), ("a.py", "b.py"), ("b.py", "a.py"), ("again", "."), ("up", "..")),
    ),
    Hostile("links to nothing", _linked(("bad.py", "nowhere.py"), ("worse.py", "a" * 250))),
    Hostile("links out", _linked(("bad.py", "../outside.py"), ("system.py", "/etc/passwd"))),
    Hostile("links to the program", _linked(("bad.py", "/proc/self/mem"), ("worse.py", "/proc/self/environ"))),
    Hostile("pipe", lambda project: os.mkfifo(project / "bad.py"), never=True),
    Hostile("socket", _socket, never=True),
    Hostile(
        "devices",
        _linked(*((f"{name}.py", f"/dev/{name}") for name in ("zero", "full", "null", "tty", "stdin"))),
        never=True,
    ),
    Hostile("kernel's log", _linked(("bad.py", "/proc/kmsg")), never=True),
    Hostile("sparse", _sparse, never=True),
    Hostile("deep folders", _deep, never=True),
]
