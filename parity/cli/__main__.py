"""`python -m parity.cli`, the same as `python -m parity`."""

from parity.cli.main import entry

entry()
