"""GitHub Actions' workflow commands: each finding becomes an annotation on its line of the pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from loopsafe.findings import Finding, Problem
from loopsafe.harmless import printable, printable_lines
from loopsafe.locations import Span
from loopsafe.render.lines import line, plain_hop
from loopsafe.render.results import Format, Results


def render(results: Results) -> Iterator[str]:
    """One workflow command a finding: an error where it is certain, else a warning. Then what could not be analysed."""
    yield from map(_command, results.findings)
    yield from map(_problem, results.problems)


def _command(finding: Finding) -> str:
    level = "error" if finding.confidence == "certain" else "warning"
    properties: dict[str, str | int] = {
        "title": f"{finding.code} {finding.name} ({finding.confidence})",
        "file": finding.location.path,
        **_place(finding.location.in_file),
    }
    # An annotation has no other place for the witness than its message.
    message = "\n".join([line(finding), *map(plain_hop, finding.witness)])
    return f"::{level} {_listed(properties)}::{_data(message)}"


def _problem(problem: Problem) -> str:
    properties: dict[str, str | int] = {"title": "loopsafe", "file": problem.path}
    if problem.row:
        properties |= {"line": problem.row, "col": max(problem.column, 1)}
    return f"::{problem.level} {_listed(properties)}::{_data(printable(f'{problem.place}: {problem.message}'))}"


def _listed(properties: Mapping[str, str | int]) -> str:
    return ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())


def _place(span: Span) -> dict[str, str | int]:
    rows: dict[str, str | int] = {"line": span.row, "endLine": span.end_row}
    # GitHub drops an annotation that has columns and more than one row.
    return rows if span.row != span.end_row else {**rows, "col": span.column, "endColumn": span.end_column}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    # A name with line feeds is told as it is, since the format has a way to; other names of that sort find no file.
    return _data(printable_lines(text)).replace(":", "%3A").replace(",", "%2C")


FORMAT = Format(render, tells_problems=True)
