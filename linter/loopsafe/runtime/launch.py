"""The environment in which a program runs under the guard, whatever Python it is run by."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from loopsafe.runtime.journal import FILE
from loopsafe.runtime.start import ACTION

_STARTUP = str(Path(__file__).with_name("startup"))


def guarded(environment: Mapping[str, str], action: str, file: str = "") -> dict[str, str]:
    """The environment with what starts the guard in it; `file` is where what is seen is written."""
    path = os.pathsep.join(filter(None, [_STARTUP, environment.get("PYTHONPATH", "")]))
    new = {**environment, ACTION: action, "PYTHONPATH": path}
    if file:
        new[FILE] = os.path.abspath(file)
    return new
