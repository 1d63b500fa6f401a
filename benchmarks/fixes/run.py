"""Apply all fixes to copies of released packages that have findings, and write the tables of docs/fixes-compared.md.

    python -m benchmarks.fixes.run                      # everything, from the checkout's root
    python -m benchmarks.fixes.run --only suites        # the packages' own tests, before and after
    python -m benchmarks.fixes.run --only checkers      # what mypy and ruff say, before and after
    python -m benchmarks.fixes.run --only shares        # how many findings get a fix, and who read the safe ones
    python -m benchmarks.fixes.run --package tornado    # one package, page left alone

Needs the packages that `python -m benchmarks.accuracy.run` fetches. The fixed copies stay in the work folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.accuracy.by_hand import read_sites
from benchmarks.accuracy.checking import Limits
from benchmarks.accuracy.labels import read_labels
from benchmarks.accuracy.pages import fill
from benchmarks.accuracy.releases import NotFetchedError, Release
from benchmarks.accuracy.verdicts import read_verdicts
from benchmarks.caches import add_cache_option
from benchmarks.fixes import checkers, comparing, shares, suites
from benchmarks.fixes.applying import Applied, apply_fixes, find, find_all

# Many findings, and a source that mypy accepts.
LARGE = "homeassistant==2025.4.4"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "fixes-compared.md"


def main() -> int:
    """Run what the arguments ask for; 1 if anything was wrong."""
    options = _options()
    wrong = [problem for part in options.only or PARTS for problem in PARTS[part](options)]
    print(*wrong, sep="\n", file=sys.stderr)
    return bool(wrong)


def _packages(options: argparse.Namespace) -> list[str]:
    """All fixes on copies of the packages: what is wrong."""
    pins = sorted({verdict.release for verdict in read_verdicts().values()})
    rows = [row for pin in _wanted(pins, options) for row in _run(Release.parse(pin), options)]
    if not options.package:
        fill(PAGE, "packages", table(rows))
        fill(PAGE, "labels", comparing.table())
    return [problem for _, _, applied in rows for problem in applied.wrong]


def _suites(options: argparse.Namespace) -> list[str]:
    """The packages' own tests: what is wrong."""
    known = {suite.release: suite for suite in suites.read()}
    results, wrong = [], []
    for pin in _wanted(list(known), options):
        try:
            results.append(suites.run(known[pin], options.work, Limits(options.timeout, options.memory)))
        except (subprocess.SubprocessError, OSError) as error:
            wrong.append(f"{pin}: {error}")
        else:
            print(suites.table(results[-1:]), *suites.problems(results[-1]), sep="\n", flush=True)
    if not options.package:
        fill(PAGE, "suites", suites.table(results))
    return wrong + [problem for ran in results for problem in suites.problems(ran)]


def _checkers(options: argparse.Namespace) -> list[str]:
    """mypy and `ruff format` before and after all fixes: what is wrong."""
    labelled = {label.release for label in read_labels()}
    judged = {verdict.release for verdict in read_verdicts().values()}
    pins = sorted({*judged, *labelled, *(str(site.app) for site in read_sites()), LARGE})
    rows, wrong, limits = [], list[str](), Limits(options.timeout, options.memory)
    for pin in _wanted(pins, options):
        try:
            folder = Release.parse(pin).unpacked(options.cache)
            applied = apply_fixes(folder, copy := options.work / f"{pin}-checked", find(folder, limits), True, limits)
            if applied.files:
                rows.append(checkers.check(pin, folder, copy, applied.files, limits))
                print(checkers.table(rows[-1:]), *checkers.problems(rows[-1]), sep="\n", flush=True)
        except (subprocess.SubprocessError, NotFetchedError) as error:
            wrong.append(f"{pin}: {error}")
    if not options.package:
        fill(PAGE, "checkers", checkers.table(rows))
    return wrong + [problem for row in rows for problem in checkers.problems(row)]


def _shares(options: argparse.Namespace) -> list[str]:
    """What is offered for the findings of the precision set and of the known bugs: what is wrong."""
    judged, labels = read_verdicts(), read_labels()
    labelled = {(label.release, label.path, line) for label in labels for line in label.lines}
    true = {key for key, verdict in judged.items() if verdict.verdict == "true"} | labelled
    rows, wrong, read = list[shares.Offered](), list[str](), {key[0] for key in judged}
    for pin in _wanted(sorted(read | {label.release for label in labels}), options):
        try:
            folder = Release.parse(pin).unpacked(options.cache)
            found = find_all(folder, Limits(options.timeout, options.memory))
        except (subprocess.SubprocessError, NotFetchedError) as error:
            wrong.append(f"{pin}: {error}")
            continue
        # Of a release that was not judged as a whole, only the known bugs count.
        rows += [row for row in shares.offered(pin, folder, found, true) if pin in read or row.is_true]
    for row in rows:
        print(": ".join(row.key), row.kind, row.reason, sep=" | ", flush=True)
    print(shares.table(rows))
    if not options.package:
        fill(PAGE, "shares", shares.table(rows))
        fill(PAGE, "safe", shares.safe_table(rows))
    return wrong + shares.problems(rows)


PARTS = {"packages": _packages, "suites": _suites, "checkers": _checkers, "shares": _shares}


def _wanted(pins: list[str], options: argparse.Namespace) -> list[str]:
    return [pin for pin in pins if not options.package or pin.partition("==")[0] in options.package]


Row = tuple[str, bool, Applied]


def table(rows: list[Row]) -> str:
    """The results, a package a row, and their sums."""
    lines = [
        "| package | offered, safe | fixed, safe | offered, with unsafe | fixed, with unsafe | files changed | wrong |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    pairs = [(pin, safe, both) for (pin, _, safe), (_, _, both) in zip(rows[::2], rows[1::2], strict=True)]
    for pin, safe, both in pairs:
        if both.offered or both.wrong or safe.wrong:
            counts = _counts(safe, both)
            lines.append(f"| {pin} | {' | '.join(map(str, counts))} |")
    sums = [sum(column) for column in zip(*(_counts(safe, both) for _, safe, both in pairs), strict=True)]
    lines.append(f"| **all {len(pairs)}** | {' | '.join(map(str, sums))} |")
    return "\n".join(lines)


def _counts(safe: Applied, both: Applied) -> tuple[int, ...]:
    return safe.offered, safe.fixed, both.offered, both.fixed, len(both.files), len(safe.wrong) + len(both.wrong)


def _run(release: Release, options: argparse.Namespace) -> list[Row]:
    """The safe fixes of a package, then all."""
    limits = Limits(options.timeout, options.memory)
    try:
        folder = release.unpacked(options.cache)
        found = find(folder, limits)
        safe = [entry for entry in found if entry["fix"]["applicability"] == "safe"]
        copies = (options.work / f"{release.name}-{release.version}-{kind}" for kind in ("safe", "unsafe"))
        rows = [apply_fixes(folder, next(copies), safe, False, limits)]
        # Where there is no unsafe fix, all of them are the safe ones.
        rows.append(apply_fixes(folder, next(copies), found, True, limits) if len(found) > len(safe) else rows[0])
    except subprocess.SubprocessError as error:
        rows = [Applied(0, 0, (), (), (f"{release}: {error}",))] * 2
    print(*(json.dumps({"release": str(release), **asdict(applied)}) for applied in rows), sep="\n", flush=True)
    return [(str(release), unsafe, applied) for unsafe, applied in zip((False, True), rows, strict=True)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Apply all fixes to copies of released packages.")
    parser.add_argument("--package", action="append", default=[], help="only this one; may be given several times")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part; may be given several times")
    add_cache_option(parser, "loopsafe-accuracy", "where releases are kept")
    # Not in the checkout: what git ignores there is not analysed.
    work = Path(tempfile.gettempdir()) / "loopsafe-fixes"
    parser.add_argument("--work", type=Path, default=work, help="where the fixed copies go")
    parser.add_argument("--timeout", type=float, default=600, help="seconds a command may take")
    parser.add_argument("--memory", type=int, default=8000, help="megabytes a command may take")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
