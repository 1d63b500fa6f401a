"""Contracts that the code itself speaks of and no annotation does. Plain data; never a finding."""

from __future__ import annotations

from dataclasses import dataclass

from loopsafe.locations import Location

ANNOTATION = "# loopsafe: thread-entry"
OTHERWISE = "# loopsafe: runs-on=loop"


@dataclass(frozen=True, slots=True, order=True)
class Touched:
    """What a method does to a loop-bound thing: the place, its source text, and the code it would have as a finding."""

    location: Location
    source: str
    code: str


@dataclass(frozen=True, slots=True, order=True)
class Suggestion:
    """A method that any thread may call as it seems, by its dotted name: what says so, and what that would break."""

    location: Location
    function: str
    says: tuple[str, ...]
    touches: tuple[Touched, ...]
