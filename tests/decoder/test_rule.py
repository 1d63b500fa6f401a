"""The decoder keeps the rule that loopsafe checks; and loopsafe would say so wherever it did not."""

from __future__ import annotations

import ast
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command_line import loopsafe_in
from tests.support.scripts import ROOT

PACKAGE = ROOT / "reference_decoder"


@dataclass(frozen=True, slots=True)
class Mutation:
    """A function gets a statement at the beginning of its body: an operation on what belongs to the loop."""

    module: str
    function: str
    statement: str
    code: str
    # What a class has to be given for that, at the end of its constructor.
    given: str = ""


EVENT = "self._changed.set()"
CHANNEL = "self.channel = asyncio.Queue()"
SEND = "self.channel.put_nowait(None)"
# What a worker reaches: the jobs, what they call, and what is in the generator that they iterate.
IN_JOBS = {
    "handover": ("_job", "_block", "_refill", "_wake", "__exit__", "_has_work", "_granted"),
    "pipeline": ("flush", "mark", "ready", "close"),
    "output": ("flush", "mark", "finish", "close", "_drain", "_emit", "_cut_to_length", "_give"),
    "source": ("append",),
}
IN_THE_GENERATOR = {
    "pipeline": ("steps", "_run", "_take", "_begin", "_decode", "_refused", "_end_stream", "_finish"),
    "output": ("begin", "add"),
}
# What runs on whichever thread drops the last reference. loopsafe does not see into `__del__` yet.
NOT_SEEN = [
    Mutation("handover", "abandon", EVENT, "LSF103"),
    Mutation("decoder", "__del__", "self._event.set()", "LSF103", "self._event = asyncio.Event()"),
]
EVERYWHERE = [(module, name) for places in (IN_JOBS, IN_THE_GENERATOR) for module in places for name in places[module]]
MUTATIONS = [
    *(Mutation(module, name, SEND, "LSF102", CHANNEL) for module, name in EVERYWHERE),
    *(Mutation("handover", name, EVENT, "LSF103") for name in IN_JOBS["handover"]),
    *(Mutation("handover", name, "self._loop.call_soon(print)", "LSF105") for name in ("_job", "_block", "_refill")),
]


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


def mutated(text: str, mutation: Mutation) -> str:
    """The module with the operation put in."""
    tree = ast.parse(text)
    for owner in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        functions = {node.name: node for node in owner.body if isinstance(node, ast.FunctionDef)}
        if mutation.function in functions:
            body = functions[mutation.function].body
            body.insert(isinstance(body[0], ast.Expr), ast.parse(mutation.statement).body[0])
            maker = functions.get("_begin") if mutation.module == "decoder" else functions["__init__"]
            maker.body.extend(ast.parse(mutation.given).body)
            break
    else:
        raise LookupError(mutation.function)
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


UNSEEN = pytest.mark.xfail(reason="`__del__` is not followed", strict=True)


@pytest.mark.parametrize(
    "mutation",
    [*MUTATIONS, *(pytest.param(one, marks=UNSEEN) for one in NOT_SEEN)],
    ids=lambda one: f"{one.module}.{one.function}-{one.code}",
)
def test_an_operation_where_a_worker_comes_is_found(mutation: Mutation, tmp_path: Path) -> None:
    text = (PACKAGE / f"{mutation.module}.py").read_text("utf-8")
    found = check(mutated(text, mutation), mutation.module, tmp_path)
    assert f"{mutation.module}.py" in found, found
    assert mutation.code in found


def test_there_are_enough_mutations() -> None:
    assert len(MUTATIONS) + len(crossings()) >= 18
