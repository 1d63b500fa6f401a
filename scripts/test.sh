#!/usr/bin/env bash
# Install loopsafe with its development tools into a virtual environment of its own and run every check.
# usage: scripts/test.sh [--tests-only] [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh

tests_only=
if [ "${1:-}" = --tests-only ]; then
  tests_only=yes
  shift
fi
make_venv "$@"
python -m pip install --quiet --group dev --editable .
if [ -z "$tests_only" ]; then
  ruff check .
  mypy
  python scripts/generate_docs.py --check
  python scripts/house_style.py
fi
python -m pytest --numprocesses auto
