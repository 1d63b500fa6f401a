"""The stage of `tests/fixes/execution`, with the guard in the place of what watches there."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import guarded

if __name__ == "__main__":
    sys.modules["observed"] = guarded
    file = Path(__file__).parents[2] / "fixes" / "execution" / "stage.py"
    spec = importlib.util.spec_from_file_location("execution_stage", file)
    assert spec
    assert spec.loader
    stage = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stage)
    # A case ends as soon as all is seen; what sees nothing may need long on a machine that is busy.
    stage.PATIENCE = 1.0
    stage.main()
