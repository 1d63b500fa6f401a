"""`loopsafe server`: the language server, for editors."""

from __future__ import annotations

from importlib.util import find_spec

from loopsafe.frontends.terminal import CannotWork


def serve() -> int:
    """Serve on standard input and output until the editor ends it; the exit code.

    Raises:
        CannotWork: what it needs is not installed.
    """
    if not all(map(_is_there, ("pygls", "lsprotocol"))):
        raise CannotWork('the server needs pygls: install it with `pip install "loopsafe[lsp]"`')

    from loopsafe.frontends.server.app import run_server

    return run_server()


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:  # somebody has put something else in its place
        return False
