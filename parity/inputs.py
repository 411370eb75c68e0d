"""The documented name of `parity.declare.inputs`, for pair files."""

from parity.declare.inputs import Recipe, integers, normal, truths, uniform

__all__ = ["Recipe", "integers", "normal", "truths", "uniform"]
