"""Compare loopsafe with what a person found in the applications of `read_by_hand/`.

    python -m benchmarks.accuracy.by_hand                 # from the checkout's root
    python -m benchmarks.accuracy.by_hand --app NAME      # one application

Needs pip, and a package index for releases that the cache does not have. Prints each site that is wrong and not found,
each look-alike that is reported, and each finding that nobody has judged; then the totals.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.accuracy.checking import Finding, Limits, check
from benchmarks.accuracy.releases import NotFetchedError, Release
from benchmarks.caches import add_cache_option

FOLDER = Path(__file__).with_name("read_by_hand")
# A person names the statement, loopsafe the call in it.
_NEAR = 2


@dataclass(frozen=True, slots=True)
class Site:
    """A place that a person has judged: `verdict` is true, safe or unsure; `sure` says how much the person is."""

    app: Release
    path: str
    row: int
    verdict: str
    sure: bool
    text: str

    def is_at(self, finding: Finding) -> bool:
        """Whether a finding is about this place; its path may pass a mistake on the way to where it is told."""
        passed = finding.witness if self.verdict == "true" else finding.witness[-1:]
        places = [(finding.path, finding.row), *((one.path, one.row) for one in passed)]
        return any(path == self.path and abs(row - self.row) <= _NEAR for path, row in places)


def main() -> int:
    """Compare what the arguments ask for; 1 if an application could not be analysed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--app", default="", help="only this one")
    add_cache_option(parser, "loopsafe-accuracy", "where releases are kept")
    options = parser.parse_args()
    sites = [site for site in read_sites() if options.app in ("", site.app.name)]
    total: Counter[str] = Counter()
    failed = False
    for app in dict.fromkeys(site.app for site in sites):
        try:
            outcome = check(app.unpacked(options.cache), Limits())
        except NotFetchedError as error:
            print(error)
            failed = True
            continue
        if outcome.failure:
            print(f"{app}: {outcome.failure}")
            failed = True
        total += compared(app, [site for site in sites if site.app == app], outcome.findings)
    for name in sorted(total):
        print(f"{name}: {total[name]}")
    return int(failed)


def read_sites() -> list[Site]:
    """All places that were judged."""
    lines = (FOLDER / "sites.jsonl").read_text("utf-8").splitlines()
    return [_site(json.loads(line)) for line in lines]


def _site(entry: dict[str, Any]) -> Site:
    return Site(
        Release(entry["app"], entry["version"]),
        entry["path"],
        entry["line"],
        entry["verdict"],
        entry["confidence"] == "sure",
        f"{entry['code']} {entry['reason']}",
    )


def compared(app: Release, sites: Sequence[Site], findings: Sequence[Finding]) -> Counter[str]:
    """How many sites of each kind were found; the surprises are printed."""
    total: Counter[str] = Counter()
    for site in sites:
        found = any(map(site.is_at, findings))
        # Of two places side by side a finding may be about either; a wrong one explains it.
        known = found and any(other.verdict == "true" and any(map(other.is_at, findings)) for other in sites)
        kind = "true (sure)" if site.verdict == "true" and site.sure else site.verdict
        total[f"{kind}, all"] += 1
        total[f"{kind}, reported"] += found
        if found != (site.verdict == "true") and site.verdict != "unsure" and not (site.verdict == "safe" and known):
            print(f"{app}: {site.path}:{site.row}: {'reported' if found else 'missed'}: {site.text}")
    for finding in findings:
        if not any(site.is_at(finding) for site in sites):
            total["not judged, reported"] += 1
            print(f"{app}: {finding.path}:{finding.row}: not judged: {finding.code} {finding.message}")
    return total


if __name__ == "__main__":
    sys.exit(main())
