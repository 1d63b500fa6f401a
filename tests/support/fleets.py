"""Small projects for `loopsafe fleet`, and runs of it that a test does something to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.command_line import environment

BROKEN = """\
import asyncio
import threading


class Feed:
    async def start(self):
        self._loop = asyncio.get_running_loop()
        self._queue = asyncio.Queue()
        threading.Thread(target=self._work).start()
        await self._queue.get()

    def _work(self):
        self._queue.put_nowait(1)
"""
CLEAN = BROKEN.replace("self._queue.put_nowait(1)", "self._loop.call_soon_threadsafe(self._queue.put_nowait, 1)")
_SCRIPT = """\
from loopsafe.__main__ import main

if __name__ == "__main__":
    main()
"""


def project(folder: Path, source: str = BROKEN, settings: str = "") -> Path:
    """A project of one module."""
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(settings, "utf-8")
    (folder / "feed.py").write_text(source, "utf-8")
    return folder


def begin(
    folder: Path, *arguments: str | Path, script: Path | None = None, own_group: bool = False, **extra: str
) -> subprocess.Popen[bytes]:
    """`loopsafe fleet ARGUMENTS` in a folder, which goes on by itself.

    If given, by a script as pip installs one; in a group of its own, as a terminal's programs are, or not.
    """
    if script:
        script.write_text(_SCRIPT, "utf-8")
    # Where the tests run in the background, it is ignored, and so by all that they start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        [sys.executable, *(["-m", "loopsafe"] if script is None else [script]), "fleet", *map(str, arguments)],
        cwd=folder,
        env=environment(**extra),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=own_group,
    )


def lasting(report: str) -> dict[str, Any]:
    """What of a JSON report is the same each time."""
    told: dict[str, Any] = json.loads(report)
    for one in told["projects"]:
        del one["seconds"], one["megabytes"]
    return told


def rows(file: Path) -> int:
    """How many whole rows a results file has, with its head."""
    return file.read_bytes().count(b"\n") if file.exists() else 0
