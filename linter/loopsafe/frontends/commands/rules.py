"""`loopsafe rules` and `loopsafe explain`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from loopsafe.frontends.rule_info import find_rule, rule_infos
from loopsafe.frontends.terminal import drawn, wants_colour, write
from loopsafe.render import RuleInfo

if TYPE_CHECKING:
    from rich.console import RenderableType


def show_rules() -> int:
    """Print all rules as a table and return the exit code."""
    rules = rule_infos()
    if wants_colour(sys.stdout):
        write(drawn(_table(rules)), colour=True)
    else:
        width = max((len(rule.name) for rule in rules), default=0)
        write(f"{rule.code}  {rule.name:<{width}}  {rule.summary}" for rule in rules)
    return 0


def explain(word: str) -> int:
    """Print the page of the rule with this code or name and return the exit code.

    Raises:
        CannotWork: there is no such rule.
    """
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
