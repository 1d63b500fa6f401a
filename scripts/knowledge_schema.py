"""Write linter/loopsafe/knowledge/pack.schema.json, the JSON schema of packs, from the classes that read them.

Run without arguments to write, with `--check` to fail where the file is stale.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "linter" / "loopsafe" / "knowledge" / "pack.schema.json"
sys.path.insert(0, str(ROOT / "linter"))

import msgspec  # noqa: E402

from loopsafe.knowledge.schema import Pack  # noqa: E402


def schema() -> str:
    """The text of the schema file."""
    generated = _clean(msgspec.json.schema(Pack))
    titled = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A knowledge pack of loopsafe"}
    assert isinstance(generated, dict)
    return json.dumps(titled | generated, indent=2, ensure_ascii=False) + "\n"


def _clean(value: object) -> object:
    """Descriptions are docstrings, which Python keeps indented before 3.13 and not since: the same for all."""
    if isinstance(value, dict):
        return {key: _described(item) if key == "description" else _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def _described(item: object) -> object:
    return inspect.cleandoc(item) if isinstance(item, str) else _clean(item)


def is_stale() -> bool:
    """Whether the file differs from what the classes say."""
    return not FILE.exists() or FILE.read_text("utf-8") != schema()


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or with `--check` only say whether it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the file is stale")
    if not parser.parse_args(arguments).check:
        FILE.write_text(schema(), "utf-8")
    elif is_stale():
        print(f"stale: {FILE.relative_to(ROOT)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
