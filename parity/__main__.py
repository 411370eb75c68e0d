"""`python -m parity`."""

from parity.cli import entry

entry()
