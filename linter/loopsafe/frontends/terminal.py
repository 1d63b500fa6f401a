"""Writing to standard output and standard error, whatever stands behind them."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TextIO

import click

from loopsafe.harmless import printable

if TYPE_CHECKING:
    from rich.console import RenderableType


class CannotWork(click.ClickException):
    """The work cannot be done; the message says why. The exit code is 2, as ruff's."""

    exit_code = 2


def show_error(error: click.ClickException) -> None:
    """Say on standard error what is wrong with the arguments, which are often names from the project."""
    error.message = printable(error.message)  # type: ignore[misc]
    error.show()


def interactive(stream: TextIO | None) -> bool:
    """Whether someone looks at what is written there: at a terminal or, in colour, at the log of a build."""
    return wants_colour(stream) or (stream is not None and stream.isatty())


def wants_colour(stream: TextIO | None) -> bool:
    """Whether to use colours: NO_COLOR and FORCE_COLOR decide where they are not empty, else the terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def prepare_streams() -> None:
    """Have both streams escape what their encoding lacks, rather than fail on it."""
    for stream in (sys.stdout, sys.stderr):
        # Streams put in their place by a test or a host program need not know how.
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def flush_streams() -> None:
    """Write what is still in buffers; as Python does at its end, but a reader that has gone away is no error."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()


def write(lines: Iterable[str], colour: bool = False) -> None:
    """Write lines, which are harmless already, to standard output.

    A reader that has gone away (`| head`) is no error: the rest is dropped.
    """
    text = "".join(f"{line}\n" for line in lines)
    with _reader_may_leave():
        click.echo(text, nl=False, color=colour)


def write_raw(pieces: Iterable[bytes]) -> None:
    """Write bytes as they are: for programs that read them, not for a terminal."""
    with _reader_may_leave():
        sys.stdout.buffer.write(b"".join(pieces))


@contextlib.contextmanager
def _reader_may_leave() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        abandon_stdout()


def drawn(what: RenderableType) -> Iterator[str]:
    """The lines of something rich can draw, as wide as the terminal.

    Drawn in memory first: `write` is the one place that knows what to do when the reader has gone away.
    """
    # Only a terminal pays for loading rich.
    from rich.console import Console

    width = Console().width
    console = Console(file=io.StringIO(), force_terminal=True, width=width)
    with console.capture() as capture:
        console.print(what)
    return iter(capture.get().splitlines())


def abandon_stdout() -> None:
    """Point standard output at nothing, so that Python's own last flush cannot fail either."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


def complain(*messages: object) -> None:
    """Write messages to standard error, a line each and harmless."""
    for message in messages:
        click.echo(printable(str(message)), err=True)
