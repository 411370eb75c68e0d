"""What is compared: a `Pair` of programs, and the `Subject`s cut out of it (a module, a network, a mode)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.frameworks import FRAMEWORKS, Framework
from parity.trace.source import SourceTree
from weights_convert import DEFAULT, LayoutTable


@dataclass(frozen=True)
class Pair:
    """Two programs meant to be the same computation.

    *_source: the files whose lines are followed on each side. layouts: how weights are laid out, by layer type.
    one_sided: local variables that one side is known to have alone, as "stage function: name".
    names: None where modules and tensors have the same names on both sides, and must; else reference path -> twin path of those
    that the user names, the rest being worked out (`parity.pairing.correspondence`). elsewhere: the twin runs in another
    environment, so that here the reference alone is recorded.
    """

    name: str
    reference_source: SourceTree
    twin_source: SourceTree
    layouts: LayoutTable = DEFAULT
    one_sided: frozenset[str] = frozenset()
    reference_framework: Framework = FRAMEWORKS[0]
    twin_framework: Framework = FRAMEWORKS[1]
    names: Mapping[str, str] | None = None
    elsewhere: bool = False


def in_order(side: int, tensors: Sequence[Any]) -> tuple[tuple, dict]:
    """The default `Subject.arrange`: all inputs as positional arguments."""
    return tuple(tensors), {}


@dataclass(frozen=True)
class Subject:
    """One computation of a pair: a module with its weights and inputs, forward and backward.

    own_weights: each side keeps what it was built with, and `state` is not used.
    reference, twin: build the module on each side. state: the weights under the reference's names and layouts, float32.
    inputs: positional arguments in order, float32 (or integers). training: mode of both. calls: forwards in a row, before one
    backward. seed: of the probes (the output gradients) and of the noise draws.
    """

    name: str
    pair: Pair
    reference: Callable[[], Any]
    twin: Callable[[], Any]
    state: Mapping[str, np.ndarray]
    inputs: Mapping[str, np.ndarray]
    training: bool = True
    calls: int = 1
    seed: int = 0
    arrange: Callable[[int, Sequence[Any]], tuple[tuple, dict]] = in_order  # 0 or 1 and input tensors -> arguments of that side
    own_weights: bool = False
    stage: str = "forward"  # the rung its values stand on: "forward", or "losses" for loss functions
    redrawn: Callable[[int], Any] | None = None  # 0 or 1 -> that side, built from another seed; None of the caller's own model
    told: dict[str, Any] = field(default_factory=dict, compare=False)  # what running it once has told of the pairing


@dataclass(frozen=True)
class TrainingSubject:
    """Two training programs of a pair, followed step by step.

    reference, twin: dtype ("float32", "float64") -> an object with `networks` (name -> model), optimizers among its
    attributes (or `optimizers`, name -> optimizer), `step(*batch, number)` -> {name: loss}, `state()` and `load_state(state)`
    with the keys "networks" {network: {entry: array}}, "moments" {network: {parameter: {"updates", arrays}}}, "lr", and "own":
    what the other side does not take over (see `training.Program`).
    phases: top-level function of the program -> (phase, stage) of what happens in it.
    batch: step number (from 1) -> the arrays of that step, in [-1, 1], float32. state: what both start from, in the reference's
    layouts (with or without moments).
    twin_batch: the same of the twin's own data code; `batch` is the reference's then, and both are followed while they work,
    line by line, at stage "data". own_start: both programs also draw initial weights of their own when trained from scratch, so
    the distributions that they draw from are compared. device: "cpu" or "gpu", where both programs live once built.
    horizon: so many calls of the learning rates' schedulers are compared before anything is run.
    """

    name: str
    pair: Pair
    reference: Callable[[str], Any]
    twin: Callable[[str], Any]
    state: Mapping[str, Any]
    batch: Callable[[int], Mapping[str, np.ndarray]]
    phases: Mapping[str, tuple[str | None, str]] = field(default_factory=dict)
    seed: int = 0
    twin_batch: Callable[[int], Mapping[str, np.ndarray]] | None = None
    own_start: bool = False
    device: str = "cpu"
    horizon: int = 0
