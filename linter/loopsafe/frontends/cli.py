"""The `loopsafe` command: its arguments and exit codes.

Exit codes are ruff's: 0 nothing found, 1 findings, 2 the work could not be done; 130 after Ctrl-C.
What a command needs is imported inside it, so that `loopsafe --version` and `--help` answer at once.
"""

from __future__ import annotations

import os
import traceback
from typing import NoReturn

import click

from loopsafe import __version__
from loopsafe.collector import leave_last
from loopsafe.frontends.options import (
    Selection,
    cache_option,
    configuration_options,
    filter_options,
    fleet_options,
    only_option,
    paths_argument,
    quiet_option,
    selection_options,
    verbose_option,
)
from loopsafe.frontends.terminal import abandon_stdout, complain, flush_streams, prepare_streams, show_error
from loopsafe.render import formats

_INTERRUPTED = 130
# Of what a project may have in `fleet`: loopsafe itself has to be loaded.
_LEAST_MEMORY = 400


class _Commands(click.Group):
    """The commands, and `check` where a path, or an option of its own, stands instead of one."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Take what begins with an option that is not the group's for arguments of `check`."""
        own = {option for parameter in self.get_params(context) for option in parameter.opts}
        first = args[0].partition("=")[0] if args else ""
        if first.startswith("-") and first not in own and not context.resilient_parsing:
            args = ["check", *args]
        return super().parse_args(context, _with_command(args))

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if self.get_command(context, word) is None and (
            os.path.lexists(word) or os.sep in word or word.endswith(".py")
        ):
            return "check", check, args
        return super().resolve_command(context, args)


def _with_command(args: list[str]) -> list[str]:
    """`--verify -- COMMAND` with the command's words as values of an option: they are no options or paths of ours."""
    for at in range(len(args) - 1):
        if args[:1] == ["check"] and args[at] == "--verify" and args[at + 1] == "--":
            if not args[at + 2 :]:
                raise click.UsageError("--verify -- goes with a command")
            return [*args[:at], *(f"--command={word}" for word in args[at + 2 :])]
    return args


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="loopsafe", message="%(prog)s %(version)s")
def cli() -> None:
    """Find, and fix, code that touches an event loop's objects from another thread.

    `loopsafe PATH` is `loopsafe check PATH`. To begin where there are findings already: `check --write-baseline FILE`
    or `check --add-noqa`. For other programs: `check --output-format`, which `check --help` lists.
    """


@cli.command()
@paths_argument
@click.option("--output-format", type=click.Choice(formats.names()), default="text", show_default=True)
@click.option("-o", "--output-file", default="", metavar="FILE", help="Write there instead of to standard output.")
@click.option("--stdin-filename", default="", metavar="NAME", help="With path `-`: the file whose text comes in.")
@click.option("--statistics", is_flag=True, help="Show how many findings each rule has instead of the findings.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@click.option("--fix", is_flag=True, help="Fix what can be fixed and report the rest.")
@click.option(
    "--unsafe-fixes", is_flag=True, help="With --fix: also make changes that may alter what the program does."
)
@click.option("--write-baseline", default="", metavar="FILE", help="Write there what is found, as known from now on.")
@click.option("--add-noqa", is_flag=True, help="Write `# noqa` comments that silence what is found.")
@click.option("--verify", default="", metavar="FOLDER", help="Write there a small program that shows a finding fail.")
@click.option("--command", multiple=True, hidden=True)
@click.option(
    "--evidence", default="", metavar="FILE", help="Say which findings a guard has seen, and what else it saw."
)
@click.option("--show-files", is_flag=True, help="Print which files would be reported on, and do nothing else.")
@click.option("--show-settings", is_flag=True, help="Print the configuration that holds, and do nothing else.")
@cache_option
@click.option("--profile", is_flag=True, help="Say on standard error where the time goes; without the cache.")
@selection_options
@quiet_option
@verbose_option
def check(
    *,
    paths: tuple[str, ...],
    output_format: str,
    output_file: str,
    stdin_filename: str,
    statistics: bool,
    exit_zero: bool,
    fix: bool,
    unsafe_fixes: bool,
    write_baseline: str,
    add_noqa: bool,
    verify: str,
    command: tuple[str, ...],
    evidence: str,
    show_files: bool,
    show_settings: bool,
    no_cache: bool,
    profile: bool,
    selection: Selection,
    quiet: bool,
    verbose: bool,
) -> int:
    """Report findings in PATHS, by default in the working directory. `-` reads standard input.

    `--verify -- COMMAND` runs a command, such as `pytest`, and says which findings were seen to happen.
    """
    if statistics and not formats.load(output_format).statistics:
        able = ", ".join(name for name in formats.names() if formats.load(name).statistics)
        raise click.UsageError(f"--statistics goes with the formats {able}")
    name = _stdin_name(paths, stdin_filename)
    if unsafe_fixes and not fix:
        raise click.UsageError("--unsafe-fixes goes with --fix")
    if fix and name:
        raise click.UsageError("--fix changes files, and standard input is none")

    if show_settings:
        from loopsafe.frontends.commands.config import show_config

        return show_config((*paths, ".")[0], selection, output_format)
    if show_files:
        from loopsafe.frontends.commands.checking.files import show_wanted

        return show_wanted(paths, selection)

    if write_baseline:
        if fix or name:
            raise click.UsageError("--write-baseline goes neither with --fix nor with standard input")
        from loopsafe.frontends.commands.checking.baseline import write_known

        return write_known(paths, selection, write_baseline, quiet)
    if add_noqa:
        if fix or name or statistics or output_file or verify:
            raise click.UsageError("--add-noqa goes with no other output, --fix or standard input")
        from loopsafe.frontends.commands.checking.noqa import add_noqa as silence

        return silence(paths, selection, quiet)

    from loopsafe.frontends.commands.checking.check import CheckRequest, run_check

    return run_check(
        CheckRequest(
            paths,
            selection,
            output_format,
            output_file,
            name,
            statistics,
            exit_zero,
            fix,
            unsafe_fixes,
            verify,
            quiet,
            verbose,
            cache=not no_cache,
            profile=profile,
            evidence=evidence,
            command=command,
        )
    )


def _stdin_name(paths: tuple[str, ...], stdin_filename: str) -> str:
    """The file that standard input stands for; empty where paths are to be read from disk."""
    if paths == ("-",):
        return stdin_filename or "stdin.py"
    if "-" in paths:
        raise click.UsageError("`-` cannot stand beside other paths")
    if stdin_filename and paths:
        raise click.UsageError("--stdin-filename goes with the path `-`")
    return stdin_filename


@cli.command()
@paths_argument
@click.option("--diff", is_flag=True, help="Show the changes, make none; exit with 1 if there are any.")
@click.option("--unsafe-fixes", is_flag=True, help="Also make changes that may alter what the program does.")
@only_option
@click.option("-i", "--interactive", is_flag=True, help="Show each file's change and ask.")
@click.option("--stdin-filename", default="", metavar="NAME", help="With path `-`: the file whose text comes in.")
@selection_options
@quiet_option
@verbose_option
def fix(
    *,
    paths: tuple[str, ...],
    diff: bool,
    unsafe_fixes: bool,
    only: tuple[str, ...],
    interactive: bool,
    stdin_filename: str,
    selection: Selection,
    quiet: bool,
    verbose: bool,
) -> int:
    """Rewrite what can be rewritten in PATHS and report what is left. `-` reads standard input, and prints it fixed."""
    if diff and interactive:
        raise click.UsageError("--diff changes nothing, so there is nothing to ask")
    name = _stdin_name(paths, stdin_filename)
    if name and (diff or interactive):
        raise click.UsageError("standard input is printed as it is fixed, without --diff or --interactive")

    from loopsafe.frontends.commands.fix import FixRequest, run_fix

    return run_fix(FixRequest(paths, selection, diff, unsafe_fixes, only, interactive, quiet, verbose, name))


@cli.command()
@click.argument("path", default=".")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--schema", is_flag=True, help="Print the JSON schema of the configuration instead.")
@selection_options
def config(*, path: str, output_format: str, schema: bool, selection: Selection) -> int:
    """Show which configuration holds for PATH, by default the working directory, and from where."""
    from loopsafe.frontends.commands.config import show_config, show_schema

    return show_schema() if schema else show_config(path, selection, output_format)


@cli.command()
@paths_argument
@configuration_options
def clean(*, paths: tuple[str, ...], selection: Selection) -> int:
    """Delete the caches of the projects that hold PATHS."""
    from loopsafe.frontends.commands.clean import clean_caches

    return clean_caches(paths, selection)


@cli.command()
@filter_options
def rules(*, output_format: str, containing: str) -> int:
    """List all rules."""
    from loopsafe.frontends.commands.rules import show_rules

    return show_rules(output_format, containing)


@cli.command()
@click.argument("rule")
def explain(rule: str) -> int:
    """Explain RULE, a code such as LSF101 or a rule's name; of the beginning of a code, list the rules."""
    from loopsafe.frontends.commands import rules as show

    return show.explain(rule)


@cli.command()
@paths_argument
@configuration_options
def env(*, paths: tuple[str, ...], selection: Selection) -> int:
    """Show where the packages of the projects in PATHS are installed, and which of them are read."""
    from loopsafe.frontends.commands.asking.env import show_environment

    return show_environment(paths, selection)


@cli.command()
@paths_argument
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@configuration_options
@quiet_option
def suggest(*, paths: tuple[str, ...], output_format: str, selection: Selection, quiet: bool) -> int:
    """List methods in PATHS that any thread may call as they seem to say, and that touch what belongs to a loop.

    With the annotation to add. None of it is a finding.
    """
    from loopsafe.frontends.commands.asking.suggest import show_suggestions

    return show_suggestions(paths, selection, output_format, quiet)


@cli.command()
@click.argument("function")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@configuration_options
@quiet_option
def trace(*, function: str, output_format: str, selection: Selection, quiet: bool) -> int:
    """Show where FUNCTION may run, and why. It is PATH:LINE or a name such as package.module.Class.method."""
    from loopsafe.frontends.commands.asking.trace import show_trace

    return show_trace(function, selection, output_format, quiet)


@cli.command()
@paths_argument
@click.option("--around", "near", default="", metavar="NAME", help="What is near the function NAME, or its end.")
@click.option("--depth", type=click.IntRange(0), metavar="N", help="With --around: so many hops; 2 if not said.")
@click.option("--all", "everything", is_flag=True, help="All functions that threads and loops reach.")
@click.option(
    "--format",
    "graph_format",
    type=click.Choice(["dot", "mermaid", "svg", "html"]),
    default="dot",
    show_default=True,
    help="`svg` needs Graphviz's `dot`; `html` is one file for a browser.",
)
@click.option("-o", "--output", default="", metavar="FILE", help="Write there instead of to standard output.")
@configuration_options
@quiet_option
def graph(
    *,
    paths: tuple[str, ...],
    near: str,
    depth: int | None,
    everything: bool,
    graph_format: str,
    output: str,
    selection: Selection,
    quiet: bool,
) -> int:
    """Draw the findings in PATHS and the paths to them: which functions run on which thread or loop, and why."""
    if near and everything:
        raise click.UsageError("--around and --all do not go together")
    if depth is not None and not near:
        raise click.UsageError("--depth goes with --around")

    from loopsafe.frontends.commands.asking.graph import GraphRequest, show_graph

    return show_graph(
        GraphRequest(paths, selection, graph_format, output, near, 2 if depth is None else depth, everything, quiet)
    )


@cli.group(invoke_without_command=True)
@filter_options
@click.pass_context
def knowledge(context: click.Context, *, output_format: str, containing: str) -> int:
    """List the libraries loopsafe knows; `knowledge show` prints what it knows of one."""
    if context.invoked_subcommand:
        return 0

    from loopsafe.frontends.commands.knowledge import list_packs

    return list_packs(output_format, containing)


@knowledge.command()
@click.argument("library")
def show(library: str) -> int:
    """Print the pack of LIBRARY, given by its name or by the module it is imported as."""
    from loopsafe.frontends.commands.knowledge import show_pack

    return show_pack(library)


@knowledge.command()
@click.argument("library")
def learn(library: str) -> int:
    """Print what the source of LIBRARY, by its import name, shows: rows of a pack, to be reviewed."""
    from loopsafe.frontends.commands.knowledge import learn as study

    return study(library)


@cli.command(context_settings={"allow_interspersed_args": False})
@click.option("--action", type=click.Choice(["report", "raise", "repair"]), default="report", show_default=True)
@click.option("--json", "file", default="", metavar="FILE", help="Write what is seen there, a line each.")
@click.option("-m", "module", is_flag=True, help="Run a module, as `python -m` does.")
@click.argument("program", nargs=-1, required=True, metavar="SCRIPT_OR_MODULE [ARGUMENTS]...", type=click.UNPROCESSED)
def run(*, action: str, file: str, module: bool, program: tuple[str, ...]) -> int:
    """Run a program under the guard, which watches for what `check` looks for in the text."""
    from loopsafe.frontends.commands.run import run_guarded

    return run_guarded(program, module=module, action=action, file=file)


@cli.command()
def server() -> int:
    """Serve an editor on standard input and output, by the Language Server Protocol."""
    from loopsafe.frontends.commands.server import serve

    return serve()


@cli.command()
@click.argument("projects", nargs=-1, metavar="[PROJECTS]...")
@click.option("-r", "files", multiple=True, metavar="FILE", help="Also the projects in this file, one a line.")
@click.option(
    "--output-format", type=click.Choice(["table", "json", "sarif", "html"]), default="table", show_default=True
)
@click.option("-o", "--output-file", default="", metavar="FILE", help="Write there instead of to standard output.")
@click.option("--results", default="", metavar="FILE", help="Keep there what comes of each project as it is done.")
@click.option("--resume", is_flag=True, help="With --results: go on from what is there.")
@click.option("--retry-failed", is_flag=True, help="With --resume: check again what failed or timed out.")
@click.option("--jobs", type=click.IntRange(1), default=None, metavar="N", help="So many at once; default: the cores.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), default=600.0, metavar="SECONDS", show_default=True)
@click.option("--memory", type=click.IntRange(_LEAST_MEMORY), default=4000, metavar="MB", show_default=True)
@click.option("--dask", is_flag=True, help="Use a Dask cluster on this machine, which has a dashboard.")
@click.option("--scheduler", default="", metavar="ADDRESS", help="Use the Dask cluster of this scheduler.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@fleet_options
@quiet_option
@click.option("-v", "--verbose", is_flag=True, help="Say on standard error what is done.")
def fleet(
    *,
    projects: tuple[str, ...],
    files: tuple[str, ...],
    output_format: str,
    output_file: str,
    results: str,
    resume: bool,
    retry_failed: bool,
    jobs: int | None,
    timeout: float,
    memory: int,
    dask: bool,
    scheduler: str,
    exit_zero: bool,
    selection: Selection,
    quiet: bool,
    verbose: bool,
) -> int:
    """Check many PROJECTS, each in a process of its own, and make one report.

    A project is a folder, a release of a package index (`name==version`), or the address of a git repository
    (`git+https://host/name@branch`). --timeout and --memory hold for each.
    """
    if (resume or retry_failed) and not results:
        raise click.UsageError("--resume and --retry-failed go with --results")
    if dask and scheduler:
        raise click.UsageError("--dask makes a cluster, and --scheduler names one")
    if scheduler and jobs:
        raise click.UsageError("how many are checked at once on the cluster of --scheduler is up to its workers")

    from loopsafe.frontends.commands.fleet import FleetRequest, run_fleet
    from loopsafe.frontends.fleet.outcomes import Settings

    return run_fleet(
        FleetRequest(
            projects,
            files,
            Settings(selection, timeout, memory),
            jobs or 0,
            results,
            resume or retry_failed,
            retry_failed,
            scheduler,
            dask,
            output_format,
            output_file,
            exit_zero,
            quiet,
            verbose,
        )
    )


@cli.command(hidden=True)
@paths_argument
def callgraph(*, paths: tuple[str, ...]) -> int:
    """Print, as JSON, which functions in PATHS call which: for scoring the call graph."""
    from loopsafe.frontends.commands.asking.callgraph import export_callgraph

    return export_callgraph(paths)


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    try:
        _fill_gaps()
        prepare_streams()
        leave_last()
        code = _run()
        flush_streams()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    os._exit(code)


def _fill_gaps() -> None:
    """Where a standard stream is closed, the next file that is opened would take its number, and get its output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _run() -> int:
    # Not click's standalone mode: its exit codes for errors and for Ctrl-C are others.
    try:
        os.getcwd()
    except OSError as error:
        complain(f"Error: the working directory: {error.strerror}")
        return 2
    try:
        return int(cli.main(prog_name="loopsafe", standalone_mode=False) or 0)
    except click.ClickException as error:
        show_error(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except MemoryError:
        complain("Error: there is not enough memory for this project")
        return 2
    except OSError as error:
        abandon_stdout()
        complain(f"Error: {error}")
        return 2
    except Exception:
        # Python's own exit code for this is 1, which here would mean "findings".
        complain(*traceback.format_exc().splitlines())
        complain("This is a bug in loopsafe; please report it with the lines above.")
        return 2
