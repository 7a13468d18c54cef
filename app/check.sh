#!/usr/bin/env bash
# Runs all checks of this folder: `./check.sh [pytest arguments]`.
# Makes .venv from the lock file if the lock file or Python has changed. PYTHON (default python3) is 3.11 or newer.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}
lock=requirements/dev.txt
wanted="$("$python" --version) $(sha256sum $lock)"
if [ "$(cat .venv/lock 2>/dev/null)" != "$wanted" ]; then
  rm -rf .venv
  "$python" -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $lock
  echo "$wanted" >.venv/lock # last, so that an interrupted install starts again
fi
PATH="$PWD/.venv/bin:$PATH"
ruff check
ruff format --check --quiet
mypy
pytest --quiet --cov "$@"
