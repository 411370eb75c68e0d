"""`python -m parity`."""

import os
import sys

# As with the installed script, the standard library comes before a user's folder: there may be a `json.py` in it. From a checkout,
# the packages beside this one are found in that folder.
if sys.path[0] in ("", os.getcwd()) and os.path.dirname(os.path.dirname(os.path.abspath(__file__))) != os.getcwd():
    del sys.path[0]

from parity.cli import entry

entry()
