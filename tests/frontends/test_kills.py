"""A small part of scripts/kill_runs.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import environment
from tests.support.scripts import ROOT, load_script


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_processes_that_are_killed_leave_nothing_wrong() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "kill_runs.py"), "--rounds", "3", "--processes", "8"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 rounds of 8 processes" in done.stdout
    assert "looked 1 times for what is left behind; 0 wrong" in done.stdout


def test_what_is_left_behind_is_seen(tmp_path: Path) -> None:
    for name in ("cache/loopsafe/files.1.2.tmp", "settings/loopsafe/other", "project/.loopsafe_cache", "project/m1.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", "utf-8")
    left = load_script("kill_runs").left_behind(tmp_path)
    assert left == ["cache/loopsafe/files.1.2.tmp", "settings/loopsafe/other", "project/.loopsafe_cache"]
