"""The commands that are compared. Each tool lives in an environment of its own, made once, at a pinned version."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOOPSAFE = (sys.executable, "-m", "loopsafe", "check", "--quiet", "--output-format", "concise")
MYPY = ("mypy", "--ignore-missing-imports", "--explicit-package-bases", "--cache-dir", os.devnull)
_PARSE = "import ast, pathlib\nfor file in pathlib.Path().rglob('*.py'): ast.parse(file.read_bytes())"
FLAKE8 = ("flake8", "--isolated", "-q", "--jobs", "1")
ENVIRONMENTS = {
    "ruff": ("ruff==0.17.6",),
    "flake8": ("flake8==7.5.0", str(ROOT)),
    "flake8-async": ("flake8==7.5.0", "flake8-async==26.8.1"),
    "ty": ("ty==0.0.105",),
    "mypy": ("mypy==2.4.1",),
    "pyright": ("basedpyright==1.40.2",),
}


@dataclass(frozen=True, slots=True)
class Contender:
    """One row of a table: a command for the working directory, and what brings about the state that it is timed in."""

    name: str
    command: tuple[str, ...]
    prepare: Callable[[Path], None] = lambda folder: None
    environment: dict[str, str] = field(default_factory=dict)


def install(cache: Path, name: str, wanted: Sequence[str] = ()) -> Path:
    """The folder of a tool's commands; the environment is made where there is none, with `wanted` if that is given.

    Raises:
        subprocess.CalledProcessError: it cannot be installed.
    """
    home = cache / f"tool-{name}"
    if not (home / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *(wanted or ENVIRONMENTS[name])], check=True)
        (home / "done").touch()
    return home / "bin"


def own(caches: Path, edited: str) -> list[Contender]:
    """loopsafe in its three states; `edited` is the file that gets another line before each run."""
    kept = {"PYTHONPATH": str(ROOT / "linter"), "LOOPSAFE_CACHE_DIR": str(caches / "report")}

    def fill(folder: Path) -> None:
        subprocess.run([*LOOPSAFE, "."], cwd=folder, env={**os.environ, **kept}, check=False, stdout=subprocess.DEVNULL)

    def edit(folder: Path) -> None:
        fill(folder)
        with open(folder / edited, "a", encoding="utf-8") as file:
            file.write("# another line\n")

    return [
        Contender("loopsafe, cold", (*LOOPSAFE, "--no-cache", "."), environment=kept),
        Contender("loopsafe, nothing changed", (*LOOPSAFE, "."), fill, kept),
        Contender("loopsafe, one file edited", (*LOOPSAFE, "."), edit, kept),
        # What a cold run cannot do without.
        Contender("ast.parse of every file", (sys.executable, "-c", _PARSE)),
    ]


def others(cache: Path, names: list[str]) -> list[Contender]:
    """The other tools, none with a cache of its own."""
    commands = {
        "ruff": [("ruff, ASYNC rules", ("ruff", "check", "--isolated", "--no-cache", "-q", "--select", "ASYNC", "."))],
        "flake8": [("flake8", (*FLAKE8, "--extend-ignore", "LSF", "."))],
        "flake8-async": [("flake8 with flake8-async", (*FLAKE8, "."))],
        "ty": [("ty", ("ty", "check", "--exit-zero", "-q", "."))],
        "pyright": [("basedpyright", ("basedpyright", "."))],
        "mypy": [("mypy", (*MYPY, "."))],
    }
    found = []
    for name in names:
        folder = install(cache, name)
        found += [Contender(row, (str(folder / command[0]), *command[1:])) for row, command in commands[name]]
        if name == "flake8":
            command = (str(folder / FLAKE8[0]), *FLAKE8[1:], ".")
            found.append(Contender("flake8 with loopsafe, cold", command, _forget))
            # It comes right after the one that fills the cache.
            found.append(Contender("flake8 with loopsafe, nothing changed", command))
    return found


def _forget(folder: Path) -> None:
    """Delete the cache that loopsafe has of a project."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "linter")}
    subprocess.run([sys.executable, "-m", "loopsafe", "clean"], cwd=folder, env=environment, check=True)
