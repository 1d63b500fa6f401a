"""Every rule is documented, cased, in the changelog and short of message."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path
from statistics import median

import pytest

import loopsafe
from loopsafe.rules import ALL_RULES
from loopsafe.rules.base import SECTIONS, Rule
from tests.support.scripts import ROOT, load_script

each_rule = pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.code) for rule in ALL_RULES])

OPERATIONS = {
    "LSF001": "# noqa: LSF102",
    "LSF101": "self._frames.send_nowait",
    "LSF102": "self._queue.put_nowait",
    "LSF103": "self._ready.set",
    "LSF104": "future.set_result",
    "LSF105": "self._loop.call_soon",
    "LSF106": "self._writer.write",
    "LSF107": "asyncio.create_task",
    "LSF108": "self._bridge.lower",
    "LSF109": "self.async_write_ha_state",
    "LSF201": "self._queue.put_nowait",
    "LSF202": "loop.call_soon_threadsafe",
    "LSF203": "asyncio.get_event_loop",
    "LSF204": "self._queue.put",
    "LSF205": "asyncio.run_coroutine_threadsafe(...).result",
    "LSF206": "self._loop.call_soon_threadsafe",
    "LSF207": "loop.run_until_complete",
    "LSF208": "asyncio.run_coroutine_threadsafe",
}
REMEDIES = {
    "LSF001": "remove it",
    "LSF202": "use `asyncio.run_coroutine_threadsafe`",
    "LSF203": "bring the loop along",
    "LSF204": "use `asyncio.run_coroutine_threadsafe`",
    "LSF205": "await it instead",
    "LSF206": "hand over `self._queue.put_nowait` itself",
    "LSF207": "await the coroutine",
    "LSF208": "run it in a thread",
    "LSF107": "use `asyncio.run_coroutine_threadsafe`",
    "LSF201": "pass it to `self._loop.call_soon_threadsafe` with its arguments",
}
EXAMPLE_IMPORTS = "import asyncio\nimport threading\n\nfrom livekit.agents.utils import aio\n\n"


def message(rule: Rule) -> str:
    """The rule's message with names of ordinary length."""
    remedy = REMEDIES.get(rule.code, "use `self._loop.call_soon_threadsafe`")
    return rule.message.format(operation=OPERATIONS[rule.code], where="on a worker thread", remedy=remedy)


def code_block(text: str) -> str:
    """The one Python block of a section."""
    (block,) = re.findall(r"(?ms)^```python\n(.*?)^```$", text)
    return textwrap.dedent(block)


def test_codes_are_unique_and_in_order() -> None:
    codes = [rule.code for rule in ALL_RULES]
    assert codes == sorted(set(codes))
    assert len({rule.name for rule in ALL_RULES}) == len(codes)


@each_rule
def test_code_and_name_are_well_formed(rule: Rule) -> None:
    assert re.fullmatch(r"LSF\d{3}", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.name)
    assert type(rule).__module__ == f"loopsafe.rules.{rule.name.replace('-', '_')}"


@each_rule
def test_documentation_is_complete(rule: Rule) -> None:
    assert rule.summary().endswith(".")
    assert tuple(rule.sections()) == SECTIONS
    assert all(rule.sections().values())


@each_rule
def test_example_code_parses(rule: Rule) -> None:
    for section in ("Example", "Use instead"):
        ast.parse(code_block(rule.sections()[section]))


@each_rule
def test_example_is_found(rule: Rule, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(EXAMPLE_IMPORTS + code_block(rule.sections()["Example"]), "utf-8")
    assert [finding.code for finding in loopsafe.analyze([tmp_path]).findings] == [rule.code]


@each_rule
def test_rule_has_cases(rule: Rule) -> None:
    text = (ROOT / "tests" / "cases" / f"{rule.name}.md").read_text("utf-8")
    assert rule.code in text
    assert text.count("\n## ") >= 8


@each_rule
def test_rule_is_in_the_changelog(rule: Rule) -> None:
    assert f"`{rule.code}` {rule.name}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_pages_are_fresh() -> None:
    assert load_script("generate_docs").stale() == []
    assert load_script("generate_docs").stale_others() == []


def test_messages_are_short() -> None:
    lengths = [len(message(rule)) for rule in ALL_RULES]
    assert median(lengths) <= 90
    assert max(lengths) <= 120
