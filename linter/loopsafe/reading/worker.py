"""The process beside: paths in, the facts of their files out."""

from __future__ import annotations

import gc
import os
import sys

import msgspec

from loopsafe.facts.extract import extract
from loopsafe.facts.room import one_room
from loopsafe.facts.schema import SyntaxProblem
from loopsafe.project.notebooks import source_of
from loopsafe.project.sources import read_bytes
from loopsafe.reading.kept import digest_of
from loopsafe.reading.packed import pack


def main(parent: int) -> None:
    """Answer on standard output with the facts of the files whose paths come on standard input.

    Each is kept under the digest of what was read. What cannot be read or parsed is left out: whoever asked will find
    the same and say so. It ends early when it is no longer a child of the process `parent`.
    """
    gc.disable()
    largest, paths = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=tuple[int, list[bytes]])
    found = {}
    with one_room():
        for path in map(os.fsdecode, paths):
            if os.getppid() != parent:
                return  # nobody waits any more
            try:
                content = read_bytes(path, largest)
                source, _ = source_of(path, content)
                packed = pack(extract(source.text, path))
            except (OSError, SyntaxError, SyntaxProblem, MemoryError):
                continue
            if packed is not None:
                found[digest_of(path, content, source)] = packed
    sys.stdout.buffer.write(msgspec.msgpack.encode(found))
