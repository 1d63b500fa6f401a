"""What the source of installed libraries changes: findings, time and memory, with it and with `--no-dependencies`.

    python -m benchmarks.accuracy.with_libraries --write              # from the checkout's root
    python -m benchmarks.accuracy.with_libraries --package tornado    # one package, the page left alone

Takes the first packages of packages.txt that are not too large, each with all that it depends on installed into a
`.venv` beside it, from wheels only; a package whose dependencies cannot be had so is named and left out. Each is
analysed four times: without the libraries and with them, cold (nothing is kept) and warm (everything is). Findings that
only one of the two has are printed, to be judged. Seconds are those of the processor, of all processes of a run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.accuracy.checking import LOOPSAFE, SOURCE_ROOT, Finding, Limits, Outcome, check
from benchmarks.accuracy.pages import fill
from benchmarks.accuracy.releases import NotFetchedError, Release, count_lines, read_pins
from benchmarks.accuracy.run import ACCURACY, PACKAGES
from benchmarks.accuracy.tables import table
from benchmarks.accuracy.verdicts import judge, read_verdicts
from benchmarks.caches import add_cache_option

WITHOUT = ("--no-dependencies",)
HEAD = ("package", "lines", "read", "findings", "more", "fewer", "cold, s", "warm, s", "cold, MB", "warm, MB")


@dataclass(frozen=True, slots=True)
class Pair:
    """One thing without the libraries and with them."""

    without: Outcome
    with_them: Outcome

    def of(self, figure: str) -> tuple[float, float]:
        """A figure of both."""
        return getattr(self.without, figure), getattr(self.with_them, figure)


@dataclass(frozen=True, slots=True)
class Measured:
    """One package: how many modules of libraries are read, and what comes out."""

    release: Release
    lines: int
    read: int
    cold: Pair
    warm: Pair

    @property
    def only_with(self) -> list[Finding]:
        """The findings that the libraries bring."""
        return _more(self.cold.with_them, self.cold.without)

    @property
    def only_without(self) -> list[Finding]:
        """The findings that the libraries take away."""
        return _more(self.cold.without, self.cold.with_them)

    def row(self) -> tuple[str, ...]:
        """The row of the table."""
        found = tuple(map(str, (len(self.cold.without.findings), len(self.only_with), len(self.only_without))))
        seconds = (_both(pair.of("processor"), ".1f") for pair in (self.cold, self.warm))
        memory = (_both(pair.of("megabytes"), ".0f") for pair in (self.cold, self.warm))
        return (str(self.release), f"{self.lines:,}", str(self.read), *found, *seconds, *memory)


def measure(release: Release, folder: Path, limits: Limits) -> Measured:
    """Analyse a package that lies in a folder with its environment.

    Raises:
        RuntimeError: a run has failed.
    """
    pairs: list[Pair] = []
    with tempfile.TemporaryDirectory() as scratch:
        caches = [Path(scratch, name) for name in ("without", "with")]
        for _ in ("cold", "warm"):
            runs = [check(folder, limits, *how) for how in zip((WITHOUT, ()), caches, strict=True)]
            for failure in (run.failure for run in runs if run.failure):
                raise RuntimeError(f"{release}: {failure}")
            pairs.append(Pair(*runs))
    # The package's own lines, not those of its environment.
    lines = sum(count_lines(part) for part in folder.iterdir() if part.name != ".venv" and part.is_dir())
    lines += sum(module.read_bytes().count(b"\n") for module in folder.glob("*.py"))
    return Measured(release, lines, _read(folder), *pairs)


def installed(release: Release, cache: Path) -> Path:
    """The folder with a release's Python files, and beside them a `.venv` with all that it depends on.

    Raises:
        NotFetchedError: the index did not give all of that.
    """
    folder = cache / "installed" / str(release)
    if not folder.is_dir():
        source = release.unpacked(cache)
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            made = Path(work, "made")
            shutil.copytree(source, made)
            _call(release, sys.executable, "-m", "venv", "--without-pip", made / ".venv")
            pip = (sys.executable, "-m", "pip", "--python", made / ".venv" / "bin" / "python", "--quiet")
            _call(release, *pip, "install", "--only-binary", ":all:", "--no-compile", release)
            # It is the project here, not one of its libraries.
            _call(release, *pip, "uninstall", "--yes", release.name)
            made.rename(folder)
    return folder


def report(measured: Sequence[Measured]) -> str:
    """The table, with what it amounts to."""
    reading = [one for one in measured if one.read]
    told = [f"{len(measured)} packages; of {len(reading)} libraries are read. Without the libraries / with them:"]
    for whose, some in (("all packages", measured), ("those that read libraries", reading)):
        cold, warm = [one.cold for one in some], [one.warm for one in some]
        told.append(
            f"- {whose}: {_sums(cold)} seconds cold, {_sums(warm)} warm; the ratio has the median "
            f"{_ratio(cold, 'processor')} cold, {_ratio(warm, 'processor')} warm, that of memory "
            f"{_ratio(cold, 'megabytes')} and {_ratio(warm, 'megabytes')}"
        )
    return "\n".join([*told, "", table(HEAD, [one.row() for one in measured])])


def _ratio(pairs: Sequence[Pair], figure: str) -> str:
    return f"{median(high / low for low, high in (pair.of(figure) for pair in pairs)):.2f}" if pairs else "none"


def _sums(pairs: Sequence[Pair]) -> str:
    both = [pair.of("processor") for pair in pairs]
    return _both((sum(low for low, _ in both), sum(high for _, high in both)), ".0f")


def _both(figures: tuple[float, float], form: str) -> str:
    return " / ".join(format(figure, form) for figure in figures)


def _more(outcome: Outcome, other: Outcome) -> list[Finding]:
    known = {(one.code, one.path, one.row) for one in other.findings}
    return [one for one in outcome.findings if (one.code, one.path, one.row) not in known]


def _read(folder: Path) -> int:
    """How many modules of libraries `loopsafe env` says are read."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE_ROOT)}
    command = (*LOOPSAFE[:-1], "env")
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    read = (line.partition(": read: ")[2] for line in done.stdout.splitlines())
    return sum(int(told.split()[0]) for told in read if told)


def _call(release: Release, *command: object) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotFetchedError(f"{release}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")


def _explained(one: Measured, folder: Path) -> Iterator[str]:
    verdicts = read_verdicts()
    for word, findings in (("only with", one.only_with), ("only without", one.only_without)):
        for finding in findings:
            how = f"{finding.confidence}; {judge(one.release, folder, finding, verdicts).answer}"
            yield f"  {word}: {finding.path}:{finding.row}: {finding.code} {finding.message} ({how})"
            yield from (f"      {place.path}:{place.row}  {place.source}" for place in finding.witness)


def main() -> int:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_cache_option(parser, "loopsafe-accuracy", "where releases are kept")
    parser.add_argument("--package", action="append", default=[], help="only this package; may be repeated")
    parser.add_argument("--number", type=int, default=30, help="how many packages (default: %(default)s)")
    parser.add_argument("--lines", type=int, default=100_000, help="the most lines of one (default: %(default)s)")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one run")
    parser.add_argument("--memory", type=int, default=8000, help="megabytes for one run")
    parser.add_argument("--write", action="store_true", help=f"put the table into {ACCURACY.name}")
    options = parser.parse_args()
    pins = [pin for pin in read_pins(PACKAGES) if not options.package or pin.name in options.package]
    measured: list[Measured] = []
    for pin in pins:
        if len(measured) == options.number:
            break
        try:
            if count_lines(pin.unpacked(options.cache)) > options.lines:
                continue
            folder = installed(pin, options.cache)
            one = measure(pin, folder, Limits(options.timeout, options.memory))
        except (NotFetchedError, RuntimeError) as error:
            print(error, file=sys.stderr, flush=True)
            continue
        measured.append(one)
        print(" | ".join(one.row()), *_explained(one, folder), sep="\n", flush=True)
    print(report(measured))
    if options.write:
        fill(ACCURACY, "libraries", report(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
