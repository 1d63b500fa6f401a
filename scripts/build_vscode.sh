#!/usr/bin/env bash
# Check, test and package the extension for VS Code: editors/vscode/loopsafe.vsix.
# usage: scripts/build_vscode.sh [PYTHON]
# PYTHON has loopsafe with its extra `lsp`, to try the server as the extension starts it; by default that of .venv.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-$PWD/.venv/bin/python}
if ! command -v npm >/dev/null; then
  echo "skipped: there is no npm"
  exit 0
fi
cd editors/vscode
npm ci --ignore-scripts --silent || {
  echo "skipped: the registry does not give what the extension needs"
  exit 0
}
npm run --silent check
LOOPSAFE_PYTHON=$python npm test --silent
npm run --silent package
