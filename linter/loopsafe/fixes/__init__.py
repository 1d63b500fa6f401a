"""Turns fix plans into new source text, and writes it. With `frontends/codemod.py` the only user of LibCST.

Importing this package imports LibCST, which takes longer than analysing a small project: import it when there is
something to fix.
"""

from __future__ import annotations

from loopsafe.fixes.engine import COLLIDES, FixResult, fix_source
from loopsafe.fixes.files import fix_bytes, write_atomically
from loopsafe.writing import CannotWrite

__all__ = ["COLLIDES", "CannotWrite", "FixResult", "fix_bytes", "fix_source", "write_atomically"]
