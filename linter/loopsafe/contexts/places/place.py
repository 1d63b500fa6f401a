"""Contexts: the places a function may run, and the hops by which it got there."""

from __future__ import annotations

from typing import Literal, NamedTuple

from loopsafe.findings import StepKind
from loopsafe.program.modules import Module
from loopsafe.program.values import Frame, Value

LOOP = "asyncio.AbstractEventLoop"
"""The class of all loops, as the rows name it."""

HOME = "the loop of the application"
"""The type of the one value that stands for the loop which a framework runs on the main thread."""

STARTING = ("thread", "signal", "finalizer", "exit")
# What they give is the loop that runs where they are called.
LOOK_UPS = ("get_running_loop", "get_event_loop", "current", "instance")

Kind = Literal["thread", "signal", "finalizer", "exit", "loop", "main", "caller"]

WHERE: dict[str, str] = {
    "thread": "on a worker thread",
    "signal": "in a signal handler, and comes late",
    "finalizer": "in a finalizer",
    "exit": "at interpreter exit",
    "main": "on the main thread",
    "caller": "off its loop's own thread",
    "loop": "on another loop",
}


# Tuples, since these are made and hashed more often than anything else.
class Place(NamedTuple):
    """Where a function runs. `loop` is the loop for kind `loop`; `caller` is whoever calls a public function."""

    kind: Kind
    loop: Value | None = None


MAIN = Place("main")
CALLER = Place("caller")


class State(NamedTuple):
    """A function as entered in one way, in one context."""

    frame: Frame
    place: Place


class Hop(NamedTuple):
    """How control goes from one state to the next: the place in the text, and whether that is certain."""

    kind: StepKind
    module: Module
    packed_span: int
    certain: bool = True

    @property
    def order(self) -> tuple[int, int, str]:
        """A key that sorts hops the same way on every run."""
        return (self.module.index, self.packed_span, self.kind)
