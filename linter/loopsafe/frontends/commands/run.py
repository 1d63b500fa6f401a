"""`loopsafe run`: a program under the guard, in the Python that runs loopsafe."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from loopsafe.frontends.terminal import CannotWork
from loopsafe.runtime.launch import guarded


def run_guarded(program: Sequence[str], *, module: bool, action: str, file: str) -> int:
    """Run a script, or a module, with its arguments; its exit code. Where the system can, it takes this one's place.

    Raises:
        CannotWork: there is no such script, the file cannot be written, or Python cannot be started.
    """
    if not module and not os.path.exists(program[0]):
        raise CannotWork(f"{program[0]}: there is no such script")
    if file:
        _ensure_writable(file)
    command = [sys.executable, *(["-m"] if module else []), *program]
    environment = guarded(os.environ, action, file)
    sys.stdout.flush()
    try:
        if os.name == "posix":
            os.execve(command[0], command, environment)
        return subprocess.run(command, env=environment, check=False).returncode
    except OSError as error:
        raise CannotWork(f"{command[0]}: cannot be run: {error.strerror or error}") from error


def watch(command: Sequence[str], file: str) -> int:
    """Run any command with the guard in the Pythons that it starts; its exit code. What is seen goes into the file.

    Raises:
        CannotWork: it cannot be started.
    """
    try:
        return subprocess.run(command, env=guarded(os.environ, "report", file), check=False).returncode
    except OSError as error:
        raise CannotWork(f"{command[0]}: cannot be run: {error.strerror or error}") from error


def _ensure_writable(file: str) -> None:
    new = not os.path.lexists(file)
    try:
        with open(file, "a", encoding="utf-8"):
            pass
        if new:
            # A file stands for something that was seen.
            os.remove(file)
    except OSError as error:
        raise CannotWork(f"{file}: cannot be written: {error.strerror or error}") from error
