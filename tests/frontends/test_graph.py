"""`loopsafe graph`: DOT that Graphviz's grammar takes, Mermaid that is well formed, and what is drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pydot
import pytest

from loopsafe.locations import Location, Span
from loopsafe.render.graph import render_dot, render_mermaid
from loopsafe.traces import ContextGraph, Edge, Node
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


def test_what_is_drawn(cli: Cli) -> None:
    done = cli("graph", "app")
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


def test_one_module_with_those_that_start_its_functions(cli: Cli, project: Path) -> None:
    (project / "app" / "lamp.py").write_text("def flash() -> None:\n    print()\n")
    start = "import threading\nfrom app.lamp import flash\n\n\ndef go():\n    threading.Thread(target=flash).start()\n"
    (project / "app" / "switch.py").write_text(start)
    for wanted in ("app/lamp.py", "app/switch.py"):
        modules, edges = parse(cli("graph", wanted).stdout)
        assert modules == {"app.lamp": {"flash": ["thread"]}, "app.switch": {"go": []}}
        assert edges == {("go", "starts", "flash")}


def test_the_same_on_every_run(cli: Cli) -> None:
    for graph_format in ("dot", "mermaid"):
        runs = {cli("graph", "app", "--format", graph_format, env={"PYTHONHASHSEED": str(n)}).stdout for n in range(3)}
        assert len(runs) == 1


def test_mermaid(cli: Cli) -> None:
    lines = cli("graph", "app", "--format", "mermaid").stdout.splitlines()
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


def test_names_are_escaped() -> None:
    odd = 'a "b" \\ <c> [d] {e} #f; &g; `h` | \n i \x1b \\n'
    place = Location("a.py", Span(1, 1, 1, 2))
    node = Node(odd, odd, place, ("thread",), (odd,))
    graph = ContextGraph((node, Node("m", "<lambda>", place, (), ())), (Edge(0, 1, "calls"), Edge(0, 0, "loop")))
    (parsed,) = pydot.graph_from_dot_data("\n".join(render_dot(graph))) or []
    labels = [node.get_label() for cluster in parsed.get_subgraphs() for node in cluster.get_nodes()]
    assert labels[1] == '"<lambda>:1"'
    assert len(parsed.get_edges()) == 2
    check_mermaid(list(render_mermaid(graph)))


def test_labels_are_not_taken_for_more_than_text() -> None:
    """Mermaid obeys directives in labels, Graphviz decodes entities: either could show what is not there."""
    place = Location("a.py", Span(1, 1, 1, 2))
    odd = '%%{init: {"securityLevel": "loose"}}%% &#8238; &lt;'
    graph = ContextGraph((Node(odd, odd, place, ("thread",), (odd,)),), ())
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
