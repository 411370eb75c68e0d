"""The two values that a recording is made of: which program it is of (`Side`), and in which of its runs (`Run`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.frameworks import Framework
from parity.frameworks.host_random import Held
from parity.frameworks.lifting import Lifted
from parity.trace.events import Key, Replayed
from parity.trace.randomness import Hand
from parity.trace.results import SideResults
from parity.trace.source import ConstructionSites, SourceTree

View = Callable[[str, np.ndarray | None], tuple[str, np.ndarray | None] | None]


def as_it_is(name: str, array: np.ndarray | None) -> tuple[str, np.ndarray | None]:
    return name, array


def unchanged(name: str, array: np.ndarray) -> np.ndarray:
    return array


@dataclass(frozen=True)
class Side:
    """One of the two programs, as a recorder knows it.

    framework: the program's. source: the user's files, whose lines are followed. sites: where its modules were built.
    name: stands before all module paths. paths: module path -> the reference's, where they differ; modules that are not in it are
    passed over. phases: name of a top-level function -> (phase, stage) of what happens in it.
    view: (parameter or buffer name, array) -> (reference name, array in the reference's layout), None where the entry
    has no partner by design, or is the part of a tensor whose other parts are still to come. layout: (the same) -> the array alone,
    as it is, in the reference's layout. back: (parameter name, array in the reference's layout) -> the array in the program's own.
    held: where python's and numpy's random functions are held. kept: parameters that are buffers on the other side, by their own
    full names: what they are after a forward is recorded as that of a buffer is. plain: full name -> the attributes that have it,
    its name among them, and what it was: a tensor that is no buffer here, and is one on the other side.
    """

    framework: Framework
    source: SourceTree
    sites: ConstructionSites = field(default_factory=ConstructionSites)
    name: str = ""
    paths: Mapping[str, str] | None = None
    phases: Mapping[str, tuple[str | None, str]] = field(default_factory=dict)
    view: View = as_it_is
    layout: Callable[[str, np.ndarray], np.ndarray] = unchanged
    back: Callable[[str, np.ndarray], np.ndarray] = unchanged
    held: Held = field(default_factory=Held)
    kept: frozenset[str] = frozenset()
    plain: Mapping[str, tuple[dict[str, Any], str, np.ndarray]] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One run of a program, and what is recorded of it.

    measure: also work out `Event.unit` (needed of the reference only). gradients, lines: follow them. operations: record the
    results of single operations too (`parity.frameworks.operations`). stage, step: where its values stand.
    replay: the values to go on with at the border of each module instead of the program's own, and of each parameter's gradient
    before an update. splice: in a replay, leave the graph whole, for a program that does its own backward; else it is cut there,
    and `Recorder.cuts` lists where. release: record the gradient of each parameter as soon as backward has finished it, and let go
    of it; else they are recorded by `Recorder.snapshot_gradients`, and stay. device: where the program lives. random: gives the
    run its random numbers; without it each framework draws its own. results: the reference's names for what module calls return;
    without it they are their own. righted: in a replay, the locals that the program goes on with the reference's values of, too.
    lifted: float32 is float64 in the program's mouth (see `parity.frameworks.lifting`).
    """

    measure: bool = False
    gradients: bool = True
    lines: bool = True
    operations: bool = False
    stage: str = "forward"
    step: int = 0
    replay: Replayed | None = None
    splice: bool = False
    release: bool = False
    device: str = "cpu"
    random: Hand | None = None
    results: SideResults | None = None
    righted: frozenset[Key] = frozenset()
    lifted: Lifted | None = None
