#!/usr/bin/env bash
# Updates requirements/*.txt from pyproject.toml: `./lock.sh` keeps locked versions that are still valid, `./lock.sh --upgrade` takes the newest.
# dev is resolved first and constrains the images, so that the images contain the versions that the tests use. Needs uv (`pip install uv`).
set -euo pipefail
cd "$(dirname "$0")"
# Extras stay in the lock file: pip below 24 treats `coverage[toml]` as another, unpinned package than `coverage`.
export UV_CUSTOM_COMPILE_COMMAND="./lock.sh"
compile() {
  local name=$1
  shift
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url \
    --output-file "requirements/$name.txt" "$@" pyproject.toml
}
compile dev --all-extras "$@"
for image in models serving-linear mlflow; do
  compile "$image" --extra "$image" --constraint requirements/dev.txt
done
