"""The reference decoder's own street: imports go down, and one module knows both the loop and the threads."""

from __future__ import annotations

import ast
import sys

from tests.support.scripts import ROOT, load_script

house_style = load_script("house_style")
MODULES = house_style.read_package(ROOT / "reference_decoder")
GRAPH: dict[str, set[str]] = house_style.import_graph(MODULES)

# From the ground up; the modules of one line may know each other.
LAYERS = (
    ("errors", "options", "pool"),
    ("source", "frames"),
    ("containers",),
    ("sniffing", "codec", "gathering", "resampler"),
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


def outside(tree: ast.Module) -> set[str]:
    """The packages that a module imports from."""
    names = set()
    for node in ast.walk(tree):
        names |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        names |= {node.module or ""} if isinstance(node, ast.ImportFrom) else set()
    return {name.partition(".")[0] for name in names}


def imported(name: str) -> set[str]:
    """The modules that import a package."""
    return {layer(module.name) for module in MODULES if name in outside(module.tree)}


def only_for_checkers(tree: ast.Module) -> set[str]:
    """The packages that are imported where only a type checker looks."""
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return set().union(*(outside(ast.Module(block.body, [])) for block in blocks))


def test_needs_nothing_but_pyav_and_numpy() -> None:
    names = set().union(*(outside(module.tree) - only_for_checkers(module.tree) for module in MODULES))
    assert names - sys.stdlib_module_names == {"reference_decoder", "av", "numpy", "matplotlib"}
    assert imported("matplotlib") == {"plot"}


def test_one_module_knows_both_sides() -> None:
    assert imported("asyncio") == {"handover", "decoder", "__main__"}
    assert imported("threading") == {"handover"}
    assert imported("concurrent") == {"pool"}


def test_only_av_and_numpy_are_needed() -> None:
    assert not imported("loopsafe")
    assert imported("matplotlib") == {"plot"}
