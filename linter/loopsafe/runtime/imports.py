"""Tells of each module as soon as it has been loaded."""

from __future__ import annotations

import importlib.abc
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Loaded = Callable[[ModuleType], None]


class _Watcher(importlib.abc.MetaPathFinder):
    """Asks the other finders, and has the loader that they find tell when it is done."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """What the others find."""
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    self._attach(spec)
                    return spec
        return None

    def _attach(self, spec: ModuleSpec) -> None:
        execute = getattr(spec.loader, "exec_module", None)
        # pytest has one loader for all modules: were it wrapped for each, imports would run out of depth.
        told: frozenset[_Watcher] = getattr(execute, "told", frozenset())
        if self in told:
            return

        def executed(module: ModuleType) -> None:
            assert execute is not None
            execute(module)
            self._loaded(module)

        executed.told = told | {self}  # type: ignore[attr-defined]
        try:
            if execute is not None:
                spec.loader.exec_module = executed  # type: ignore[union-attr,method-assign]
        except (AttributeError, TypeError):
            # Loaders of built-in and frozen modules are classes, or take nothing.
            return


def after_import(loaded: Loaded) -> Callable[[], None]:
    """Have `loaded` called with each module that is imported from now on; what ends that."""
    watcher = _Watcher(loaded)
    sys.meta_path.insert(0, watcher)

    def end() -> None:
        if watcher in sys.meta_path:
            sys.meta_path.remove(watcher)

    return end
