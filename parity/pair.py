"""The documented name of `parity.declare.pair`, for modules of `--pair`."""

from parity.declare.pair import Pair, Subject, TrainingSubject

__all__ = ["Pair", "Subject", "TrainingSubject"]
