"""The options that commands share, and what they come to as plain values."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., int])


@dataclass(frozen=True, slots=True)
class Selection:
    """What the command line says over the configuration. Empty where it says nothing."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_exclude: tuple[str, ...] = ()
    min_confidence: str = ""
    extend_select: tuple[str, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    dependencies: bool = True
    config_file: str = ""
    isolated: bool = False
    baseline: str = ""
    no_baseline: bool = False
    since: str = ""

    @property
    def unsearched(self) -> bool:
        """Whether no configuration is looked for: not for what it says, nor for where a project begins."""
        return self.isolated or bool(self.config_file)


def _codes(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    # Codes are in upper case; a prefix in lower case would match none.
    return tuple(code.upper() for value in values for code in re.split(r"[,\s]+", value) if code)


def _globs(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(pattern.strip() for value in values for pattern in value.split(",") if pattern.strip())


_ISOLATED = click.option("--isolated", is_flag=True, help="Take no configuration from any file.")
_CONFIGURATION = (
    click.option("--config", "config_file", default="", metavar="FILE", help="Take the configuration from there only."),
    _ISOLATED,
)
_NO_DEPENDENCIES = click.option(
    "--no-dependencies", "dependencies", flag_value=False, default=True, help="Do not read installed packages."
)
_RULES = (
    click.option(
        "--select", multiple=True, callback=_codes, metavar="CODES", help="Only these codes or prefixes, by commas."
    ),
    click.option(
        "--extend-select",
        multiple=True,
        callback=_codes,
        metavar="CODES",
        help="Also these codes or prefixes, by commas.",
    ),
    click.option(
        "--ignore", multiple=True, callback=_codes, metavar="CODES", help="Not these codes or prefixes, by commas."
    ),
    click.option(
        "--extend-exclude", multiple=True, callback=_globs, metavar="GLOBS", help="Also leave out these paths."
    ),
    click.option(
        "--min-confidence",
        type=click.Choice(["certain", "likely"]),
        callback=lambda _context, _option, value: value or "",
        help="Report only what is at least this sure.",
    ),
)
_SELECTION = (
    *_RULES,
    click.option("--force-exclude", is_flag=True, help="Leave out what is excluded even if it is named."),
    click.option(
        "--no-respect-gitignore",
        "respect_gitignore",
        flag_value=False,
        default=True,
        help="Do not leave out what git ignores.",
    ),
    _NO_DEPENDENCIES,
    click.option("--baseline", default="", metavar="FILE", help="Do not report what this file knows."),
    click.option("--no-baseline", is_flag=True, help="Report also what the configured baseline knows."),
    click.option("--since", default="", metavar="REV", help="Only findings whose path touches what is new since then."),
    *_CONFIGURATION,
)


def selection_options(command: Command) -> Command:
    """Add the options that choose files and rules; the command gets them as one `selection`."""
    return _selecting(command, _SELECTION)


def configuration_options(command: Command) -> Command:
    """Add the options that choose where the configuration stands; the command gets them as one `selection`."""
    return _selecting(command, (_NO_DEPENDENCIES, *_CONFIGURATION))


def fleet_options(command: Command) -> Command:
    """Add the options that choose rules for many projects; the command gets them as one `selection`.

    What is installed depends on the machine: of that nothing is read, unless it is asked for.
    """
    dependencies = click.option(
        "--dependencies", is_flag=True, help="Also read what is installed for the projects, on the machine they are on."
    )
    return _selecting(command, (*_RULES, _ISOLATED, dependencies))


def _selecting(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    @functools.wraps(command)
    def packed(**arguments: Any) -> int:  # noqa: ANN401
        chosen = {name: arguments.pop(name) for name in Selection.__slots__ if name in arguments}
        return command(selection=Selection(**chosen), **arguments)

    for option in reversed(options):
        packed = option(packed)
    return packed  # type: ignore[return-value]


def only_option(command: Command) -> Command:
    """Add `--fix-only`; the command gets the codes as `only`."""
    option = click.option(
        "--fix-only", "only", multiple=True, callback=_codes, metavar="CODES", help="Fix only these, by commas."
    )
    return option(command)


def paths_argument(command: Command) -> Command:
    """Add the files and folders to work on."""
    # Not click.Path(exists=True): one missing path must not keep the others from being analysed.
    return click.argument("paths", nargs=-1, metavar="[PATHS]...")(command)


def quiet_option(command: Command) -> Command:
    """Add `--quiet`."""
    return click.option("-q", "--quiet", is_flag=True, help="Print findings and errors, nothing else.")(command)


def verbose_option(command: Command) -> Command:
    """Add `--verbose`."""
    return click.option("-v", "--verbose", is_flag=True, help="Say what is read and what the cache had.")(command)


def cache_option(command: Command) -> Command:
    """Add `--no-cache`."""
    return click.option("--no-cache", is_flag=True, help="Neither use nor keep what an earlier run found.")(command)


def filter_options(command: Command) -> Command:
    """Add the options of lists: `output_format`, and `containing`, which leaves the rest out."""
    kind = click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
    word = click.option("--filter", "containing", default="", metavar="TEXT", help="Only what has this in it.")
    return kind(word(command))
