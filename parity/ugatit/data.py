"""U-GAT-IT from picture files: a training whose batches each side makes with its own data code, from `data.py` of its package."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Any

import numpy as np

import paddle_impl.data
import torch_ref.data
from parity.declare.pair import TrainingSubject
from parity.numbers.noise import generator
from parity.ugatit.pictures import picture
from parity.ugatit.trainer.data import draws, to_image

PICTURES = 30  # of each domain: more than a shuffle buffer of 20 holds
_DATA = ("epoch_order", "load_image", "train_transform")


def from_files(subject: TrainingSubject, size: int, seed: int = 0) -> TrainingSubject:
    """The training on pictures in a folder (a temporary one, generated), loaded, shuffled and augmented by each side's own code."""
    folder = tempfile.TemporaryDirectory(prefix="parity-")
    files = {domain: _draw(Path(folder.name), domain, seed) for domain in "AB"}

    def batches(data: Any) -> Callable[[int], dict[str, np.ndarray]]:
        def batch(step: int) -> dict[str, np.ndarray]:
            return {f"real_{domain}": _batch(data, files[domain], domain, size, seed, step) for domain in files}

        batch.folder = folder  # goes when the last of the two does
        return batch

    return with_changes(subject, batch=batches(torch_ref.data), twin_batch=batches(paddle_impl.data),
                        phases={**subject.phases, **dict.fromkeys(_DATA, (None, "data"))})


def _draw(folder: Path, domain: str, seed: int) -> list[Path]:
    files = [folder / f"{domain}{number:02}.png" for number in range(PICTURES)]
    for file in files:
        to_image(picture(file.stem, seed, 150)[0, :, :140]).save(file)
    return files


def _batch(data: Any, files: list[Path], domain: str, size: int, seed: int, step: int) -> np.ndarray:
    epoch, position = divmod(step - 1, len(files))
    index = int(data.epoch_order(len(files), generator(seed, "order", domain, epoch))[position])
    drawn = draws(seed, domain, epoch, index)
    image = data.load_image(files[index])
    return data.train_transform(image, size, drawn.flip, drawn.top, drawn.left)[None]
