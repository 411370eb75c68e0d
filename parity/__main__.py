"""`python -m parity`."""

import sys
from pathlib import Path

# Python puts the working directory first, before its own library: a user's `json.py` there is not for us to import.
if Path.cwd() not in Path(__file__).resolve().parents:
    sys.path[:] = [path for path in sys.path if path and Path(path) != Path.cwd()]

from parity.cli.main import entry

entry()
