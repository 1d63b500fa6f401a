"""JUnit's XML, which most build servers show: a failed test a finding, an error for what could not be analysed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

from loopsafe.findings import Finding, Problem
from loopsafe.harmless import printable
from loopsafe.locations import parts_of
from loopsafe.render.lines import line, plain_hop, plain_remedy
from loopsafe.render.results import Format, Results


def render(results: Results) -> Iterator[str]:
    """One suite."""
    suites = ElementTree.Element("testsuites", name="loopsafe")
    suite = ElementTree.SubElement(suites, "testsuite", name="loopsafe")
    suite.extend(map(_failed, results.findings))
    suite.extend(map(_problem, results.problems))
    if not len(suite):
        # Some servers take a report without a test for a mistake.
        suite.append(_case("no findings", "loopsafe"))
    counts = {"tests": len(suite), "failures": len(results.findings), "errors": len(results.problems)}
    for element in (suites, suite):
        element.attrib |= {name: str(count) for name, count in counts.items()}
    ElementTree.indent(suites)
    # In ASCII, which no encoding can spoil.
    yield from ElementTree.tostring(suites, "us-ascii", xml_declaration=True).decode("ascii").split("\n")


def _failed(finding: Finding) -> ElementTree.Element:
    place, row = finding.location, finding.location.in_file.row
    case = _case(f"{finding.code} {place}", place.path, row)
    remedy = [plain_remedy(finding.fix)] if finding.fix else []
    lines = [line(finding), f"confidence {finding.confidence}", *map(plain_hop, finding.witness), *remedy]
    _add(case, "failure", finding.message, f"{finding.code} {finding.name}", lines)
    return case


def _problem(problem: Problem) -> ElementTree.Element:
    case = _case(problem.place, problem.path, problem.row)
    _add(case, "error", problem.message, problem.level, [f"{problem.place}: {problem.message}"])
    return case


def _case(name: str, path: str, row: int = 0) -> ElementTree.Element:
    # Servers sort tests by class; to this one they are the files.
    where = printable(".".join(parts_of(path)).lstrip("/"))
    place = {"file": printable(path), "line": str(row)} if row else {}
    return ElementTree.Element("testcase", {"name": printable(name), "classname": where, **place})


def _add(case: ElementTree.Element, tag: str, message: str, kind: str, lines: Iterable[str]) -> None:
    told = ElementTree.SubElement(case, tag, message=printable(message), type=printable(kind))
    told.text = "\n".join(map(printable, lines))


FORMAT = Format(render)
