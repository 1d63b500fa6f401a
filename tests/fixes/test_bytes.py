"""Whatever a file's encoding and layout: all bytes outside the edits stay."""

from __future__ import annotations

import pytest

from loopsafe.findings import FixPlan, Rewrite
from loopsafe.fixes import fix_bytes, fix_source
from loopsafe.locations import Span
from tests.support.pairs import call_span

BOM = b"\xef\xbb\xbf"


def passing(source: str, call: str = "q.put(") -> FixPlan:
    """The plan that hands a call to the loop."""
    return FixPlan("safe", rewrites=(Rewrite(call_span(source, call), "pass", "loop.cst"),))


def keeps(before: bytes, after: bytes, plan: FixPlan) -> None:
    data, result = fix_bytes(before, [plan])
    assert result.failed == ()
    assert data == after


def test_carriage_returns_stay_and_an_inserted_row_has_one() -> None:
    source = 'import os\r\nq.put(\r\n    x,\r\n    k=1,\r\n)\r\ns = """a\nb"""\r\n'
    keeps(
        source.encode(),
        b"import functools\r\nimport os\r\n"
        b"loop.cst(functools.partial(\r\n    q.put,\r\n    x,\r\n    k=1,\r\n))\r\n"
        b's = """a\nb"""\r\n',
        passing(source),
    )


def test_lone_carriage_returns_end_rows_too() -> None:
    keeps(b"x = 1\rq.put(x)\ry = 2", b"x = 1\rloop.cst(q.put, x)\ry = 2", passing("x = 1\rq.put(x)\ry = 2"))


def test_a_byte_order_mark_stays() -> None:
    source = "q.put('ä')\n"
    keeps(BOM + source.encode(), BOM + "loop.cst(q.put, 'ä')\n".encode(), passing(source))


def test_another_encoding_stays() -> None:
    source = "# -*- coding: latin-1 -*-\nname = 'Köln'; q.put('ü')  # größer\n"
    after = "# -*- coding: latin-1 -*-\nname = 'Köln'; loop.cst(q.put, 'ü')  # größer\n"
    keeps(source.encode("latin-1"), after.encode("latin-1"), passing(source))


def test_an_encoding_of_several_bytes_a_letter_stays() -> None:
    source = "# coding: shift_jis\nname = '日本'; q.put('語')\n"
    keeps(source.encode("shift_jis"), source.replace("q.put(", "loop.cst(q.put, ").encode("shift_jis"), passing(source))


def test_tabs_form_feeds_and_blanks_at_row_ends_stay() -> None:
    source = "\x0cif x:  \n\ty = 1\t\n\x0c\tq.put(\n\t\tx,\t# c \n\t)\n\x0c\n\n\n"
    after = "\x0cif x:  \n\ty = 1\t\n\x0c\tloop.cst(\n\t\tq.put,\n\t\tx,\t# c \n\t)\n\x0c\n\n\n"
    plan = FixPlan("safe", rewrites=(Rewrite(Span(3, 3, 5, 3), "pass", "loop.cst"),))
    keeps(source.encode(), after.encode(), plan)


def test_a_lone_carriage_return_ends_a_row_also_above_the_coding_comment() -> None:
    source = "# licence\r# coding: latin-1\rname = 'ö'; q.put(x)\r"
    keeps(source.encode("latin-1"), source.replace("q.put(", "loop.cst(q.put, ").encode("latin-1"), passing(source))


def test_a_missing_final_line_end_stays_missing() -> None:
    keeps(b"q.put(x)", b"loop.cst(q.put, x)", passing("q.put(x)"))


def test_an_import_after_the_only_row_of_a_file_without_line_end() -> None:
    source = "import os; loop.create_task(c())"
    plan = FixPlan("safe", rewrites=(Rewrite(call_span(source, "loop.create_task"), "coroutine", "loop"),))
    keeps(source.encode(), b"import asyncio\n\nimport os; asyncio.run_coroutine_threadsafe(c(), loop)", plan)


def test_a_docstring_and_nothing_else_but_the_call_without_line_end() -> None:
    source = '"""Doc."""; loop.create_task(c())'
    plan = FixPlan("safe", rewrites=(Rewrite(call_span(source, "loop.create_task"), "coroutine", "loop"),))
    data, result = fix_bytes(source.encode(), [plan])
    assert result.applied == (plan,)
    compile(data, "<test>", "exec")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"q.put('\xff')\n", "encoding declaration"),
        (b"# coding: no-such\nq.put(x)\n", "unknown encoding"),
        (b"# coding: utf-7\nname = 'a+-b+AOQ-'; q.put(x)\n", "does not give the same bytes back"),
    ],
    ids=["not in its encoding", "unknown encoding", "encoding with two ways to write a letter"],
)
def test_what_cannot_be_decoded_is_left_alone(data: bytes, reason: str) -> None:
    plan = FixPlan("safe", rewrites=(Rewrite(Span(1, 1, 1, 9), "pass", "loop.cst"),))
    fixed, result = fix_bytes(data, [plan])
    assert fixed == data
    assert [failed for failed, _ in result.failed] == [plan]
    assert reason in result.failed[0][1]


def test_a_character_that_the_encoding_lacks_leaves_the_file_alone() -> None:
    plan = FixPlan("safe", rewrites=(Rewrite(Span(2, 1, 2, 9), "pass", "schleife_日"),))
    data = b"# coding: latin-1\nq.put(x)\n"
    fixed, result = fix_bytes(data, [plan])
    assert fixed == data
    assert [failed for failed, _ in result.failed] == [plan]


@pytest.mark.parametrize(
    "span",
    [Span(1, 1, 1, 8), Span(1, 5, 1, 9), Span(9, 1, 9, 2), Span(1, 1, 1, 99), Span(2, 1, 2, 5), Span(0, 0, 0, 0)],
    ids=str,
)
def test_a_span_that_is_no_call_fails(span: Span) -> None:
    source = "q.put(x)\n'q.put(x)'\n"
    plan = FixPlan("safe", rewrites=(Rewrite(span, "pass", "loop.cst"),))
    result = fix_source(source, [plan])
    assert (result.source, result.applied, result.edits) == (source, (), ())
    assert len(result.failed) == 1


@pytest.mark.parametrize("source", ["q.put(", "q.put(x)\0", "print 1", "x = " + "(" * 5000], ids=repr)
def test_text_that_is_not_python_fails(source: str) -> None:
    plan = FixPlan("safe", rewrites=(Rewrite(Span(1, 1, 1, 9), "pass", "loop.cst"),))
    result = fix_source(source, [plan])
    assert result.source == source
    assert result.failed[0][1].startswith("Python cannot read it")


def test_a_call_nested_too_deeply_fails() -> None:
    source = "q.put(" + "(" * 150 + "f" + "())" * 150 + ")"
    result = fix_source(source, [FixPlan("safe", rewrites=(Rewrite(Span(1, 1, 1, len(source) + 1), "pass", "cst"),))])
    assert [reason for _, reason in result.failed] == ["the call is nested too deeply"]


def test_a_declined_plan_fails_with_its_reason() -> None:
    declined = FixPlan("declined", "no loop is in scope")
    assert fix_source("q.put(x)\n", [declined]).failed == ((declined, "no loop is in scope"),)


def test_a_plan_given_twice_is_carried_out_once() -> None:
    plan = passing("q.put(x)\n")
    result = fix_source("q.put(x)\n", [plan, plan])
    assert (result.source, result.applied) == ("loop.cst(q.put, x)\n", (plan,))


def test_warnings_about_the_code_are_not_ours_to_print() -> None:
    source = "'\\d'; 1 is 1; q.put(x)\n"
    plan = FixPlan("safe", rewrites=(Rewrite(Span(1, 15, 1, 23), "pass", "loop.cst"),))
    assert fix_source(source, [plan]).applied == (plan,)
