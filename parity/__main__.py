"""`python -m parity`."""

import sys

from parity.cli.commands import main

sys.exit(main())
