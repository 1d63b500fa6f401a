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
install_dev

status=0
check() {
  "$@" || status=1
}
if [ -z "$tests_only" ]; then
  check ruff check .
  check mypy
  check python scripts/generate_docs.py --check
  check python scripts/build_package.py
  check zizmor --offline --quiet --persona=pedantic .github action.yml
  # Shown, not checked: pytest holds the code to these limits, but for the share of comments, which only people can mend.
  python scripts/house_style.py || true
fi
# All fixable cases are executed before and after their fix, not a sample, if nothing else is said.
export LOOPSAFE_EXECUTE=${LOOPSAFE_EXECUTE-all}
check python -m pytest --numprocesses auto
exit $status
