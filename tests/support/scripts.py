"""Load a module of scripts/, which is no package."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def load_script(name: str) -> ModuleType:
    """The module `scripts/<name>.py`, executed once."""
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec
    assert spec.loader
    # Registered before it runs: dataclasses look their module up by name.
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
