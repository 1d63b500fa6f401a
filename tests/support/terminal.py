"""Programs run with a terminal for all their streams, as a person runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import environment


def on_a_terminal(
    folder: Path, env: dict[str, str], *arguments: str, typed: str = "", stderr: int | None = None
) -> bytes:
    """What Python writes when its streams are a terminal, at which `typed` was typed in advance.

    All of them are, unless it is said where else to send standard error.
    """
    ours, its = pytest.importorskip("pty").openpty()
    command = [sys.executable, *arguments]
    os.write(ours, typed.encode())
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(**{"TERM": "xterm", **env}),
        stdin=its,
        stdout=its,
        stderr=its if stderr is None else stderr,
    ) as process:
        os.close(its)
        output = b"".join(_read_all(ours))
    os.close(ours)
    assert process.returncode in (0, 1, 2)
    assert b"Traceback" not in output
    return output


def _read_all(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # Linux reports the end of a terminal as an error.
            return
        if not data:
            return
        yield data
