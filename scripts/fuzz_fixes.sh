#!/usr/bin/env bash
# Fix thousands of random programs around each shape of a fix, and check each result from all sides.
# usage: scripts/fuzz_fixes.sh [PROGRAMS A SHAPE]
set -euo pipefail
cd "$(dirname "$0")/.."
LOOPSAFE_EXAMPLES=${1:-300} exec python -m pytest --numprocesses auto tests/fixes/test_programs.py
