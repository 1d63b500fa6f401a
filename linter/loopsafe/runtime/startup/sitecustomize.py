"""What a Python runs first that `loopsafe run` starts: the guard, then the `sitecustomize` that it would have run.

The Python may be of an environment without loopsafe: the package is loaded from where this file stands.
"""

import importlib
import importlib.util
import os
import sys


def _package() -> None:
    if "loopsafe" not in sys.modules:
        folder = os.path.dirname(os.path.dirname(_HERE))
        spec = importlib.util.spec_from_file_location("loopsafe", os.path.join(folder, "__init__.py"))
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules["loopsafe"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


_HERE = os.path.dirname(os.path.abspath(__file__))
_package()

from loopsafe.runtime.start import start  # noqa: E402

start()
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _HERE]
_ours = sys.modules.pop("sitecustomize")
try:
    importlib.import_module("sitecustomize")
except ImportError:
    sys.modules["sitecustomize"] = _ours
