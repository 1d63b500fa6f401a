"""Hold the front ends against each other on released packages: the same findings from all, for every file alone, too.

Downloads each release, makes a git repository of it and compares, with what `loopsafe check .` says:

- the command line on all files by name, in another order, and on single files;
- flake8 on the whole, and on single files;
- the pre-commit hook on all files, and on a commit that stages a single file;
- the LibCST codemod with what `loopsafe fix` writes.

A finding belongs to every file on its path. Single files are those on paths over several files, at most four, and one
that is on none. Exits 1, and says where, if anything differs. Run it in the environment that scripts/test.sh makes:
`.venv/bin/python scripts/compare_front_ends.py [PIN...]`.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PINS = (
    "livekit-agents==0.12.18",
    "aiomqtt==2.5.1",
    "ipykernel==7.4.0",
    "solara-ui==1.64.1",
    "viser==1.1.1",
    "zeroconf==0.154.0",
    "bleak==3.1.0",
    "streamlit-webrtc==0.79.0",
    "aioesphomeapi==46.23.0",
    "tornado==6.6.1",
)
CODEMOD = "loopsafe.frontends.codemod.UseCallSoonThreadsafe"
HOOK = """\
repos:
  - repo: local
    hooks:
      - id: loopsafe
        name: loopsafe
        entry: {python} -m loopsafe check --output-format concise
        language: system
        types: [python]
        require_serial: true
"""
_MOST_FILES = 4

Place = tuple[str, int, int, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A finding as the command line tells it, and where each file on its path is told of it."""

    place: Place
    told: tuple[Place, ...]

    @property
    def files(self) -> set[str]:
        """The files on its path."""
        return {place[0] for place in self.told}


class Comparison:
    """One package, as a git repository, and what differs there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.differences: list[str] = []
        self.checks = 0
        (folder / ".pre-commit-config.yaml").write_text(HOOK.format(python=sys.executable))
        self._git("init", "--quiet")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "All")
        self.files = sorted(self._git("ls-files", "*.py").splitlines())
        self.found = _found(self._module("loopsafe", "check", "--output-format", "json", "."))

    def run(self) -> None:
        """Compare everything."""
        shuffled = random.Random(0).sample(self.files, len(self.files))
        self._expect("command line, all files by name", self._checked(shuffled), self.told(self.files))
        self._expect("flake8, whole", self._flake8(["."]), self.told_to_flake8(self.files))
        self._expect("pre-commit, all files", self._committed("--all-files"), self.told(self.files))
        for file in self.singles():
            self._expect(f"command line, {file}", self._checked([file]), self.told([file]))
            self._expect(f"flake8, {file}", self._flake8([file]), self.told_to_flake8([file]))
            self._stage_alone(file)
            self._expect(f"pre-commit, {file} staged", self._committed(), self.told([file]))
        self._compare_fixes()

    def singles(self) -> list[str]:
        """Files to look at alone."""
        several = sorted({file for found in self.found for file in found.files if len(found.files) > 1})
        on_one = sorted({file for found in self.found for file in found.files} - set(several))
        on_none = [file for file in self.files if not any(file in found.files for found in self.found)]
        return [*several, *on_one][:_MOST_FILES] + on_none[:1]

    def told(self, files: Iterable[str]) -> list[Place]:
        """What is to be reported of these files."""
        named = set(files)
        return sorted(found.place for found in self.found if named & found.files)

    def told_to_flake8(self, files: Iterable[str]) -> list[Place]:
        """The same, at the place in each file."""
        named = set(files)
        return sorted({place for found in self.found for place in found.told if place[0] in named})

    def _expect(self, what: str, got: Sequence[Place], expected: Sequence[Place]) -> None:
        self.checks += 1
        if list(got) != list(expected):
            more, less = sorted(set(got) - set(expected)), sorted(set(expected) - set(got))
            self.differences.append(f"{what}: {len(got)} for {len(expected)}; more: {more}; less: {less}")

    def _checked(self, paths: Sequence[str]) -> list[Place]:
        return _places(self._module("loopsafe", "check", "--output-format", "concise", *paths))

    def _flake8(self, paths: Sequence[str]) -> list[Place]:
        printed = self._module("flake8", "--isolated", "--select", "LSF", *paths)
        # Several findings may share the place where their path starts.
        return sorted(set(_places(printed)))

    def _committed(self, *options: str) -> list[Place]:
        return _places(self._module("pre_commit", "run", *options, "loopsafe"))

    def _stage_alone(self, file: str) -> None:
        """A commit of all but this file, and then this file staged."""
        self._git("rm", "--quiet", "--cached", file)
        self._git("commit", "--quiet", "--no-verify", "--message", "But one")
        self._git("add", file)

    def _compare_fixes(self) -> None:
        """The codemod writes what `loopsafe fix` writes, but for files whose layout LibCST would not keep."""
        fixed, modded = (Path(shutil.copytree(self.folder, f"{self.folder}-{kind}")) for kind in ("fixed", "modded"))
        _run(sys.executable, "-m", "loopsafe", "fix", ".", cwd=fixed)
        done = _run(sys.executable, "-m", "libcst.tool", "codemod", "-x", CODEMOD, ".", cwd=modded)
        unlike = [file for file in self.files if (fixed / file).read_bytes() != (modded / file).read_bytes()]
        kept = [file for file in unlike if (modded / file).read_bytes() == (self.folder / file).read_bytes()]
        self.checks += 1
        if unlike and (set(unlike) - set(kept) or done.stderr.count("`loopsafe fix` does") < len(kept)):
            self.differences.append(f"codemod: {unlike}")

    def _module(self, name: str, *arguments: str) -> str:
        return _run(sys.executable, "-m", name, *arguments, cwd=self.folder).stdout

    def _git(self, *arguments: str) -> str:
        return _run("git", *arguments, cwd=self.folder, allowed=(0,)).stdout


def _run(*command: str, cwd: Path, allowed: tuple[int, ...] = (0, 1)) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    who = {f"GIT_{role}_{key}": "nobody@example.org" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    done = subprocess.run(
        command, cwd=cwd, env={**kept, **who}, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode not in allowed:
        raise SystemExit(f"{' '.join(command)[:500]}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def _found(printed: str) -> list[Found]:
    entries: list[dict[str, Any]] = json.loads(printed)
    return [_one_found(entry) for entry in entries]


def _one_found(entry: dict[str, Any]) -> Found:
    code, place = entry["code"], _place(entry["filename"], entry["location"], entry["code"])
    told = {step["filename"]: _place(step["filename"], step["location"], code) for step in entry["witness"]}
    return Found(place, tuple({**told, place[0]: place}.values()))


def _place(path: str, location: dict[str, int], code: str) -> Place:
    return path, location["row"], location["column"], code


def _places(printed: str) -> list[Place]:
    found = re.findall(r"(?m)^(?:\./)?(\S+\.py):(\d+):(\d+): (LSF\d+) ", printed)
    return sorted((path, int(row), int(column), code) for path, row, column, code in found)


def _download(pin: str, folder: Path) -> Path:
    command = ("pip", "download", "--quiet", "--no-deps", "--ignore-requires-python", "--only-binary", ":all:")
    _run(sys.executable, "-m", *command, "--dest", str(folder / pin), pin, cwd=folder, allowed=(0,))
    (wheel,) = (folder / pin).glob("*.whl")
    package = folder / f"{pin}-files"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(package)
    return package


def main() -> int:
    """Compare on all packages; 1 where anything differs."""
    failed = False
    for pin in sys.argv[1:] or PINS:
        with tempfile.TemporaryDirectory() as folder:
            comparison = Comparison(_download(pin, Path(folder).resolve()))
            comparison.run()
        several = sum(len(found.files) > 1 for found in comparison.found)
        told = f"{len(comparison.found)} findings ({several} over several files), {len(comparison.files)} files"
        print(f"{pin}: {told}, {comparison.checks} comparisons, {len(comparison.differences)} differ", flush=True)
        print(*(f"  {difference}" for difference in comparison.differences), sep="\n", end="")
        failed = failed or bool(comparison.differences)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
