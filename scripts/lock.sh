#!/usr/bin/env bash
# Pin what the checks run with, with its hashes and for every Python and system at once, in requirements/dev.txt.
# What is pinned there and still fits stays; --upgrade renews all of it.
# usage: scripts/lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh

export LOOPSAFE_VENV=.venv-lock
make_venv
python -m pip install --quiet 'uv>=0.9'
# Without configuration, so that no address of a package index gets into the file.
uv pip compile pyproject.toml --no-config --group dev --extra decoder --universal --python-version 3.10 \
  --generate-hashes --custom-compile-command scripts/lock.sh --output-file requirements/dev.txt --quiet "$@"
