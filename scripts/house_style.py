"""Print a folder's house-style figures beside the limits of docs/architecture.md; exit 1 where one is broken.

A code line holds code: blank lines, comments and docstrings do not count. A function's lines include its signature and
the functions inside it. Comments that speak to tools (`# noqa`, `# type:`) explain nothing and are not counted.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]

Function = ast.FunctionDef | ast.AsyncFunctionDef

_NOT_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
# What a message's fields usually hold.
TYPICAL_FIELDS = {
    "operation": "self._queue.put_nowait",
    "where": "on a worker thread",
    "remedy": "use `self._loop.call_soon_threadsafe`",
}

_FOR_TOOLS = re.compile(r"#\s*(!|noqa|type:|pragma|ruff:|mypy:|fmt:|loopsafe:)")


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed module: dotted name, tree, rows that hold code, and how many comments explain it."""

    name: str
    tree: ast.Module
    code_rows: frozenset[int]
    comments: int

    def functions(self) -> list[Function]:
        """All functions and methods, nested ones too."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    def code_lines(self, function: Function) -> int:
        """Rows of code from the `def` to the end of the body."""
        return sum(function.lineno <= row <= (function.end_lineno or 0) for row in self.code_rows)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table: what is measured, the value, the limit in words, and whether it is kept."""

    name: str
    value: str
    limit: str
    kept: bool


def module_name(file: Path, source_root: Path) -> str:
    """The dotted name under which the file is imported from `source_root`."""
    parts = file.relative_to(source_root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_module(file: Path, source_root: Path) -> Module:
    """Parse a file and count what can only be counted in its text."""
    text = file.read_text("utf-8")
    tree = ast.parse(text)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    rows = {row for token in tokens if token.type not in _NOT_CODE for row in range(token.start[0], token.end[0] + 1)}
    comments = sum(token.type == tokenize.COMMENT and not _FOR_TOOLS.match(token.string) for token in tokens)
    return Module(module_name(file, source_root), tree, frozenset(rows - _docstring_rows(tree)), comments)


def read_package(folder: Path) -> list[Module]:
    """Every module of a package, by file name. The folder that holds the package is the source root."""
    return [read_module(file, folder.resolve().parent) for file in sorted(folder.resolve().rglob("*.py"))]


def _docstring_rows(tree: ast.Module) -> set[int]:
    holders = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | Function)]
    docs = [node.body[0] for node in holders if ast.get_docstring(node, clean=False) is not None]
    return {row for doc in docs for row in range(doc.lineno, (doc.end_lineno or doc.lineno) + 1)}


def imports(module: Module, known: frozenset[str]) -> set[str]:
    """The known modules this one imports, wherever the statement stands: inside functions and `TYPE_CHECKING` too.

    `from package import module` counts as an import of the module and not of the package too: that edge would be there
    in any package whose `__init__` gathers its modules.
    """
    dotted = (name for node in ast.walk(module.tree) for name in _imported(node))
    return {_nearest(name, known) for name in dotted} - {module.name, ""}


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _nearest(dotted: str, known: frozenset[str]) -> str:
    """The module a dotted name is found in: the name itself, or what stands before its last dot."""
    return next((name for name in (dotted, dotted.rpartition(".")[0]) if name in known), "")


def import_graph(modules: list[Module]) -> dict[str, set[str]]:
    """Which module imports which, within the package."""
    known = frozenset(module.name for module in modules)
    return {module.name: imports(module, known) for module in modules}


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that reach each other, each sorted."""
    reached = {name: _reachable(graph, name) for name in graph}
    groups = {tuple(sorted(other for other in reached[name] if name in reached[other])) for name in graph}
    return [list(group) for group in sorted(groups) if group]


def _reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead.extend(graph[name])
    return seen


def annotated(function: Function) -> tuple[int, int]:
    """How many of a function's parameters and returns are annotated, and how many there are."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    named += [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
    slots = [arg.annotation for arg in named if arg.arg not in ("self", "cls")] + [function.returns]
    return sum(slot is not None for slot in slots), len(slots)


def percentile(values: list[int], share: float) -> int:
    """The smallest value that at least `share` of the values do not exceed."""
    return sorted(values)[ceil(share * len(values)) - 1] if values else 0


def figures(modules: list[Module]) -> list[Figure]:
    """The table's rows for a package."""
    sizes = [len(module.code_rows) for module in modules]
    functions = [module.code_lines(function) for module in modules for function in module.functions()]
    slots = [annotated(function) for module in modules for function in module.functions()]
    comments = 100 * sum(module.comments for module in modules) / max(1, sum(sizes))
    share = 100 * sum(done for done, _ in slots) / max(1, sum(total for _, total in slots))
    rounds = cycles(import_graph(modules))
    lengths = [len(template.format_map(TYPICAL_FIELDS)) for template in messages(modules)]
    return [
        _at_most("module code lines, median", median(sizes), 100),
        _at_most("module code lines, largest", max(sizes), 400),
        _at_most("function code lines, median", median(functions), 8),
        _at_most("function code lines, p90", percentile(functions, 0.9), 25),
        Figure("explaining comments per 100 code lines", f"{comments:.1f}", "3-8", 3 <= comments <= 8),
        Figure("parameters and returns annotated", f"{share:.1f}%", "100%", share == 100),
        _at_most("import cycles", len(rounds), 0),
        *([_at_most("message length, median", median(lengths), 90)] if lengths else []),
    ]


def _at_most(name: str, value: float, limit: int) -> Figure:
    return Figure(name, f"{value:g}", f"<= {limit}", value <= limit)


def messages(modules: list[Module]) -> list[str]:
    """The message templates of rule classes: class attributes named `message` with a text."""
    found = (
        (node.target if isinstance(node, ast.AnnAssign) else node.targets[0], node.value)
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
    )
    return [
        value.value
        for target, value in found
        if isinstance(target, ast.Name) and target.id == "message"
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    ]


def main(arguments: list[str]) -> int:
    """Print the table for each folder, the two packages of this repository by default."""
    folders = [Path(argument) for argument in arguments] or [ROOT / "linter" / "loopsafe", ROOT / "reference_decoder"]
    broken = 0
    for folder in folders:
        rows = figures(read_package(folder))
        width = max(len(row.name) for row in rows)
        print(f"{folder.name}:")
        for row in rows:
            print(f"  {row.name:<{width}}  {row.value:>8}  {row.limit:<7} {'' if row.kept else 'BROKEN'}".rstrip())
        broken += sum(not row.kept for row in rows)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
