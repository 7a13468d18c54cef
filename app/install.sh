#!/bin/sh
# For the image build: `install.sh REQUIREMENTS` fills /opt/venv with exactly what the lock names;
# `install.sh --compile FOLDER` byte-compiles code. The images' root is read-only: what is not compiled
# here would be compiled again at every start.
set -eu

# Checked by hash, not by time stamp: the same sources give the same image, whenever they were copied.
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

# Packages' own tests; numpy.testing, which scipy imports, needs the ones of numpy.
for folder in /opt/venv/lib/python3*/site-packages/*/; do
  case $folder in */numpy/) continue ;; esac
  find "$folder" -type d -name tests -prune -exec rm -r {} +
done
compile /opt/venv/lib
