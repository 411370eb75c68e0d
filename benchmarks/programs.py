"""The programs whose cost is measured, and one plain run of both sides, with nothing of the harness in it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import torch

import paddle_impl
import torch_ref
from parity.declare import port
from parity.declare.pair import Subject, in_order
from parity.frameworks import FRAMEWORKS
from parity.ugatit import subjects as ugatit

RESNET = Path(__file__).parent.parent / "tests" / "shared" / "pairs" / "resnet.py"


@dataclass(frozen=True)
class Program:
    """Two builders with their inputs, and how to declare them to the harness."""

    build: tuple[Callable[[], Any], Callable[[], Any]]
    inputs: Mapping[str, np.ndarray]
    subject: Callable[[], Subject]
    training: bool
    arrange: Callable = in_order


def of_pair(target: str, inputs: tuple[str, ...], training: bool) -> Program:
    """A pair file, or "resnet18": that of the tests, at batch 4 and 224 pixels."""
    if target == "resnet18":
        sys.path.insert(0, str(RESNET.parent.parent))
        target, inputs = str(RESNET), inputs or ("4,3,224,224",)
    declared = port.load([target], specified=inputs)
    return Program((declared.reference, declared.twin), declared.arrays(declared.seed),
                   lambda: declared.subject("train" if training else "eval"), training, declared.arrange)


def of_generator(training: bool, **sizes: Any) -> Program:
    """A U-GAT-IT generator. sizes: ngf, n_blocks, img_size, light."""
    picture = ugatit.picture("A", 0, sizes["img_size"])

    def subject() -> Subject:
        return next(ugatit.networks(ugatit.Sizes(**sizes), {"A": picture}, names=("genA2B",), training=training))

    build = tuple(lambda package=package: package.ResnetGenerator(3, 3, **sizes) for package in (torch_ref, paddle_impl))
    return Program(build, {"input": picture}, subject, training)


def prepared(program: Program, lane: str) -> list[Any]:
    """Both models, built."""
    return [framework.prepare(build(), dtype=lane, training=program.training, device="cpu")
            for framework, build in zip(FRAMEWORKS, program.build, strict=True)]


def plain(program: Program, models: list[Any], lane: str) -> None:
    """Forward and backward of the one side, then of the other."""
    for side, (framework, model) in enumerate(zip(FRAMEWORKS, models, strict=True)):
        arrays = [array.astype(lane) if array.dtype.kind == "f" else array for array in program.inputs.values()]
        tensors = [framework.tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays]
        arguments, keywords = program.arrange(side, tensors)
        outputs = [output for _, output in framework.tensors_in(model(*arguments, **keywords)) if framework.requires_grad(output)]
        framework.backward(outputs, [framework.tensor(np.ones(framework.shape_dtype(output)[0], lane)) for output in outputs])


def cleared(models: list[Any]) -> None:
    """As an optimizer would before the next step."""
    for framework, model in zip(FRAMEWORKS, models, strict=True):
        framework.clear_gradients(list(framework.parameters(model).values()))


def use_threads(count: int) -> None:
    """In each framework."""
    torch.set_num_threads(count)
    paddle.base.core.set_num_threads(count)


def of(spec: Mapping[str, Any]) -> Program:
    """By what crosses to another process: {"pair", "inputs", "training"}, or sizes of the generator and "training"."""
    spec = dict(spec)
    return of_pair(spec["pair"], tuple(spec["inputs"]), spec["training"]) if "pair" in spec else of_generator(**spec)

