"""Pages for a browser: one file, whatever the project says; what is bundled is what was fetched; what is to be seen."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from loopsafe.findings import Edit, FixPlan, Step
from loopsafe.locations import Location, Span
from loopsafe.render.formats import html
from loopsafe.render.pages import page
from loopsafe.render.pages.graph import render_html
from loopsafe.render.pages.markdown import from_markdown
from loopsafe.render.results import Results
from loopsafe.traces import ContextGraph, Edge, Lane, Node, Stay, Visit
from tests.frontends.test_render import CERTAIN, EMPTY, PLAYER, RESULTS
from tests.support.command_line import ROOT, Cli, loopsafe_in
from tests.support.scripts import load_script

browser = load_script("browser")
FOLDER = Path(page.__file__).parent
# Whatever ends or begins an element, an attribute, a comment or a string, in each form that a browser knows.
ATTACKS = (
    "</script><script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "<svg/onload=window.pwned=1>",
    "\" onmouseover='window.pwned=1' x='",
    "<!--<script>",
    "--><script>window.pwned=1</script>",
    "]]><script>window.pwned=1</script>",
    "&lt;script&gt;window.pwned=1&lt;/script&gt;",
    "</title></style></textarea></pre><script>window.pwned=1</script>",
    "javascript:window.pwned=1",
    "${window.pwned=1}`",
    "\\u003cscript>window.pwned=1</script>",
    "<a href=https://example.org/x><base href=https://example.org/>",
    "{{constructor.constructor('window.pwned=1')()}}",
    "__proto__",
)
ATTACK = " ".join(ATTACKS)


@dataclass
class Read(HTMLParser):
    """A page as a browser takes it apart: the elements with their attributes, the text that is shown, the scripts."""

    elements: list[tuple[str, tuple[tuple[str, str | None], ...]]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    data: str = ""
    inside: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(attrs)))
        if tag in ("script", "style"):
            self.inside = "data" if ("id", "data") in attrs else tag
            if tag == "script" and self.inside == "script":
                self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "data":
            self.data += data
        elif self.inside == "script":
            self.scripts[-1] += data
        elif not self.inside:
            self.shown.append(data)

    @property
    def text(self) -> str:
        return "".join(self.shown)


def read(text: str) -> Read:
    it = Read()
    it.feed(text)
    it.close()
    return it


def node(text: str, number: int = 0) -> Node:
    place = Location(f"{text}.py", Span(number + 1, 1, number + 1, 5))
    path = (Step("starts", place, text, text), Step("calls", place, f"{text}()", text))
    finding = replace(CERTAIN, location=place, message=text, witness=path, fix=FixPlan("unsafe", text))
    return Node(text, f"{text}.f{number}", place, ("thread", "loop"), (finding,), text, (Stay(0, True, path),))


def graph_of(text: str) -> ContextGraph:
    nodes = node(text), node(text, 1)
    lanes = Lane("thread", text, (Step("starts", nodes[0].location, text),)), Lane("loop", text)
    ways = {nodes[1].findings[0]: (Visit(0, 0), Visit(1, 0))}
    return ContextGraph(nodes, (Edge(0, 1, "calls", 0, 0, nodes[0].stays[0].path[0]),), lanes, ways)


def results_of(text: str) -> Results:
    found = replace(
        CERTAIN,
        location=Location(f"{text}.py", Span(1, 1, 1, 3)),
        message=text,
        witness=(Step("reaches", Location(f"{text}.py", Span(1, 1, 1, 3)), text),),
        fix=FixPlan("unsafe", text),
    )
    return Results((found,), rows={f"{text}.py": [f"q.{text}", text]}, edits={found: (Edit(Span(1, 1, 1, 2), text),)})


PAGES = {
    "report": lambda text: "\n".join(html.render(results_of(text))),
    "graph": lambda text: "\n".join(render_html(graph_of(text))),
}


@pytest.mark.parametrize("kind", PAGES)
class TestTextOfTheProject:
    @pytest.mark.parametrize("attack", [*ATTACKS, ATTACK, "\udcff", "\u202e\x00\x1b"], ids=ascii)
    def test_makes_no_markup(self, kind: str, attack: str) -> None:
        hostile, tame = read(PAGES[kind](attack)), read(PAGES[kind]("tame"))
        # What an attribute says is of the project in two places, where it is text.
        free = ("data-file", "value")

        def form(page: Read) -> list[object]:
            return [(tag, [(k, v if k not in free else "") for k, v in attrs]) for tag, attrs in page.elements]

        assert form(hostile) == form(tame)
        assert hostile.scripts == tame.scripts

    def test_is_all_shown(self, kind: str) -> None:
        page = read(PAGES[kind](ATTACK))
        said = page.text if kind == "report" else json.dumps(json.loads(page.data), ensure_ascii=False)
        shown = said if kind == "report" else said.replace('\\"', '"').replace("\\\\", "\\")
        assert ATTACK in shown

    def test_is_ascii_without_what_ends_an_element(self, kind: str) -> None:
        text = PAGES[kind](f"{ATTACK}é\u2028\udcff")
        assert text.isascii()
        assert not set("<>&") & set(read(text).data)


@pytest.mark.parametrize("kind", PAGES)
class TestOneFile:
    def test_it_asks_for_nothing(self, kind: str) -> None:
        page = read(PAGES[kind]("a"))
        asking = ("src", "href", "srcset", "action", "data", "poster", "background")
        asked = [value or "" for _, attrs in page.elements for name, value in attrs if name in asking]
        assert asked
        assert [one for one in asked if not one.startswith(("#", "data:,"))] == []
        styles = "".join(re.findall(r"(?s)<style>(.*?)</style>", PAGES[kind]("a")))
        assert styles
        assert "url(" not in styles
        assert "@import" not in styles

    def test_only_its_own_scripts_may_run(self, kind: str) -> None:
        page = read(PAGES[kind]("a"))
        [policy] = [
            dict(attrs)["content"]
            for tag, attrs in page.elements
            if tag == "meta" and ("http-equiv", "Content-Security-Policy") in attrs
        ]
        hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in page.scripts]
        assert hashes
        [allowed] = re.findall(r"script-src ([^;]*);", policy or "")
        assert allowed.split() == [f"'sha256-{one}'" for one in hashes]
        assert "default-src 'none'" in (policy or "")
        assert not [attrs for _, attrs in page.elements if any(name.startswith("on") for name, _ in attrs)]

    def test_it_is_light_and_dark(self, kind: str) -> None:
        assert "prefers-color-scheme: dark" in PAGES[kind]("a")


class TestBundled:
    MANIFEST = json.loads((FOLDER / "bundled.json").read_text("utf-8"))

    def test_it_is_what_was_fetched(self) -> None:
        for one in self.MANIFEST:
            for name, key in ((one["file"], "sha256"), (one["license_file"], "license_sha256")):
                assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == one[key], name

    def test_all_that_is_not_ours_is_listed(self) -> None:
        listed = {one[key] for one in self.MANIFEST for key in ("file", "license_file")}
        ours = {"graph.js", "report.js", "bundled.json"}
        found = {file.name for file in FOLDER.iterdir() if file.suffix in (".js", ".txt", ".json")}
        assert found == listed | ours
        assert {one["license"] for one in self.MANIFEST} == {"MIT"}

    def test_the_version_is_that_of_the_file(self) -> None:
        for one in self.MANIFEST:
            assert f'"{one["version"]}"' in (FOLDER / one["file"]).read_text("utf-8")

    def test_it_is_told(self) -> None:
        notices = (ROOT / "docs" / "security.md").read_text("utf-8")
        for one in self.MANIFEST:
            assert f"{one['package']} {one['version']}" in notices


class TestReport:
    def test_what_is_said_of_a_finding(self) -> None:
        page = read("\n".join(html.render(RESULTS)))
        text = page.text
        assert "4 findings in 3 files: 2 certain, 2 likely." in text
        for said in ("a `try`", "the loop is not in scope", "app/new.py:3:7", "app/locked.py: warning"):
            assert said.replace("`", "") in text
        for finding in RESULTS.findings:
            for step in finding.witness:
                assert str(step.location) in text
        assert f"docs/rules/{CERTAIN.code}-{CERTAIN.name}.md" in text

    def test_findings_can_be_chosen(self) -> None:
        page = read("\n".join(html.render(RESULTS)))
        told = [dict(attrs) for tag, attrs in page.elements if tag == "details" and "data-code" in dict(attrs)]
        assert [(one["data-code"], one["data-confidence"], one["data-fix"]) for one in told] == [
            ("LSF102", "certain", "safe"),
            ("LSF102", "likely", "declined"),
            ("LSF104", "likely", "unsafe"),
            ("LSF102", "certain", "none"),
        ]
        choices = [dict(attrs)["value"] for tag, attrs in page.elements if tag == "option"]
        assert {"LSF102", "LSF104", "certain", "likely", "safe", "unsafe", "declined", "none"} <= {*choices}

    def test_links_lead_to_what_is_there(self) -> None:
        page = read("\n".join(html.render(RESULTS)))
        ids = {dict(attrs).get("id") for _, attrs in page.elements}
        links = [dict(attrs)["href"] for tag, attrs in page.elements if tag == "a"]
        assert links
        assert {(link or "").removeprefix("#") for link in links} <= ids

    def test_nothing_found(self) -> None:
        page = read("\n".join(html.render(EMPTY)))
        assert "No problems found." in page.text
        assert not [tag for tag, _ in page.elements if tag in ("details", "select")]

    def test_the_change_is_that_of_the_fix(self) -> None:
        rows = ["import asyncio", "", *(f"row {n}" for n in range(3, 60))]
        edits = (Edit(Span(1, 15, 1, 15), "\nimport functools"), Edit(Span(41, 1, 42, 4), "new\nlines"))
        found = replace(CERTAIN, location=Location(PLAYER, Span(41, 1, 42, 4)))
        page = read("\n".join(html.render(Results((found,), edits={found: edits}, rows={PLAYER: rows}))))
        diff = [line for line in page.shown if line[:1] in "+-@ " and line.strip()]
        wanted = ["@@ row 1 @@", " import asyncio", "+import functools", " row 3", "@@ row 41 @@", " row 39", " row 40"]
        assert diff[-len(wanted) - 6 :] == [*wanted, "-row 41", "-row 42", "+new", "+lines 42", " row 43", " row 44"]

    @pytest.mark.parametrize("rows", [[], ["x"], ["x" * 5000] * 60], ids=["gone", "shorter", "longer than is read"])
    def test_a_change_of_rows_that_are_not_known_is_left_out(self, rows: list[str]) -> None:
        page = read("\n".join(html.render(replace(RESULTS, findings=(CERTAIN,), rows={PLAYER: rows}))))
        assert "@@" not in page.text
        assert "Safe fix" in page.text


def test_markdown_of_the_rules() -> None:
    said = "# Title\n\nA `b` <c>\nd.\n\n## Head\ntext\n\n```python\nx < 1\n\ny\n```\n\n- one\n  more\n- two\n"
    assert "\n".join(from_markdown(said)) == (
        "<p>A <code>b</code> &lt;c&gt; d.</p>\n<h3>Head</h3>\n<p>text</p>\n<pre>x &lt; 1\n\ny</pre>\n"
        "<ul>\n<li>one more</li>\n<li>two</li>\n</ul>"
    )


def data_of(cli: Cli, *arguments: str) -> dict[str, Any]:
    done = cli("graph", *arguments, "--format", "html")
    assert done.returncode == 0, done.stderr
    data: dict[str, Any] = json.loads(read(done.stdout).data)
    return data


def path_of(data: dict[str, Any], last: int) -> list[str]:
    """The sources of a path, from its first hop to its last."""
    found: list[str] = []
    while last >= 0:
        last, step = data["paths"][last]
        found.insert(0, data["steps"][step][3])
    return found


class TestGraph:
    def test_lanes_are_places(self) -> None:
        data = data_of(loopsafe_in(ROOT), "examples/decoder/broken.py")
        titles = [(lane["kind"], lane["title"]) for lane in data["lanes"]]
        assert titles == [
            ("loop", "event loop of broken.py:71"),
            ("thread", "worker thread of broken.py:20: self._loop.run_in_executor(self._executor, self._decode)"),
        ]
        in_lanes = {node["name"]: [stay[0] for stay in node["stays"]] for node in data["nodes"]}
        assert in_lanes == {"AudioStreamDecoder.__init__": [0], "AudioStreamDecoder._decode": [1]}
        assert data["edges"] == [[0, 0, 1, 1, "starts", data["edges"][0][5]]]

    def test_findings_have_path_and_way(self) -> None:
        data = data_of(loopsafe_in(ROOT), "examples/broken/thread_queue.py")
        [finding] = data["findings"]
        assert path_of(data, finding["path"]) == [
            "class Sensor(threading.Thread):",
            "self._publish(reading)",
            "self._readings.put_nowait(reading)",
        ]
        names = [data["nodes"][node]["name"] for node, _ in finding["way"]]
        # The class of a thread is no function: its lane has it.
        assert names == ["Sensor.run", "Sensor._publish"]

    def test_a_function_of_two_threads_has_a_lane_of_its_own(self, cli: Cli, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").touch()
        (tmp_path / "a.py").write_text(
            "import threading\n\n\ndef log():\n    print()\n\n\ndef one():\n    log()\n\n\ndef two():\n    log()\n\n\n"
            "def go():\n    threading.Thread(target=one).start()\n    threading.Thread(target=two).start()\n"
        )
        data = data_of(cli, "a.py", "--all")
        lanes = {
            node["name"]: [data["lanes"][stay[0]]["title"] for stay in node["stays"]] for node in data["nodes"]
        }
        assert lanes == {
            "log": ["worker thread of a.py:17, a.py:18"],
            "one": ["worker thread of a.py:17: threading.Thread(target=one)"],
            "two": ["worker thread of a.py:18: threading.Thread(target=two)"],
            "go": ["whoever calls, not traced"],
        }

    def test_what_many_threads_run_is_not_told_apart(self, cli: Cli, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").touch()
        starts = "".join(f"    threading.Thread(target=run, name='{n}').start()\n" for n in range(4))
        (tmp_path / "a.py").write_text(f"import threading\n\n\ndef run():\n    print()\n\n\ndef go():\n{starts}")
        data = data_of(cli, "a.py", "--all")
        assert "worker thread, one of many" in [lane["title"] for lane in data["lanes"]]

    def test_projects_that_are_drawn_together(self, cli: Cli, tmp_path: Path) -> None:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "pyproject.toml").touch()
            (tmp_path / name / "a.py").write_text((ROOT / "examples/decoder/broken.py").read_text("utf-8"))
        data = data_of(cli, "one", "two")
        assert len(data["findings"]) == 4
        for finding in data["findings"]:
            assert {data["files"][data["nodes"][node]["file"]] for node, _ in finding["way"]} == {
                data["files"][finding["file"]]
            }
            for node, lane in finding["way"]:
                assert lane in [stay[0] for stay in data["nodes"][node]["stays"]]


def large(folder: Path, workers: int) -> None:
    """A project of twenty functions a worker, each with a thread and a finding in every tenth."""
    (folder / "pyproject.toml").touch()
    for number in range(workers):
        reads = "".join(
            f"    def _read_{n}(self):\n        self._read_{n + 1}()\n\n    async def step_{n}(self):\n"
            f"        await self.step_{n + 1}()\n\n"
            for n in range(8)
        )
        last = "self._queue.put_nowait(1)" if number % 10 == 0 else "print()"
        (folder / f"worker_{number}.py").write_text(
            "import asyncio\nimport threading\n\n\nclass Worker:\n    def __init__(self):\n"
            "        self._queue = asyncio.Queue()\n\n    async def start(self):\n"
            "        threading.Thread(target=self._read_0).start()\n        await self.step_0()\n\n"
            f"{reads}    def _read_8(self):\n        {last}\n\n"
            "    async def step_8(self):\n        await self._queue.get()\n"
        )


class TestLarge:
    def test_two_thousand_functions_are_less_than_a_megabyte(self, cli: Cli, tmp_path: Path) -> None:
        large(tmp_path, 100)
        done = cli("graph", "--all", "--format", "html")
        assert len(json.loads(read(done.stdout).data)["nodes"]) >= 1900
        assert len(done.stdout) < 1_000_000


@pytest.fixture(scope="module")
def tab() -> Iterator[Any]:
    with browser.open_page() as page:
        yield page


@pytest.mark.skipif(os.name != "posix" or not browser.browser(), reason="needs a Chromium")
class TestInABrowser:
    @pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
    @pytest.mark.parametrize("kind", PAGES)
    def test_attacks_do_nothing(self, tab: Any, kind: str, dark: bool, tmp_path: Path) -> None:
        file = tmp_path / "page.html"
        file.write_text(PAGES[kind](ATTACK), "utf-8")
        tab.open(file, dark=dark)
        for button in range(tab.value("document.querySelectorAll('button, summary').length")):
            tab.value(f"document.querySelectorAll('button, summary')[{button}]?.click()")
        tab.settle()
        assert tab.value("window.pwned === undefined")
        assert tab.messages == []
        assert [request for request in tab.requests if not request.startswith(("file:", "data:", "about:"))] == []

    def test_markup_that_got_through_would_not_run(self, tab: Any, tmp_path: Path) -> None:
        """The second wall: the page's own policy."""
        file = tmp_path / "page.html"
        attack = "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'>"
        file.write_text(PAGES["report"]("a").replace("<header>", f"{attack}<header>"), "utf-8")
        tab.open(file)
        assert tab.value("window.pwned === undefined")
        assert len(tab.messages) >= 2

    def test_a_finding_is_shown_with_path_and_why(self, tab: Any, tmp_path: Path) -> None:
        file = tmp_path / "page.html"
        file.write_text(loopsafe_in(ROOT)("graph", "examples/decoder/broken.py", "--format", "html").stdout, "utf-8")
        tab.open(file, "#finding-1")
        panel = tab.value("document.getElementById('panel').innerText")
        for said in ("LSF102", "runs on a worker thread", "self._loop.run_in_executor(", "self._output.put_nowait("):
            assert said in panel
        assert tab.messages == []

    def test_a_click_on_a_function_tells_of_it(self, tab: Any, tmp_path: Path) -> None:
        file = tmp_path / "page.html"
        file.write_text(loopsafe_in(ROOT)("graph", "examples/decoder/broken.py", "--format", "html").stdout, "utf-8")
        tab.open(file)
        width = tab.value("document.getElementById('graph').clientWidth")
        title = "(t => t.getBoundingClientRect().bottom)([...document.querySelectorAll('#titles span')].pop())"
        # The offending function stands on the right, in the last lane.
        tab.click(width * 0.7, tab.value(title) + 60)
        panel = tab.value("document.getElementById('panel').innerText")
        assert "AudioStreamDecoder._decode" in panel
        assert "def _decode(self)" in panel
        assert "Runs: worker thread of examples/decoder/broken.py:20" in panel

    def test_search_and_filters(self, tab: Any, tmp_path: Path) -> None:
        file = tmp_path / "page.html"
        file.write_text(loopsafe_in(ROOT)("graph", "examples/broken", "--format", "html").stdout, "utf-8")
        tab.open(file)
        note = "document.getElementById('note').textContent"
        all_of_it = tab.value(note)
        tab.value("document.querySelector('input[data-kind=loop]').click()")
        assert tab.value(note) != all_of_it
        tab.value("document.querySelector('input[data-kind=loop]').click()")
        search = "(s => {{ s.value = {0!r}; s.dispatchEvent(new Event('input')); }})(document.getElementById('search'))"
        tab.value(search.format("_publish"))
        tab.settle()
        assert "1 match" in tab.value("document.getElementById('panel').innerText")

    def test_the_report_is_filtered(self, tab: Any, tmp_path: Path) -> None:
        file = tmp_path / "page.html"
        file.write_text("\n".join(html.render(RESULTS)), "utf-8")
        tab.open(file)
        choose = "(s => {{ s.value = '{1}'; s.dispatchEvent(new Event('input')); }})(document.getElementById('{0}'))"
        left = "document.getElementById('left').textContent"
        for name, value, shown in (
            ("rule", "LSF104", 1),
            ("rule", "", 4),
            ("confidence", "certain", 2),
            ("confidence", "", 4),
            ("fix", "none", 1),
            ("fix", "", 4),
            ("search", "SÉANCE", 1),
        ):
            tab.value(choose.format(name, value))
            assert tab.value(left) == f"{shown} of 4 shown"
        assert tab.value("[...document.querySelectorAll('section')].filter(s => !s.hidden).length") == 1
        assert tab.messages == []

    def test_two_thousand_functions_stay_usable(self, tab: Any, tmp_path: Path) -> None:
        large(tmp_path, 100)
        file = tmp_path / "page.html"
        file.write_text(loopsafe_in(tmp_path)("graph", "--all", "--format", "html").stdout, "utf-8")
        tab.open(file)
        # What matters comes first.
        assert tab.value("document.getElementById('only').checked")
        took = tab.value(
            "(() => { const began = performance.now(); document.getElementById('only').click();"
            " return performance.now() - began; })()"
        )
        # Milliseconds, on a machine without a graphics card and with other work.
        assert took < 10_000
        tab.settle()
        assert re.fullmatch(r"1\d\d\d of 1\d\d\d functions.*", tab.value("document.getElementById('note').textContent"))
        assert tab.messages == []
