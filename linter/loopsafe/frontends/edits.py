"""What some formats carry of the files that findings lie in: the text changes of single fixes, and rows."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from loopsafe.findings import Edit, Finding, FixPlan
from loopsafe.project.notebooks import code_at, code_in
from loopsafe.project.sources import NEWLINE
from loopsafe.project.widths import row_width

if TYPE_CHECKING:
    from loopsafe.fixes import FixResult


Edits = dict[Finding, tuple[Edit, ...]]


def worked_out(findings: Sequence[Finding], overlay: Mapping[Path, str]) -> tuple[tuple[Finding, ...], Edits]:
    """The findings, and what each fix would change by itself; a fix that does not work out is declined.

    Findings are in order of path. `overlay` has the text of files that are not as on disk, by resolved path.
    """
    fixable = (finding for finding in findings if finding.fix and finding.fix.rewrites)
    results: dict[Finding, FixResult] = {}
    for path, group in groupby(fixable, key=lambda finding: finding.location.path):
        results.update(_results_in_file(_text(path, overlay), list(group), row_width(Path(path))))
    edits = {finding: result.edits for finding, result in results.items() if result.edits}
    return tuple(_declined(finding, results.get(finding)) for finding in findings), edits


def rows_of(findings: Iterable[Finding], overlay: Mapping[Path, str]) -> dict[str, list[str]]:
    """The rows of each file that a finding lies in, but for those that cannot be read any more."""
    rows = {}
    for path in dict.fromkeys(finding.location.path for finding in findings):
        with contextlib.suppress(OSError, SyntaxError, MemoryError):
            rows[path] = NEWLINE.split(_text(path, overlay))
    return rows


def _declined(finding: Finding, result: FixResult | None) -> Finding:
    reason = result.failed[0][1] if result and result.failed else ""
    return replace(finding, fix=FixPlan("declined", reason)) if reason else finding


def _text(path: str, overlay: Mapping[Path, str]) -> str:
    key = Path(os.path.realpath(path))
    return code_in(path, overlay[key]) if key in overlay else code_at(path)


def _results_in_file(text: str, findings: Iterable[Finding], width: int | None) -> dict[Finding, FixResult]:
    # LibCST takes longer to load than many a run takes, and is needed only now that there is something to fix.
    from loopsafe.fixes import fix_source

    return {finding: fix_source(text, [finding.fix], width) for finding in findings if finding.fix}
