"""A page that needs nothing beside it and runs nothing: the table, and the findings of each project."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from loopsafe.findings import Finding
from loopsafe.frontends.fleet.formats import Fleet
from loopsafe.frontends.fleet.formats.table import HEADS, cells, total
from loopsafe.frontends.fleet.outcomes import Outcome
from loopsafe.harmless import printable

_STYLE = """\
body { font: 15px/1.5 sans-serif; margin: 2em; color-scheme: light dark; }
table { border-collapse: collapse; }
th, td { padding: 0.2em 0.8em; text-align: right; border-bottom: 1px solid #8884; vertical-align: top; }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
.bad { color: #c33; }
code { font-family: monospace; }"""
# Nothing is loaded and nothing run, should a text ever get through as markup.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render(fleet: Fleet) -> Iterator[str]:
    """The page."""
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield f'<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield f"<title>loopsafe fleet</title><style>\n{_STYLE}\n</style></head>"
    yield f"<body><h1>loopsafe fleet</h1><p>{_text(total(fleet.outcomes))} loopsafe {_text(fleet.version)}.</p>"
    yield f"<table><thead><tr>{''.join(f'<th>{_text(head)}</th>' for head in HEADS)}</tr></thead><tbody>"
    yield from map(_row, range(len(fleet.outcomes)), fleet.outcomes)
    yield "</tbody></table>"
    for number, outcome in enumerate(fleet.outcomes):
        if outcome.findings:
            yield f'<h2 id="p{number}">{_text(outcome.project)}</h2><ul>'
            yield from map(_finding, outcome.findings)
            yield "</ul>"
    yield "</body></html>"


def _row(number: int, outcome: Outcome) -> str:
    name, *others, status = map(_text, cells(outcome))
    if outcome.findings:
        name = f'<a href="#p{number}">{name}</a>'
    mark = "" if outcome.status == "ok" else ' class="bad"'
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in (name, *others))}<td{mark}>{status}</td></tr>"


def _finding(finding: Finding) -> str:
    way = "".join(
        f"<li>{_text(step.kind)} {_text(str(step.location))} <code>{_text(step.source)}</code></li>"
        for step in finding.witness
    )
    told = f"{finding.location}: {finding.code} {finding.message} ({finding.confidence})"
    return f"<li>{_text(told)}<ul>{way}</ul></li>"


def _text(text: str) -> str:
    return escape(printable(text))
