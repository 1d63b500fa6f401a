"""Modules are told of as they are loaded, each once, whoever loads them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from loopsafe.runtime.imports import after_import

NAMES = [f"loopsafe_made_up_{number}" for number in range(sys.getrecursionlimit() // 2)]


class OneForAll(MetaPathFinder, Loader):
    """A finder that is the loader of all its modules, as pytest's is."""

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in NAMES else None

    def exec_module(self, module: ModuleType) -> None:
        module.made = True  # type: ignore[attr-defined]


@pytest.fixture
def finder() -> Iterator[OneForAll]:
    one = OneForAll()
    sys.meta_path.append(one)
    yield one
    sys.meta_path.remove(one)
    for name in NAMES:
        sys.modules.pop(name, None)


def test_a_loader_of_many_modules_tells_of_each_once(finder: OneForAll) -> None:
    told: list[str] = []
    end = after_import(lambda module: told.append(module.__name__))
    try:
        for name in NAMES:
            assert importlib.import_module(name).made
    finally:
        end()
    assert [name for name in told if name in NAMES] == NAMES
