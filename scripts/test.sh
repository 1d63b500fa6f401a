#!/usr/bin/env bash
# Install loopsafe with its development tools into a virtual environment of its own and run every check.
# usage: scripts/test.sh [--tests-only | --brief | --least] [PYTHON]
# --brief runs the tests that depend on Python's version; --least of those half of the cases and the installed command.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh

part=
case "${1:-}" in
  --tests-only | --brief | --least)
    part=$1
    shift
    ;;
esac
make_venv "$@"
install_dev

status=0
check() {
  "$@" || status=1
}
if [ -z "$part" ]; then
  check ruff check .
  check mypy
  check python scripts/generate_docs.py --check
  check python scripts/build_package.py
  check zizmor --offline --quiet --persona=pedantic .github action.yml
  # Shown, not checked: pytest holds the code to these limits, but for the share of comments, which only people can mend.
  python scripts/house_style.py || true
fi
if [ "$part" = --least ]; then
  LOOPSAFE_CASES=half check python -m pytest --numprocesses auto tests/test_cases.py tests/frontends/test_{flake8,installed}.py
elif [ "$part" = --brief ]; then
  # What loopsafe says is in the cases; what else it is run on is the same for every version.
  check python -m pytest --numprocesses auto tests/test_cases.py tests/{decoder,fixes,libraries,stages} \
    tests/frontends/test_{flake8,installed,render}.py tests/server/test_{actions,layout}.py --ignore=tests/stages/test_{determinism,reading}.py \
    --ignore=tests/decoder/test_rule.py
else
  # A twelfth of the fixable cases is executed before and after the fix; with LOOPSAFE_EXECUTE=third more, with `all` all.
  check python -m pytest --numprocesses auto --durations 25
fi
exit $status
