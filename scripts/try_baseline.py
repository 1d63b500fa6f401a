"""Edit released packages over and over, and see that a baseline keeps what it knows and hides nothing new.

usage: python scripts/try_baseline.py [--edits 200] [PACKAGE==VERSION...]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "linter")]

from tests.frontends.test_baseline import survives  # noqa: E402

# Each has findings: see docs/found-in-the-wild.md.
PACKAGES = ("bleak==3.1.0", "ipykernel==7.4.0", "aiomqtt==2.5.1", "kiwipy==0.9.0", "streamlit-webrtc==0.79.0")


def main() -> None:
    """Install the packages, each into a folder of its own, and try."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("packages", nargs="*", default=PACKAGES)
    arguments = parser.parse_args()
    for package in arguments.packages:
        with tempfile.TemporaryDirectory() as folder:
            project, started = Path(folder, "project"), time.monotonic()
            pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(project), package]
            subprocess.run(pip, check=True)
            (project / "pyproject.toml").write_text("", "utf-8")
            known = survives(project, arguments.edits, seed=1)
            print(f"{package}: {known} known, {arguments.edits} edits, {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
