"""All front ends say the same of this project's examples; scripts/compare_front_ends.py does it with real packages."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.scripts import ROOT, load_script
from tests.support.threads import write_bug

compare_front_ends = load_script("compare_front_ends")


def test_the_examples(tmp_path: Path) -> None:
    folder = write_bug(tmp_path / "examples")
    for name in ("thread_queue.py", "timer_event.py"):
        shutil.copy(ROOT / "examples" / "broken" / name, folder)
    (folder / "clean.py").write_text("import start\n")
    write_bug(folder / "inner", "[tool.loopsafe]\n")
    comparison = compare_front_ends.Comparison(folder)
    comparison.run()
    assert comparison.differences == []
    assert sum(len(found.files) > 1 for found in comparison.found) == 2
    assert len(comparison.found) == 4
    assert comparison.checks == 4 + 3 * 5


def test_a_difference_is_seen(tmp_path: Path) -> None:
    comparison = compare_front_ends.Comparison(write_bug(tmp_path / "examples"))
    (comparison.folder / "start.py").write_text("")
    comparison.run()
    assert any(difference.startswith("flake8, whole: 0 for 2") for difference in comparison.differences)
