"""The reference decoder's own street: imports go down, and one module knows both the loop and the threads."""

from __future__ import annotations

import ast

from tests.support.scripts import ROOT, load_script

house_style = load_script("house_style")
MODULES = house_style.read_package(ROOT / "reference_decoder")
GRAPH: dict[str, set[str]] = house_style.import_graph(MODULES)

# From the ground up; the modules of one line may know each other.
LAYERS = (
    ("errors", "options", "pool"),
    ("source", "frames"),
    ("containers",),
    ("sniffing", "codec", "gathering"),
    ("output",),
    ("pipeline",),
    ("handover",),
    ("decoder",),
    ("wavfile", "plot"),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
OUTSIDE = {"", "__main__"}


def layer(module: str) -> str:
    return module.partition(".")[2].partition(".")[0]


def test_every_module_has_a_layer() -> None:
    assert {layer(module) for module in GRAPH} - OUTSIDE == LEVEL.keys()


def test_imports_go_down() -> None:
    edges = [(a, b) for a, targets in sorted(GRAPH.items()) for b in sorted(targets) if layer(a) not in OUTSIDE]
    assert not [f"{a} imports {b}" for a, b in edges if LEVEL.get(layer(b), 99) > LEVEL[layer(a)]]


def test_no_import_cycles() -> None:
    assert house_style.cycles(GRAPH) == []


def imported(name: str) -> set[str]:
    """The modules that import a module of the standard library."""
    found = set()
    for module in MODULES:
        for node in ast.walk(module.tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(each.partition(".")[0] == name for each in names):
                found.add(layer(module.name))
    return found


def test_one_module_knows_both_sides() -> None:
    assert imported("asyncio") == {"handover", "decoder", "__main__"}
    assert imported("threading") == {"handover"}
    assert imported("concurrent") == {"pool"}


def test_only_av_and_numpy_are_needed() -> None:
    assert not imported("loopsafe")
    assert imported("matplotlib") == {"plot"}
