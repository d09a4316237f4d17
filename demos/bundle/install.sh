#!/bin/sh
# Installs Noise to Data into .venv beside this file, from wheels/ and without a network.
# PYTHON names another Python of the version that the archive's name says.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}

if ! "$python" -c 'import ensurepip, sys; sys.exit(sys.implementation.cache_tag != "@TAG@")' 2>/dev/null; then
  echo "These wheels are for @VERSION@, and $python is another, or has no ensurepip: PYTHON=python@SHORT@ sh install.sh" >&2
  exit 1
fi
"$python" -m venv .venv
if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check \
  --no-index --find-links wheels -r requirements.txt; then
  echo "The wheels could not be installed: this archive is for @PLATFORM@" >&2
  exit 1
fi
touch .venv/.installed # for make run
echo "Installed. Is this machine ready?  .venv/bin/python app.py --check --host 0.0.0.0"
echo "Start the app:                     .venv/bin/python app.py --host 0.0.0.0"
