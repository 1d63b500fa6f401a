"""Output that goes to standard output or into a file that the user names."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from loopsafe.frontends.terminal import CannotWork, write
from loopsafe.project.files import leads_out


def deliver(lines: Iterable[str], file: str, roots: Iterable[Path], colour: bool = False) -> None:
    """Write lines, which are harmless already, to standard output or, where one is named, to a file.

    The file has all of them then or stays as it was.

    Raises:
        CannotWork: the file cannot be written, or is a link that leads out of one of the projects at `roots`.
    """
    if not file:
        write(lines, colour)
        return
    check_stays(file, roots)
    # All of it before the file is touched, so that a failure leaves no half of one.
    content = "".join(f"{line}\n" for line in lines)
    from loopsafe.writing import write_output

    try:
        write_output(file, content.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise CannotWork(f"{file}: cannot be written: {error.strerror or error}") from error


def check_stays(path: str, roots: Iterable[Path]) -> None:
    """See that what is to be written does not get out of a project by a link that lies in it.

    Raises:
        CannotWork: it does.
    """
    if any(leads_out(path, str(root)) for root in roots):
        real = os.path.realpath(path)
        raise CannotWork(f"{path}: cannot be written: a link there leads out of the project, to {real}")
