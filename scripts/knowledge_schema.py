"""Write linter/loopsafe/knowledge/pack.schema.json, the JSON schema of packs, from the classes that read them.

Run without arguments to write, with `--check` to fail where the file is stale.
"""

from __future__ import annotations

import argparse
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
    generated = msgspec.json.schema(Pack)
    titled = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A knowledge pack of loopsafe"}
    return json.dumps(titled | generated, indent=2, ensure_ascii=False) + "\n"


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
