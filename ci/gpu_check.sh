#!/usr/bin/env bash
# One table of what holds on this machine's GPU, in at most ten minutes: see ci/gpu_check.py. `--device cpu` tries the script itself.
set -euo pipefail
cd "$(dirname "$0")/.."
export CUBLAS_WORKSPACE_CONFIG=:4096:8  # deterministic cuBLAS has to be asked for before CUDA starts
PYTHONPATH=. timeout 600 "${PYTHON:-python3}" ci/gpu_check.py "$@"
