"""The formats of findings. Each module here is one, by its own name, and says by `FORMAT` what it does."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loopsafe.render.results import Format


def names() -> tuple[str, ...]:
    """All formats. None is loaded for that: the command line asks even for its help."""
    modules = (name for name in os.listdir(os.path.dirname(__file__)) if name.endswith(".py"))
    return tuple(sorted(name[:-3].replace("_", "-") for name in modules if name != "__init__.py"))


def load(name: str) -> Format:
    """The format of this name, one of `names()`."""
    form: Format = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").FORMAT
    return form
