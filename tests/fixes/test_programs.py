"""Fixes of random programs, through the whole of `fix`: right, proven, and nothing else touched.

`LOOPSAFE_EXAMPLES` says how many programs a shape gets; `scripts/fuzz_fixes.sh` runs thousands.
"""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import loopsafe
from loopsafe.findings import Edit, Finding
from loopsafe.fixes import fix_bytes
from loopsafe.frontends.changes import work_out
from loopsafe.locations import Span
from tests.support.programs import SHAPES, Program, Shape, programs

EXAMPLES = int(os.environ.get("LOOPSAFE_EXAMPLES", "12"))
_IMPORTS = re.compile(r"(\s*import (asyncio|functools|(anyio|trio)\.from_thread))*\s*")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_programs(shape: Shape, tmp_path: Path, data: st.DataObject) -> None:
    program = data.draw(programs(shape))
    file = tmp_path / "program.py"
    (tmp_path / "pyproject.toml").touch()
    file.write_bytes(program.data)
    holds(shape, program, file)


def holds(shape: Shape, program: Program, file: Path) -> None:
    before = loopsafe.analyze([file])
    assert before.problems == ()
    wanted = operations(shape, program, before.findings)
    outcome = work_out(before, wanted, lambda overlay: loopsafe.analyze([file], overlay=overlay))
    for refusal in outcome.refusals:
        assert any(part in refusal.reason for part in shape.refusals), refusal
    if not outcome.changes:
        assert outcome.refusals or not wanted
        return
    (change,) = outcome.changes
    compile(change.after, "<fixed>", "exec")
    only_calls_change(shape, program, change.after, change.fixed)
    says_what_it_must(shape, program, change.text, change.fixed)
    assert comments(change.text) == comments(program.text)
    file.write_bytes(change.after)
    after = loopsafe.analyze([file])
    left = [finding for finding in after.findings if finding.fix and finding.fix.applicability != "declined"]
    assert len(left) == len(outcome.refusals)
    again = work_out(after, left, lambda overlay: loopsafe.analyze([file], overlay=overlay))
    assert again.changes == ()


def operations(shape: Shape, program: Program, findings: tuple[Finding, ...]) -> list[Finding]:
    """The fixable findings. All must be the operations of the program."""
    texts = [cut(program.text, finding.location.span) for finding in findings]
    assert sorted(texts) == sorted(program.calls)
    wanted = [finding for finding in findings if finding.fix and finding.fix.applicability != "declined"]
    for finding in findings:
        assert finding in wanted or (finding.fix and finding.fix.reason in shape.declines), finding
    return wanted


def cut(text: str, span: Span) -> str:
    rows = lines(text)
    start = sum(map(len, rows[: span.row - 1])) + span.column - 1
    return text[start : sum(map(len, rows[: span.end_row - 1])) + span.end_column - 1]


def without(text: str, spans: list[Span]) -> str:
    rows = lines(text)
    for span in sorted(spans, reverse=True):
        row = rows[span.row - 1]
        rows[span.row - 1] = row[: span.column - 1] + row[span.end_column - 1 :]
    return "".join(rows)


def lines(text: str) -> list[str]:
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)


def only_calls_change(shape: Shape, program: Program, after: bytes, fixed: tuple[Finding, ...]) -> None:
    """What stands before, between and after the calls is byte for byte the same, but for added imports."""
    data, result = fix_bytes(program.data, [finding.fix for finding in fixed if finding.fix])
    assert data == after
    spans = [finding.location.span for finding in fixed]
    around = [edit for edit in result.edits if not any(inside(edit, span) for span in spans)]
    # `return f()` becomes `f()`, where that gives nothing.
    words = [edit for edit in around if not is_insertion(edit)]
    assert all((cut(program.text, edit.span).rstrip(), edit.content) == ("return", "") for edit in words)
    outside = [edit for edit in around if edit not in words and edit.content.strip("; \t\r\n\f") != "return"]
    new = [edit for edit in outside if not shape.captures or edit.content.strip("; \t\r\n\f") != shape.captures]
    assert all(_IMPORTS.fullmatch(edit.content) for edit in new), new
    assert len(outside) - len(new) == bool(shape.captures)
    rest = without(program.text, [edit.span for edit in words])
    for call in program.calls:
        rest = rest.replace(call, "\0", 1)
    pieces = [re.escape(piece) for piece in rest.split("\0")]
    text = after.decode(program.encoding)
    for edit in (edit for edit in around if edit not in words):
        text = text.replace(edit.content, "", 1)
    assert re.fullmatch("(?s:.*)".join(pieces), text)


def inside(edit: Edit, span: Span) -> bool:
    return span.contains(edit.span)


class _Meaning(ast.NodeTransformer):
    """Puts what is expected in the place of calls, and makes all spellings of `functools.partial` one."""

    def __init__(self, text: str, shape: Shape, calls: list[str]) -> None:
        self.text, self.shape, self.calls = text, shape, calls
        self.done: set[int] = set()

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if id(node) in self.done or ast.get_source_segment(self.text, node) not in self.calls:
            return self.generic_visit(node)
        self.done.add(id(node))
        return self.visit(self.shape.expected(node))

    def visit_Return(self, node: ast.Return) -> ast.AST:
        # Where nothing is given back, it does not matter which statement does it.
        value = self.visit(node.value) if node.value else None
        return ast.Expr(value) if isinstance(value, ast.Call) else ast.Return(value)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return ast.Name("partial", ast.Load()) if node.attr == "partial" else self.generic_visit(node)


def says_what_it_must(shape: Shape, program: Program, after: str, fixed: tuple[Finding, ...]) -> None:
    calls = [cut(program.text, finding.location.span) for finding in fixed]
    assert meaning(shape, after, []) == meaning(shape, program.text, calls)


def meaning(shape: Shape, text: str, calls: list[str]) -> list[str]:
    tree = _Meaning(text, shape, calls).visit(ast.parse(text))
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if ast.unparse(statement) != shape.captures]
    return [ast.dump(statement) for statement in tree.body if not isinstance(statement, ast.Import | ast.ImportFrom)]


def comments(text: str) -> list[str]:
    rows = "\n".join(row.rstrip("\r\n") for row in lines(text))
    tokens = tokenize.generate_tokens(io.StringIO(rows).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def is_insertion(edit: Edit) -> bool:
    return (edit.span.row, edit.span.column) == (edit.span.end_row, edit.span.end_column)
