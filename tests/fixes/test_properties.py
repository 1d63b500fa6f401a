"""Any arguments in any layout: the new text says the same call, handed over, and nothing else moved."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from loopsafe.findings import FixPlan, Rewrite
from loopsafe.fixes import fix_source
from tests.support.pairs import call_span

NAMES = st.sampled_from(
    ["x", "größe", "a.b", "f(1, k=2)", "(1,\n 2)", '"text"', "[i for i in y]", "lambda: (yield)", "not z"]
)
POSITIONAL = NAMES | NAMES.map("*{}".format).filter(lambda text: "lambda" not in text and "not" not in text)
KEYWORDS = st.tuples(st.sampled_from(["k", "item", "loop_"]), NAMES).map("=".join)
GAPS = st.sampled_from(["", " ", "\n    ", "  # why, (really)\n\t", "\n\n  # a\n  # b\n  ", "\\\n "])
FUNCTIONS = st.sampled_from(
    ["q.put", "self.q.put", "put", "(a or b).put", "(q\n .put)", "table[0]", "make().put", "äh.ßu"]
)


@st.composite
def calls(draw: st.DrawFn, keywords: bool = True) -> str:
    """The text of a call, with comments and line ends wherever they may stand."""
    arguments = draw(st.lists(POSITIONAL, max_size=3))
    if keywords:
        arguments += draw(st.lists(KEYWORDS, max_size=2, unique_by=lambda text: text.split("=")[0]))
    parts = [draw(GAPS) + argument + draw(GAPS) for argument in arguments]
    inside = ",".join(parts) + (draw(st.sampled_from(["", ","])) + draw(GAPS) if parts else draw(GAPS))
    return f"{draw(FUNCTIONS)}{draw(st.sampled_from(['', ' ']))}({inside})"


@st.composite
def programs(draw: st.DrawFn, call: st.SearchStrategy[str]) -> tuple[str, str]:
    """A program around a call, and the call's text."""
    text = draw(call)
    before = draw(
        st.sampled_from(["", '"""Doc."""\n', "import os\n\n", "# coding: utf-8\n", "from functools import partial\n"])
    )
    shape = draw(
        st.sampled_from(["{}\n", "def f():\n\treturn {}  # c\n", "x = [({}), 'ö']; y = 1", "if z:\r\n  g({})\r\n"])
    )
    return before + shape.replace("{}", text), text


@given(programs(calls()))
def test_passing_hands_over_the_same_function_and_arguments(program: tuple[str, str]) -> None:
    source, text = program
    before = ast.parse(f"({text})", mode="eval").body
    assert isinstance(before, ast.Call)
    result = fix_source(source, [FixPlan("safe", rewrites=(Rewrite(call_span(source, text), "pass", "_.cross"),))])
    assert result.failed == ()
    after = next(
        node
        for node in ast.walk(ast.parse(result.source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_.cross"
    )
    if before.keywords:
        assert isinstance(after.args[0], ast.Call)
        assert ast.unparse(after.args[0].func) in {"functools.partial", "partial"}
        after = after.args[0]
    assert list(map(ast.dump, after.args)) == list(map(ast.dump, [before.func, *before.args]))
    assert list(map(ast.dump, after.keywords)) == list(map(ast.dump, before.keywords))


@given(programs(calls(keywords=False)))
def test_comments_and_rows_stay(program: tuple[str, str]) -> None:
    source, text = program
    result = fix_source(source, [FixPlan("safe", rewrites=(Rewrite(call_span(source, text), "pass", "_.cross"),))])
    assert result.source.count("#") == source.count("#")
    undone = result.source
    for edit in reversed(result.edits):
        assert edit.content
        # The last place is the one: a comma stands in more than one.
        undone = "".join(undone.rpartition(edit.content)[::2])
    assert len(undone) <= len(source)


@given(programs(calls().map("loop.call_soon({})".format)))
def test_uncalling_says_the_same_call_or_declines(program: tuple[str, str]) -> None:
    source, text = program
    outer = ast.parse(f"({text})", mode="eval").body
    assert isinstance(outer, ast.Call)
    inner = outer.args[0]
    assert isinstance(inner, ast.Call)
    result = fix_source(source, [FixPlan("safe", rewrites=(Rewrite(call_span(source, text), "uncall"),))])
    if result.failed:
        assert result.source == source
        return
    after = next(
        node
        for node in ast.walk(ast.parse(result.source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "loop.call_soon"
    )
    if inner.keywords:
        assert isinstance(after.args[0], ast.Call)
        after = after.args[0]
    assert list(map(ast.dump, after.args)) == list(map(ast.dump, [inner.func, *inner.args]))
    assert result.source.count("#") == source.count("#")
