"""Where benchmarks keep what they download and install."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def add_cache_option(parser: argparse.ArgumentParser, name: str, what: str) -> None:
    """Add `--cache`, by default a folder of this name in the user's cache; it is made where there is none."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / name
    parser.add_argument("--cache", type=_folder, default=str(default), help=f"{what} (default: %(default)s)")


def _folder(text: str) -> Path:
    folder = Path(text).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder
