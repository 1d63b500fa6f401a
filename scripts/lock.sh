#!/usr/bin/env bash
# Pin what the checks run with, with its hashes and for every Python and system at once, in requirements/dev.txt, and what
# the site of the documentation is built with in requirements/site.txt.
# What is pinned there and still fits stays; --upgrade renews all of it.
# usage: scripts/lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh

export LOOPSAFE_VENV=.venv-lock
make_venv
python -m pip install --quiet 'uv>=0.9'
# Without configuration, so that no address of a package index gets into the file.
lock() {
  local file=$1
  shift
  uv pip compile --no-config --universal --python-version 3.10 --generate-hashes \
    --custom-compile-command scripts/lock.sh --output-file "requirements/$file" --quiet "$@"
}
lock dev.txt pyproject.toml --group dev --extra decoder "$@"
lock site.txt --group site "$@"
