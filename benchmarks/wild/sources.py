"""The packages of the benchmark: fetched by hash, unpacked, never installed or imported.

    python -m benchmarks.wild.sources     # from the checkout's root

Fetches what the cache does not have, and says where each package is.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.accuracy.releases import AS_FILES, PIP, Release, unpack
from benchmarks.caches import add_cache_option

PACKAGES = Path(__file__).with_name("packages.txt")


def pinned(file: Path = PACKAGES) -> dict[Release, str]:
    """The releases, each with its line for pip, which has the digest of its wheel, too."""
    lines = (line for line in file.read_text("utf-8").splitlines() if line and not line.startswith("#"))
    return {Release.parse(line.split()[0]): line for line in lines}


def fetched(cache: Path, file: Path = PACKAGES) -> Iterator[tuple[Release, Path]]:
    """All releases with the folders of their Python files.

    Raises:
        subprocess.CalledProcessError: pip did not get one, or another one than the benchmark's.
    """
    for release, line in pinned(file).items():
        folder = cache / f"{release.name}-{release.version}"
        if not folder.is_dir():
            _fetch(line, folder)
        yield release, folder


def _fetch(line: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        wanted = Path(work, "wanted.txt")
        wanted.write_text(line, "utf-8")
        subprocess.run(
            [*PIP, *AS_FILES, "--require-hashes", "--dest", work, "--requirement", str(wanted)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        unpack(next(Path(work).glob("*.whl")), Path(work, "files"))
        Path(work, "files").rename(folder)


def add_sources_option(parser: argparse.ArgumentParser) -> None:
    """Add `--cache` for the packages."""
    add_cache_option(parser, "loopsafe-wild", "where the packages are kept")


def main() -> int:
    """Fetch them all and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_sources_option(parser)
    for release, folder in fetched(parser.parse_args().cache):
        print(f"{release}: {folder}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
