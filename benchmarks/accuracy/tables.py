"""The benchmark's results as the Markdown that docs/accuracy.md and docs/found-in-the-wild.md hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.accuracy.checking import Outcome
from benchmarks.accuracy.releases import Release
from benchmarks.accuracy.scoring import FOUND, MISSED, PARTLY, Score
from benchmarks.accuracy.verdicts import Judged

RESULTS = (FOUND, PARTLY, MISSED)
Item = TypeVar("Item")
ANSWERS = ("true", "false", "unsure", "not judged")


@dataclass(frozen=True, slots=True)
class Ran:
    """One package of the precision set."""

    release: Release
    lines: int
    outcome: Outcome


def recall(scores: Sequence[Score]) -> str:
    """Cases found, by origin and by scope, and one line for each that is not."""
    rows = [("all cases", scores), ("asyncio, origin visible in code", list(filter(_counts, scores)))]
    rows += [(f"origin: {origin}", group) for origin, group in _groups(scores, lambda score: score.label.origin)]
    rows += [(f"scope: {scope}", group) for scope, group in _groups(scores, lambda score: score.label.scope)]
    body = [(name, str(len(group)), *_counted(score.result for score in group)) for name, group in rows]
    return "\n\n".join(
        [table(("cases", "number", *RESULTS), body), table(("case", "result", "where", "why"), list(_missed(scores)))]
    )


def precision(judged: Sequence[Judged]) -> str:
    """Verdicts by confidence and by rule."""
    groups = [("all findings", list(judged))]
    groups += [
        *_groups(judged, lambda one: f"confidence: {one.finding.confidence}"),
        *_groups(judged, lambda one: f"rule: {one.finding.code}"),
    ]
    rows = [(name, *_answers(group), _share(group)) for name, group in groups]
    return table(("findings", *ANSWERS, "true of those judged"), rows)


def packages(ran: Sequence[Ran], judged: Sequence[Judged]) -> str:
    """What each package of the precision set has and costs."""
    total = f"{len(ran)} packages, {sum(one.lines for one in ran):,} lines."
    rows = [
        (
            f"{one.release}",
            f"{one.lines:,}",
            f"{one.outcome.seconds:.1f}",
            str(one.outcome.megabytes),
            one.outcome.failure or _brief(_of(one.release, judged)),
        )
        for one in ran
    ]
    return f"{total}\n\n" + table(("package", "lines", "seconds", "MB", "findings"), rows)


def wild(judged: Sequence[Judged]) -> str:
    """The findings that are real bugs, a table for each release."""
    real = [one for one in judged if one.answer == "true" and one.verdict]
    parts = []
    for release, group in _groups(real, lambda one: f"{one.release}"):
        rows = [
            (
                f"`{one.finding.path}:{one.finding.row}`",
                one.finding.code,
                f"`{one.source}`",
                one.verdict.reason if one.verdict else "",
            )
            for one in group
        ]
        parts.append(f"## {release}\n\n" + table(("where", "rule", "line", "why"), rows))
    return "\n\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _counts(score: Score) -> bool:
    return score.label.framework == "asyncio" and score.label.visible


def _missed(scores: Iterable[Score]) -> Iterable[tuple[str, ...]]:
    for score in scores:
        if score.result != FOUND:
            lines = ", ".join(map(str, score.label.lines))
            where = f"{score.label.release} `{score.label.path}` {lines}"
            yield score.label.id, score.result, where, score.label.if_missed


def _groups(items: Sequence[Item], key: Callable[[Item], str]) -> list[tuple[str, list[Item]]]:
    return [(name, [item for item in items if key(item) == name]) for name in sorted({key(item) for item in items})]


def _counted(results: Iterable[str]) -> list[str]:
    counts = Counter(results)
    return [str(counts[result]) for result in RESULTS]


def _answers(group: Iterable[Judged]) -> list[str]:
    counts = Counter(one.answer for one in group)
    return [str(counts[answer]) for answer in ANSWERS]


def _share(group: Iterable[Judged]) -> str:
    counts = Counter(one.answer for one in group)
    judged = counts["true"] + counts["false"] + counts["unsure"]
    return f"{counts['true'] / judged:.0%}" if judged else ""


def _of(release: Release, judged: Iterable[Judged]) -> list[Judged]:
    return [one for one in judged if one.release == release]


def _brief(group: Iterable[Judged]) -> str:
    counts = Counter(one.answer for one in group)
    return ", ".join(f"{counts[answer]} {answer}" for answer in ANSWERS if counts[answer]) or "none"
