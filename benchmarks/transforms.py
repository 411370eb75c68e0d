"""torchvision's transforms against Paddle's, one by one: docs/transforms.md.

    pip install torchvision     # nothing else of the project needs it
    python -m benchmarks.transforms > docs/transforms.md

Each is run on one picture, as Pillow has it and as a tensor in [0, 1], by both, on the same random numbers (those of
`parity data`). What differs is measured in grey levels, of 255.
"""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import click
import numpy as np
import paddle
import torch
from paddle.vision import transforms as P
from PIL import Image

from parity.data.draws import Draws
from parity.frameworks.host_random import Held
from parity.frameworks.values import arrays_of
from parity.numbers import pictures
from parity.numbers.arrays import coarsest
from parity.numbers.noise import M

HEIGHT, WIDTH = 37, 49
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CORNERS = [[0, 0], [WIDTH - 1, 0], [WIDTH - 1, HEIGHT - 1], [0, HEIGHT - 1]], [[3, 2], [WIDTH - 5, 1], [WIDTH - 2, HEIGHT - 4],
                                                                            [2, HEIGHT - 2]]


class Operation(NamedTuple):
    """torch: (module of transforms, v1 or v2; its functional; the enum of interpolations) -> the transform. paddle: the same of
    Paddle's. tensors: whether it is for tensors alone (True), for pictures alone (False), or for both."""

    name: str
    torch: Callable[[Any, Any, Any], Callable]
    paddle: Callable[[], Callable]
    tensors: bool | None = None


def _resize(way: str, **options: Any) -> Operation:
    said = f"Resize, {way}" + "".join(f", {name}={value}" for name, value in options.items())
    return Operation(said, lambda T, F, E: T.Resize((15, 21), E(way), **options), lambda: P.Resize((15, 21), way),
                     True if options else None)


OPERATIONS = (
    *(_resize(way) for way in ("bilinear", "bicubic", "nearest")),
    *(_resize(way, antialias=False) for way in ("bilinear", "bicubic")),
    Operation("Resize, box", lambda T, F, E: T.Resize((15, 21), E("box")), lambda: P.Resize((15, 21), "box"), False),
    Operation("Resize, lanczos", lambda T, F, E: T.Resize((15, 21), E("lanczos")), lambda: P.Resize((15, 21), "lanczos"), False),
    Operation("Resize(20), the shorter side", lambda T, F, E: T.Resize(20), lambda: P.Resize(20)),
    Operation("Resize, bilinear, larger", lambda T, F, E: T.Resize((70, 90)), lambda: P.Resize((70, 90))),
    Operation("CenterCrop(20)", lambda T, F, E: T.CenterCrop(20), lambda: P.CenterCrop(20)),
    Operation("CenterCrop(21)", lambda T, F, E: T.CenterCrop(21), lambda: P.CenterCrop(21)),
    Operation("CenterCrop, larger than the picture", lambda T, F, E: T.CenterCrop(60), lambda: P.CenterCrop(60)),
    *(Operation(f"Pad(3), {mode}", lambda T, F, E, mode=mode: T.Pad(3, padding_mode=mode),
                lambda mode=mode: P.Pad(3, padding_mode=mode)) for mode in ("constant", "edge", "reflect", "symmetric")),
    Operation("Pad((1, 2, 3, 4))", lambda T, F, E: T.Pad((1, 2, 3, 4)), lambda: P.Pad((1, 2, 3, 4))),
    Operation("Pad((1, 2))", lambda T, F, E: T.Pad((1, 2)), lambda: P.Pad((1, 2))),
    Operation("Pad(3, fill=7)", lambda T, F, E: T.Pad(3, 7), lambda: P.Pad(3, 7), False),
    Operation("ToTensor", lambda T, F, E: T.ToTensor(), lambda: P.ToTensor(), False),
    Operation("Normalize", lambda T, F, E: T.Normalize(MEAN, DEVIATION), lambda: P.Normalize(MEAN, DEVIATION), True),
    Operation("Grayscale(1)", lambda T, F, E: T.Grayscale(1), lambda: P.Grayscale(1)),
    Operation("Grayscale(3)", lambda T, F, E: T.Grayscale(3), lambda: P.Grayscale(3)),
    Operation("hflip", lambda T, F, E: F.hflip, lambda: P.hflip),
    Operation("vflip", lambda T, F, E: F.vflip, lambda: P.vflip),
    Operation("crop(2, 3, 10, 11)", lambda T, F, E: lambda x: F.crop(x, 2, 3, 10, 11), lambda: lambda x: P.crop(x, 2, 3, 10, 11)),
    Operation("adjust_brightness(1.3)", lambda T, F, E: lambda x: F.adjust_brightness(x, 1.3),
              lambda: lambda x: P.adjust_brightness(x, 1.3)),
    Operation("adjust_contrast(1.3)", lambda T, F, E: lambda x: F.adjust_contrast(x, 1.3),
              lambda: lambda x: P.adjust_contrast(x, 1.3)),
    Operation("adjust_saturation(1.3)", lambda T, F, E: lambda x: F.adjust_saturation(x, 1.3),
              lambda: lambda x: P.functional.adjust_saturation(x, 1.3)),
    Operation("adjust_hue(0.1)", lambda T, F, E: lambda x: F.adjust_hue(x, 0.1), lambda: lambda x: P.adjust_hue(x, 0.1)),
    *(Operation(f"rotate(20), {way}", lambda T, F, E, way=way: lambda x: F.rotate(x, 20.0, E(way)),
                lambda way=way: lambda x: P.rotate(x, 20.0, way)) for way in ("nearest", "bilinear")),
    Operation("rotate(20), expand", lambda T, F, E: lambda x: F.rotate(x, 20.0, expand=True),
              lambda: lambda x: P.rotate(x, 20.0, expand=True)),
    Operation("rotate(90)", lambda T, F, E: lambda x: F.rotate(x, 90.0), lambda: lambda x: P.rotate(x, 90.0)),
    Operation("affine, nearest", lambda T, F, E: lambda x: F.affine(x, 10.0, [3, 2], 1.1, [5.0, 0.0]),
              lambda: lambda x: P.affine(x, 10.0, [3, 2], 1.1, [5.0, 0.0])),
    Operation("perspective, nearest", lambda T, F, E: lambda x: F.perspective(x, *CORNERS, E("nearest")),
              lambda: lambda x: P.perspective(x, *CORNERS, "nearest")),
    Operation("erase", lambda T, F, E: lambda x: F.erase(x, 2, 3, 4, 5, torch.tensor(0.5)),
              lambda: lambda x: P.erase(x, 2, 3, 4, 5, paddle.to_tensor(0.5)), True),
    Operation("RandomHorizontalFlip", lambda T, F, E: T.RandomHorizontalFlip(), lambda: P.RandomHorizontalFlip()),
    Operation("RandomVerticalFlip", lambda T, F, E: T.RandomVerticalFlip(), lambda: P.RandomVerticalFlip()),
    Operation("RandomCrop(20)", lambda T, F, E: T.RandomCrop(20), lambda: P.RandomCrop(20)),
    Operation("RandomCrop(32, padding=4)", lambda T, F, E: T.RandomCrop(32, 4), lambda: P.RandomCrop(32, 4)),
    Operation("RandomCrop(60, pad_if_needed)", lambda T, F, E: T.RandomCrop(60, pad_if_needed=True),
              lambda: P.RandomCrop(60, pad_if_needed=True)),
    Operation("RandomResizedCrop(16)", lambda T, F, E: T.RandomResizedCrop(16), lambda: P.RandomResizedCrop(16)),
    Operation("RandomRotation(30)", lambda T, F, E: T.RandomRotation(30), lambda: P.RandomRotation(30)),
    Operation("RandomErasing(1.0)", lambda T, F, E: T.RandomErasing(1.0), lambda: P.RandomErasing(1.0), True),
    Operation("ColorJitter(brightness=0.4)", lambda T, F, E: T.ColorJitter(0.4), lambda: P.ColorJitter(0.4)),
    Operation("ColorJitter(0.4, 0.3, 0.2, 0.1)", lambda T, F, E: T.ColorJitter(0.4, 0.3, 0.2, 0.1),
              lambda: P.ColorJitter(0.4, 0.3, 0.2, 0.1)),
)
HEAD = """# Transforms, one by one

This page is written by `python -m benchmarks.transforms > docs/transforms.md`, here with
{versions}.

Each transform is run by both on one picture of {height} x {width}, as Pillow has it and as a tensor in [0, 1], on the same random
numbers, {seeds} times. *same*: bytes are equal, and floating-point numbers within {M:g} roundings. Else: the largest distance of a
pixel in grey levels, of 255, and for a picture that was resized, how either did it. Where v1 and v2 differ, both are told.

In short: on pictures of Pillow the two are the same but for a few corners; on tensors torchvision's resizing is antialiased
unless `antialias=False` is given, and Paddle's never is. `parity data` ([Data and metrics](data-and-metrics.md)) finds what of
this is in a pipeline of yours.
"""
SEEDS = 5  # of what draws: the same must come out for each


def picture() -> Image.Image:
    """Smooth, with edges, and of odd sides."""
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (7, 9, 3), dtype=np.uint8))
    pixels = np.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)).copy()
    pixels[10:20, 15:30] = [250, 20, 60]
    return Image.fromarray(pixels)


def made(transform: Callable[[], Callable], given: Any, side: int, draws: Draws, seed: int) -> np.ndarray | str:
    """What a transform makes, channels last, or what it raises."""
    with draws.at(("transform", seed), side, (), Held()), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            (array,) = arrays_of(transform()(given))[0].values()
        except Exception as error:  # whatever a library raises is what is to be told
            return f"raises {type(error).__name__}"
    return np.moveaxis(array, 0, -1) if array.ndim == 3 and array.shape[0] in (1, 3) else array


def compared(ours: np.ndarray | str, theirs: np.ndarray | str, given: np.ndarray) -> str:
    """The cell of the table."""
    if isinstance(ours, str) or isinstance(theirs, str):
        both = [one if isinstance(one, str) else "" for one in (ours, theirs)]
        return "; ".join(f"{name} {said}" for name, said in zip(("torchvision", "Paddle"), both, strict=True) if said)
    ours, theirs = (one[..., 0] if one.ndim == 3 and one.shape[-1] == 1 else one for one in (ours, theirs))
    if ours.shape != theirs.shape:
        return f"sizes {ours.shape[:2]} and {theirs.shape[:2]}"
    unit = pictures.GREY if ours.dtype.kind == "f" else 1.0
    apart = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
    if apart.max() <= (M * coarsest(ours.dtype, theirs.dtype) * max(1.0, float(np.abs(ours).max())) if unit != 1 else 0):
        return "same"
    ways = [pictures.resized_how(given, one) for one in (ours, theirs)]
    odd = (apart.max(-1) if apart.ndim == 3 else apart).astype(bool)
    said = f"{unit * apart.max():.3g}, in {int(odd.sum())} of {odd.size} pixels"
    return said + (f": {ways[0]}, and {ways[1]}" if all(ways) and ways[0] != ways[1] else "")


def measured(operation: Operation, version: Any, tensor: bool) -> str:
    """torchvision of one version against Paddle; the worst of several seeds."""
    image = picture()
    pixels = np.asarray(image)
    given: tuple[Any, Any] = (image, image)
    if tensor:
        pixels = (pixels / np.float32(255)).astype(np.float32)
        given = torch.from_numpy(pixels.transpose(2, 0, 1).copy()), paddle.to_tensor(pixels.transpose(2, 0, 1))
    from torchvision.transforms import InterpolationMode
    for seed in range(SEEDS):
        draws = Draws(seed)
        ours = made(lambda: operation.torch(version, version.functional, InterpolationMode), given[0], 0, draws, seed)
        said = compared(ours, made(operation.paddle, given[1], 1, draws, seed), pixels)
        if said != "same":
            return said
    return "same"


def page() -> str:
    """The page, in Markdown."""
    import torchvision
    from torchvision.transforms import v2
    lines = []
    for operation in OPERATIONS:
        cells = []
        for tensor in (False, True):
            if operation.tensors is not None and operation.tensors is not tensor:
                cells.append("")
                continue
            first, second = (measured(operation, version, tensor) for version in (torchvision.transforms, v2))
            cells.append(first if first == second else f"v1: {first}; v2: {second}")
        lines.append(f"| {operation.name} | {cells[0]} | {cells[1]} |")
    tv = torchvision.__version__.partition("+")[0]
    versions = f"torchvision {tv} (v1 and v2), Paddle {paddle.__version__}, Pillow {Image.__version__}"
    head = HEAD.format(versions=versions, height=HEIGHT, width=WIDTH, seeds=SEEDS, M=M)
    return "\n".join([head, "| | picture (Pillow) | tensor in [0, 1] |", "| --- | --- | --- |", *lines, ""])


@click.command()
def main() -> None:
    """Print docs/transforms.md, measured here. Needs torchvision."""
    click.echo(page(), nl=False)


if __name__ == "__main__":
    sys.exit(main())
