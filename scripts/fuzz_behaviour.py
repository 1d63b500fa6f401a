"""Random programs before and after their safe fixes: do they print the same?

    python scripts/fuzz_behaviour.py 5000 [seed]       # from the checkout's root, with the development environment
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import loopsafe
from loopsafe.frontends.changes import work_out
from tests.fixes.test_behaviour import run_awake
from tests.support.behaviours import behaviour


def main(arguments: list[str]) -> int:
    """Make as many programs as asked for, and return 1 if a safe fix changes what one of them prints."""
    many, seed = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else random.randrange(1_000_000)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(6) as pool:
        fixed = list(_fixed(random.Random(seed), many, Path(folder)))
        wrong = [text for text in pool.map(lambda pair: compare(*pair), fixed) if text]
    print(*wrong, f"{many} programs, {len(fixed)} changed by safe fixes, {len(wrong)} wrong", sep="\n")
    return 1 if wrong or not fixed else 0


def _fixed(chance: random.Random, many: int, folder: Path) -> Iterator[tuple[Path, Path]]:
    """The programs that a safe fix changes, as they were and as they are then."""
    for number in range(many):
        home = folder / str(number)
        home.mkdir()
        (home / "pyproject.toml").touch()
        before, after = home / "before.py", home / "after.txt"
        before.write_text(behaviour(chance), "utf-8")
        report = loopsafe.analyze([before])
        safe = [finding for finding in report.findings if finding.fix and finding.fix.applicability == "safe"]
        outcome = work_out(report, safe, lambda overlay, at=before: loopsafe.analyze([at], overlay=overlay))  # type: ignore[misc]
        for change in outcome.changes:
            after.write_bytes(change.after)
            yield before, after


def compare(before: Path, after: Path) -> str:
    """What is wrong, with both texts; empty where nothing is, or where a program does not print the same twice."""
    wanted, got = run_awake(before), run_awake(after)
    if wanted == got:
        return ""
    # On a machine that is busy, something may come late.
    wanted, again, got = run_awake(before), run_awake(before), run_awake(after)
    if wanted != again or wanted == got:
        return ""
    return f"{after.read_text('utf-8')}\nprinted {wanted}, and prints {got}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
