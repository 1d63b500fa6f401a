"""What installing loopsafe costs beside ruff and flake8: `python -m benchmarks.install [--write]`.

What is needed is downloaded first; then each is installed from there into an environment of its own, several times. So
the network is not in the times, and what pip compiles is.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "speed.md"
BEGIN, END = "<!-- begin install -->\n", "<!-- end install -->\n"
# Name, what pip is asked for, and the command that is started.
TOOLS = {
    "loopsafe": (str(ROOT), "loopsafe"),
    "loopsafe with flake8": (f"{ROOT}[flake8]", "flake8"),
    "ruff": ("ruff==0.17.6", "ruff"),
    "flake8": ("flake8==7.5.0", "flake8"),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Distributions, megabytes of what is downloaded and of what is on disk, seconds to install and to start."""

    distributions: int
    downloaded: float
    installed: float
    seconds: float
    start: float


def measure(wanted: str, command: str, rounds: int) -> Cost:
    """Install it `rounds` times.

    Raises:
        subprocess.CalledProcessError: it cannot be downloaded or installed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wheels = Path(scratch, "wheels")
        _run(sys.executable, "-m", "pip", "wheel", "--wheel-dir", wheels, wanted)
        took, starts, grown = [], [], 0.0
        for number in range(rounds):
            home = Path(scratch, f"venv{number}")
            venv.create(home, with_pip=True)
            before = _megabytes(home)
            pip = (home / "bin" / "python", "-m", "pip", "install", "--no-index", "--no-deps")
            took.append(_run(*pip, *wheels.iterdir()))
            grown = _megabytes(home) - before
            starts += [_run(home / "bin" / command, "--version") for _ in range(rounds)]
        return Cost(len(list(wheels.iterdir())), _megabytes(wheels), grown, median(took), median(starts))


def _run(*command: str | Path) -> float:
    started = time.monotonic()
    environment = {**os.environ, "PIP_QUIET": "2", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run(list(map(str, command)), check=True, env=environment, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


def _megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def table(costs: dict[str, Cost], rounds: int) -> str:
    """The costs as Markdown, with what they were measured on."""
    rows = [
        f"| {name} | {one.distributions} | {one.downloaded:.1f} | {one.installed:.1f} | {one.seconds:.1f} "
        f"| {one.start:.2f} |"
        for name, one in costs.items()
    ]
    head = "| | distributions | download, MB | on disk, MB | install, s | `--version`, s |\n|---|--:|--:|--:|--:|--:|"
    load = f", load {os.getloadavg()[2]:.1f} in the last quarter of an hour" if hasattr(os, "getloadavg") else ""
    python = ".".join(map(str, sys.version_info[:3]))
    where = f"{os.cpu_count()} cores, Python {python}{load}; median of {rounds} rounds."
    return "\n".join([head, *rows, "", where, ""])


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is installed (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.relative_to(ROOT)}")
    options = parser.parse_args()
    text = table({name: measure(*tool, options.rounds) for name, tool in TOOLS.items()}, options.rounds)
    print(text)
    if options.write:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}{text}{END}{rest.partition(END)[2]}", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
