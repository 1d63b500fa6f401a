"""Show on LiveKit's own packages that loopsafe finds and fixes the bug it was made for.

Downloads livekit-agents 0.12.18, which has the bug, and 0.12.20, where its authors mended it; then finds, explains and
fixes with the command line, and holds flake8, pre-commit and the LibCST codemod against it. Everything printed is
computed by the run. Exits 1, and says why, where anything is not as it should be.

Run it in the environment that scripts/test.sh makes: `.venv/bin/python scripts/show_livekit.py`.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DECODER = "livekit/agents/utils/codecs/decoder.py"
BUGS = [151, 164]
CODEMOD = "loopsafe.frontends.codemod.UseCallSoonThreadsafe"

Place = tuple[str, int, int, str]


class NotShownError(Exception):
    """Something is not as this script says it is."""


def expect(condition: bool, statement: str, evidence: str = "") -> None:
    """Print a statement that holds; raise, with the evidence, where it does not."""
    if not condition:
        raise NotShownError(f"does not hold: {statement}\n{evidence}")
    print(f"  ok: {statement}")


def run(*command: str | Path, cwd: Path = ROOT, allowed: tuple[int, ...] = (0, 1)) -> str:
    """The standard output of a command. Linters exit 1 where they find something."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    ran = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, check=False)
    if ran.returncode not in allowed:
        raise NotShownError(f"{' '.join(map(str, command))}: exit code {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def module(name: str, *arguments: str | Path, cwd: Path = ROOT, allowed: tuple[int, ...] = (0, 1)) -> str:
    """The standard output of `python -m name`, by the Python that runs this script."""
    return run(sys.executable, "-m", name, *arguments, cwd=cwd, allowed=allowed)


def download(version: str, folder: Path) -> Path:
    """Fetch a release from the package index and unpack it."""
    module("pip", "download", "--quiet", "--no-deps", "--dest", folder, f"livekit-agents=={version}", allowed=(0,))
    (wheel,) = folder.glob(f"livekit_agents-{version}-*.whl")
    package = folder / version
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(package)
    return package


def copy(package: Path, name: str) -> Path:
    """A copy of a package under another name, to be changed."""
    return Path(shutil.copytree(package, package.with_name(name)))


def findings(package: Path) -> list[dict[str, Any]]:
    """What `loopsafe check` reports."""
    found: list[dict[str, Any]] = json.loads(module("loopsafe", "check", "--output-format", "json", ".", cwd=package))
    return found


def places(output: str) -> list[Place]:
    """File, row, column and code of each finding in lines of text, as all front ends print them."""
    found = re.findall(r"(?m)^(?:\./)?(\S+\.py):(\d+):(\d+): (LSF\d+) ", output)
    return sorted((path, int(row), int(column), code) for path, row, column, code in found)


def sources(package: Path) -> dict[str, str]:
    """The text of each Python file."""
    return {str(file.relative_to(package)): file.read_text("utf-8") for file in package.rglob("*.py")}


def show_findings(package: Path) -> None:
    """The two bugs are found, each with the path by which it runs on a thread."""
    print(module("loopsafe", "check", ".", cwd=package))
    decoder = [finding for finding in findings(package) if finding["filename"] == DECODER]
    rows = [(finding["code"], finding["location"]["row"]) for finding in decoder]
    expect(rows == [("LSF101", row) for row in BUGS], f"{DECODER} has exactly the LSF101 findings of lines {BUGS}")
    lines = (package / DECODER).read_text("utf-8").splitlines()
    (start,) = (row for row, line in enumerate(lines, 1) if "run_in_executor(" in line)
    starts = [finding["witness"][0]["location"]["row"] for finding in decoder]
    expect(starts == [start] * len(BUGS), f"each witness starts at run_in_executor in line {start}")
    ends = [finding["witness"][-1]["location"]["row"] for finding in decoder]
    expect(ends == BUGS, "and ends at the finding")


def show_fix(package: Path) -> Path:
    """The patch puts both calls on the loop; returns the package with it."""
    print(module("loopsafe", "fix", "--diff", DECODER, cwd=package))
    fixed = copy(package, "fixed")
    module("loopsafe", "fix", ".", cwd=fixed)
    text = sources(fixed)[DECODER]
    ast.parse(text)
    calls = re.findall(r"self\._loop\.call_soon_threadsafe\(\s*self\._output_ch\.(\w+)", text)
    expect(calls == ["send_nowait", "close"], "both calls now go through self._loop.call_soon_threadsafe")
    left = [finding for finding in findings(fixed) if finding["filename"] == DECODER]
    expect(not left, "the fixed decoder parses and has no finding")
    return fixed


def show_flake8(package: Path) -> None:
    """The flake8 plugin reports what the command line reports."""
    checked = places(module("loopsafe", "check", "--output-format", "concise", ".", cwd=package))
    printed = module("flake8", "--isolated", "--select", "LSF", ".", cwd=package)
    expect(places(printed) == checked, f"flake8 reports the same {len(checked)} finding(s) in the package", printed)


def show_pre_commit(package: Path, fixed: Path) -> None:
    """The hooks of this repository report and fix the same."""
    repository = copy(package, "repository")
    run("git", "init", "--quiet", cwd=repository)
    run("git", "add", "--all", cwd=repository)
    checked = places(module("loopsafe", "check", "--output-format", "concise", ".", cwd=package))
    printed = module("pre_commit", "try-repo", ROOT, "loopsafe", "--all-files", cwd=repository)
    expect(places(printed) == checked, f"the pre-commit hook reports the same {len(checked)} finding(s)", printed)
    module("pre_commit", "try-repo", ROOT, "loopsafe-fix", "--all-files", cwd=repository)
    expect(sources(repository) == sources(fixed), "the pre-commit hook loopsafe-fix writes the same files")


def show_codemod(package: Path, fixed: Path) -> None:
    """The LibCST codemod writes what the command line writes."""
    modded = copy(package, "modded")
    module("libcst.tool", "codemod", "-x", CODEMOD, ".", cwd=modded, allowed=(0,))
    expect(sources(modded) == sources(fixed), "the LibCST codemod writes the same files")


def show_release_with_fix(package: Path) -> None:
    """What LiveKit's authors wrote is not reported."""
    left = [finding for finding in findings(package) if finding["filename"] == DECODER or finding["code"] == "LSF101"]
    expect(not left, f"{package.name} has no LSF101 finding, and none in the decoder")


def show(folder: Path) -> None:
    """All of it, in a folder that is thrown away."""
    print("livekit-agents 0.12.18, as released:\n")
    package = download("0.12.18", folder)
    show_findings(package)
    print("\nThe patch:\n")
    fixed = show_fix(package)
    print("\nThe other front ends:\n")
    show_flake8(package)
    show_codemod(package, fixed)
    show_pre_commit(package, fixed)
    print("\nlivekit-agents 0.12.20, mended by its authors:\n")
    show_release_with_fix(download("0.12.20", folder))


def main() -> int:
    """Run in a temporary folder; 1 where something is not as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            show(Path(folder).resolve())
        except NotShownError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
