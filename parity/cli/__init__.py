"""The command `parity`: `main(argv) -> exit code`."""

from parity.cli.main import cli, entry, main

__all__ = ["cli", "entry", "main"]
