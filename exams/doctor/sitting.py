"""One run of the exam: a program, what is put into it, and the answer that is asked for."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.fixes.edit import Edit, applied
from parity.trace.source import SourceTree
from parity.ugatit.faults import CATALOGUE

PROGRAMS = ("classifier", "series", "ugatit")


@dataclass(frozen=True)
class Sitting:
    """A faulty or healthy run.

    program: one of `PROGRAMS`; framework: "paddle" or "torch". edits: ((function, old, new), ...) in the program's file, or
    catalogued: the name of a fault of `parity faults`. ids: the kinds that name the fault (none: the run is healthy).
    line: a piece of the line at which it must be placed, without and with the reference. trap: the trap of the field that it is.
    names: what the edits use. blocks: residual blocks of the U-GAT-IT. steps: the reference comparison must have seen it by then;
    0: the fault is no difference from this reference (a tensor that it does not have and that stays as it was made).
    expect: declared to the doctor.
    """

    name: str
    program: str
    framework: str = "paddle"
    edits: tuple[tuple[str, str, str], ...] = ()
    catalogued: str | None = None
    ids: tuple[str, ...] = ()
    line: str | None = None
    reference_line: str | None = None
    trap: str = ""
    blocks: int = 1
    steps: int = 2
    names: dict[str, object] = field(default_factory=dict)
    expect: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()  # of a healthy run: the warnings that it earns

    @property
    def module(self) -> str:
        if self.program == "ugatit":
            return f"{'paddle_impl' if self.framework == 'paddle' else 'torch_ref'}.training"
        return f"exams.doctor.programs.{self.program}_{self.framework}"

    @property
    def source(self) -> SourceTree:
        if self.program == "ugatit":
            from parity.ugatit.subjects import PAIR
            return PAIR.twin_source if self.framework == "paddle" else PAIR.reference_source
        return SourceTree(importlib.import_module(self.module).__file__)

    def _edits(self) -> tuple[Edit, ...]:
        return tuple(
            Edit(where if ":" in where else f"{self.module}:{where}", old, new, self.names) for where, old, new in self.edits
        )

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """While active, the program is as this sitting has it."""
        with ExitStack() as stack:
            edits = self._edits()
            fault = CATALOGUE[self.catalogued] if self.catalogued else None
            stack.enter_context(applied(edits + (fault.edits if fault else ())))
            if fault and fault.patch is not None:
                stack.enter_context(fault.patch())
            yield

    def edited_lines(self) -> set[tuple[str, int]]:
        """(file, line) of everything that is edited."""
        edits = self._edits()
        if self.catalogued:
            edits += CATALOGUE[self.catalogued].edits
        lines = set()
        for edit in edits:
            file, first = edit.site()
            lines |= {(file, first + extra) for extra in range(edit.old.count("\n") + 1)}
        return lines


def builder(sitting: Sitting, seed: int = 0) -> Callable[[], Callable[[], Any]]:
    """A function that builds the sitting's training and returns its step, as `parity doctor` takes it."""
    package = importlib.import_module(sitting.module)

    def build() -> Callable[[], Any]:
        _seed(sitting.framework, seed)
        if sitting.program != "ugatit":
            training = package.Training()
            return _counted(training, lambda number: training.step(number))
        from parity.ugatit import subjects as ugatit
        sizes = ugatit.Sizes(ngf=4, n_blocks=sitting.blocks, img_size=96, light=True, ndf=2)
        subject = ugatit.training(sizes, seed=seed)
        training = package.Training(ngf=4, n_blocks=sitting.blocks, img_size=96, light=True, ndf=2)
        tensor = _tensor(sitting.framework)
        return _counted(training, lambda number: training.step(*map(tensor, subject.batch(number).values()), number))

    return build


def _counted(training: Any, run: Callable[[int], Any]) -> Callable[[], Any]:
    number = 0

    def step() -> Any:
        nonlocal number
        number += 1
        assert training is not None  # in the closure, where the doctor looks for networks and optimizers
        return run(number)

    return step


def _seed(framework: str, seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    if framework == "paddle":
        import paddle
        paddle.seed(seed)
    else:
        import torch
        torch.manual_seed(seed)


def _tensor(framework: str) -> Callable[[np.ndarray], Any]:
    if framework == "paddle":
        import paddle
        return paddle.to_tensor
    import torch
    return torch.from_numpy
