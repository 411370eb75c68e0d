"""The documented name of `parity.compare.runner.compare_placing`."""

from parity.compare.runner import compare_placing

__all__ = ["compare_placing"]
