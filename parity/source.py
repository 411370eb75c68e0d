"""The documented name of `parity.trace.source`, for modules of `--pair`."""

from parity.trace.source import SourceTree

__all__ = ["SourceTree"]
