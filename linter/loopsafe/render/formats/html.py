"""For people, in a browser: one file with each finding, its path and its remedy, which needs no network.

All of it is there without a script; the script filters.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from loopsafe.findings import Edit, Finding, FixPlan, Step
from loopsafe.render.pages.markdown import from_markdown, inline
from loopsafe.render.pages.page import page, text
from loopsafe.render.results import Format, Results, RuleInfo

_BEFORE, _WIDTH = 80, 200
# What is longer than this is no source that anybody reads.
_LONGEST_ROW = 1000
_CONTEXT = 2
_FIXES = {"safe": "safe fix", "unsafe": "unsafe fix", "declined": "no fix"}
_STYLES = {"+": "add", "-": "del", "@": "at"}


def render(results: Results) -> Iterator[str]:
    """The report."""
    return page("loopsafe report", ("page.css", "report.css"), _body(results), ("report.js",))


def _body(results: Results) -> Iterator[str]:
    found = results.findings
    rules = [rule for rule in results.rules if any(finding.code == rule.code for finding in found)]
    yield "<header>"
    yield "<h1>loopsafe report</h1>"
    yield f"<p>{_summary(found)}</p>"
    yield f'<p class="faint">loopsafe {text(results.version)}</p>' if results.version else ""
    yield "</header>"
    if found:
        yield from _filter(found)
        yield from _table(found, rules)
    if results.problems:
        yield "<h2>Could not be analysed</h2>"
        yield "<ul>"
        yield from (f"<li>{text(str(problem))}</li>" for problem in results.problems)
        yield "</ul>"
    for path, group in groupby(found, key=lambda finding: finding.location.path):
        yield f'<section data-file="{text(path)}">'
        yield f"<h2>{text(path)}</h2>"
        for finding in group:
            yield from _finding(finding, results)
        yield "</section>"
    if rules:
        yield "<h2>The rules</h2>"
    for rule in rules:
        yield from _about(rule)


def _summary(found: Sequence[Finding]) -> str:
    if not found:
        return "No problems found."
    files, sure = len({finding.location.path for finding in found}), Counter(finding.confidence for finding in found)
    return (
        f"{_counted(len(found), 'finding')} in {_counted(files, 'file')}: "
        f"{sure['certain']} certain, {sure['likely']} likely."
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _filter(found: Sequence[Finding]) -> Iterator[str]:
    """The controls, which are hidden where no script can answer them."""
    yield '<div id="filter" class="bar" hidden>'
    yield '<input type="search" id="search" placeholder="Search" aria-label="Search">'
    yield from _choice("rule", "all rules", {finding.code: f"{finding.code} {finding.name}" for finding in found})
    yield from _choice("confidence", "certain and likely", {"certain": "certain", "likely": "likely"})
    yield from _choice("fix", "with and without fix", {**_FIXES, "none": "nothing to fix"})
    yield '<span id="left" class="count faint"></span><span class="grow"></span>'
    yield '<button type="button" id="open">Open all</button>'
    yield "</div>"


def _choice(name: str, everything: str, values: dict[str, str]) -> Iterator[str]:
    yield f'<select id="{name}" aria-label="{name}"><option value="">{everything}</option>'
    yield from (f'<option value="{text(value)}">{text(values[value])}</option>' for value in values)
    yield "</select>"


def _table(found: Sequence[Finding], rules: Sequence[RuleInfo]) -> Iterator[str]:
    counted = Counter((finding.code, finding.confidence) for finding in found)
    known = {rule.code: rule for rule in rules}
    yield "<table>"
    yield '<tr><th>rule</th><th></th><th class="count">certain</th><th class="count">likely</th></tr>'
    for code in sorted({finding.code for finding in found}):
        name = f'<a href="#{text(code)}">{text(code)}</a>' if code in known else text(code)
        what = inline(known[code].summary) if code in known else ""
        numbers = "".join(f'<td class="count">{counted[code, sure]}</td>' for sure in ("certain", "likely"))
        yield f"<tr><td>{name}</td><td>{what}</td>{numbers}</tr>"
    yield "</table>"


def _finding(finding: Finding, results: Results) -> Iterator[str]:
    place, fix = finding.location.told, finding.fix
    kind = fix.applicability if fix else "none"
    yield f'<details class="{finding.confidence}" data-code="{text(finding.code)}"'
    yield f' data-confidence="{finding.confidence}" data-fix="{kind}">'
    yield f'<summary><span class="code">{text(place)}</span> <b>{text(finding.code)}</b> {inline(finding.message)}'
    yield from (f'<span class="tag">{tag}</span>' for tag in (finding.confidence, *([_FIXES[kind]] if fix else [])))
    yield "</summary>"
    yield from _excerpt(finding, results)
    yield "<h3>The path there</h3>"
    yield '<ol class="path">'
    off = True
    for step in finding.witness:
        off = off and step.kind != "loop"
        yield _hop(step, "off" if off else "on")
    yield "</ol>"
    if fix:
        yield from _remedy(fix, finding, results)
    page_name = f"docs/rules/{finding.code}-{finding.name}.md"
    known = any(rule.code == finding.code for rule in results.rules)
    about = (
        f'<a href="#{text(finding.code)}">About {text(finding.code)}</a>' if known else f"About {text(finding.code)}"
    )
    yield f'<p>{about} <span class="faint">{text(page_name)}</span></p>'
    yield "</details>"


def _excerpt(finding: Finding, results: Results) -> Iterator[str]:
    """The row, with the operation marked. It may have changed meanwhile."""
    span, row = finding.location.span, results.row(finding.location.path, finding.location.span.row)
    if row is None or span.column > len(row):
        return
    start, end = span.column - 1, span.end_column - 1 if span.row == span.end_row else len(row)
    before, marked = row[max(0, start - _BEFORE) : start], row[start : min(end, start + _WIDTH)]
    after = row[start + len(marked) : start + len(marked) + _BEFORE]
    number = finding.location.in_cell.row
    yield f"<pre>{number:>5}  {text(before.lstrip())}<mark>{text(marked)}</mark>{text(after.rstrip())}</pre>"


def _hop(step: Step, where: str) -> str:
    source = text(step.source if len(step.source) <= _WIDTH else f"{step.source[: _WIDTH - 4]} ...")
    return (
        f'<li class="{where}"><span class="kind">{step.kind}</span>'
        f'<span class="faint">{text(str(step.location))}</span><br><span class="code">{source}</span></li>'
    )


def _remedy(fix: FixPlan, finding: Finding, results: Results) -> Iterator[str]:
    reason = f": {inline(fix.reason)}" if fix.reason else ""
    yield "<h3>Remedy</h3>"
    yield f"<p>{_FIXES[fix.applicability].capitalize()}{reason}</p>"
    lines = list(_diff(finding.location.path, results.edits.get(finding, ()), results))
    if lines:
        shown = "".join(f'<span class="{_STYLES.get(line[0], "")}">{text(line)}</span>' for line in lines)
        yield f"<pre>{shown}</pre>"


def _diff(path: str, edits: Sequence[Edit], results: Results) -> Iterator[str]:
    """What a fix changes, as the rows before and after; nothing where the rows are not known, or too long to read."""
    for hunk in _hunks(edits):
        first, last = hunk[0].span.row, hunk[-1].span.end_row
        rows = [results.row(path, number) for number in range(max(1, first - _CONTEXT), last + _CONTEXT + 1)]
        # After the last row of the file there is none.
        old = [row for row in rows if row is not None]
        if len(old) <= last - max(1, first - _CONTEXT) or any(len(row) > _LONGEST_ROW for row in old):
            return
        new = _changed(old, max(1, first - _CONTEXT), hunk)
        yield f"@@ row {first} @@"
        yield from list(difflib.unified_diff(old, new, lineterm="", n=_CONTEXT))[3:]


def _hunks(edits: Sequence[Edit]) -> Iterator[list[Edit]]:
    """Edits that are near each other, in order."""
    hunk: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: edit.span):
        if hunk and edit.span.row - hunk[-1].span.end_row > 2 * _CONTEXT:
            yield hunk
            hunk = []
        hunk.append(edit)
    if hunk:
        yield hunk


def _changed(rows: Sequence[str], first: int, edits: Sequence[Edit]) -> list[str]:
    """Rows, the first of which has that number, after the edits."""
    whole, starts = "\n".join(rows), [0]
    for row in rows:
        starts.append(starts[-1] + len(row) + 1)
    parts, done = [], 0
    for edit in edits:
        begin = starts[edit.span.row - first] + edit.span.column - 1
        parts += [whole[done:begin], edit.content.replace("\r\n", "\n")]
        done = starts[edit.span.end_row - first] + edit.span.end_column - 1
    return "".join([*parts, whole[done:]]).split("\n")


def _about(rule: RuleInfo) -> Iterator[str]:
    yield f'<details class="about" id="{text(rule.code)}">'
    yield f"<summary><b>{text(rule.code)}</b> {text(rule.name)}</summary>"
    yield from from_markdown(rule.documentation)
    yield "</details>"


FORMAT = Format(render, edits=True, rules=True, rows=True)
