"""The decoder keeps the rule that loopsafe checks; and loopsafe would say so if it did not."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from tests.support.command_line import loopsafe_in
from tests.support.scripts import ROOT

PACKAGE = ROOT / "reference_decoder"


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
    copy = shutil.copytree(PACKAGE, tmp_path / "reference_decoder", ignore=shutil.ignore_patterns("__pycache__"))
    target = copy / file.relative_to(PACKAGE)
    target.write_text(undone(target.read_text("utf-8"), number), "utf-8")
    (tmp_path / "pyproject.toml").write_text("", "utf-8")
    checked = loopsafe_in(tmp_path)("check", "--output-format", "concise", "reference_decoder")
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert target.name in checked.stdout
    assert "LSF103" in checked.stdout
