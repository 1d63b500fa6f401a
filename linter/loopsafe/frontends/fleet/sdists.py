"""The process that fetches an archive of source, which pip's commands cannot do without running its build.

It asks pip's finder where the file is and has pip's session fetch it. Both are pip's own affair and may change: what
they are asked for here has stayed the same since pip 20, and if it does not any more, there is a failure and no build.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from loopsafe.frontends.fleet.unpacking import SUFFIXES

_LARGEST = 1 << 30
_PIECE = 1 << 20
_OPTIONS = ("--no-deps", "--ignore-requires-python", "--no-binary", ":all:", "--no-input")


def main() -> None:
    """Fetch the release that the arguments name into the folder that is the last of them; say on stderr if not."""
    name, version, folder = sys.argv[1:]
    # It exits itself where an option or a setting of pip's cannot be used.
    try:
        fetch(name, version, folder)
    # Whatever pip raises: of its parts none is promised.
    except Exception as error:
        sys.exit(f"{error or type(error).__name__}")


def fetch(name: str, version: str, folder: str) -> None:
    """Put the archive of source of a release into a folder.

    Raises:
        LookupError: there is none that can be unpacked.
        ValueError: it is too large, or not what the index says.
    """
    command: Any = import_module("pip._internal.commands").create_command("download")
    options, _ = command.parse_args([*_OPTIONS, name])
    # Not of the libraries that loopsafe needs: pip compares with what it brings itself.
    parse = import_module("pip._vendor.packaging.version").Version
    with command._build_session(options) as session:
        finder = command._build_package_finder(options, session, ignore_requires_python=True)
        found = [one.link for one in finder.find_all_candidates(name) if one.version == parse(version)]
        link, suffix = _best(found)
        path = os.path.join(folder, f"source{suffix}")
        try:
            _download(session, link, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise


def _best(links: Iterable[Any]) -> tuple[Any, str]:
    kinds = [(link, suffix) for link in links for suffix in SUFFIXES if link.filename.lower().endswith(suffix)]
    if not kinds:
        raise LookupError("the index has neither a wheel for this machine nor an archive of source")
    return min(kinds, key=lambda kind: SUFFIXES.index(kind[1]))


def _download(session: Any, link: Any, path: str) -> None:  # noqa: ANN401
    digest = hashlib.new(link.hash_name) if link.hash else None
    size = 0
    with open(path, "xb") as file:
        # Not decompressed on the way: the digest is of the file.
        response = session.get(link.url_without_fragment, stream=True, headers={"Accept-Encoding": "identity"})
        response.raise_for_status()
        while piece := response.raw.read(_PIECE):
            size += len(piece)
            if size > _LARGEST:
                raise ValueError("is too large")
            if digest:
                digest.update(piece)
            file.write(piece)
    if digest and digest.hexdigest() != link.hash:
        raise ValueError("what came is not what the index says: its digest is another")
