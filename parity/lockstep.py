"""The documented name of `parity.steps.follow.follow`."""

from parity.steps.follow import follow

__all__ = ["follow"]
