"""Run other tools on the packages of the benchmark, and write their findings in the form that `score` takes.

    python -m benchmarks.wild.others FOLDER                   # from the checkout's root: one file for each tool
    python -m benchmarks.wild.others FOLDER --tools semgrep   # one of them

Each tool has an environment of its own in a cache, at a pinned version. ruff and flake8-async have no rule for objects
that are touched from the wrong thread; what they say of async code is asked for, to see whether any of it is the same.
For Semgrep there are rules of ours, semgrep.yml. Each looks at what it looks at by itself: Semgrep leaves tests out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.releases import Release
from benchmarks.caches import add_cache_option
from benchmarks.speed.tools import ENVIRONMENTS, install
from benchmarks.wild.findings import Found, write_findings
from benchmarks.wild.labels import read_labels
from benchmarks.wild.sources import fetched

RULES = Path(__file__).with_name("semgrep.yml")
Reader = Callable[[Release, Path, str], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Tool:
    """What is installed, what is run in a package's folder, and what reads its output. It exits with 0 or 1."""

    wanted: tuple[str, ...]
    command: tuple[str, ...]
    read: Reader

    def findings(self, commands: Path, release: Release, folder: Path) -> list[Found]:
        """What it says of a package.

        Raises:
            RuntimeError: it failed.
        """
        command = [str(commands / self.command[0]), *self.command[1:]]
        # Semgrep finds its core by the path.
        environment = {**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{release}: {self.command[0]}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
        return list(self.read(release, folder, done.stdout))


def from_ruff(release: Release, folder: Path, printed: str) -> Iterator[Found]:
    """Findings in ruff's JSON; it names files by their full paths."""
    for one in json.loads(printed):
        path = Path(one["filename"]).relative_to(folder.resolve()).as_posix()
        # Files that it cannot parse have no code.
        if one["code"] and one["code"].startswith("ASYNC"):
            yield Found(str(release), path, one["location"]["row"], one["code"], "", one["message"])


def from_flake8(release: Release, folder: Path, printed: str) -> Iterator[Found]:
    """Findings in lines of flake8."""
    for line in printed.splitlines():
        path, row, code, message = line.split("|", 3)
        yield Found(str(release), Path(path).as_posix(), int(row), code, "", message.strip())


def from_semgrep(release: Release, folder: Path, printed: str) -> Iterator[Found]:
    """Findings in Semgrep's JSON; it puts the rules' folder before their names."""
    for one in json.loads(printed)["results"]:
        code = one["check_id"].rpartition(".")[2]
        yield Found(str(release), one["path"], one["start"]["line"], code, "", one["extra"]["message"])


RUFF = "ruff check --isolated --no-cache --select ASYNC --output-format json ."
FLAKE8 = "flake8 --isolated --jobs 1 --select ASYNC --format %(path)s|%(row)d|%(code)s|%(text)s ."
SEMGREP = "semgrep scan --json --quiet --metrics off --disable-version-check --no-git-ignore --jobs 1 . --config"
TOOLS = {
    "ruff": Tool(ENVIRONMENTS["ruff"], tuple(RUFF.split()), from_ruff),
    "flake8-async": Tool(ENVIRONMENTS["flake8-async"], tuple(FLAKE8.split()), from_flake8),
    "semgrep": Tool(("semgrep==1.185.0",), (*SEMGREP.split(), str(RULES)), from_semgrep),
}


def main() -> int:
    """Run the tools that the arguments name; 1 if one failed on a package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the findings are written")
    parser.add_argument("--tools", nargs="*", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--labelled", action="store_true", help="only on packages that have labels")
    add_cache_option(parser, "loopsafe-wild", "where packages and tools are kept")
    options = parser.parse_args()
    labelled = {label.release for label in read_labels()}
    failed = False
    for name in options.tools:
        commands = install(options.cache, name, TOOLS[name].wanted)
        found: list[Found] = []
        for release, folder in fetched(options.cache):
            if options.labelled and str(release) not in labelled:
                continue
            try:
                found += TOOLS[name].findings(commands, release, folder)
            except (RuntimeError, ValueError) as error:
                failed = True
                print(f"{name}: {release}: {error}", file=sys.stderr, flush=True)
        write_findings(options.folder / f"{name}.jsonl", found)
        print(f"{name}: {len(found)} findings")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
