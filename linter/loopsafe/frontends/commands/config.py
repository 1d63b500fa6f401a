"""`loopsafe config`: which configuration holds, and from where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from loopsafe.frontends.options import Selection
from loopsafe.frontends.settings import settle
from loopsafe.frontends.terminal import write
from loopsafe.harmless import printable, without_commands
from loopsafe.project.config import Config
from loopsafe.project.keys import schema

_TABLES = ("annotations", "per_file_ignores")
_NO_KEYS = ("root", "since", "origins")


def show_config(path: str, selection: Selection, output_format: str) -> int:
    """Print the value of each key and where it comes from, and return the exit code.

    Raises:
        CannotWork: the configuration or an option cannot be used.
    """
    config = settle(Path(path), selection)
    if output_format == "json":
        told = {key: {"value": value, "from": origin} for key, value, origin in _settings(config)}
        write([without_commands(json.dumps({"root": str(config.root), "settings": told}, indent=2))])
        return 0
    write([printable(f"root = {json.dumps(str(config.root), ensure_ascii=False)}")])
    write(
        printable(f"{key} = {json.dumps(value, ensure_ascii=False)}  # {origin}")
        for key, value, origin in _settings(config)
    )
    return 0


def _settings(config: Config) -> Iterator[tuple[str, object, str]]:
    origins = dict(config.origins)
    for name in sorted(field.name for field in fields(config) if field.name not in _NO_KEYS):
        value = getattr(config, name)
        yield name.replace("_", "-"), dict(value) if name in _TABLES else value, origins.get(name, "default")


def show_schema() -> int:
    """Print the JSON schema of the configuration and return the exit code."""
    write([json.dumps(schema(), indent=2)])
    return 0
