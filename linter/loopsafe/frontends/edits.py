"""The text changes of single fixes, for the formats that carry them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from loopsafe.findings import Edit, Finding
from loopsafe.sources import decode


def edits_of(findings: Iterable[Finding], overlay: Mapping[Path, str]) -> dict[Finding, tuple[Edit, ...]]:
    """What each fix would change by itself. Findings are in order of path; those without a workable fix are left out.

    `overlay` has the text of files that are not as on disk, by resolved path.
    """
    fixable = (finding for finding in findings if finding.fix and finding.fix.rewrites)
    edits: dict[Finding, tuple[Edit, ...]] = {}
    for path, group in groupby(fixable, key=lambda finding: finding.location.path):
        edits.update(_edits_in_file(_text(path, overlay), list(group)))
    return edits


def _text(path: str, overlay: Mapping[Path, str]) -> str:
    key = Path(os.path.realpath(path))
    return overlay[key] if key in overlay else decode(Path(path).read_bytes()).text


def _edits_in_file(text: str, findings: Iterable[Finding]) -> dict[Finding, tuple[Edit, ...]]:
    # LibCST takes longer to load than many a run takes, and is needed only now that there is something to fix.
    from loopsafe.fixes import fix_source

    results = {finding: fix_source(text, [finding.fix]) for finding in findings if finding.fix}
    return {finding: result.edits for finding, result in results.items() if result.edits}
