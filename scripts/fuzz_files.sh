#!/usr/bin/env bash
# Analyse damaged copies of real files, of the standard library and what is installed, and the whole standard library of
# every Python from 3.10 to 3.14 that there is; compare runs that must say the same. Takes some hours.
# usage: scripts/fuzz_files.sh [COUNT] [SEED]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh

make_venv python3
python -m pip install --quiet --group dev --editable .
library() {
  "$1" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))' 2>/dev/null
}
libraries=()
for version in 3.10 3.11 3.12 3.13 3.14; do
  for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
    if found=$(library "$python") && [ -d "$found" ]; then
      libraries+=("$found")
      break
    fi
  done
done
status=0
python -m tests.hostile.fuzz --whole "${libraries[@]}" || status=1
python -m tests.hostile.fuzz "${1:-20000}" "${2:-1}" "${libraries[@]}" "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" || status=1
exit $status
