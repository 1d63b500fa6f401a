"""The configuration that holds for one run: pyproject.toml and, over it, the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path

from loopsafe.frontends.options import Selection
from loopsafe.frontends.terminal import CannotWork
from loopsafe.project.config import Config, load_config
from loopsafe.project.exclusion import unmatched
from loopsafe.project.keys import CONFIDENCES, code_prefixes
from loopsafe.project.places import ConfigError


def settle(start: Path, selection: Selection) -> Config:
    """The configuration for `start` with the command line's wishes.

    Raises:
        CannotWork: the configuration or an option cannot be used.
    """
    config = _with_selection(configured(start, selection), selection)
    check_known((*config.select, *config.extend_select, *config.ignore))
    for _, codes in config.per_file_ignores:
        check_known(codes)
    return config


def configured(start: Path, selection: Selection) -> Config:
    """What files say of `start`: those that are found, the one that is named, or none.

    Raises:
        CannotWork: the configuration cannot be used.
    """
    if selection.isolated and selection.config_file:
        raise CannotWork("--isolated takes no configuration from any file, and --config names one")
    file = Path(selection.config_file) if selection.config_file else None
    try:
        return load_config(start, file=file, isolated=selection.isolated)
    except ConfigError as error:
        raise CannotWork(str(error)) from error


def _with_selection(config: Config, selection: Selection) -> Config:
    for option in ("select", "extend_select", "ignore"):
        _check_codes(f"--{option.replace('_', '-')}", getattr(selection, option))
    # Who selects on the command line wants just that, so the file's other wishes no longer count; the rest adds.
    kept, more = ((), ()) if selection.select else (config.ignore, config.extend_select)
    changed = replace(
        config,
        select=selection.select or config.select,
        extend_select=(*more, *selection.extend_select),
        ignore=(*kept, *selection.ignore),
        extend_exclude=(*config.extend_exclude, *selection.extend_exclude),
        min_confidence=next((c for c in CONFIDENCES if c == selection.min_confidence), config.min_confidence),
        force_exclude=config.force_exclude or selection.force_exclude,
        respect_gitignore=config.respect_gitignore and selection.respect_gitignore,
        dependencies=config.dependencies and selection.dependencies,
        site_packages=config.site_packages if selection.dependencies else (),
        baseline=""
        if selection.no_baseline
        else os.path.abspath(selection.baseline)
        if selection.baseline
        else config.baseline,
    )
    changed = replace(changed, since=selection.since)
    told = [f.name for f in fields(Config) if f.compare and getattr(changed, f.name) != getattr(config, f.name)]
    origins = dict(config.origins)
    adding = ("extend_exclude",) if selection.select else ("extend_exclude", "extend_select", "ignore")
    for name in told:
        before = [origins[name]] if name in origins and name in adding else []
        origins[name] = " and ".join([*before, f"--{name.replace('_', '-')}"])
    return replace(changed, origins=tuple(origins.items()))


def unmatched_excludes(config: Config) -> list[str]:
    """A warning for each pattern that somebody has given and that excludes nothing."""
    given = [name for name in ("exclude", "extend_exclude") if name in dict(config.origins)]
    patterns = {pattern: name.replace("_", "-") for name in given for pattern in getattr(config, name)}
    if not patterns:
        return []
    left = unmatched(os.path.realpath(config.root), list(patterns), (*config.exclude, *config.extend_exclude))
    return [f"{config.place(patterns[p])}: warning: `{p}` in `{patterns[p]}` matches nothing" for p in left]


def _check_codes(option: str, codes: tuple[str, ...]) -> None:
    try:
        code_prefixes(codes)
    except ValueError as error:
        raise CannotWork(f"{option} {error}") from error


def check_known(prefixes: Iterable[str]) -> None:
    """A misspelt code would silently select nothing, so it is an error, from whichever place it comes.

    Raises:
        CannotWork: no rule's code begins like this.
    """
    unclear = [prefix for prefix in prefixes if prefix != "LSF"]
    if not unclear:
        return

    # The rules bring the analysis with them, which takes long to load.
    from loopsafe.rules import ALL_RULES

    codes = [rule.code for rule in ALL_RULES]
    for prefix in unclear:
        if not any(code.startswith(prefix) for code in codes):
            raise CannotWork(f"no rule's code starts with `{prefix}`{nearest(prefix, codes)}")


def nearest(word: str, known: Iterable[str]) -> str:
    """A question that names the known word most like this one; empty where none is."""
    # Every run would wait for it, and few make a mistake.
    from difflib import get_close_matches

    # Codes are short: one wrong digit of three and a swapped letter already fall below difflib's own limit.
    close = get_close_matches(word, list(known), 1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""
