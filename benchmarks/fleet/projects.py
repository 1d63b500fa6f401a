"""Many projects made of a few: copied, with a name of its own for each package, so that none is the same as another."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    ROOT / "examples" / "broken",
    ROOT / "examples" / "fixed",
    ROOT / "examples" / "decoder",
    ROOT / "reference_decoder",
)


def make(folder: Path, count: int) -> list[Path]:
    """So many projects in a new folder, in turn of each source."""
    return [_copied(SOURCES[number % len(SOURCES)], folder / f"project_{number:05}", number) for number in range(count)]


def _copied(source: Path, project: Path, number: int) -> Path:
    package = f"{source.name}_{number:05}"
    word = re.compile(rf"\b{source.name}\b")
    for file in sorted(source.rglob("*.py")):
        copy = project / package / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(word.sub(package, file.read_text("utf-8")), "utf-8")
    (project / "pyproject.toml").write_text(f'[project]\nname = "{package}"\nversion = "1"\n', "utf-8")
    return project
