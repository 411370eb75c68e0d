"""The documented name of `parity.declare.training`, for pair files."""

from parity.declare.training import Training

__all__ = ["Training"]
