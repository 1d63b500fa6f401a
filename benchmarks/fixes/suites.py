"""Run packages' own test suites on copies as released and on copies with all fixes, and compare test by test.

Needs Python 3.12, which can say cheaply which rows run.
"""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.accuracy.checking import Limits
from benchmarks.accuracy.releases import Release
from benchmarks.fixes.applying import Applied, apply_fixes, find

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = Path(__file__).with_name("suites.toml")
WATCHING = Path(__file__).with_name("watching")
OUTCOMES = ("passed", "failed", "error", "skipped")
_QUIET = ("--quiet", "--disable-pip-version-check")

Outcomes = dict[str, str]
"""What became of each test: one of OUTCOMES."""


@dataclass(frozen=True, slots=True)
class Suite:
    """One package's tests.

    Attributes:
        release: the package.
        needs: what the tests import beside it, as pip takes it.
        source: the folder of the source distribution that holds the package.
        tests: arguments for pytest.
    """

    release: str
    needs: tuple[str, ...]
    source: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ran:
    """How the tests went before and after.

    Attributes:
        suite: which.
        applied: what was fixed.
        before: outcomes without the fixes.
        after: outcomes with them.
        changed: rows that the fixes wrote, as `path#row`.
        seen: those of them that the tests ran.
        unsteady: tests left out because they did not end alike twice on one side.
    """

    suite: Suite
    applied: Applied
    before: Outcomes
    after: Outcomes
    changed: tuple[str, ...]
    seen: tuple[str, ...]
    unsteady: tuple[str, ...] = ()

    @property
    def differing(self) -> list[str]:
        """Tests that ended otherwise than before, or are in one run only."""
        names = sorted({*self.before, *self.after})
        return [name for name in names if self.before.get(name) != self.after.get(name)]


def read() -> list[Suite]:
    """The suites."""
    rows = tomllib.loads(FILE.read_text("utf-8"))["suite"]
    return [Suite(row["release"], tuple(row["needs"]), row["source"], tuple(row["tests"])) for row in rows]


def run(suite: Suite, work: Path, limits: Limits) -> Ran:
    """Fetch, install, fix and test one package.

    Raises:
        subprocess.SubprocessError: a command fails, or takes too long.
    """
    release = Release.parse(suite.release)
    home = work.resolve() / f"{release.name}-{release.version}-suite"
    home.mkdir(parents=True, exist_ok=True)
    released, python = _unpacked(release, home, limits), _installed(suite, home, limits)
    unfixed, fixed = (home / kind / released.name for kind in ("unfixed", "fixed"))
    # Tests leave files behind: what was released stays as it is for the next run.
    shutil.rmtree(unfixed, ignore_errors=True)
    shutil.copytree(released, unfixed)
    applied = apply_fixes(released, fixed, find(released, limits), True, limits)
    changed = tuple(row for file in applied.files for row in changed_rows(released / file, fixed / file))
    before, _ = play(python, unfixed, suite, (), limits)
    after, seen = play(python, fixed, suite, changed, limits)
    names = tuple(str(Path(row).relative_to(fixed)) for row in changed)
    ran = Ran(suite, applied, before, after, names, tuple(str(Path(row).relative_to(fixed)) for row in seen))
    return _steadied(ran, python, (unfixed, fixed), limits)


def changed_rows(before: Path, after: Path) -> list[str]:
    """The rows of the new file that the old one does not have, as `path#row`."""
    old, new = before.read_text("utf-8").splitlines(), after.read_text("utf-8").splitlines()
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [f"{after}#{row + 1}" for kind, _, _, start, end in blocks if kind != "equal" for row in range(start, end)]


def play(
    python: Path, folder: Path, suite: Suite, watched: tuple[str, ...], limits: Limits
) -> tuple[Outcomes, tuple[str, ...]]:
    """Run the tests on the package in a folder: how each ended, and which of the watched rows ran.

    Raises:
        subprocess.SubprocessError: they take too long, or do not even start.
    """
    with tempfile.TemporaryDirectory() as place:
        report, log = Path(place) / "report.xml", Path(place) / "log"
        log.touch()
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(WATCHING), str(folder / suite.source)]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LOOPSAFE_SUITE_LOG": str(log),
            "LOOPSAFE_SUITE_ROWS": os.pathsep.join(watched),
        }
        command = [python, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", *suite.tests]
        told = _command(command, limits, folder, environment, (0, 1))
        if not report.exists():
            raise subprocess.SubprocessError(told[-500:])
        return read_report(report), tuple(sorted(set(log.read_text("utf-8").splitlines())))


def read_report(report: Path) -> Outcomes:
    """How each test ended, from pytest's report."""
    cases = ElementTree.parse(report).iter("testcase")
    kinds = {"failure": "failed", "error": "error", "skipped": "skipped"}
    return {
        f"{case.get('classname')}::{case.get('name')}": next(
            (kinds[child.tag] for child in case if child.tag in kinds), "passed"
        )
        for case in cases
    }


def table(results: list[Ran]) -> str:
    """A package a row."""
    lines = [
        "| package | fixed | tests before | tests after | ended otherwise | unsteady | changed rows run |",
        "|---|--:|---|---|--:|--:|---|",
    ]
    for ran in results:
        seen = f"{len(ran.seen)} of {len(ran.changed)}: {', '.join(f'`{row}`' for row in ran.seen)}".rstrip(": ")
        counts = (_counts(ran.before), _counts(ran.after), len(ran.differing), len(ran.unsteady))
        cells = (ran.suite.release, ran.applied.fixed, *counts, seen)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def problems(ran: Ran) -> list[str]:
    """What is wrong with a result."""
    name = ran.suite.release
    found = [f"{name}: {test}: {ran.before.get(test)} before, {ran.after.get(test)} after" for test in ran.differing]
    found += [f"{name}: {problem}" for problem in ran.applied.wrong]
    found += [] if ran.applied.fixed else [f"{name}: nothing was fixed"]
    return found + ([] if "passed" in ran.after.values() else [f"{name}: no test passed"])


def _counts(outcomes: Outcomes) -> str:
    counted = Counter(outcomes.values())
    return ", ".join(f"{counted[kind]} {kind}" for kind in OUTCOMES if counted[kind])


def _steadied(ran: Ran, python: Path, folders: tuple[Path, Path], limits: Limits) -> Ran:
    """Where tests ended otherwise, both sides once more: a test that does not agree with itself tells nothing."""
    if not ran.differing:
        return ran
    outcomes = (ran.before, ran.after)
    again = [play(python, folder, ran.suite, (), limits)[0] for folder in folders]
    unsteady = {name for one, two in zip(outcomes, again, strict=True) for name in one if one[name] != two.get(name)}
    before, after = ({name: one[name] for name in one if name not in unsteady} for one in outcomes)
    return replace(ran, before=before, after=after, unsteady=tuple(sorted(unsteady)))


def _unpacked(release: Release, home: Path, limits: Limits) -> Path:
    """The folder of the source distribution."""
    folder = home / "released"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=home) as place:
            source = (*_QUIET, "--no-deps", "--no-binary", release.name, "--dest", place)
            _command([sys.executable, "-m", "pip", "download", *source, str(release)], limits)
            with tarfile.open(next(Path(place).glob("*.tar.gz"))) as archive:
                archive.extractall(folder, filter="data")
    return next(folder.iterdir())


def _installed(suite: Suite, home: Path, limits: Limits) -> Path:
    """The Python of an environment with the package and all that its tests need."""
    python = home / "environment" / "bin" / "python"
    if not (home / "installed").exists():
        venv.create(home / "environment", clear=True, with_pip=True)
        _command([python, "-m", "pip", "install", *_QUIET, *suite.needs, suite.release], limits)
        (home / "installed").touch()
    return python


def _command(
    arguments: Sequence[str | Path],
    limits: Limits,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    usual: tuple[int, ...] = (0,),
) -> str:
    """What a command prints.

    Raises:
        subprocess.SubprocessError: it fails, or takes too long.
    """
    done = subprocess.run(
        list(map(str, arguments)),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=limits.seconds,
        check=False,
    )
    if done.returncode not in usual:
        raise subprocess.SubprocessError(f"exit {done.returncode}: {done.stdout[-500:]}")
    return done.stdout
