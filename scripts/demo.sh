#!/usr/bin/env bash
# Install loopsafe into a virtual environment of its own; find the bugs in examples/broken and show the patch.
# usage: scripts/demo.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh

# Runs a command, shown first. Exit code 1 says that there are findings, as there should be.
show() {
  echo "\$ $*"
  "$@" || [ $? -eq 1 ]
  echo
}

make_venv "$@"
python -m pip install --quiet .
show loopsafe check examples/broken
show loopsafe fix --diff examples/broken
