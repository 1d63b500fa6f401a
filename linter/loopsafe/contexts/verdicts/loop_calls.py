"""What is found of calls that run a loop, or hand something to one."""

from __future__ import annotations

from dataclasses import dataclass

from loopsafe.contexts.places.place import Hop
from loopsafe.facts.schema import Call
from loopsafe.program.modules import Module


@dataclass(frozen=True, slots=True)
class LoopCall:
    """Such a call, the way to it, which ends with the call itself, and whether that is certain."""

    module: Module
    call: Call
    hops: tuple[Hop, ...]
    sure: bool
