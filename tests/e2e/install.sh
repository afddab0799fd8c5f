#!/bin/sh
# The clients of tests/e2e/clients_test.py, in the versions that are written down, under build/e2e.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/e2e/node
[ -x build/e2e/python/bin/python ] || python3 -m venv build/e2e/python
build/e2e/python/bin/pip install --quiet --disable-pip-version-check -r tests/e2e/requirements.txt
[ -x build/e2e/instructor/bin/python ] || python3 -m venv build/e2e/instructor
build/e2e/instructor/bin/pip install --quiet --disable-pip-version-check -r tests/e2e/requirements_instructor.txt
if command -v npm >/dev/null; then
  cp tests/e2e/package.json build/e2e/node/
  (cd build/e2e/node && npm install --silent --no-audit --no-fund)
fi
