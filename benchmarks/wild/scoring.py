"""Findings against labels. A finding is about a label where both stand on the same statement of the same file.

Which code a tool gives is not compared, since each has codes of its own; of several labels on a statement, that with
the finding's code is taken, or else one that is true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy import tables
from benchmarks.accuracy.releases import Release
from benchmarks.accuracy.scoring import on_statement, statement_spans
from benchmarks.accuracy.verdicts import Judged, Verdict
from benchmarks.wild.findings import Found
from benchmarks.wild.labels import Label

# The folder of a release, or None where its source is not there: then only the very line counts.
Folders = Callable[[str], Path | None]


@dataclass(frozen=True, slots=True)
class Result:
    """The findings, each with its label, and the labels, each with whether it was found."""

    findings: tuple[tuple[Found, Label | None], ...]
    labels: tuple[tuple[Label, bool], ...]

    @property
    def real(self) -> list[tuple[Label, bool]]:
        """The labels that say true."""
        return [(label, found) for label, found in self.labels if label.verdict == "true"]


def score(findings: Iterable[Found], labels: Sequence[Label], folder: Folders) -> Result:
    """Hold findings against labels."""
    unique = tuple(dict.fromkeys(findings))
    places = _Places(folder)
    about = {label: [one for one in unique if places.same(label, one)] for label in labels}
    return Result(
        tuple((one, _best(one, [label for label, some in about.items() if one in some])) for one in unique),
        tuple((label, bool(some)) for label, some in about.items()),
    )


class _Places:
    """Which lines belong to one statement."""

    def __init__(self, folder: Folders) -> None:
        self._folder = folder
        self._spans: dict[tuple[str, str], list[tuple[int, int]]] = {}

    def same(self, label: Label, found: Found) -> bool:
        """Whether both stand on one statement."""
        if (label.release, label.path) != (found.release, found.path):
            return False
        return bool(on_statement(label.line, self._of(label.release, label.path), [found.of_loopsafe()]))

    def _of(self, release: str, path: str) -> list[tuple[int, int]]:
        key = release, path
        if key not in self._spans:
            folder = self._folder(release)
            file = folder / path if folder else None
            known = file is not None and file.is_file()
            self._spans[key] = statement_spans(file.read_text("utf-8", errors="replace")) if file and known else []
        return self._spans[key]


def _best(found: Found, labels: list[Label]) -> Label | None:
    return min(labels, key=lambda label: (label.code != found.code, label.verdict != "true"), default=None)


def report(result: Result) -> str:
    """The figures as Markdown: what was found, and how much of what is true."""
    judged = [_judged(found, label) for found, label in result.findings]
    return f"{tables.precision(judged)}\n\n{_recall(result)}"


def _recall(result: Result) -> str:
    real = result.real
    groups = [("all true labels", real)]
    for field in ("code", "harm", "confidence"):
        for value in sorted({str(getattr(label, field)) for label, _ in real}):
            groups.append((f"{field}: {value}", [one for one in real if str(getattr(one[0], field)) == value]))
    rows = [_row(name, [found for _, found in group]) for name, group in groups]
    return tables.table(("labels", "true", "found", "recall"), rows)


def _row(name: str, found: list[bool]) -> tuple[str, ...]:
    share = f"{sum(found) / len(found):.0%}" if found else ""
    return name, str(len(found)), str(sum(found)), share


def _judged(found: Found, label: Label | None) -> Judged:
    verdict = Verdict(label.release, label.path, label.code, "", label.verdict, label.reason) if label else None
    return Judged(Release.parse(found.release), found.of_loopsafe(), "", verdict)
