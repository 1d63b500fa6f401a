# Sourced by the scripts beside it. `make_venv [PYTHON]` makes a virtual environment and puts its programs first on PATH.
# It stands in .venv, or where LOOPSAFE_VENV says, and is kept as long as it is of the same Python. `install_dev` installs
# into it exactly what requirements/dev.txt pins, and loopsafe in place.

make_venv() {
  local python=${1:-python3} venv=${LOOPSAFE_VENV:-.venv}
  if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "loopsafe needs Python 3.10 or newer; \`$python\` is not. Give another one: $0 python3.12" >&2
    exit 2
  fi
  if [ "$("$venv/bin/python" --version 2>&1)" != "$("$python" --version)" ]; then
    # Some Linux distributions split off what `venv` needs to install pip; pip can do that from outside.
    "$python" -m venv --clear "$venv" 2>/dev/null ||
      { "$python" -m venv --clear --without-pip "$venv" && "$python" -m pip --python "$venv/bin/python" install -q pip; }
  fi
  PATH="$(cd "$venv/bin" && pwd):$PATH"
}

install_dev() {
  python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
  # What builds it is pinned, too.
  python -m pip install --quiet --no-deps --no-build-isolation --editable .
}
