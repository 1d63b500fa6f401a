"""Start many runs at once on a project that changes, and kill most of them at random moments, over and over.

Each that is left must say what a run without a cache says, and when all is over, nothing may be left behind but files
of the cache's own. usage: python scripts/kill_runs.py [--rounds 200] [--processes 20] [--seed 1]
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

BAD = """\
import asyncio
import threading

queue = asyncio.Queue()

def work():
    queue.put_nowait(1)

threading.Thread(target=work).start()
"""
FILES = 30
STATES = 6
OWN = re.compile(
    r"loopsafe|CACHEDIR\.TAG|cache-secret|[0-9a-f]{32}|report-[0-9a-f]{32}|facts-[0-9a-f]{32}-[0-9a-f]|files"
    r"|environment|\d\d?\.lock|holder-\d\d?"
)


@dataclass(frozen=True, slots=True)
class Run:
    """A process and where it writes to."""

    process: int
    output: Path


@dataclass(slots=True)
class Outcome:
    """What became of all runs, and what was wrong."""

    finished: int = 0
    killed: int = 0
    looks: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        runs = f"{self.finished} finished, {self.killed} were killed"
        return f"{runs}; looked {self.looks} times for what is left behind; {len(self.wrong)} wrong"


def set_state(project: Path, state: int) -> None:
    """Write the project's files as they are in one of its states."""
    for number in range(FILES):
        lines = state + 1 if number % STATES == state else 1
        (project / f"m{number}.py").write_text("\n" * lines + BAD * (number + 1), "utf-8")


def start(folder: Path, number: int, *options: str) -> Run:
    """A run of the command line, forked from this process so that no time goes into imports."""
    output = folder / f"output{number}"
    process = os.fork()
    if process == 0:
        target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(target, 1)
        os.dup2(target, 2)
        os.chdir(folder / "project")
        sys.argv = ["loopsafe", "check", "--quiet", "--output-format", "concise", *options, "."]
        from loopsafe.frontends.cli import main

        main()
    return Run(process, output)


def end(run: Run) -> tuple[int, str]:
    """Wait for it: how it ended, and what it said."""
    _, status = os.waitpid(run.process, 0)
    return os.waitstatus_to_exitcode(status), run.output.read_text("utf-8")


def one_round(folder: Path, processes: int, expected: tuple[int, str], chance: random.Random, outcome: Outcome) -> None:
    """Start processes, kill at random moments until most are gone, and look at what the others say."""
    runs = [start(folder, number) for number in range(processes)]
    doomed = chance.sample(runs, chance.randrange(processes // 2, processes))
    for run in doomed:
        time.sleep(chance.expovariate(processes / 1.5))
        os.kill(run.process, signal.SIGKILL)
    for run in runs:
        code, said = end(run)
        if code == -signal.SIGKILL:
            outcome.killed += 1
        else:
            outcome.finished += 1
            if (code, said) != expected:
                outcome.wrong.append(f"exit code {code}: {said}")


def look(folder: Path, expected: tuple[int, str], outcome: Outcome) -> None:
    """After one more run, which is left alone, see that it is right and that nothing foreign is left."""
    last = end(start(folder, 0))
    outcome.looks += 1
    if last != expected:
        outcome.wrong.append(f"after all: exit code {last[0]}: {last[1]}")
    outcome.wrong += [f"left behind: {name}" for name in left_behind(folder)]


def left_behind(folder: Path) -> list[str]:
    """What is in the user's folders, and in the project, and should not be there."""
    places = [path for kind in ("cache", "settings") for path in (folder / kind).rglob("*")]
    foreign = [path for path in places if not OWN.fullmatch(path.name) or path.is_symlink()]
    foreign += [path for path in (folder / "project").iterdir() if not re.fullmatch(r"m\d+\.py", path.name)]
    return [str(path.relative_to(folder)) for path in foreign]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the figures, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--processes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args(arguments)
    chance, outcome, folder = random.Random(wanted.seed), Outcome(), Path(tempfile.mkdtemp(prefix="loopsafe-"))
    os.environ.update(XDG_CACHE_HOME=str(folder / "cache"), XDG_CONFIG_HOME=str(folder / "settings"))
    os.environ.pop("LOOPSAFE_CACHE_DIR", None)
    # What the processes would each load.
    import loopsafe.cached
    import loopsafe.frontends.commands.checking.check
    import loopsafe.pipeline  # noqa: F401

    try:
        (folder / "project").mkdir()
        expected = []
        for state in range(STATES):
            set_state(folder / "project", state)
            expected.append(end(start(folder, 0, "--no-cache")))
        for number in range(wanted.rounds):
            state = chance.randrange(STATES)
            set_state(folder / "project", state)
            one_round(folder, wanted.processes, expected[state], chance, outcome)
            if number % 5 == 4 or number == wanted.rounds - 1:
                look(folder, expected[state], outcome)
                # Or there would soon be nothing to work out.
                shutil.rmtree(folder / "cache", ignore_errors=True)
            if number % 20 == 19:
                print(f"{number + 1} rounds: {outcome}", *outcome.wrong[:3], sep="\n", file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(folder)
    print(f"{wanted.rounds} rounds of {wanted.processes} processes: {outcome}")
    print("\n".join(outcome.wrong[:5]))
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
