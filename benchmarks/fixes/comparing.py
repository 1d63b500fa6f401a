"""Our fixes of the labelled bugs beside those that the packages' authors made, as `compared.jsonl` has judged them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("compared.jsonl")
VERDICTS = ("same", "better", "worse")


@dataclass(frozen=True, slots=True)
class Compared:
    """One labelled bug that is found.

    Attributes:
        id: the label's.
        release: where the bug is.
        ours: `safe`, `unsafe` or `declined`.
        fix: the rows that our fix writes; the reason where it is declined.
        upstream: what the authors did, and in which release.
        verdict: of ours beside theirs: `same`, `better` or `worse`; for a declined fix `right` or `wrong`.
        why: the reasons.
    """

    id: str
    release: str
    ours: str
    fix: str
    upstream: str
    verdict: str
    why: str


def read() -> list[Compared]:
    """The judged fixes."""
    return [Compared(**json.loads(line)) for line in FILE.read_text("utf-8").splitlines()]


def table() -> str:
    """The judged fixes, a label a row."""
    lines = ["| bug | fix offered | by the authors | verdict |", "|---|---|---|---|"]
    for one in read():
        ours = f"{one.ours}: {one.fix}" if one.ours == "declined" else f"{one.ours}: {_code(one.fix)}"
        verdict = f"**{one.verdict}**. {one.why}".strip()
        lines.append(f"| {one.id}, {one.release} | {ours} | {one.upstream} | {verdict} |")
    return "\n".join([*lines, "", summary()])


def summary() -> str:
    """How many fixes were offered, and how they compare."""
    found = read()
    offered = [one for one in found if one.ours != "declined"]
    counts = ", ".join(f"{sum(one.verdict == verdict for one in offered)} {verdict}" for verdict in VERDICTS)
    right = sum(one.verdict == "right" for one in found)
    return (
        f"{len(offered)} of {len(found)} offered ({len(offered) / len(found):.0%}): {counts}. "
        f"{len(found) - len(offered)} declined, {right} of them rightly."
    )


def _code(fix: str) -> str:
    return ", ".join(f"`{part.strip()}`" for part in fix.split(";"))
