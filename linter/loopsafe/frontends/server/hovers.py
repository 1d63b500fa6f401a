"""Where functions run, for people in an editor: what hovers over a name, stands above a function, or is traced."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import quote

from loopsafe.findings import Step
from loopsafe.frontends.server.board import Function
from loopsafe.harmless import printable
from loopsafe.render.trace import NO_PATH
from loopsafe.traces import CONTEXTS, OFF_LOOP, Running

# Of a long path so many hops are shown at its beginning and its end.
_FIRST, _LAST = 3, 2
_LONGEST = 80
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&$])")
_TICKS = re.compile(r"`+")

Address = Callable[[Step], str]
"""The address of a hop's file."""


def markdown(function: Function, address: Address) -> str:
    """The places where a function runs, each with the shortest path, as Markdown. Nothing of the project acts in it."""
    trace = function.running.trace
    lines = [f"{_code(trace.function)} runs"]
    for reason in trace.reasons:
        doubt = "" if reason.certain else " (likely)"
        lines += ["", f"- **{_escaped(reason.where)}**{doubt}", *_hops(reason.path, address)]
    if not any(reason.context in OFF_LOOP for reason in trace.reasons):
        lines += ["", NO_PATH]
    return "\n".join(lines)


def _hops(path: Sequence[Step], address: Address) -> Iterator[str]:
    left_out = len(path) - _FIRST - _LAST
    for at, step in enumerate(path):
        if left_out > 1 and _FIRST <= at < len(path) - _LAST:
            if at == _FIRST:
                yield f"    - … {left_out} more"
            continue
        place = f"[{_escaped(str(step.location))}]({address(step)}#L{step.location.in_file.row})"
        yield f"    - {step.kind} {place} {_code(step.source)}"


def plain(function: Function) -> str:
    """The same for editors that do not draw Markdown."""
    trace = function.running.trace
    lines = [f"{printable(trace.function)} runs"]
    for reason in trace.reasons:
        lines.append(f"  {reason.where}{'' if reason.certain else ' (likely)'}")
        lines += [f"    {step.kind} {printable(f'{step.location} {step.source}')}" for step in reason.path]
    return "\n".join(lines)


def _code(text: str) -> str:
    """A text as code, whatever backticks it has."""
    text = printable(text)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 4]} ..."
    fence = "`" * (max(map(len, _TICKS.findall(text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", printable(text))


def file_address(uri: str) -> str:
    """An address that cannot end the link it stands in."""
    return quote(uri, safe=":/%")


def lens(running: Running) -> str:
    """One line: the kinds of places, and by how many ways control comes there."""
    ways: dict[str, set[object]] = defaultdict(set)
    for arrival in running.arrivals:
        ways[arrival.context].add((arrival.step.location, arrival.step.kind))
    kinds = {reason.context for reason in running.trace.reasons}
    told = [f"{kind} ({len(ways[kind])} paths)" if len(ways[kind]) > 1 else kind for kind in CONTEXTS if kind in kinds]
    return f"runs on: {' | '.join(reversed(told))}"


def with_lens(functions: Iterable[Function], offending: Sequence[int]) -> Iterator[Function]:
    """The functions that run at more than one kind of place, or are the innermost around one of these rows."""
    functions = list(functions)
    marked: set[int] = set()
    for row in offending:
        around = [one for one in functions if one.running.span.row <= row <= one.running.span.end_row]
        marked.update(one.position for one in around[-1:])
    for one in functions:
        if one.position in marked or len({reason.context for reason in one.running.trace.reasons}) > 1:
            yield one
