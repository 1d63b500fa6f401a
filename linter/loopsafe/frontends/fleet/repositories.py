"""Repositories, fetched by git without a working tree: what a checkout would run or follow is not there.

Hooks, filters, links, submodules and attributes do something when git writes files. Here it writes none: the contents
are asked for one by one and written by loopsafe. Of the repository's own settings nothing comes with a fetch.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import IO

from loopsafe.frontends.fleet.releases import NotFetched
from loopsafe.frontends.fleet.targets import without_secret
from loopsafe.frontends.fleet.unpacking import LARGEST_FILE, Tree, UnpackError

_SAFE = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.recurseSubmodules": "false",
    "protocol.version": "2",
}
# Where another repository is, if git is told so: loopsafe may run in a hook of one.
_ELSEWHERE = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_TEMPLATE_DIR",
)
_FILES = (b"100644", b"100755", b"100664")


def fetch_repository(address: str, revision: str, folder: str, work: str) -> str:
    """Put the files of a revision, or of what the repository shows itself, into a new folder; its commit.

    `work` is a folder that is not there yet, for what git needs meanwhile.

    Raises:
        NotFetched: git cannot fetch it.
        UnpackError: it is too large, or has a path that leads out.
    """
    os.mkdir(folder)
    os.mkdir(work)
    git = _Git(work, address)
    git.run("init", "--bare", "--quiet", "--template=", work)
    git.run("fetch", "--depth=1", "--no-tags", "--quiet", "--", address, revision or "HEAD")
    commit = git.run("rev-parse", "--verify", "FETCH_HEAD^{commit}").decode().strip()
    tree, listed = Tree(folder), list(_files(git.run("ls-tree", "-r", "-z", "--full-tree", commit)))
    with git.contents([name for name, _ in listed]) as output:
        for _, path in listed:
            # Read also where it is not wanted: the next one comes after it.
            content = _content(output)
            tree.put(os.fsdecode(path), partial(io.BytesIO, content))
    shutil.rmtree(work, ignore_errors=True)
    return commit


def _files(listing: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The regular files of a tree, by the names of their contents."""
    for entry in listing.split(b"\0"):
        told, _, path = entry.partition(b"\t")
        mode, _, rest = told.partition(b" ")
        if mode in _FILES:
            yield rest.partition(b" ")[2], path


def _content(output: IO[bytes]) -> bytes:
    """The next of the contents that were asked for; of one that is too large to be wanted, a part."""
    head = output.readline().split()
    if len(head) != 3 or head[1] != b"blob":
        raise UnpackError("is broken: a file of it is missing")
    size = int(head[2])
    content = output.read(min(size, LARGEST_FILE))
    left = size - len(content) + len(b"\n")
    while left > 0:
        left -= len(output.read(min(left, LARGEST_FILE))) or left
    return content


class _Git:
    """git in a repository that was made for this."""

    def __init__(self, folder: str, address: str) -> None:
        self._folder, self._address = folder, address
        self._environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
        # Nobody is there to answer; and no address runs a program, whatever the user's settings allow.
        self._environment.update(GIT_TERMINAL_PROMPT="0", GIT_ALLOW_PROTOCOL="file:git:http:https:ssh", LC_ALL="C")

    def _command(self, arguments: Sequence[str]) -> list[str]:
        settings = [part for name, value in _SAFE.items() for part in ("-c", f"{name}={value}")]
        place = [] if arguments[0] == "init" else [f"--git-dir={self._folder}"]
        return ["git", *settings, *place, *arguments]

    def run(self, *arguments: str) -> bytes:
        """What git prints.

        Raises:
            NotFetched: it fails.
        """
        command = self._command(arguments)
        try:
            done = subprocess.run(
                command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except (OSError, ValueError) as error:
            raise NotFetched(f"git cannot be run: {error}") from error
        if done.returncode:
            told = " ".join(done.stderr.decode("utf-8", "replace").split()) or f"exit code {done.returncode}"
            raise NotFetched(f"git {arguments[0]}: {told.replace(self._address, without_secret(self._address))}")
        return done.stdout

    @contextmanager
    def contents(self, names: Sequence[bytes]) -> Iterator[IO[bytes]]:
        """A stream of contents by their names, each after a line that tells its size."""
        # Not a pipe for both: each side would wait for the other to read.
        with tempfile.TemporaryFile(dir=self._folder) as asked:
            asked.write(b"".join(name + b"\n" for name in names))
            asked.seek(0)
            process = subprocess.Popen(
                self._command(["cat-file", "--batch"]),
                cwd=self._folder,
                env=self._environment,
                stdin=asked,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            try:
                yield process.stdout or io.BytesIO()
            finally:
                process.kill()
                process.wait()
                if process.stdout:
                    process.stdout.close()
