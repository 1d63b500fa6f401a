"""`loopsafe graph`: what is drawn, DOT that Graphviz's grammar takes, Mermaid that is well formed, and SVG."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pydot
import pytest

from loopsafe.findings import Finding
from loopsafe.locations import Location, Span
from loopsafe.render.graph import render_dot, render_mermaid
from loopsafe.traces import ContextGraph, Edge, Node
from tests.frontends.test_render import CERTAIN
from tests.support.command_line import Cli

# pydot still spells pyparsing's names the old way.
pytestmark = pytest.mark.filterwarnings("ignore:.* deprecated - use:DeprecationWarning")

MAIN = """\
import asyncio
import signal
import threading
import weakref

from app.player import Player


async def main() -> None:
    await Player().start()


def on_signal(number: int, frame: object) -> None:
    print()


def nobody() -> None:
    print()


signal.signal(signal.SIGINT, on_signal)
asyncio.run(main())
"""
PLAYER = """\
import asyncio
import threading


class Player:
    def __init__(self) -> None:
        self._queue: asyncio.Queue[str] = asyncio.Queue()

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._pump).start()
        self._greet()

    def _pump(self) -> None:
        self._greet()
        self._loop.call_soon_threadsafe(self._done)
        self._queue.put_nowait("a \\\\ \\"b\\" <c> [d] #e;")

    def _done(self) -> None:
        print()

    def _greet(self) -> None:
        print()
"""
MERMAID_LINES = (
    r"flowchart LR",
    r'  subgraph m\d+\["[^"<>\\]*"\]',
    r'    n\d+\["(?:[^"<>\\]|<br>)*"\]:::(?:thread|signal|finalizer|exit|caller|loop|several|none)',
    r"  end",
    r"  n\d+ (?:-->|==>|-\.->)\|(?:starts|calls|loop)\| n\d+",
    r"  classDef \w+ fill:#[0-9a-f]{6},color:#000",
    r"  style n\d+ stroke:#[0-9a-f]{6},stroke-width:\dpx",
)


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Path:
    """A package `app` of two modules."""
    (tmp_path / "pyproject.toml").write_text("[tool.loopsafe]\n")
    (tmp_path / "app").mkdir()
    for name, text in {"__init__": "", "__main__": MAIN, "player": PLAYER}.items():
        (tmp_path / "app" / f"{name}.py").write_text(text)
    return tmp_path


def parse(text: str) -> tuple[dict[str, dict[str, list[str]]], set[tuple[str, str, str]]]:
    """Nodes by module and name, each with the other lines of its label; edges by the names of their nodes."""
    (graph,) = pydot.graph_from_dot_data(text) or []
    modules: dict[str, dict[str, list[str]]] = {}
    names: dict[str, str] = {}
    for cluster in graph.get_subgraphs():
        nodes = modules.setdefault(cluster.get_label().strip('"'), {})
        for node in cluster.get_nodes():
            name, *lines = node.get_label().strip('"').split("\\n")
            names[node.get_name()], nodes[name] = name, lines
    edges = graph.get_edges()
    return modules, {(names[e.get_source()], e.get_label().strip('"'), names[e.get_destination()]) for e in edges}


def test_all_that_may_be_drawn(cli: Cli) -> None:
    done = cli("graph", "app", "--all")
    assert (done.returncode, done.stderr) == (0, "")
    modules, edges = parse(done.stdout)
    assert modules == {
        "app.__main__": {"<module>": [], "main": ["loop"], "on_signal": ["signal"]},
        "app.player": {
            "Player.__init__": ["loop"],
            "Player.start": ["loop"],
            "Player._pump": ["thread", modules["app.player"]["Player._pump"][1]],
            "Player._done": ["loop"],
            "Player._greet": ["thread, loop"],
        },
    }
    assert modules["app.player"]["Player._pump"][1].startswith("LSF102 17: self._queue.put_nowait(")
    assert edges == {
        ("<module>", "loop", "main"),
        ("<module>", "starts", "on_signal"),
        ("main", "calls", "Player.__init__"),
        ("main", "calls", "Player.start"),
        ("Player.start", "starts", "Player._pump"),
        ("Player.start", "calls", "Player._greet"),
        ("Player._pump", "calls", "Player._greet"),
        ("Player._pump", "loop", "Player._done"),
    }


def test_findings_and_the_paths_to_them_are_drawn(cli: Cli) -> None:
    modules, edges = parse(cli("graph", "app").stdout)
    assert {module: [*names] for module, names in modules.items()} == {"app.player": ["Player.start", "Player._pump"]}
    assert modules["app.player"]["Player._pump"][1].startswith("LSF102 17: self._queue.put_nowait(")
    assert edges == {("Player.start", "starts", "Player._pump")}


def test_a_path_through_files_that_were_not_named_is_drawn_whole(cli: Cli, project: Path) -> None:
    (project / "app" / "starter.py").write_text(
        "import asyncio\nimport threading\nfrom app.middle import hand\n\n\n"
        "async def main():\n    q = asyncio.Queue()\n"
        "    threading.Thread(target=hand, args=(q,)).start()\n    await q.get()\n"
    )
    (project / "app" / "middle.py").write_text("from app.end import put\n\n\ndef hand(q):\n    put(q)\n")
    (project / "app" / "end.py").write_text("def put(q):\n    q.put_nowait(1)\n")
    for named in ("starter", "middle", "end"):
        modules, edges = parse(cli("graph", f"app/{named}.py").stdout)
        assert {module: list(names) for module, names in modules.items()} == {
            "app.end": ["put"],
            "app.middle": ["hand"],
            "app.starter": ["main"],
        }
        assert edges == {("main", "starts", "hand"), ("hand", "calls", "put")}


class TestAround:
    def names(self, output: str) -> set[str]:
        return {name for names in parse(output)[0].values() for name in names}

    @pytest.mark.parametrize(
        ("depth", "found"),
        [
            (["--depth", "0"], {"Player._pump"}),
            (["--depth", "1"], {"Player._pump", "Player.start", "Player._greet", "Player._done"}),
            ([], {"Player._pump", "Player.start", "Player._greet", "Player._done", "main"}),
        ],
        ids=["none", "one", "two if not said"],
    )
    def test_depth(self, cli: Cli, depth: list[str], found: set[str]) -> None:
        for name in ("_pump", "Player._pump", "app.player.Player._pump"):
            assert self.names(cli("graph", "app", "--around", name, *depth).stdout) == found

    @pytest.mark.parametrize("name", ["ump", "Player.", "nowhere", "Player._pumb"])
    def test_a_name_that_is_none(self, cli: Cli, name: str) -> None:
        done = cli("graph", "app", "--around", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"no function `{name}` is known to run" in done.stderr
        assert ("is `app.player.Player._pump` meant?" in done.stderr) == (name == "Player._pumb")

    @pytest.mark.parametrize(
        "options", [("--around", "main", "--all"), ("--depth", "3"), ("--around", "x", "--depth", "-1")], ids=" ".join
    )
    def test_options_that_do_not_go_together(self, cli: Cli, options: tuple[str, ...]) -> None:
        assert cli("graph", "app", *options).returncode == 2


def test_no_findings_says_what_else_may_be_drawn(cli: Cli, project: Path) -> None:
    (project / "app" / "player.py").write_text(PLAYER.replace("_queue.put_nowait", "_show"))
    done = cli("graph", "app")
    assert (done.returncode, parse(done.stdout)) == (0, ({}, set()))
    assert "there are no findings to draw; --all draws 8 functions" in done.stderr
    assert cli("graph", "app", "-q").stderr == ""


STEP = "a_name_of_the_length_that_names_have_in_large_projects"


def test_what_mermaid_will_not_draw_is_told(cli: Cli, project: Path) -> None:
    (project / "many.py").write_text(
        "import threading\n\n\ndef run():\n"
        + "".join(f"    {STEP}_{n}()\n" for n in range(501))
        + "".join(f"\n\ndef {STEP}_{n}():\n    print()\n" for n in range(501))
        + "\n\nthreading.Thread(target=run).start()\n"
    )
    done = cli("graph", "many.py", "--all", "--format", "mermaid")
    assert "warning: 502 edges, and Mermaid draws at most 500" in done.stderr
    assert f"warning: {len(done.stdout)} characters, and Mermaid reads at most 50000" in done.stderr
    for quiet in (["--format", "mermaid", "-q"], ["--format", "dot"]):
        assert cli("graph", "many.py", "--all", *quiet).stderr == ""
    assert cli("graph", "app", "--all", "--format", "mermaid").stderr == ""


class TestSvg:
    def test_without_graphviz(self, cli: Cli, project: Path) -> None:
        planted = project / "dot"
        planted.write_text("#!/bin/sh\necho planted\n")
        planted.chmod(0o755)
        # One in the working directory would be the project's.
        for path in ("", "."):
            done = cli("graph", "app", "--format", "svg", env={"PATH": path})
            assert (done.returncode, done.stdout) == (2, "")
            assert "needs Graphviz's program `dot`, which is not installed" in done.stderr

    @pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
    def test_what_fails_is_told(self, cli: Cli, project: Path, tmp_path: Path) -> None:
        (tmp_path / "bin").mkdir()
        program = tmp_path / "bin" / "dot"
        program.write_text("#!/bin/sh\nexit 3\n")
        program.chmod(0o755)
        done = cli("graph", "app", "--format", "svg", env={"PATH": str(program.parent)})
        assert (done.returncode, done.stdout) == (2, "")
        assert "Graphviz's `dot` failed" in done.stderr

    @pytest.mark.skipif(not shutil.which("dot"), reason="needs Graphviz")
    def test_it_is_drawn(self, cli: Cli, project: Path) -> None:
        assert cli("graph", "app", "--format", "svg", "-o", "graph.svg").returncode == 0
        root = ElementTree.fromstring((project / "graph.svg").read_bytes())
        titles = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert {"app.player", "Player.start", "Player._pump", "starts"} <= {*titles}


def test_one_module_with_those_that_start_its_functions(cli: Cli, project: Path) -> None:
    (project / "app" / "lamp.py").write_text("def flash() -> None:\n    print()\n")
    start = "import threading\nfrom app.lamp import flash\n\n\ndef go():\n    threading.Thread(target=flash).start()\n"
    (project / "app" / "switch.py").write_text(start)
    for wanted in ("app/lamp.py", "app/switch.py"):
        modules, edges = parse(cli("graph", "--all", wanted).stdout)
        assert modules == {"app.lamp": {"flash": ["thread"]}, "app.switch": {"go": []}}
        assert edges == {("go", "starts", "flash")}


def test_the_same_on_every_run(cli: Cli) -> None:
    for graph_format in ("dot", "mermaid", "html"):
        command = ("graph", "app", "--all", "--format", graph_format)
        runs = {cli(*command, env={"PYTHONHASHSEED": str(n)}).stdout for n in range(3)}
        assert len(runs) == 1


def test_mermaid(cli: Cli) -> None:
    lines = cli("graph", "app", "--all", "--format", "mermaid").stdout.splitlines()
    check_mermaid(lines)
    assert any("==>|starts|" in line for line in lines)
    assert any("stroke-width" in line for line in lines)


def check_mermaid(lines: list[str]) -> None:
    """Every line has one of the known forms, blocks are closed, and edges join nodes that are there."""
    assert not [line for line in lines if not any(re.fullmatch(form, line) for form in MERMAID_LINES)]
    assert sum("subgraph" in line for line in lines) == lines.count("  end")
    nodes = {found[1] for line in lines if (found := re.match(r"    (n\d+)\[", line))}
    used = {name for line in lines if re.match(r"  (n|style)", line) for name in re.findall(r"\bn\d+\b", line)}
    assert used <= nodes
    kinds = {line.split()[1] for line in lines if line.startswith("  classDef")}
    assert kinds == {line.rpartition(":::")[2] for line in lines if ":::" in line}


def with_source(source: str) -> Finding:
    return replace(CERTAIN, witness=(replace(CERTAIN.witness[-1], source=source),))


def test_names_are_escaped() -> None:
    odd = 'a "b" \\ <c> [d] {e} #f; &g; `h` | \n i \x1b \\n'
    place = Location("a.py", Span(1, 1, 1, 2))
    node = Node(odd, odd, place, ("thread",), (with_source(odd),))
    graph = ContextGraph((node, Node("m", "<lambda>", place, ())), (Edge(0, 1, "calls"), Edge(0, 0, "loop")))
    (parsed,) = pydot.graph_from_dot_data("\n".join(render_dot(graph))) or []
    labels = [node.get_label() for cluster in parsed.get_subgraphs() for node in cluster.get_nodes()]
    assert labels[1] == '"<lambda>:1"'
    assert len(parsed.get_edges()) == 2
    check_mermaid(list(render_mermaid(graph)))


def test_labels_are_not_taken_for_more_than_text() -> None:
    """Mermaid obeys directives in labels, Graphviz decodes entities: either could show what is not there."""
    place = Location("a.py", Span(1, 1, 1, 2))
    odd = '%%{init: {"security": "loose"}}%% &#8238; &lt;'
    graph = ContextGraph((Node(odd, odd, place, ("thread",), (with_source(odd),)),), ())
    dot, mermaid = "\n".join(render_dot(graph)), "\n".join(render_mermaid(graph))
    assert dot.count("&amp;#8238; &amp;lt;") == 3
    assert mermaid.count("#37;#37;{init: ") == 3
    assert "%" not in mermaid
    assert dot.count("&") == 6


def test_to_a_file(cli: Cli, project: Path) -> None:
    done = cli("graph", "app", "--output", "graph.dot")
    assert (done.returncode, done.stdout) == (0, "")
    assert (project / "graph.dot").read_text("utf-8") == cli("graph", "app").stdout
    failed = cli("graph", "app", "-o", "nowhere/graph.dot")
    assert failed.returncode == 2
    assert "nowhere/graph.dot: cannot be written" in failed.stderr


def test_nothing_to_draw(cli: Cli, project: Path) -> None:
    (project / "quiet.py").write_text("def f(): ...\n")
    done = cli("graph", "quiet.py")
    assert done.returncode == 0
    assert parse(done.stdout) == ({}, set())
    assert "no function here is known to run on a thread or on a loop" in done.stderr


def test_a_path_that_is_not_there(cli: Cli) -> None:
    done = cli("graph", "nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere: No such file or directory" in done.stderr
