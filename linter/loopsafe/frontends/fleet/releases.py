"""Releases of a package index, fetched by pip as files: none is built, installed or imported.

For a wheel, pip's own `download` does that. Of an archive of source it would run the build, to learn what it depends
on; so of these only pip's finder is asked where they are (`sdists`), with the index and passwords that pip knows.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from loopsafe.reading.helpers import command

_PIP = "import runpy; runpy.run_module('pip', run_name='__main__', alter_sys=True)"
_SDISTS = "from loopsafe.frontends.fleet.sdists import main; main()"
# What it asks for and depends on does not matter: it is only read.
_WHEEL = ("--no-deps", "--ignore-requires-python", "--only-binary", ":all:", "--no-input", "--quiet")


class NotFetched(Exception):
    """What was named could not be had; the message says why."""


def fetch_release(name: str, version: str, folder: str) -> str:
    """The file of a release, in a new folder: a wheel or, where there is none, an archive of source.

    Raises:
        NotFetched: the index has neither, or cannot be asked.
    """
    os.mkdir(folder)
    release = f"{name}=={version}"
    told = _run(_PIP, ["download", *_WHEEL, "--dest", folder, release], folder)
    if _only(folder, ".whl") is None:
        told = _run(_SDISTS, [name, version, folder], folder) or told
    found = _only(folder, "")
    if found is None:
        raise NotFetched(f"{release} cannot be fetched: {told or 'pip says nothing'}")
    return found


def _run(code: str, arguments: Sequence[str], folder: str) -> str:
    """What is said last if it fails. Nothing of a working directory is imported, and this one is empty."""
    # Stopped with all of this process's group, when its time is over.
    done = subprocess.run(
        [*command(code), *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if done.returncode and lines else ""


def _only(folder: str, suffix: str) -> str | None:
    found = [name for name in os.listdir(folder) if name.endswith(suffix)]
    return os.path.join(folder, found[0]) if len(found) == 1 else None
