"""`python -m parity.cli`, the same as `python -m parity`."""

from parity.cli import entry

entry()
