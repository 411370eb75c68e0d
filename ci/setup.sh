#!/usr/bin/env bash
# Makes $VENV with pinned versions of everything that the demo and the tests need. Run by the Makefile.
set -euo pipefail
"${PYTHON:-python3}" -c 'import sys; v = sys.version_info[:2]
if not (3, 10) <= v <= (3, 13): sys.exit(f"Python 3.10 to 3.13 is needed, found {v[0]}.{v[1]}: set PYTHON=...")'
"${PYTHON:-python3}" -m venv "$VENV"
install=("$VENV/bin/pip" install --quiet --disable-pip-version-check --no-compile)
# Paddle and torch each bundle an OpenMP; two BLAS threads on two cores are slower than one.
"${install[@]}" --upgrade "pip>=23"
torch=$(sed -n 's/^torch==//p' constraints.txt)
# A CPU build where one is offered; the plain one (gigabytes of CUDA) only where it is not.
"${install[@]}" "torch==$torch+cpu" 2>/dev/null ||
    "${install[@]}" --extra-index-url "${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}" "torch==$torch+cpu" 2>/dev/null ||
    "${install[@]}" "torch==$torch"
"${install[@]}" --constraint constraints.txt --editable ".[cpu,test]"
# On all cores, which pip does not; and our own, for the many processes that the tests start. Some packages bring what no Python reads.
"$VENV/bin/python" -m compileall -qq -j 0 "$VENV/lib" parity torch_ref paddle_impl weights_convert || true
