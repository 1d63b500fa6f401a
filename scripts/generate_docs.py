"""Write what of the documentation is generated: the rules, the tables and schemas of types, and the command line.

Run without arguments to write, with `--check` to fail where a page is stale, missing or left over.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "rules"
sys.path.insert(0, str(ROOT / "linter"))

import click  # noqa: E402

from loopsafe.frontends.cli import cli  # noqa: E402
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

COMMANDS_NOTICE = "<!-- Written by scripts/generate_docs.py from the help of the commands: edit that. -->\n\n"

SCHEMA = ROOT / "linter" / "loopsafe" / "project" / "loopsafe.schema.json"
FINDINGS = ROOT / "linter" / "loopsafe" / "render" / f"findings-{findings.VERSION}.schema.json"
FLEET = ROOT / "linter" / "loopsafe" / "frontends" / "fleet" / f"fleet-{fleet.VERSION}.schema.json"
REFERENCE = ROOT / "docs" / "configuration.md"
COMMANDS = ROOT / "docs" / "command-line.md"
_WIDTH = 100
BEGIN, END = "<!-- begin keys: written by scripts/generate_docs.py -->\n", "<!-- end keys -->\n"


def keys() -> str:
    """A section for each key of the configuration."""
    return "".join(
        f"\n### `{key}`\n\n{said['description']}\n\nDefault: `{json.dumps(said['default'])}`\n"
        for key, said in sorted(schema()["properties"].items())
    )


def commands() -> str:
    """The help of every command, as the page on the command line."""
    width = {"max_content_width": _WIDTH, "terminal_width": _WIDTH}
    top = click.Context(cli, info_name="loopsafe", **width, **cli.context_settings)
    told = "".join(f"\n## {one.command_path}\n\n```text\n{one.command.get_help(one)}\n```\n" for one in _each(top))
    return f"{COMMANDS_NOTICE}# Command line\n{told}"


def _each(context: click.Context) -> Iterator[click.Context]:
    """A command and those in it, but for hidden ones."""
    yield context
    command = context.command
    for name, inner in sorted(command.commands.items()) if isinstance(command, click.Group) else ():
        if not inner.hidden:
            yield from _each(click.Context(inner, info_name=name, parent=context))


def others() -> dict[Path, str]:
    """The text of the generated files that are not of rules."""
    before, _, rest = REFERENCE.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    return {
        SCHEMA: json.dumps(schema(), indent=2) + "\n",
        FINDINGS: json.dumps(findings.schema(), indent=2) + "\n",
        FLEET: json.dumps(fleet.schema(), indent=2) + "\n",
        COMMANDS: commands(),
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
