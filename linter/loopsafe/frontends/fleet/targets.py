"""What is to be checked: folders, releases of a package index, repositories; as arguments or as lines of a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from loopsafe.frontends.terminal import CannotWork
from loopsafe.project.files import shown
from loopsafe.project.sources import read_bytes

Kind = Literal["folder", "release", "repository"]

_LARGEST = 16_000_000
_RELEASE = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)==(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)"
)
_SCHEMES = "https?|ssh|git|file"
# What git itself takes for an address: with a scheme, or as scp does.
_ADDRESS = re.compile(rf"(?P<pip>git\+)?(?:(?:{_SCHEMES})://\S+|[\w.-]+@[\w.-]+:[^\s\\]+)")
_REVISION = re.compile(r"@(?P<revision>[^@/][^@]*)\Z")
_SECRET = re.compile(r"(?<=://)[^/@\s]+@")
_COMMENT = re.compile(r"(?:^|\s)#.*")


@dataclass(frozen=True, slots=True)
class Target:
    """One project to check.

    `name` stands in the report. `address` is the real path of a folder, the name of a release or the address of a
    repository, `revision` the version or what to take of the repository, empty for its own choice.
    """

    kind: Kind
    name: str
    address: str
    revision: str = ""

    @property
    def key(self) -> str:
        """By what it is the same one in another run, whatever the working directory. It has no passwords."""
        return f"{self.kind} {self.address if self.kind == 'folder' else self.name}"


def read_targets(arguments: Iterable[str], files: Iterable[str] = ()) -> tuple[Target, ...]:
    """What arguments and the lines of files name, each once, in that order.

    Raises:
        CannotWork: one names nothing, or a file cannot be read; the message says which, and the line.
    """
    found = [_target(argument) for argument in arguments]
    for file in files:
        found += _in_file(file)
    return tuple({target.key: target for target in reversed(found)}.values())[::-1]


def _in_file(file: str) -> Iterator[Target]:
    try:
        text = read_bytes(file, _LARGEST).decode("utf-8-sig")
    except OSError as error:
        raise CannotWork(f"{file}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise CannotWork(f"{file}: cannot be read: not UTF-8") from error
    for number, line in enumerate(text.splitlines(), 1):
        word = _COMMENT.sub("", line).strip()
        if word:
            try:
                yield _target(word, os.path.dirname(file))
            except CannotWork as error:
                raise CannotWork(f"{file}:{number}: {error.message}") from error


def _target(text: str, beside: str = "") -> Target:
    release = _RELEASE.fullmatch(text)
    if release:
        return Target("release", text, release["name"], release["version"])
    if _ADDRESS.fullmatch(text):
        return _repository(text)
    return _folder(text, beside)


def _repository(text: str) -> Target:
    address, revision = text, ""
    # As pip writes it; in an address of git's own, what stands behind an `@` is a part of it.
    if text.startswith("git+"):
        address = text.removeprefix("git+")
        # Not the `@` behind a user's name.
        head, slash, tail = address.rpartition("/")
        found = _REVISION.search(tail)
        if found:
            address, revision = f"{head}{slash}{tail[: found.start()]}", found["revision"]
    if revision.startswith("-"):
        raise CannotWork(f"`{without_secret(text)}`: no revision begins with `-`")
    return Target("repository", without_secret(text), address, revision)


def _folder(text: str, beside: str) -> Target:
    path = os.path.join(beside, text)
    if "\0" in text or not os.path.isdir(path):
        there = "not a folder" if "\0" not in text and os.path.lexists(path) else "no such folder"
        hint = "; name the version of a release, as in `name==1.0`" if re.fullmatch(r"[\w.-]+", text) else ""
        raise CannotWork(f"`{text}`: {there}, and no `name==version` or address of a git repository{hint}")
    real, here = os.path.realpath(path), os.path.realpath(os.getcwd())
    return Target("folder", "." if real == here else shown(real, here), real)


def without_secret(text: str) -> str:
    """An address without the user and password that may stand in it: reports are passed on."""
    return _SECRET.sub("", text)
