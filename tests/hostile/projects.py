"""What a hostile project is: a program with one bug, and beside it something that may keep it from being found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

VICTIM = """\
import asyncio
import threading


class Probe:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._samples: asyncio.Queue[float] = asyncio.Queue()

    def start(self) -> None:
        threading.Thread(target=self._measure, daemon=True).start()

    def _measure(self) -> None:
        self._samples.put_nowait(36.6)
"""
FOUND = "victim.py:14:9: LSF102 "
CANARY = "executed"
"""What code of a project that is executed after all leaves behind, beside the project's folder."""

EVIL = f"open(__file__.rsplit('/', 2)[0] + '/{CANARY}', 'w').close()\n"
SECRET = "the_secret_of_somebody_else"
"""Stands in a file outside of the project; what shows it has read there."""

Write = Callable[[Path], None]


@dataclass(frozen=True)
class Hostile:
    """How the folder with the victim in it is made hostile, and what is right then.

    Where its settings are bad, they are `refused` in a line; `untold` is what is read and nothing needs to be said of.
    What is `never` ending or takes long to write is not part of the ordinary test run.
    """

    name: str
    write: Write
    refused: bool = False
    never: bool = False

    def make(self, folder: Path) -> Path:
        """Write it all and return the project's folder."""
        project = folder / "project"
        project.mkdir(parents=True)
        (project / "pyproject.toml").write_text("[tool.loopsafe]\n", "utf-8")
        (project / "victim.py").write_text(VICTIM, "utf-8")
        (folder / "outside.py").write_text(f"{SECRET} = 1\ndef (\n", "utf-8")
        self.write(project)
        return project


def text(name: str, content: str | bytes | Callable[[], str | bytes], never: bool = False) -> Hostile:
    """A project with one more file, `bad.py`."""

    def write(project: Path) -> None:
        made = content() if callable(content) else content
        (project / "bad.py").write_bytes(made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass"))

    return Hostile(name, write, never=never)
