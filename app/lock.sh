#!/usr/bin/env bash
# Refreshes requirements/*.txt from pyproject.toml: `./lock.sh` keeps what is locked where it still fits, `./lock.sh --upgrade` takes the newest.
# dev is solved first and constrains the images, so what the tests ran is what the images hold. Needs uv (`pip install uv`).
set -euo pipefail
cd "$(dirname "$0")"
# Extras stay in the lock: pip below 24 holds `coverage[toml]` for another, unpinned package than `coverage`.
export UV_CUSTOM_COMPILE_COMMAND="./lock.sh"
compile() {
  local name=$1
  shift
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url \
    --output-file "requirements/$name.txt" "$@" pyproject.toml
}
compile dev --all-extras "$@"
for image in serving serving-linear training mlflow; do
  compile "$image" --extra "$image" --constraint requirements/dev.txt
done
