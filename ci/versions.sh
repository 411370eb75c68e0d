#!/usr/bin/env bash
# One row of the table of versions: installs the wheel beside these versions and tries what the README shows.
#     TORCH=2.1.2 PADDLE=2.6.2 NUMPY=1.26.4 bash ci/versions.sh       # "newest" stands for whatever pip takes
# PYTHON: an interpreter that has them already, and our wheel; then nothing is installed. The row is in versions/row.md.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/versions work=$(mktemp -d)
mkdir -p "$out"
trap 'rm -rf "$work"' EXIT
if [ -z "${PYTHON:-}" ]; then
    PYTHON=$work/venv/bin/python
    python -m venv "$work/venv"
    pip=("$PYTHON" -m pip install --quiet --disable-pip-version-check)
    exactly() { [ "$2" = newest ] && echo "$1" || echo "$1==$2"; }
    "${pip[@]}" "$(exactly torch "$TORCH")" --index-url https://download.pytorch.org/whl/cpu
    "$PYTHON" -m pip wheel --quiet --no-deps --wheel-dir "$work/dist" .
    "${pip[@]}" "$(exactly paddlepaddle "$PADDLE")" "numpy==$NUMPY.*" "$work"/dist/*.whl pytest pytest-timeout ||
        "${pip[@]}" "$(exactly paddlepaddle "$PADDLE")" "numpy==$NUMPY" "$work"/dist/*.whl pytest pytest-timeout
fi
row=$("$PYTHON" -c 'import platform
from importlib.metadata import version
print("|", " | ".join([platform.python_version(), version("torch"), version("paddlepaddle"), version("numpy")]), "|", end="")')
failed=0
tried() {  # what a step ends with goes into the row; its output into the log
    if (cd "$work" && timeout 900 "$@") >"$work/log" 2>&1; then row+=" yes |"; else
        row+=" **no** |" failed=1
        echo "--- $*" && tail -30 "$work/log"
    fi
}
parity=("$PYTHON" -m parity)
tried "${parity[@]}" init first
tried "${parity[@]}" compare first/my_pair.py
tried "${parity[@]}" steps first/my_pair.py --steps 2
tried bash -c '"$@" record --pair first/my_pair.py --no-train --side reference there && "$@" record --pair first/my_pair.py --no-train \
    --side twin --from there here && "$@" diff there here' _ "${parity[@]}"
tried bash -c 'cd first && "$@" doctor my_pair.py:pair' _ "${parity[@]}"
tried "$PYTHON" -c 'import sys; sys.path.insert(0, "first")
import my_torch, torch, parity
torch.save(my_torch.Net().state_dict(), "net.pt")
parity.convert("net.pt", "converted", pair="first/my_pair.py")'
tried "$PYTHON" -m pytest -q -p no:cacheprovider --rootdir "$PWD" "$PWD/tests/unit" --deselect "$PWD/tests/unit/test_workers.py"
echo "$row" | tee "$out/row.md"
exit $failed
