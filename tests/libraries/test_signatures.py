"""What rows say of arguments, held against the signatures of whatever is installed.

Nothing is called here, so that packs count whose libraries want a service, a device or a desktop.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

import pytest

from loopsafe.knowledge.schema import Callable, Pack, RunsRow
from tests.libraries.measure import PACKS

Parameter = inspect.Parameter


@pytest.mark.parametrize("pack", [pytest.param(pack, id=pack.library) for pack in PACKS if pack.runs])
def test_arguments(pack: Pack) -> None:
    known = [(name, row, parameters) for row in pack.runs for name in row.names if (parameters := parameters_of(name))]
    if not known:
        pytest.skip(f"{pack.library} is not installed, or tells no signatures")
    wrong = [f"{name}: {problem}" for name, row, parameters in known for problem in problems(row, parameters)]
    assert not wrong


def parameters_of(name: str) -> list[Parameter]:
    """The parameters of a function, method or class, without `self`; empty where nothing is known of them."""
    owner, found = resolve(name)
    try:
        parameters = list(inspect.signature(found).parameters.values())  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return []
    is_method = inspect.isclass(owner) and not inspect.isclass(found) and not inspect.ismethod(found)
    return parameters[1:] if is_method else parameters


def resolve(name: str) -> tuple[object, object]:
    """What a dotted name stands for, and what it is an attribute of; None where there is no such thing."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            owner, found = None, importlib.import_module(".".join(parts[:end]))
        except Exception:  # a library on a machine that it is not for may do anything
            continue
        for part in parts[end:]:
            owner, found = found, getattr(found, part, None)
        return owner, found
    return None, None


def problems(row: RunsRow, parameters: list[Parameter]) -> Iterator[str]:
    """Where the row's positions and keywords are not those of the signature."""
    names = [parameter.name for parameter in parameters]
    kinds = [parameter.kind for parameter in parameters]
    given = [callable_ for callable_ in row.callables if callable_.keyword in names]
    for callable_ in given:
        at = names.index(callable_.keyword)
        if callable_.position is None and kinds[at] is Parameter.POSITIONAL_OR_KEYWORD and not covered(row, at):
            yield f"{callable_.keyword} can be given at {at}"
        if callable_.position is not None and callable_.position != at:
            yield f"{callable_.keyword} is at {at}, not at {callable_.position}"
    # What the object holds, or was given by another method, is no argument.
    arguments = [callable_ for callable_ in row.callables if not callable_.held and not callable_.given_to]
    if arguments and not given and not any(takes(callable_, kinds) for callable_ in arguments):
        yield f"none of the row's arguments is among {names}"


def covered(row: RunsRow, at: int) -> bool:
    """Whether the row speaks of all arguments from here on, or from before."""
    return any(callable_.rest_from is not None and callable_.rest_from <= at for callable_ in row.callables)


def takes(callable_: Callable, kinds: list[inspect._ParameterKind]) -> bool:
    """Whether the signature takes this argument though it has no parameter of the name."""
    if Parameter.VAR_KEYWORD in kinds and (callable_.keyword or callable_.every_keyword):
        return True
    at = callable_.position if callable_.position is not None else callable_.rest_from
    if at is None:
        return False
    positional = [kind for kind in kinds if kind is not Parameter.KEYWORD_ONLY]
    return Parameter.VAR_POSITIONAL in positional or (at < len(positional) and not callable_.keyword)
