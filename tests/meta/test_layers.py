"""The one-way street of docs/architecture.md: who may import whom, and no cycles, late imports included."""

from __future__ import annotations

import pytest

from tests.support.scripts import ROOT, load_script

house_style = load_script("house_style")
GRAPH: dict[str, set[str]] = house_style.import_graph(house_style.read_package(ROOT / "linter" / "loopsafe"))

# From the ground up; the modules of one line may know each other.
LAYERS = (
    ("locations", "findings", "traces", "suggestions", "collector", "stopwatch", "progress", "harmless", "writing"),
    ("project",),
    ("runtime",),
    ("cache",),
    ("facts",),
    ("reading",),
    ("knowledge",),
    ("program",),
    ("contexts",),
    ("rules",),
    ("render", "fixes", "reporting"),
    ("sources",),
    ("pipeline",),
    ("questions",),
    ("cached",),
    ("frontends",),
)
# The rooms of `contexts/`; what stands beside them calls each once.
ROOMS = ("places", "spread", "origins", "owners", "verdicts", "remedies")
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# `__init__` gives the public names and `__main__` starts the command line: both stand outside the street.
OUTSIDE = {"", "__main__"}


def layer(module: str) -> str:
    """The part of a module's name that places it: `facts` for `loopsafe.facts.extract`."""
    return module.partition(".")[2].partition(".")[0]


EDGES = sorted(
    (source, target) for source, targets in GRAPH.items() for target in targets if layer(source) not in OUTSIDE
)


def test_every_module_has_a_layer() -> None:
    assert {layer(module) for module in GRAPH} - OUTSIDE <= LEVEL.keys()


def test_imports_go_down() -> None:
    upwards = [f"{a} imports {b}" for a, b in EDGES if layer(b) in LEVEL and LEVEL[layer(b)] > LEVEL[layer(a)]]
    assert not upwards


def room(module: str) -> str:
    """The room of a module of `contexts/`; empty for all others."""
    parts = module.split(".")
    return parts[2] if parts[1:2] == ["contexts"] and len(parts) > 2 and parts[2] in ROOMS else ""


def test_rooms_import_downwards() -> None:
    pairs = [(a, b) for a, b in EDGES if room(a) and layer(b) == "contexts"]
    upwards = [f"{a} imports {b}" for a, b in pairs if not room(b) or ROOMS.index(room(b)) > ROOMS.index(room(a))]
    assert not upwards


@pytest.mark.parametrize("part", ["render", "fixes"])
def test_output_knows_no_stage(part: str) -> None:
    allowed = {part, *LAYERS[0], "project", *OUTSIDE}
    assert not [f"{a} imports {b}" for a, b in EDGES if layer(a) == part and layer(b) not in allowed]


def test_the_guard_knows_no_analysis() -> None:
    allowed = {"runtime", "project", *OUTSIDE}
    assert not [f"{a} imports {b}" for a, b in EDGES if layer(a) == "runtime" and layer(b) not in allowed]


def test_no_import_cycles() -> None:
    assert house_style.cycles(GRAPH) == []


def test_cycles_are_seen() -> None:
    assert house_style.cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}}) == [["b", "c"], ["d"]]
