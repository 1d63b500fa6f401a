"""flake8 as it is where loopsafe is not installed: what its own checkers take is not ours."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterator
from typing import Any

# The folder of this file.
del sys.path[0]

from flake8.main.cli import main  # noqa: E402

_all = importlib.metadata.distributions


def _others(**given: Any) -> Iterator[importlib.metadata.Distribution]:
    return (found for found in _all(**given) if found.metadata["name"] != "loopsafe")


if __name__ == "__main__":
    importlib.metadata.distributions = _others  # type: ignore[assignment]
    sys.exit(main(sys.argv[1:]))
