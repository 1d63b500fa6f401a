"""Each format read by what reads it: parsers, schemas of the documented fields, and the text as others match it."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, TestCase

from loopsafe.render.formats import json as format_json
from loopsafe.render.formats import names
from loopsafe.render.results import Results
from loopsafe.rules import ALL_RULES
from tests.frontends.test_pages import read as read_page
from tests.frontends.test_render import EMPTY, RESULTS, at, rendered
from tests.support.command_line import ROOT, loopsafe_in

jsonschema = pytest.importorskip("jsonschema")

SCHEMA = ROOT / "linter" / "loopsafe" / "render" / f"findings-{format_json.VERSION}.schema.json"
STRING, NUMBER = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 1}


def an_object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """A schema that takes these fields and no others."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


# https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format, and of Code Climate's what goes beyond.
GITLAB = {
    "type": "array",
    "items": an_object(
        {
            "description": STRING,
            "check_name": STRING,
            "fingerprint": STRING,
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": an_object(
                {"path": {**STRING, "pattern": r"^(?!\./)"}, "lines": an_object({"begin": NUMBER}, {"end": NUMBER})}
            ),
        },
        {
            "type": {"const": "issue"},
            "categories": {
                "items": {
                    "enum": [
                        *("Bug Risk", "Clarity", "Compatibility", "Complexity"),
                        *("Duplication", "Performance", "Security", "Style"),
                    ]
                }
            },
        },
    ),
}

# The fields of reviewdog's DiagnosticResult, by its protocol.
POSITION = an_object({"line": NUMBER}, {"column": NUMBER})
RANGE = an_object({"start": POSITION}, {"end": POSITION})
SEVERITY = {"enum": ["ERROR", "WARNING", "INFO", "UNKNOWN_SEVERITY"]}
SOURCE = an_object({"name": STRING}, {"url": STRING})
RDJSON = an_object(
    {
        "diagnostics": {
            "type": "array",
            "items": an_object(
                {"message": STRING, "location": an_object({"path": STRING}, {"range": RANGE})},
                {
                    "severity": SEVERITY,
                    "source": SOURCE,
                    "code": an_object({"value": STRING}, {"url": STRING}),
                    "suggestions": {"items": an_object({"range": RANGE, "text": {"type": "string"}})},
                },
            ),
        }
    },
    {"source": SOURCE, "severity": SEVERITY},
)


def mistakes(schema: dict[str, Any], value: object) -> list[str]:
    validator = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    validator.check_schema(schema)
    return [error.message for error in validator(schema).iter_errors(value)]


@pytest.fixture(scope="module")
def printed() -> Callable[[str], str]:
    """What the command line prints of the broken examples and a file that is none, in each format."""
    outputs: dict[str, str] = {}

    def output(name: str) -> str:
        if name not in outputs:
            done = loopsafe_in(ROOT)("check", "--output-format", name, "examples/broken", "examples/README.md")
            assert done.returncode == 2, done.stderr
            outputs[name] = done.stdout
        return outputs[name]

    return output


@pytest.fixture(scope="module")
def found(printed: Callable[[str], str]) -> list[dict[str, Any]]:
    """The findings, as the format for scripts has them."""
    told = json.loads(printed("json"))
    assert len(told) > 10
    return told


class TestJson:
    def test_the_schema_that_is_shipped_is_the_current_one(self) -> None:
        assert json.loads(SCHEMA.read_text("utf-8")) == format_json.schema()

    def test_output_meets_it(self, found: list[dict[str, Any]]) -> None:
        schema = json.loads(SCHEMA.read_text("utf-8"))
        assert mistakes(schema, found) == []
        assert mistakes(schema, json.loads(rendered("json", RESULTS))) == []
        # It says no, too.
        for broken in ({**found[0], "confidence": "maybe"}, {**found[0], "witness": []}, {"code": "LSF102"}):
            assert mistakes(schema, [broken])

    def test_every_key_is_in_the_schema(self, found: list[dict[str, Any]]) -> None:
        definitions = json.loads(SCHEMA.read_text("utf-8"))["$defs"]
        for finding in found:
            # Only what is in a notebook has a cell.
            assert [*finding, "cell"] == list(definitions["Finding"]["properties"])
            for hop in finding["witness"]:
                assert [*hop, "cell"] == list(definitions["Hop"]["properties"])

    def test_hops_name_their_functions(self, found: list[dict[str, Any]]) -> None:
        [finding] = [one for one in found if one["filename"].endswith("thread_queue.py")]
        assert finding["function"] == "thread_queue.Sensor._publish"
        functions = [hop["function"] for hop in finding["witness"]]
        assert functions == ["thread_queue.Sensor", "thread_queue.Sensor.run", "thread_queue.Sensor._publish"]

    def test_lines_are_the_items(self, printed: Callable[[str], str], found: list[dict[str, Any]]) -> None:
        lines = printed("json-lines").splitlines()
        assert [json.loads(line) for line in lines] == found


def test_gitlab(printed: Callable[[str], str], found: list[dict[str, Any]]) -> None:
    report = json.loads(printed("gitlab"))
    assert mistakes(GITLAB, report) == []
    assert mistakes(GITLAB, json.loads(rendered("gitlab", RESULTS))) == []
    assert mistakes(GITLAB, [{**report[0], "severity": "error"}])
    assert [(i["location"]["path"], i["location"]["lines"]["begin"], i["check_name"]) for i in report] == places(found)
    # GitLab shows but one of those that share it.
    assert len({issue["fingerprint"] for issue in report}) == len(report)


class TestRdjson:
    def test_fields(self, printed: Callable[[str], str], found: list[dict[str, Any]]) -> None:
        report = json.loads(printed("rdjson"))
        assert mistakes(RDJSON, report) == []
        assert mistakes(RDJSON, json.loads(rendered("rdjson", RESULTS))) == []
        assert mistakes(RDJSON, {"diagnostics": [{**report["diagnostics"][0], "severity": "error"}]})
        told = [d for d in report["diagnostics"] if "code" in d]
        starts = [(d["location"]["path"], d["location"]["range"]["start"]["line"], d["code"]["value"]) for d in told]
        assert starts == places(found)
        [problem] = [d for d in report["diagnostics"] if "code" not in d]
        assert problem["location"]["path"] == "examples/README.md"

    def test_columns_count_bytes(self) -> None:
        [odd] = [d for d in json.loads(rendered("rdjson", RESULTS))["diagnostics"] if "séance" in d["location"]["path"]]
        assert odd["location"]["range"] == {"start": {"line": 7, "column": 6}, "end": {"line": 8, "column": 10}}

    def test_columns_of_one_long_row(self) -> None:
        row, chance = "é日 q.put(🎵); " * 50, random.Random(3)
        columns = chance.choices(range(1, len(row) + 1), k=40)
        findings = tuple(replace(RESULTS.findings[0], location=at("a.py", 1, column, "q")) for column in columns)
        told = json.loads(rendered("rdjson", Results(findings, rows={"a.py": [row]})))["diagnostics"]
        starts = [diagnostic["location"]["range"]["start"]["column"] for diagnostic in told]
        assert starts == [len(row[: column - 1].encode()) + 1 for column in columns]

    def test_a_suggestion_accepted_is_the_fix(self, printed: Callable[[str], str], tmp_path: Path) -> None:
        diagnostics = json.loads(printed("rdjson"))["diagnostics"]
        suggested = [d for d in diagnostics if "suggestions" in d and d["message"].endswith("\nfix safe")]
        assert len(suggested) > 5
        checked = 0
        for diagnostic in suggested:
            name = Path(diagnostic["location"]["path"]).name
            if sum(Path(d["location"]["path"]).name == name for d in diagnostics) == 1:
                source = (ROOT / "examples" / "broken" / name).read_text("utf-8")
                [suggestion] = diagnostic["suggestions"]
                assert accepted(source, suggestion) == (ROOT / "examples" / "fixed" / name).read_text("utf-8")
                checked += 1
        assert checked > 5


def accepted(source: str, suggestion: dict[str, Any]) -> str:
    """The text after a suggestion, by the bytes that it counts."""
    rows = source.encode().splitlines(keepends=True)

    def offset(place: dict[str, int]) -> int:
        return sum(map(len, rows[: place["line"] - 1])) + place["column"] - 1

    start, end = (offset(suggestion["range"][side]) for side in ("start", "end"))
    content = source.encode()
    return (content[:start] + suggestion["text"].encode() + content[end:]).decode()


class TestJunit:
    def read(self, text: str) -> list[TestCase]:
        suites = JUnitXml.fromstring(text.encode())
        cases = [case for suite in suites for case in suite]
        assert [suites.tests, suites.failures, suites.errors] == [
            len(cases),
            sum(isinstance(result, Failure) for case in cases for result in case.result),
            sum(isinstance(result, Error) for case in cases for result in case.result),
        ]
        return cases

    def test_findings_are_failures(self, printed: Callable[[str], str], found: list[dict[str, Any]]) -> None:
        *failed, unread = self.read(printed("junit"))
        told = [(case._elem.get("file"), int(case._elem.get("line")), case.result[0].type[:6]) for case in failed]
        assert told == places(found)
        assert [case.result[0].message for case in failed] == [finding["message"] for finding in found]
        assert all(
            finding["witness"][0]["source"] in case.result[0].text for case, finding in zip(failed, found, strict=True)
        )
        assert len({(case.classname, case.name) for case in failed}) == len(failed)
        assert isinstance(unread.result[0], Error)
        assert unread.name.startswith("examples/README.md:")

    def test_nothing_found_is_a_test_that_passes(self) -> None:
        [case] = self.read(rendered("junit", EMPTY))
        assert case.is_passed


def test_pylint(printed: Callable[[str], str], found: list[dict[str, Any]]) -> None:
    line = re.compile(r"(?P<path>[^:]+):(?P<row>\d+): \[(?P<code>[A-Z]+\d+)\] (?P<message>.+)")
    read = [line.fullmatch(row) for row in printed("pylint").splitlines()]
    assert [(m["path"], int(m["row"]), m["code"]) for m in read if m] == places(found)
    assert [m["message"] for m in read if m] == [finding["message"] for finding in found]


def test_concise(printed: Callable[[str], str], found: list[dict[str, Any]]) -> None:
    # As reviewdog has it for pylint and flake8: %f:%l:%c: %m.
    line = re.compile(r"(?P<path>.+?):(?P<row>\d+):(?P<column>\d+): (?P<message>.+)")
    read = [line.fullmatch(row) for row in printed("concise").splitlines()]
    assert [(m["path"], int(m["row"]), m["message"][:6]) for m in read if m] == places(found)


def test_hops_are_places_to_click(printed: Callable[[str], str], found: list[dict[str, Any]]) -> None:
    tokens = {token for row in printed("text").splitlines() for token in row.split()}
    for finding in found:
        for hop in finding["witness"]:
            assert f"{hop['filename']}:{hop['location']['row']}:{hop['location']['column']}" in tokens


def test_text_shows_each_row_of_source(printed: Callable[[str], str], found: list[dict[str, Any]]) -> None:
    rows = printed("text").splitlines()
    for finding in found:
        row, column = finding["location"]["row"], finding["location"]["column"]
        source = Path(ROOT / finding["filename"]).read_text("utf-8").splitlines()[row - 1]
        start = next(n for n, line in enumerate(rows) if line.startswith(f"{finding['filename']}:{row}:{column}: "))
        assert rows[start + 1].split(" | ", 1)[1] == source.strip()
        marked = rows[start + 2].index("^")
        assert rows[start + 1][marked:] == source[column - 1 :]


class TestSarifOnGitHub:
    """What GitHub's documentation on SARIF names as required, or as recommended, and its limits."""

    @pytest.fixture
    def run(self, printed: Callable[[str], str]) -> dict[str, Any]:
        return json.loads(printed("sarif"))["runs"][0]

    def test_the_tool(self, run: dict[str, Any]) -> None:
        driver = run["tool"]["driver"]
        assert re.fullmatch(r"\d+\.\d+\.\d+", driver["semanticVersion"])
        assert [rule["id"] for rule in driver["rules"]] == [rule.code for rule in ALL_RULES]
        told = json.loads(rendered("sarif", RESULTS))["runs"][0]["tool"]["driver"]
        assert told["informationUri"] == "https://example.org"
        assert told["rules"][0]["helpUri"] == "https://example.org/rules/LSF102"
        # Where no address is known, none is told.
        assert "helpUri" not in told["rules"][1]

    def test_addresses_are_those_of_the_distribution(self, tmp_path: Path) -> None:
        installed = tmp_path / "loopsafe-1.dist-info"
        installed.mkdir()
        told = "".join(
            f"Project-URL: {label}, https://example.org/{label.lower()}\n" for label in ("Documentation", "Repository")
        )
        (installed / "METADATA").write_text(f"Metadata-Version: 2.4\nName: loopsafe\nVersion: 1\n{told}")
        check = ("check", "--output-format", "sarif", "examples/broken/thread_queue.py")
        done = loopsafe_in(ROOT)(*check, env={"PYTHONPATH": os.pathsep.join([str(ROOT / "linter"), str(tmp_path)])})
        driver = json.loads(done.stdout)["runs"][0]["tool"]["driver"]
        assert driver["informationUri"] == "https://example.org/repository"
        for rule in driver["rules"]:
            page = rule["helpUri"].removeprefix("https://example.org/documentation/")
            assert (ROOT / "docs" / page).is_file()

    def test_rules(self, run: dict[str, Any]) -> None:
        for rule in run["tool"]["driver"]["rules"]:
            assert 0 < len(rule["name"]) <= 255
            for key in ("shortDescription", "fullDescription"):
                assert 0 < len(rule[key]["text"]) <= 1024
            assert rule["fullDescription"]["text"] != rule["shortDescription"]["text"]
            assert rule["help"]["text"]
            assert rule["help"]["markdown"]
            assert rule["defaultConfiguration"]["level"] in ("note", "warning", "error")
            assert rule["properties"]["precision"] in ("very-high", "high", "medium", "low")
            assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")
            assert rule["properties"]["tags"]

    def test_results(self, run: dict[str, Any], found: list[dict[str, Any]]) -> None:
        assert len(run["results"]) == len(found)
        for result, finding in zip(run["results"], found, strict=True):
            assert result["message"]["text"].startswith(finding["message"])
            [location] = result["locations"]
            assert sorted(location["physicalLocation"]["region"]) == [
                "endColumn",
                "endLine",
                "startColumn",
                "startLine",
            ]
            assert location["physicalLocation"]["artifactLocation"]["uri"] == finding["filename"]
            hops = result["codeFlows"][0]["threadFlows"][0]["locations"]
            assert [hop["location"]["message"]["text"] for hop in hops] == [
                f"{hop['kind']} {hop['source']}" for hop in finding["witness"]
            ]
            for hop in hops[:1]:
                region = hop["location"]["physicalLocation"]["region"]
                assert region["startLine"] == region["endLine"] or len(hops) == 1
            assert list(result["partialFingerprints"]) == ["loopsafe/v1"]
        prints = {result["partialFingerprints"]["loopsafe/v1"] for result in run["results"]}
        assert len(prints) == len(found)

    def test_related_locations(self, run: dict[str, Any]) -> None:
        linked = [result for result in run["results"] if "relatedLocations" in result]
        assert linked
        for result in linked:
            assert [place["id"] for place in result["relatedLocations"]] == [
                *range(1, len(result["relatedLocations"]) + 1)
            ]
            assert result["message"]["text"].endswith("](1).")


def places(found: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    return [(finding["filename"], finding["location"]["row"], finding["code"]) for finding in found]


def test_html(printed: Callable[[str], str], found: list[dict[str, Any]]) -> None:
    page = read_page(printed("html"))
    told = [dict(attrs) for tag, attrs in page.elements if tag == "details" and "data-code" in dict(attrs)]
    assert [one["data-code"] for one in told] == [finding["code"] for finding in found]
    for finding in found:
        assert {hop["source"] for hop in finding["witness"]} <= {*page.shown}


def test_the_page_on_formats_has_all_of_them() -> None:
    page = (ROOT / "docs" / "formats.md").read_text("utf-8")
    assert sorted(re.findall(r"(?m)^\| `([\w-]+)` \|", page)) == list(names())
    finding, hop = (format_json.schema()["$defs"][kind]["properties"] for kind in ("Finding", "Hop"))
    assert all(f"`{key}`" in page for key in (*finding, *hop))


def test_every_format_is_read_here() -> None:
    here = Path(__file__).read_text("utf-8")
    # GitHub's commands have no reader but its servers; their own rules are in test_render.py.
    assert all(f'"{name}"' in here for name in names() if name != "github")
