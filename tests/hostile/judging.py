"""What must hold of a run on a hostile project, whatever makes it hostile."""

from __future__ import annotations

import hashlib
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.projects import CANARY, FOUND, SECRET, Hostile
from tests.support.command_line import environment

CPU_SECONDS = 10
MEMORY = 1_000_000_000
# On a machine with much else to do, ten seconds of work take longer.
_PATIENCE = 300


@dataclass(frozen=True)
class Way:
    """One of the ways to run loopsafe: how it is started, what tells that the bug is found, its longest time."""

    name: str
    command: tuple[str, ...]
    found: str = FOUND
    cores: int = 1
    killed_after: int = 3 * CPU_SECONDS


_ALL_OF_OURS = ("--isolated", "--select=LSF", "--jobs=1")
_NOTHING = ("--isolated", "--select=Q", "--jobs=1")
_SEVERAL = str(Path(__file__).with_name("several.py"))
WAYS = (
    Way("one process", (sys.executable, "-m", "loopsafe", "check", "--no-cache", "--output-format", "concise")),
    Way(
        "several processes",
        (sys.executable, _SEVERAL, "check", "--no-cache", "--output-format", "concise"),
        cores=2,
    ),
    Way("fix --diff", (sys.executable, "-m", "loopsafe", "fix", "--diff"), "+        self._loop.call_soon_threadsafe("),
    # Not `-m`: flake8 would load plugins from the working directory. Its own checkers need time, too.
    Way("flake8", (str(Path(sys.executable).with_name("flake8")), *_ALL_OF_OURS), killed_after=5 * CPU_SECONDS),
)
# Its own checkers have no limits.
_FLAKE8_ALONE = Way("flake8 alone", (sys.executable, str(Path(__file__).with_name("flake8_alone.py")), *_NOTHING))


@dataclass(frozen=True)
class Outcome:
    """How a run went, and what is wrong with that."""

    faults: tuple[str, ...]
    seconds: float
    said: str


def judge(hostile: Hostile, way: Way, folder: Path) -> Outcome:
    """Make the project in a folder, run loopsafe on it, and compare."""
    project = hostile.make(folder)
    before = _state(folder)
    seconds, code, output, errors = _run(way, project)
    faults = [*_faults(hostile, way, code, output, errors)]
    if way.name == "flake8" and (seconds > CPU_SECONDS or code < 0):
        alone, code_alone, *_ = _run(_FLAKE8_ALONE, project)
        seconds -= alone
        # Where it comes to no end without ours either, as at a pipe, that is left to it.
        faults = faults if code_alone >= 0 else []
    if seconds > CPU_SECONDS:
        faults.append(f"took {seconds:.1f} s")
    if (folder / CANARY).exists():
        faults.append("code of the project was executed")
    elif _state(folder) != before:
        faults.append("files were changed")
    return Outcome(tuple(faults), seconds, f"{output}\n{errors}")


def _faults(hostile: Hostile, way: Way, code: int, output: str, errors: str) -> list[str]:
    if way.name == "flake8" and _gave_up(output + errors):
        return []
    found = [
        (code not in (1, 2), f"ended with {code}"),
        ("Traceback" in errors or "bug in loopsafe" in errors, "a traceback"),
        (SECRET in output + errors, "read outside of the project"),
        (any(sign in output + errors for sign in ("\x1b", "\u202e")) and way.name != "flake8", "raw control sequences"),
    ]
    if hostile.refused:
        told = [line for line in (output + errors).splitlines() if line.strip()]
        found += [
            (code != 2 and way.name != "flake8", "not refused"),
            (len(told) != 1 and way.name != "flake8", f"refused in {len(told)} lines"),
        ]
    else:
        found += [(code != 1, f"ended with {code}"), (way.found not in output, "the bug is not reported")]
    return [text for is_wrong, text in found if is_wrong]


def _gave_up(said: str) -> bool:
    """Whether flake8 itself, or a checker of its own, has failed and taken the whole run along."""
    checker = re.search(r'"([^"]+)" failed during execution', said)
    of_its_own = "Traceback" in said and "loopsafe" not in said.rpartition("Traceback")[2]
    return of_its_own or (checker is not None and not checker[1].startswith("loopsafe"))


def _state(folder: Path) -> list[tuple[str, str]]:
    """Each file's path, and a digest of what it holds or is; devices and pipes are not opened."""
    state = []
    for above, folders, files in os.walk(folder):
        for name in sorted([*folders, *files]):
            path = os.path.join(above, name)
            if os.path.islink(path):
                state.append((path, os.readlink(path)))
            elif os.path.isfile(path) and os.path.getsize(path) < 1 << 24:
                state.append((path, _digest(path)))
            else:
                state.append((path, "there"))
    return sorted(state)


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError as error:
        return str(error.errno)


def _run(way: Way, project: Path) -> tuple[float, int, str, str]:
    """Processor seconds, exit code, output and errors of one run."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (way.killed_after, way.killed_after))
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: way.cores])

    outside = project.parent.parent / "home"
    outside.mkdir(exist_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        [*way.command, "."],
        cwd=project,
        env=environment(
            HOME=str(outside), XDG_CACHE_HOME=str(outside), PYTHONDONTWRITEBYTECODE="1", LOOPSAFE_CACHE_DIR=str(outside)
        ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=limit,  # noqa: PLW1509
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, process.returncode, _text(output), _text(errors)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def everything() -> Sequence[Hostile]:
    """All projects."""
    from tests.hostile.encodings import ENCODINGS
    from tests.hostile.nesting import FILLING, NESTING
    from tests.hostile.settings import SETTINGS
    from tests.hostile.surroundings import SURROUNDINGS
    from tests.hostile.texts import TEXTS

    return [*ENCODINGS, *TEXTS, *NESTING, *FILLING, *SURROUNDINGS, *SETTINGS]
