"""Loaded by each Python that a test suite starts: notes which of the watched rows run, in a file that all share.

Unlike a coverage tool it also sees processes that are killed, and costs next to nothing: a row is looked at once.
"""

from __future__ import annotations

import os
import sys
from types import CodeType

LOG = os.environ.get("LOOPSAFE_SUITE_LOG", "")
WATCHED = frozenset(filter(None, os.environ.get("LOOPSAFE_SUITE_ROWS", "").split(os.pathsep)))
ANY_FREE_TOOL = 4


def note(code: CodeType, row: int) -> object:
    """Write a watched row down when it runs first."""
    place = f"{code.co_filename}#{row}"
    if place in WATCHED:
        with open(LOG, "a", encoding="utf-8") as log:
            log.write(f"{place}\n")
    return sys.monitoring.DISABLE


if LOG and WATCHED:
    sys.monitoring.use_tool_id(ANY_FREE_TOOL, "loopsafe-suites")
    sys.monitoring.register_callback(ANY_FREE_TOOL, sys.monitoring.events.LINE, note)
    sys.monitoring.set_events(ANY_FREE_TOOL, sys.monitoring.events.LINE)
