"""GitLab's Code Quality report: what is new becomes a remark on the merge request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from loopsafe.findings import Finding
from loopsafe.render.as_json import written
from loopsafe.render.fingerprints import fingerprints
from loopsafe.render.results import Format, Results


def render(results: Results) -> Iterator[str]:
    """One JSON list."""
    pairs = zip(results.findings, fingerprints(results.findings), strict=True)
    yield written([_issue(finding, fingerprint) for finding, fingerprint in pairs])


def _issue(finding: Finding, fingerprint: str) -> dict[str, Any]:
    span = finding.location.in_file
    return {
        "type": "issue",
        "categories": ["Bug Risk"],
        "check_name": finding.code,
        "description": f"{finding.code} {finding.message_in_file}",
        "fingerprint": fingerprint,
        "severity": "major" if finding.confidence == "certain" else "minor",
        "location": {"path": finding.location.path, "lines": {"begin": span.row, "end": span.end_row}},
    }


FORMAT = Format(render)
