"""Build the source distribution and the wheel and check what is in them; exit 1 where something is missing or too much.

The source distribution holds what git knows of, the wheel the two packages, which run from where they are unpacked.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from packaging.metadata import Metadata

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"linter/loopsafe/": "loopsafe/", "reference_decoder/": "reference_decoder/"}
# Starts the guard with Python, and stands beside the packages.
ALONE = {"linter/loopsafe_guard.pth": "loopsafe_guard.pth"}
DIST_INFO = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}


def known_files() -> set[str]:
    """Every file that git keeps, or would after `git add`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}


def packaged(files: set[str]) -> set[str]:
    """The names that the packages' files, and those beside them, have in a wheel."""
    return {
        inside + name.removeprefix(folder)
        for folder, inside in PACKAGES.items()
        for name in files
        if name.startswith(folder)
    } | {ALONE[name] for name in files if name in ALONE}


def source_problems(archive: Path, files: set[str]) -> Iterator[str]:
    """What the source distribution lacks, has too much, or has that is no plain file."""
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
    top = archive.name.removesuffix(".tar.gz") + "/"
    yield from (f"{archive.name}: not a plain file: {member.name}" for member in members if not member.isfile())
    names = {member.name.removeprefix(top) for member in members}
    yield from differences(archive, names, files | {"PKG-INFO"})


def wheel_problems(archive: Path, files: set[str], tag: str | None) -> Iterator[str]:
    """What the wheel lacks or has too much, or says wrongly of itself."""
    info = "-".join(archive.name.split("-")[:2]) + ".dist-info/"
    with zipfile.ZipFile(archive) as wheel:
        yield from differences(archive, set(wheel.namelist()), packaged(files) | {info + name for name in DIST_INFO})
        version = Metadata.from_email(wheel.read(info + "METADATA")).version
        with tempfile.TemporaryDirectory() as folder:
            wheel.extractall(folder)
            if not finds_the_bugs(folder):
                yield f"{archive.name}: does not find what is in examples/broken"
    if tag is not None and tag != f"v{version}":
        yield f"{archive.name}: the tag is {tag}, not v{version}"
    if not is_told(str(version), tag is not None):
        yield f"CHANGELOG.md: has no section of {version}{' with the day of its release' if tag else ''}"


def is_told(version: str, released: bool) -> bool:
    """Whether the changelog has a section of this version; of one that is released, with the day."""
    day = r"\d{4}-\d\d-\d\d" if released else r"(?:\d{4}-\d\d-\d\d|not released yet)"
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    return re.search(rf"(?m)^## {re.escape(version)} - {day}$", text) is not None


def differences(archive: Path, names: set[str], expected: set[str]) -> Iterator[str]:
    """A line for each name that only one of them has."""
    yield from (f"{archive.name}: lacks {name}" for name in sorted(expected - names))
    yield from (f"{archive.name}: has no use for {name}" for name in sorted(names - expected))


def finds_the_bugs(folder: str) -> bool:
    """Whether the packages unpacked there are what runs, and exit with 1 for examples/broken."""
    where = "import loopsafe, reference_decoder; print(loopsafe.__file__, reference_decoder.__file__)"
    environment = {**os.environ, "PYTHONPATH": folder}
    imported = subprocess.run(
        [sys.executable, "-c", where], cwd=folder, env=environment, check=True, capture_output=True, encoding="utf-8"
    )
    checked = subprocess.run(
        [sys.executable, "-m", "loopsafe", "check", "--no-cache", ROOT / "examples/broken"],
        cwd=folder,
        env=environment,
        check=False,
        stdout=subprocess.DEVNULL,
    )
    return imported.stdout.count(os.path.realpath(folder)) == len(PACKAGES) and checked.returncode == 1


def build(folder: Path, tag: str | None) -> list[str]:
    """Build both into the folder, the wheel out of the source distribution; everything that is wrong with them."""
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT], check=True, stdout=2)
    files = known_files()
    [source], [wheel] = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return [*source_problems(source, files), *wheel_problems(wheel, files, tag)]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="an empty folder to build into; default: only check")
    parser.add_argument("--tag", help="the git tag of the release, which must be that of the version")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        problems = build(arguments.folder or Path(scratch), arguments.tag)
    print(*problems or ["source distribution and wheel hold what they should"], sep="\n")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
