"""Write docs/rules/ from the rules, and from the types of configuration and output their tables and JSON schemas.

Run without arguments to write, with `--check` to fail where a page is stale, missing or left over.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "rules"
sys.path.insert(0, str(ROOT / "linter"))

from loopsafe.frontends.fleet.formats import json as fleet  # noqa: E402
from loopsafe.project.keys import schema  # noqa: E402
from loopsafe.render.formats import json as findings  # noqa: E402
from loopsafe.rules import ALL_RULES  # noqa: E402
from loopsafe.rules.base import Rule  # noqa: E402

NOTICE = "<!-- Written by scripts/generate_docs.py from the rule's docstring: edit that. -->\n\n"


def page_name(rule: Rule) -> str:
    """The file name of a rule's page."""
    return f"{rule.code}-{rule.name}.md"


def overview() -> str:
    """The table of all rules, as docs/rules/README.md."""
    rows = "".join(f"| [{r.code}]({page_name(r)}) | {r.name} | {r.summary()} |\n" for r in ALL_RULES)
    return f"{NOTICE}# Rules\n\n| code | name | what it finds |\n|---|---|---|\n{rows}"


def pages() -> dict[str, str]:
    """The text of every generated file, by file name."""
    return {"README.md": overview()} | {page_name(rule): NOTICE + rule.documentation() for rule in ALL_RULES}


SCHEMA = ROOT / "linter" / "loopsafe" / "project" / "loopsafe.schema.json"
FINDINGS = ROOT / "linter" / "loopsafe" / "render" / f"findings-{findings.VERSION}.schema.json"
FLEET = ROOT / "linter" / "loopsafe" / "frontends" / "fleet" / f"fleet-{fleet.VERSION}.schema.json"
REFERENCE = ROOT / "docs" / "configuration.md"
BEGIN, END = "<!-- begin keys: written by scripts/generate_docs.py -->\n", "<!-- end keys -->\n"


def keys() -> str:
    """A section for each key of the configuration."""
    return "".join(
        f"\n### `{key}`\n\n{said['description']}\n\nDefault: `{json.dumps(said['default'])}`\n"
        for key, said in sorted(schema()["properties"].items())
    )


def others() -> dict[Path, str]:
    """The text of the generated files that are not of rules."""
    before, _, rest = REFERENCE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    return {
        SCHEMA: json.dumps(schema(), indent=2) + "\n",
        FINDINGS: json.dumps(findings.schema(), indent=2) + "\n",
        FLEET: json.dumps(fleet.schema(), indent=2) + "\n",
        REFERENCE: f"{before}{BEGIN}{keys()}\n{END}{after}",
    }


def stale_others() -> list[Path]:
    """Those that are not what they should be."""
    return [file for file, text in others().items() if not file.exists() or file.read_text("utf-8") != text]


def stale(folder: Path = FOLDER) -> list[str]:
    """The names of files that differ from what the rules say, are missing, or belong to no rule."""
    wanted = pages()
    found = {file.name: file.read_text("utf-8") for file in folder.glob("*.md")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def write(folder: Path = FOLDER) -> None:
    """Bring the folder up to date, removing pages of rules that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for name in stale(folder):
        if name in wanted:
            (folder / name).write_text(wanted[name], "utf-8")
        else:
            (folder / name).unlink()


def main(arguments: list[str] | None = None) -> int:
    """Write the pages, or with `--check` only say which are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page is stale")
    if not parser.parse_args(arguments).check:
        write()
        for file in stale_others():
            file.write_text(others()[file], "utf-8")
        return 0
    names = [*(f"docs/rules/{name}" for name in stale()), *(str(file.relative_to(ROOT)) for file in stale_others())]
    for name in names:
        print(f"{name} is stale: run scripts/generate_docs.py", file=sys.stderr)
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
