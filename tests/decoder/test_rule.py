"""The decoder keeps the rule that loopsafe checks; and loopsafe would say so wherever it did not."""

from __future__ import annotations

import ast
import re
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.command_line import loopsafe_in
from tests.support.scripts import ROOT

PACKAGE = ROOT / "reference_decoder"


# What a worker reaches: the jobs, what they call, and what is in the generator that they iterate.
REACHED = {
    "handover": ("_job", "_block", "_refill", "_wake", "__exit__", "_has_work", "_granted"),
    "pipeline": ("flush", "mark", "ready", "close", "steps", "_run", "_take", "_begin", "_decode", "_refused",
                 "_end_stream", "_finish"),
    "output": ("add", "flush", "mark", "finish", "close", "_drain", "_emit", "_cut_to_length", "_give"),
    "source": ("append",),
}  # fmt: skip
PLACES = [(module, name) for module, names in REACHED.items() for name in names]
# Operations on what belongs to the loop: the text, with the name of the place in it, and what is said of it.
SEND = ("self.channel.put_nowait({!r})", "LSF102")
SET = ("(self._changed.set(), {!r})", "LSF103")
CALL = ("self._loop.call_soon(print, {!r})", "LSF105")
MUTATIONS = [(*place, SEND) for place in PLACES]
MUTATIONS += [("handover", name, operation) for name in REACHED["handover"] for operation in (SET, CALL)]
# What loopsafe misses, not the decoder: what runs on whichever thread drops the last reference, and one call that is
# reached through `isinstance` and a method of another class.
NOT_SEEN = [("handover", "abandon", SET), ("decoder", "__del__", SEND), ("output", "begin", SEND)]


def crossings() -> list[tuple[Path, int]]:
    """Every call of `call_soon_threadsafe`: module, and which of its calls."""
    return [
        (file, number)
        for file in sorted(PACKAGE.rglob("*.py"))
        for number, _ in enumerate(_calls(ast.parse(file.read_text("utf-8"))))
    ]


def _calls(tree: ast.Module) -> list[ast.Call]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    return [call for call in calls if call.func.attr == "call_soon_threadsafe"]


def undone(text: str, number: int) -> str:
    """The module with one crossing undone: `loop.call_soon_threadsafe(f, *args)` becomes `f(*args)`."""
    tree = ast.parse(text)
    call = _calls(tree)[number]
    call.func, *call.args = call.args
    return ast.unparse(ast.fix_missing_locations(tree))


def mutated(text: str, names: tuple[str, ...], operation: str) -> str:
    """The module with the operation at the beginning of these methods of its first class."""
    tree = ast.parse(text)
    owner = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    functions = {node.name: node for node in owner.body if isinstance(node, ast.FunctionDef)}
    for name in names:
        body = functions[name].body
        body.insert(isinstance(body[0], ast.Expr), ast.parse(operation.format(name)).body[0])
    maker = functions["__init__"]
    maker.body.extend(ast.parse("self.channel = asyncio.Queue()").body)
    tree.body.insert(2, ast.parse("import asyncio").body[0])
    return ast.unparse(ast.fix_missing_locations(tree))


def check(text: str, module: str, folder: Path) -> str:
    """What loopsafe says of the package with this text in the place of a module's."""
    copy = shutil.copytree(PACKAGE, folder / "reference_decoder", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / f"{module}.py").write_text(text, "utf-8")
    (folder / "pyproject.toml").write_text("", "utf-8")
    checked = loopsafe_in(folder)("check", "--output-format", "concise", "reference_decoder")
    assert checked.returncode in (0, 1), checked.stderr
    return checked.stdout


def test_the_decoder_is_clean() -> None:
    checked = loopsafe_in(ROOT)("check", "reference_decoder")
    assert (checked.returncode, checked.stdout) == (0, "No problems found.\n"), checked.stderr


def test_nothing_is_suppressed() -> None:
    texts = {file: file.read_text("utf-8") for file in PACKAGE.rglob("*.py")}
    assert not [file for file, text in texts.items() if "noqa: LSF" in text or "# loopsafe:" in text]


def test_there_is_a_crossing_and_one_module_has_them_all() -> None:
    assert {file.name for file, _ in crossings()} == {"handover.py"}


@pytest.mark.parametrize(("file", "number"), crossings(), ids=lambda part: getattr(part, "stem", part))
def test_a_crossing_undone_is_found(file: Path, number: int, tmp_path: Path) -> None:
    found = check(undone(file.read_text("utf-8"), number), file.stem, tmp_path)
    assert file.name in found
    assert "LSF103" in found


@cache
def findings(module: str, names: tuple[str, ...], operation: str, code: str) -> set[str]:
    """At which of the methods loopsafe finds the operation."""
    text = mutated((PACKAGE / f"{module}.py").read_text("utf-8"), names, operation)
    with TemporaryDirectory() as folder:
        said = check(text, module, Path(folder))
    rows = re.findall(rf"{module}\.py:(\d+):\d+: {code} ", said)
    found = "\n".join(text.splitlines()[int(row) - 1] for row in rows)
    return {name for name in names if repr(name) in found}


@pytest.mark.parametrize(("module", "name", "operation"), MUTATIONS, ids=str)
def test_an_operation_where_a_worker_comes_is_found(module: str, name: str, operation: tuple[str, str]) -> None:
    assert name in findings(module, REACHED[module], *operation)


@pytest.mark.xfail(reason="loopsafe does not see it yet", strict=True)
@pytest.mark.parametrize(("module", "name", "operation"), NOT_SEEN, ids=str)
def test_an_operation_that_is_not_seen_yet(module: str, name: str, operation: tuple[str, str]) -> None:
    assert name in findings(module, (name,), *operation)


def test_there_are_enough_mutations() -> None:
    assert len(MUTATIONS) + len(crossings()) >= 18
