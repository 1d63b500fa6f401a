"""The stage of `tests/fixes/execution`, with the guard in the place of what watches there."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import guarded

sys.modules["observed"] = guarded
runpy.run_path(str(Path(__file__).parents[2] / "fixes" / "execution" / "stage.py"), run_name="__main__")
