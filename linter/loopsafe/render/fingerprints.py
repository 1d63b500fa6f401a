"""Names of findings that stay when lines move, for whoever compares one run with the next."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256

from loopsafe.findings import Finding


def fingerprints(findings: Sequence[Finding]) -> Iterator[str]:
    """A name for each, of its file, code and text, and its number among equals."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        identity = (finding.location.path, finding.code, finding.witness[-1].source)
        seen[identity] += 1
        yield sha256(json.dumps([*identity, seen[identity]]).encode()).hexdigest()
