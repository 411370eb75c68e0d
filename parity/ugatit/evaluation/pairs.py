"""The measurement as pairs, for `parity compare parity.ugatit.evaluation.pairs:NAME`.

`small`, `inception` (on pictures of 75 x 75, the least that it takes) and `inception_299`: the feature networks. `resize`:
Inception's. `distances`: KID and FID of given features. `whole` and `whole_inception`: from picture files to both distances. In
eval mode: nothing is trained with them.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import paddle_impl.evaluation
import torch_ref.evaluation
from parity.declare.inputs import Recipe, normal, uniform
from parity.declare.pair import Pair, Subject
from parity.declare.port import Port
from parity.trace.source import SourceTree
from parity.ugatit.evaluation import weights
from parity.ugatit.pictures import picture, to_image
from weights_convert.absent import framework

paddle, torch = map(framework, ("paddle", "torch"))  # where one cannot be imported, the other side still can be built

SUBSETS, SUBSET_SIZE, SEED = 3, 4, 2020


class TorchDistances(torch.nn.Module):
    """Both distances of given features."""

    def forward(self, real, fake):
        real, fake = real.detach().to(torch.float64), fake.detach().to(torch.float64)
        kid_mean, kid_deviation = torch_ref.evaluation.kernel_distance(real, fake, SUBSETS, SUBSET_SIZE, SEED)
        fid = torch_ref.evaluation.frechet_distance(real, fake)
        return kid_mean, kid_deviation, fid


class PaddleDistances(paddle.nn.Layer):
    """The twin of `TorchDistances`."""

    def forward(self, real, fake):
        real, fake = real.detach().astype("float64"), fake.detach().astype("float64")
        kid_mean, kid_deviation = paddle_impl.evaluation.kernel_distance(real, fake, SUBSETS, SUBSET_SIZE, SEED)
        fid = paddle_impl.evaluation.frechet_distance(real, fake)
        return kid_mean, kid_deviation, fid


class TorchResize(torch.nn.Module):
    """Inception's resize alone, up and down."""

    def forward(self, picture):
        larger = torch_ref.evaluation.resize_like_tensorflow(picture, 40)
        smaller = torch_ref.evaluation.resize_like_tensorflow(picture, 13)
        return larger, smaller


class PaddleResize(paddle.nn.Layer):
    """The twin of `TorchResize`."""

    def forward(self, picture):
        larger = paddle_impl.evaluation.resize_like_tensorflow(picture, 40)
        smaller = paddle_impl.evaluation.resize_like_tensorflow(picture, 13)
        return larger, smaller


class TorchWhole(torch_ref.evaluation.Evaluation):
    """The measurement of picture files that hold these pixels, uint8 (N, H, W, 3)."""

    def forward(self, real, fake):
        return super().forward(_files(real), _files(fake), SUBSETS, SUBSET_SIZE, SEED)


class PaddleWhole(paddle_impl.evaluation.Evaluation):
    """The twin of `TorchWhole`."""

    def forward(self, real, fake):
        return super().forward(_files(real), _files(fake), SUBSETS, SUBSET_SIZE, SEED)


def _files(pixels: Any) -> list[BytesIO]:
    """A PNG file each, in memory."""
    files = []
    for one in pixels.numpy():
        files.append(BytesIO())
        Image.fromarray(one).save(files[-1], "png")
        files[-1].seek(0)
    return files


def _pictures(name: str, count: int, size: int) -> Recipe:
    def draw(rng: np.random.Generator) -> np.ndarray:
        return np.stack([np.asarray(to_image(one)) for one in picture(name, int(rng.integers(2 ** 32)), size, count)])

    return Recipe(draw, f"{count} pictures of {size} x {size}")


_WEIGHTS = weights.random(0)

small = Port(torch_ref.evaluation.SmallFeatures, paddle_impl.evaluation.SmallFeatures,
             inputs=[uniform(2, 3, 64, 64, low=-1, high=1)], modes=("eval",))
inception = Port(lambda: torch_ref.evaluation.InceptionV3(75), lambda: paddle_impl.evaluation.InceptionV3(75),
                 inputs=[uniform(1, 3, 75, 75, low=-1, high=1)], modes=("eval",), weights=_WEIGHTS)
inception_299 = Port(torch_ref.evaluation.InceptionV3, paddle_impl.evaluation.InceptionV3,
                     inputs=[uniform(1, 3, 299, 299, low=-1, high=1)], modes=("eval",), weights=_WEIGHTS)
resize = Port(TorchResize, PaddleResize, inputs=[uniform(3, 25, 30, high=255)], modes=("eval",))
distances = Port(TorchDistances, PaddleDistances, inputs=[normal(6, 4), normal(5, 4)], modes=("eval",))
whole = Port(lambda: TorchWhole(torch_ref.evaluation.SmallFeatures(), 4),
             lambda: PaddleWhole(paddle_impl.evaluation.SmallFeatures(), 4),
             inputs=[_pictures("real", 6, 80), _pictures("fake", 5, 100)], modes=("eval",))
whole_inception = Port(lambda: TorchWhole(torch_ref.evaluation.InceptionV3(75), 4),
                       lambda: PaddleWhole(paddle_impl.evaluation.InceptionV3(75), 4),
                       inputs=[_pictures("real", 5, 90), _pictures("fake", 5, 60)], modes=("eval",),
                       weights={f"network.{name}": value for name, value in _WEIGHTS.items()})

PAIRS = {"small": small, "inception": inception, "inception_299": inception_299, "resize": resize, "distances": distances,
         "whole": whole, "whole_inception": whole_inception}


PAIR = Pair("evaluation", *(SourceTree(Path(package.__file__).parent, Path(__file__))
                            for package in (torch_ref.evaluation, paddle_impl.evaluation)))


def subject(name: str, seed: int = 0) -> Subject:
    """One of these, "evaluation_small", as the exam compares it: names must be the same on both sides. Raises KeyError."""
    return replace(PAIRS[name.removeprefix("evaluation_")].subject("eval", seed), name=name, pair=PAIR)
