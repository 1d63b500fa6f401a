"""Without the extra `decoder`, in an environment that has none of its packages."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.scripts import ROOT

TOLD = "reference_decoder needs PyAV and numpy: pip install 'loopsafe[decoder]'"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder)
    return folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-P" if sys.version_info >= (3, 11) else "-s", *arguments],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("module", ["reference_decoder", "reference_decoder.plot"])
def test_run(module: str, bare: Path) -> None:
    done = run(bare, "-m", module, "sound.mp3")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{TOLD}\n")


@pytest.mark.parametrize("module", ["reference_decoder", "reference_decoder.errors"])
def test_imported(module: str, bare: Path) -> None:
    done = run(bare, "-c", f"try: import {module}\nexcept ImportError as error: print(error)")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{TOLD}\n", "")


def test_another_module_that_is_missing_is_named(bare: Path) -> None:
    stub = "import sys; sys.modules['asyncio'] = None"
    done = run(bare, "-c", f"{stub}\nimport reference_decoder")
    assert TOLD not in done.stderr
    assert "asyncio" in done.stderr
