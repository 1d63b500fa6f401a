"""Packages' own test suites under the guard: what it sees, and what of that `check` finds.

    python -m benchmarks.runtime.suites WORK [NAME...]

Each package's source distribution and a virtual environment with what `suites.toml` says it needs are put into WORK.
Every place that was seen is printed, for a person to judge, and whether `loopsafe check` finds it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loopsafe import analyze
from loopsafe.frontends.commands.checking.evidence import Compared, compare
from loopsafe.runtime.journal import read as read_journal

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 900


@dataclass(frozen=True, slots=True)
class Suite:
    """One package's tests: its release, what they need beside it, and arguments for pytest."""

    release: str
    needs: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """The package."""
        return self.release.partition("==")[0]


def read() -> list[Suite]:
    """The suites."""
    rows = tomllib.loads(Path(__file__).with_name("suites.toml").read_text("utf-8"))["suite"]
    return [Suite(row["release"], tuple(row["needs"]), tuple(row["tests"])) for row in rows]


def run(suite: Suite, work: Path) -> tuple[str, Compared]:
    """Fetch, install and test one package: pytest's last line, and what was seen beside what is found.

    Raises:
        subprocess.SubprocessError: a command fails, or takes too long.
    """
    home = work.resolve() / suite.name
    home.mkdir(parents=True, exist_ok=True)
    folder, python = _unpacked(suite, home), _installed(suite, home)
    seen = home / "seen.json"
    seen.unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([".", "src"])}
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "--loopsafe", *suite.tests]
    told = subprocess.run(
        [*command, "--loopsafe-json", seen],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    last = (told.stdout.strip().splitlines() or ["nothing"])[-1]
    violations = read_journal(seen.read_text("utf-8").splitlines()) if seen.exists() else []
    return last, compare(analyze([folder]).findings if violations else (), violations)


def _unpacked(suite: Suite, home: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*pip, "--dest", home, suite.release], check=True, timeout=LONGEST)
    (archive,) = home.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(home, filter="data")
    return home / archive.name.removesuffix(".tar.gz")


def _installed(suite: Suite, home: Path) -> Path:
    venv.create(home / "venv", with_pip=True)
    python = home / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "pytest", ROOT, suite.release, *suite.needs]
    subprocess.run(pip, check=True, timeout=LONGEST)
    return python


def lines(suite: Suite, last: str, compared: Compared) -> list[str]:
    """A row of the table, and one for each place that was seen."""
    found, missed = len(compared.confirmed), len(compared.missed)
    rows = [f"| {suite.release} | {last} | {found + missed} | {found} | {missed} |"]
    rows += [f"    found   {one.place}: {one.code} {one.place.source}" for _, one in compared.confirmed]
    return [*rows, *(f"    missed  {one.place}: {one.code} {one.place.source}" for one in compared.missed)]


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    print("| package | its tests | seen | of these found by check | missed |\n|---|---|---|---|---|")
    for suite in read():
        if not arguments[1:] or suite.name in arguments[1:]:
            try:
                print(*lines(suite, *run(suite, Path(arguments[0]))), sep="\n", flush=True)
            except subprocess.SubprocessError as error:
                print(f"| {suite.release} | {error} | | | |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
