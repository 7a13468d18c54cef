#!/usr/bin/env bash
# Updates *.txt from *.in: `./lock.sh` keeps locked versions that are still valid, `./lock.sh --upgrade` selects the newest.
# MLflow and the packages that compute predictions have the versions of the platform. Requires uv (`pip install uv`).
set -euo pipefail
cd "$(dirname "$0")"
export UV_CUSTOM_COMPILE_COMMAND="./lock.sh"
shared=$(grep -hoE '^(joblib|mlflow|numpy|scikit-learn|scipy)==.*[^\\ ]' ../../../../app/requirements/dev.txt)
for name in bentoml fastapi mlflow-serve mlserver plot seed; do
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
    --constraint <(echo "$shared") --output-file "$name.txt" "$@" "$name.in"
done
