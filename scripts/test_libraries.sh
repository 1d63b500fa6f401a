#!/usr/bin/env bash
# Install the libraries that packs speak of into a virtual environment of its own, and see whether their callbacks come
# where the rows say. Libraries that this machine or Python cannot have are skipped, with the reason.
# usage: scripts/test_libraries.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh

export LOOPSAFE_VENV=${LOOPSAFE_VENV:-.venv-libraries}
make_venv "$@"
python -m pip install --quiet 'pip>=25.1' # the first that knows dependency groups
# Not pinned: this is to see what the libraries have become.
python -m pip install --quiet --group libraries --editable .

# Some of the libraries bring plugins for pytest along, which have no business here.
export PYTEST_DISABLE_PLUGIN_AUTOLOAD=1
python -m pytest -p xdist.plugin --numprocesses auto --dist loadfile --disable-warnings -rs \
  -o faulthandler_timeout=60 tests/libraries
