"""What the rules say of themselves, as plain data for the formats, and finding one by its code or name."""

from __future__ import annotations

import functools

from loopsafe.frontends.settings import nearest
from loopsafe.frontends.terminal import CannotWork
from loopsafe.render.results import RuleInfo
from loopsafe.rules import ALL_RULES
from loopsafe.rules.base import Rule


def rule_infos() -> tuple[RuleInfo, ...]:
    """All rules, in order of code."""
    return tuple(map(_info, ALL_RULES))


def home() -> str:
    """The address of this project, as its distribution says; empty where it says none, or is not installed."""
    urls = _urls()
    return next((urls[label] for label in ("homepage", "repository", "source") if label in urls), "")


def _info(rule: Rule) -> RuleInfo:
    pages = _urls().get("documentation", "").rstrip("/")
    url = f"{pages}/rules/{rule.code}-{rule.name}.md" if pages else ""
    what = f"{rule.summary()} {' '.join(rule.sections()['What it does'].split())}"
    return RuleInfo(rule.code, rule.name, rule.summary(), rule.documentation(), what, url)


@functools.cache
def _urls() -> dict[str, str]:
    """The addresses of the distribution, by label in lower case."""
    # It takes a while to load, and few commands need it.
    from importlib import metadata

    try:
        told = metadata.metadata("loopsafe").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return {}
    pairs = (entry.partition(",") for entry in told)
    return {label.strip().lower(): url.strip() for label, _, url in pairs}


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
