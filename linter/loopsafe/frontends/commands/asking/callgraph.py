"""The call graph of files as JSON, for looking at and for scoring: a tool for developers of loopsafe.

    python -m loopsafe.frontends.commands.asking.callgraph src/ --format json

gives one object: for each caller its callees, as dotted names. The caller of module-level code is the module. Built-ins
are named `<builtin>.print`, methods of their instances `<**PyStr**>.join`, as the tool PyCG names them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import click

from loopsafe.facts.extract import extract
from loopsafe.facts.schema import FileFacts, SyntaxProblem
from loopsafe.frontends.options import paths_argument
from loopsafe.frontends.terminal import CannotWork, complain, write
from loopsafe.knowledge.load import Knowledge, applicable, built_in_packs
from loopsafe.program.edges import CallEdges
from loopsafe.program.modules import Modules
from loopsafe.program.program import Program
from loopsafe.project.config import Config, ConfigError, load_config
from loopsafe.project.files import gather
from loopsafe.project.notebooks import code_at
from loopsafe.render.as_json import written

_METHOD = re.compile(r"builtins\.(str|bytes|int|list|tuple|dict|set)\.")


@click.command(hidden=True)
@paths_argument
@click.option("--format", "graph_format", type=click.Choice(["json"]), default="json", show_default=True)
def callgraph(*, paths: tuple[str, ...], graph_format: str) -> int:
    """Print which functions in PATHS call which."""
    return export_callgraph(paths)


def export_callgraph(paths: tuple[str, ...]) -> int:
    """Print the call graph and return the exit code.

    Raises:
        CannotWork: the configuration or a path cannot be used.
    """
    try:
        edges = call_edges(paths or (".",))
    except (ConfigError, OSError) as error:
        raise CannotWork(str(error)) from error
    write([written(edges)])
    return 0


def call_edges(paths: tuple[str, ...]) -> dict[str, list[str]]:
    """Callees by caller in the files at and below `paths`, which stand for the whole program.

    Raises:
        ConfigError: the configuration cannot be used.
        OSError: a path does not exist.
    """
    config = load_config(Path(paths[0]))
    modules = Modules(_read(paths, config))
    knowledge = Knowledge(applicable(built_in_packs(), modules.imported))
    edges = CallEdges(Program(modules, knowledge, complete=True)).collect()
    return {caller: sorted(map(_spelled, callees)) for caller, callees in edges.items()}


def _read(paths: tuple[str, ...], config: Config) -> Iterator[tuple[str, FileFacts]]:
    """The facts of each file that can be parsed, by path. Names of modules count from the first folder given."""
    root = Path(os.path.realpath(paths[0]))
    root = root if root.is_dir() else root.parent
    for file in gather(paths, config):
        if file.wanted:
            try:
                source = code_at(file.path, config.max_file_size)
                yield Path(os.path.relpath(file.path, root)).as_posix(), extract(source, file.shown)
            except (SyntaxProblem, SyntaxError, OSError) as error:
                complain(f"{file.shown}: {error}")


def _spelled(name: str) -> str:
    """A name as PyCG spells it."""
    method = _METHOD.match(name)
    if method:
        return f"<**Py{method[1].title()}**>.{name[method.end() :]}"
    return f"<builtin>.{name.removeprefix('builtins.')}" if name.startswith("builtins.") else name


if __name__ == "__main__":
    callgraph()
