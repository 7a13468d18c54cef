#!/usr/bin/env bash
# Lint, types and tests of the benchmark, with the tools of app/.venv, which app/check.sh creates.
set -euo pipefail
cd "$(dirname "$0")"
PATH="$PWD/../../../app/.venv/bin:$PATH"
ruff check
ruff format --check --quiet
mypy
pytest --quiet "$@"
