#!/usr/bin/env bash
# Refreshes *.txt from *.in: `./lock.sh` keeps what is locked where it still fits, `./lock.sh --upgrade` takes the newest.
# What computes an answer, and MLflow, has the version that the platform trains and tracks with. Needs uv (`pip install uv`).
set -euo pipefail
cd "$(dirname "$0")"
export UV_CUSTOM_COMPILE_COMMAND="./lock.sh"
shared=$(grep -hoE '^(joblib|mlflow|numpy|scikit-learn|scipy)==.*[^\\ ]' ../../../../app/requirements/dev.txt)
for name in bentoml fastapi mlflow-serve mlserver plot seed; do
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
    --constraint <(echo "$shared") --output-file "$name.txt" "$@" "$name.in"
done
