"""What the rules say of themselves, as plain data for the formats, and finding one by its code or name."""

from __future__ import annotations

from loopsafe.frontends.settings import nearest
from loopsafe.frontends.terminal import CannotWork
from loopsafe.render import RuleInfo
from loopsafe.rules import ALL_RULES


def rule_infos() -> tuple[RuleInfo, ...]:
    """All rules, in order of code."""
    return tuple(RuleInfo(rule.code, rule.name, rule.summary(), rule.documentation()) for rule in ALL_RULES)


def find_rule(word: str) -> RuleInfo:
    """The rule of a code or name, in any case.

    Raises:
        CannotWork: there is none; the message names the nearest.
    """
    rules = {key: rule for rule in rule_infos() for key in (rule.code, rule.name)}
    for key in (word.upper(), word.lower()):
        if key in rules:
            return rules[key]
    likely = nearest(word.upper(), [rule.code for rule in rules.values()]) or nearest(word.lower(), rules)
    raise CannotWork(f"no rule has the code or name `{word}`{likely or '; `loopsafe rules` lists them all'}")
