#!/usr/bin/env bash
# Build the site of the documentation into build/site, with exactly what requirements/site.txt pins, and check its links.
# usage: scripts/build_site.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh

export LOOPSAFE_VENV=${LOOPSAFE_SITE_VENV:-.venv-site}
# Material announces its successor on every build.
export NO_MKDOCS_2_WARNING=1
make_venv "$@"
python -m pip install --quiet --require-hashes --requirement requirements/site.txt
# Not --quiet: that would keep warnings from those who count them.
python -m mkdocs build --strict
python scripts/check_links.py build/site
