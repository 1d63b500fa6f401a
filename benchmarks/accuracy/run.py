"""Measure how often loopsafe is right, on released packages, and write docs/accuracy.md and docs/found-in-the-wild.md.

    python -m benchmarks.accuracy.run                      # everything, from the checkout's root
    python -m benchmarks.accuracy.run --only labels        # the labelled bugs
    python -m benchmarks.accuracy.run --package tornado    # one package, pages left alone

Needs pip, and a package index for releases that the cache does not have. Findings that nobody has judged are printed
and written to `to_judge.jsonl` in the cache, each as a line for verdicts.jsonl that wants a verdict and a reason.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.accuracy import tables
from benchmarks.accuracy.checking import Finding, Limits, Outcome, check
from benchmarks.accuracy.labels import Label, read_labels
from benchmarks.accuracy.pages import fill
from benchmarks.accuracy.releases import NotFetchedError, Release, count_lines, read_pins
from benchmarks.accuracy.scoring import Score, score
from benchmarks.accuracy.verdicts import Judged, as_line, judge, read_verdicts
from benchmarks.caches import add_cache_option

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = Path(__file__).with_name("packages.txt")
ACCURACY = ROOT / "docs" / "accuracy.md"
WILD = ROOT / "docs" / "found-in-the-wild.md"


def main() -> int:
    """Run what the arguments ask for; 1 if a package could not be analysed."""
    options = _options()
    limits = Limits(options.timeout, options.memory)
    labels = [label for label in read_labels() if _wanted(label.release, options.package)]
    pins = [pin for pin in read_pins(PACKAGES) if _wanted(str(pin), options.package)]
    failed: list[str] = []
    whole = not options.package
    if options.only != "packages":
        scores, judged = measure_labels(labels, options.cache, limits, failed)
        report(scores, judged, options.cache / "to_judge_labels.jsonl")
        if whole:
            fill(ACCURACY, "recall", tables.recall(scores))
    if options.only != "labels":
        ran, judged = measure_packages(pins, options.cache, limits, failed)
        report([], judged, options.cache / "to_judge.jsonl")
        if whole:
            write_packages(ran, judged)
    print(*failed, sep="\n", file=sys.stderr)
    return bool(failed)


def measure_labels(
    labels: list[Label], cache: Path, limits: Limits, failed: list[str]
) -> tuple[list[Score], list[Judged]]:
    """Score the cases, release by release; also the findings that no label accounts for."""
    scores: list[Score] = []
    others: list[Judged] = []
    for release in dict.fromkeys(Release.parse(label.release) for label in labels):
        folder, outcome = run(release, cache, limits, failed)
        cases = [score(label, folder, outcome.findings) for label in labels if label.release == str(release)]
        known = {finding for case in cases for finding in case.hits}
        scores += cases
        others += _judge(release, folder, (one for one in outcome.findings if one not in known))
    return sorted(scores, key=lambda case: labels.index(case.label)), others


def measure_packages(
    pins: list[Release], cache: Path, limits: Limits, failed: list[str]
) -> tuple[list[tables.Ran], list[Judged]]:
    """Run the precision set and look up the verdict on each finding."""
    ran: list[tables.Ran] = []
    judged: list[Judged] = []
    for release in pins:
        folder, outcome = run(release, cache, limits, failed)
        ran.append(tables.Ran(release, count_lines(folder), outcome))
        judged += _judge(release, folder, outcome.findings)
    return ran, judged


def run(release: Release, cache: Path, limits: Limits, failed: list[str]) -> tuple[Path, Outcome]:
    """Fetch and analyse a release; what goes wrong is noted and the benchmark goes on."""
    try:
        folder = release.unpacked(cache)
        outcome = check(folder, limits)
    except NotFetchedError as error:
        folder, outcome = cache, Outcome((), 0, 0, str(error))
    if outcome.failure:
        failed.append(f"{release}: {outcome.failure}")
    print(f"{release}: {len(outcome.findings)} findings, {outcome.seconds:.1f} s, {outcome.megabytes} MB", flush=True)
    return folder, outcome


def report(scores: Iterable[Score], judged: Iterable[Judged], file: Path) -> None:
    """Print the cases, and the findings to judge with their witnesses; the latter are also written to a file."""
    for case in scores:
        print(f"{case.result:8}{case.label.id}")
    unjudged = [one for one in judged if one.verdict is None]
    for one in unjudged:
        print(*_explained(one), sep="\n")
    file.write_text("".join(f"{as_line(one.blank())}\n" for one in unjudged), "utf-8")


def write_packages(ran: list[tables.Ran], judged: list[Judged]) -> None:
    """Write the pages' parts on precision."""
    fill(ACCURACY, "precision", tables.precision(judged))
    fill(ACCURACY, "packages", tables.packages(ran, judged))
    fill(WILD, "findings", tables.wild(judged))


def _judge(release: Release, folder: Path, findings: Iterable[Finding]) -> list[Judged]:
    verdicts = read_verdicts()
    return [judge(release, folder, finding, verdicts) for finding in findings]


def _explained(one: Judged) -> Iterator[str]:
    finding = one.finding
    yield f"{one.release} {finding.path}:{finding.row}: {finding.code} {finding.message} ({finding.confidence})"
    for place in finding.witness:
        yield f"    {place.path}:{place.row}  {place.source}"


def _wanted(pin: str, packages: list[str]) -> bool:
    return not packages or Release.parse(pin).name in packages


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.run", description=(__doc__ or "").split("\n")[0]
    )
    add_cache_option(parser, "loopsafe-accuracy", "where releases are kept")
    parser.add_argument("--only", choices=("labels", "packages"), help="half of the benchmark")
    parser.add_argument("--package", action="append", default=[], help="only this package; may be repeated")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one package")
    parser.add_argument("--memory", type=int, default=8000, help="megabytes for one package")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
