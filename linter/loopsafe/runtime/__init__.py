"""The guard: watches a running program for what `loopsafe check` looks for in its text.

It needs the standard library only, and knows nothing of the analysis. While it is not installed it costs nothing, not
even the time to load it.

    >>> from loopsafe import runtime
    >>> guard = runtime.install("raise")
    >>> runtime.uninstall()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loopsafe.runtime.guard import ACTIONS, Action, Guard, install, seen, uninstall
    from loopsafe.runtime.violations import LoopSafetyError, Spot, Violation

__all__ = ["ACTIONS", "Action", "Guard", "LoopSafetyError", "Spot", "Violation", "install", "seen", "uninstall"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # On first use: Python starts with the module `start` of this package, and pytest with `plugin`, guard or no guard.
    module = "violations" if name in ("LoopSafetyError", "Spot", "Violation") else "guard"
    found: object = getattr(import_module(f"{__name__}.{module}"), name)
    return found
