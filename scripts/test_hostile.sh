#!/usr/bin/env bash
# Install loopsafe into a virtual environment and run it on every project of tests/hostile, each as a process of its own
# with limits on time and memory: by one process, by several, with `fix --diff` and from flake8. Takes an hour or so.
# usage: scripts/test_hostile.sh [WORD...]     (only projects whose names have one of the words)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh

make_venv python3
python -m pip install --quiet --group dev --editable .
python -m tests.hostile.run "$@"
