#!/bin/sh
# For the image build: `install.sh REQUIREMENTS` installs exactly the packages of the lock file into /opt/venv;
# `install.sh --compile FOLDER` byte-compiles code. The root file system of the images is read-only: without
# this, Python would compile the code at every start.
set -eu

# By hash, not by time stamp, so that the same sources always give the same image.
compile() {
  python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash "$@"
}

if [ "$1" = --compile ]; then
  compile "$2"
  exit
fi

[ ! -s /run/secrets/ca ] || export PIP_CERT=/run/secrets/ca
pip() {
  /opt/pip/bin/python3 -m pip --python /opt/venv/bin/python3 "$@"
}
pip install --require-hashes --only-binary :all: --no-deps --no-compile --requirement "$1"
pip check

# Removes the tests of packages, except for numpy: scipy imports numpy.testing, which needs them.
for folder in /opt/venv/lib/python3*/site-packages/*/; do
  case $folder in */numpy/) continue ;; esac
  find "$folder" -type d -name tests -prune -exec rm -r {} +
done
compile /opt/venv/lib
