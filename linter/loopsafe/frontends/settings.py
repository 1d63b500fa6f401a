"""The configuration that holds for one run: pyproject.toml and, over it, the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from loopsafe.frontends.options import Selection
from loopsafe.frontends.terminal import CannotWork
from loopsafe.project.config import CONFIDENCES, Config, ConfigError, code_prefixes, load_config


def settle(start: Path, selection: Selection) -> Config:
    """The configuration for `start` with the command line's wishes.

    Raises:
        CannotWork: the configuration or an option cannot be used.
    """
    try:
        config = _with_selection(load_config(start), selection)
    except ConfigError as error:
        raise CannotWork(str(error)) from error
    check_known((*config.select, *config.ignore))
    return config


def _with_selection(config: Config, selection: Selection) -> Config:
    _check_codes("--select", selection.select)
    _check_codes("--ignore", selection.ignore)
    # Who selects on the command line wants just that, so the file's ignores no longer count; --ignore alone adds.
    kept = () if selection.select else config.ignore
    return replace(
        config,
        select=selection.select or config.select,
        ignore=(*kept, *selection.ignore),
        extend_exclude=(*config.extend_exclude, *selection.extend_exclude),
        min_confidence=next((c for c in CONFIDENCES if c == selection.min_confidence), config.min_confidence),
    )


def _check_codes(option: str, codes: tuple[str, ...]) -> None:
    try:
        code_prefixes(list(codes))
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
    # Codes are short: one wrong digit of three and a swapped letter already fall below difflib's own limit.
    close = get_close_matches(word, list(known), 1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""
