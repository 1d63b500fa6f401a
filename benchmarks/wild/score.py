"""Score the findings of any tool on the benchmark: how many are true, and how much of what is true is found.

    python -m benchmarks.wild.score FINDINGS.jsonl          # from the checkout's root
    python -m benchmarks.wild.score FINDINGS.jsonl --own    # on the labels and verdicts of benchmarks/accuracy

findings.py says how findings are written, labels.py what the labels mean. With `--own`, cases and verdicts count as
docs/accuracy.md has them. The packages are fetched if the cache does not have them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.accuracy import labels as cases
from benchmarks.accuracy import scoring as by_case
from benchmarks.accuracy import tables
from benchmarks.accuracy.releases import Release, read_pins
from benchmarks.accuracy.run import PACKAGES
from benchmarks.accuracy.verdicts import judge, read_verdicts
from benchmarks.wild.findings import Found, read_findings
from benchmarks.wild.labels import FILE, read_labels
from benchmarks.wild.scoring import report, score
from benchmarks.wild.sources import add_sources_option, fetched


def main() -> int:
    """Score what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("findings", type=Path)
    parser.add_argument("--labels", type=Path, default=FILE, help="other labels than the benchmark's")
    parser.add_argument("--own", action="store_true", help="the project's own cases and verdicts")
    add_sources_option(parser)
    options = parser.parse_args()
    findings = read_findings(options.findings)
    if options.own:
        print(own(findings, options.cache))
    else:
        folders = {str(release): folder for release, folder in fetched(options.cache)}
        print(report(score(findings, read_labels(options.labels), folders.get)))
    return 0


def own(findings: Iterable[Found], cache: Path) -> str:
    """The tables of docs/accuracy.md on known bugs and on findings that are true."""
    of_release: dict[str, list[Found]] = {}
    for one in findings:
        of_release.setdefault(one.release, []).append(one)
    verdicts = read_verdicts()
    scores = []
    for case in cases.read_labels():
        here = [one.of_loopsafe() for one in of_release.get(case.release, [])]
        scores.append(by_case.score(case, Release.parse(case.release).unpacked(cache), here))
    judged = [
        judge(release, release.unpacked(cache), one.of_loopsafe(), verdicts)
        for release in read_pins(PACKAGES)
        for one in of_release.get(str(release), [])
    ]
    return f"{tables.recall(scores)}\n\n{tables.precision(judged)}"


if __name__ == "__main__":
    sys.exit(main())
