"""JSON as all output has it."""

from __future__ import annotations

import json

from loopsafe.harmless import without_commands


def written(value: object, indent: int | None = 2) -> str:
    """JSON in ASCII, which no encoding can spoil, with no command to a build server in its strings."""
    return without_commands(json.dumps(value, indent=indent))
