"""`loopsafe rules` and `loopsafe explain`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from loopsafe.frontends.rule_info import find_rule, rule_infos
from loopsafe.frontends.terminal import drawn, wants_colour, write
from loopsafe.render.as_json import written
from loopsafe.render.results import RuleInfo

if TYPE_CHECKING:
    from rich.console import RenderableType


def show_rules(output_format: str = "text", containing: str = "") -> int:
    """Print the rules whose code, name or summary contains this, and return the exit code."""
    rules = tuple(rule for rule in rule_infos() if _contains(rule, containing.lower()))
    if output_format == "json":
        write([written([{"code": rule.code, "name": rule.name, "summary": rule.summary} for rule in rules])])
    else:
        _list(rules)
    return 0


def _contains(rule: RuleInfo, word: str) -> bool:
    return any(word in text.lower() for text in (rule.code, rule.name, rule.summary))


def _list(rules: tuple[RuleInfo, ...]) -> None:
    if wants_colour(sys.stdout):
        write(drawn(_table(rules)), colour=True)
    else:
        width = max((len(rule.name) for rule in rules), default=0)
        write(f"{rule.code}  {rule.name:<{width}}  {rule.summary}" for rule in rules)


def explain(word: str) -> int:
    """Print the page of the rule with this code or name, or list those whose code begins so; return the exit code.

    Raises:
        CannotWork: there is no such rule.
    """
    beginning = tuple(rule for rule in rule_infos() if rule.code.startswith(word.upper()) and rule.code != word.upper())
    if beginning:
        _list(beginning)
        return 0
    page = find_rule(word).documentation
    if not wants_colour(sys.stdout):
        write([page.rstrip()])
        return 0

    # Only a terminal pays for loading rich.
    from rich.markdown import Markdown

    write(drawn(Markdown(page)), colour=True)
    return 0


def _table(rules: tuple[RuleInfo, ...]) -> RenderableType:
    # Only a terminal pays for loading rich.
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE)
    table.add_column("code", style="bold", no_wrap=True)
    table.add_column("name", no_wrap=True)
    table.add_column("flags")
    for rule in rules:
        table.add_row(rule.code, rule.name, rule.summary)
    return table
