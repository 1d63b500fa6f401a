"""The report on many projects: as a table for people, as a page, and for programs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loopsafe.render.results import RuleInfo

if TYPE_CHECKING:
    from loopsafe.frontends.fleet.outcomes import Outcome

NAMES = ("table", "json", "sarif", "html")


@dataclass(frozen=True, slots=True)
class Fleet:
    """What came of all projects, and what is told of the rules and of loopsafe. With `colour`, a terminal reads it."""

    outcomes: Sequence[Outcome]
    version: str = ""
    rules: tuple[RuleInfo, ...] = ()
    home: str = ""
    colour: bool = False


def load(name: str) -> Callable[[Fleet], Iterator[str]]:
    """What makes the lines of a report in this format, one of `NAMES`."""
    render: Callable[[Fleet], Iterator[str]] = importlib.import_module(f"{__name__}.{name}").render
    return render
