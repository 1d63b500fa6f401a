"""Which rows have changed since a revision, as git says: the one program that loopsafe starts, if it is asked to."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from loopsafe.findings import Finding, Step
from loopsafe.project.places import ConfigError

_HUNK = re.compile(rb"@@ -\d+(?:,(?P<old>\d+))? \+(?P<row>\d+)(?:,(?P<new>\d+))? @@")
_ALL = range(1, 1 << 31)
_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows that have changed, by the real path of the file."""

    rows: dict[str, list[range]] = field(default_factory=dict)

    def touch(self, finding: Finding) -> bool:
        """Whether a hop of the finding's path lies on changed rows."""
        return any(map(self._touches, finding.witness))

    def _touches(self, step: Step) -> bool:
        span = step.location.span
        changed = self.rows.get(os.path.realpath(step.location.path), ())
        if step.location.cell:
            return bool(changed)  # git's rows are those of the file
        return any(span.row < rows.stop and rows.start <= span.end_row for rows in changed)


def changed_since(revision: str, root: Path) -> Changes:
    """What has changed below the checkout of `root` since it left `revision`: in commits and after, and new files.

    Raises:
        ConfigError: git cannot say.
    """
    top = os.fsdecode(_git(root, "rev-parse", "--show-toplevel")).rstrip("\n")
    try:
        commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").decode()
    except (ConfigError, ValueError) as error:
        raise ConfigError(f"--since: git knows no revision `{revision}`") from error
    base = _base(root, commit.strip())
    options = ("--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--no-relative")
    prefixes = ("--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules=all")
    rows: dict[str, list[range]] = {}
    for name, changed in _hunks(_git(root, "diff", *options, *prefixes, base, "--")):
        rows.setdefault(os.path.realpath(os.path.join(top, name)), []).append(changed)
    for new in _git(Path(top), "ls-files", "--others", "--exclude-standard", "-z").split(b"\0"):
        rows[os.path.realpath(os.path.join(top, os.fsdecode(new)))] = [_ALL]
    return Changes(rows)


def _base(root: Path, commit: str) -> str:
    """Where this branch left the other: what has happened there since is not ours."""
    try:
        return _git(root, "merge-base", commit, "HEAD").decode().strip()
    except ConfigError:
        return commit


def _git(folder: Path, *arguments: str) -> bytes:
    # A monitor of the file system is a program that the repository's own settings name.
    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"--since: git cannot be run: {error}") from error
    if done.returncode:
        told = " ".join(done.stderr.decode("utf-8", "replace").split()) or f"exit code {done.returncode}"
        raise ConfigError(f"--since: git {arguments[0]}: {told}")
    return done.stdout


def _hunks(diff: bytes) -> Iterator[tuple[str, range]]:
    """File and new rows of each hunk; of a deletion, the rows beside it."""
    name, skip = "", 0
    for line in diff.split(b"\n"):
        hunk = _HUNK.match(line) if not skip else None
        if skip:
            skip -= not line.startswith(b"\\")
        elif line.startswith(b"+++ "):
            name = _name(line[4:])
        elif hunk and name:
            old, row, new = (int(hunk[key] or b"1") for key in ("old", "row", "new"))
            skip = old + new
            yield name, range(row, row + new) if new else range(max(row, 1), row + 2)


def _name(text: bytes) -> str:
    text = text.rstrip(b"\t\r")
    if text.startswith(b'"'):
        # Quoted as in C.
        text = text.strip(b'"').decode("unicode_escape").encode("latin-1")
    return os.fsdecode(text[2:]) if text.startswith(b"b/") else ""
