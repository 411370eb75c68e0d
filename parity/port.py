"""The documented name of `parity.declare.port`, for pair files."""

from parity.declare.port import Port

__all__ = ["Port"]
