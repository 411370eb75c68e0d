"""What `parity check` compares: U-GAT-IT's modules alone and its networks, in eval and in train mode."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from parity.compare.results import Case
from parity.declare.pair import Subject
from parity.files import InputError
from parity.ugatit import pictures
from parity.ugatit import subjects as ugatit
from weights_convert import ConversionError, infer_sizes, read_torch

PAIR = ugatit.PAIR
SIZE = ugatit.Sizes().img_size  # side of the pictures where neither the user nor the checkpoint says it
TRAINING_CALLS = 5  # forwards in a row: a discriminator's spectral norm changes with each


@dataclass(frozen=True)
class Checkpoint:
    """The six networks of an official checkpoint: sizes as read off the tensors, weights in torch's layout."""

    sizes: Mapping[str, Any]
    states: Mapping[str, Mapping[str, np.ndarray]]

    @classmethod
    def read(cls, path: str | Path, decoder_norm: str | None = None) -> Checkpoint:
        """decoder_norm: where the tensors do not tell (see `infer_sizes`).

        Raises ConversionError where the file cannot be read, InputError where it is no official checkpoint."""
        states = read_torch(path)
        try:
            sizes = infer_sizes(states, decoder_norm)
        except ConversionError as error:
            raise InputError(f"{path}: {error}") from error
        return cls(sizes, {network: {name: array.astype(np.float32) if array.dtype.kind == "f" else array
                                     for name, array in state.items()} for network, state in states.items()})

    @property
    def img_size(self) -> int | None:
        """The picture side that a full generator is made for; None for light ones, which take any."""
        return next(filter(None, (getattr(sizes, "img_size", None) for sizes in self.sizes.values())), None)

    def network(self, package: Any, name: str) -> Any:
        """One network, from `torch_ref` or `paddle_impl`."""
        return build(package, name, self.sizes[name])


def build(package: Any, network: str, sizes: Any) -> Any:
    """A network of `torch_ref` or `paddle_impl`, by its name in the checkpoint and the sizes inferred from it."""
    program = package.ResnetGenerator if network.startswith("gen") else package.Discriminator
    return program(**sizes.arguments())


def cases(*, seed: int = 0, checkpoint: Checkpoint | None = None, images: str | Path | None = None,
          size: int | None = None, batch: int = 1, modes: Iterable[str] = ("eval", "train"), modules: bool = True,
          only: Iterable[str] = (), decoder_norm: str | None = None, cam: bool | None = None, weights: bool = True) -> list[Case]:
    """All cases, cheap ones first.

    checkpoint: its six networks; without one a light and a full generator and both discriminators from seeded weights.
    images: a folder of pictures; without one they are generated. only: patterns (`*` and `?`) of titles to keep.
    decoder_norm, cam: the ablation, by default the checkpoint's, else the official networks. weights: False where a trace will give
    them. Raises InputError.
    """
    size = picture_size(size, checkpoint)
    if checkpoint is not None:
        decoder_norm = checkpoint.sizes["genA2B"].decoder_norm
    ablation = {"decoder_norm": decoder_norm or "adalin", "cam": cam is not False}
    modes = tuple(modes)
    found: list[Case] = []
    if modules:
        found += _side_by_side([Case(subject.name, mode, subject)
                                for subject in ugatit.modules(seed, training=mode == "train", weights=weights,
                                                               decoder_norm=ablation["decoder_norm"])]
                               for mode in modes)
    shown = _pictures(images, size, batch, seed)
    found += _side_by_side([Case(title, mode, subject)
                            for title, subject in _networks(checkpoint, shown, size, seed, mode == "train", weights, ablation)]
                           for mode in modes)
    patterns = tuple(only)
    kept = [case for case in found if not patterns or any(fnmatchcase(case.title, pattern) for pattern in patterns)]
    if not kept:
        titles = ", ".join(dict.fromkeys(case.title for case in found))
        raise InputError(f"--only {' '.join(patterns)}: expected the name of a program, found none like it; "
                         f"choose from: {titles}")
    return kept


def picture_size(size: int | None, checkpoint: Checkpoint | None) -> int:
    """The side of the pictures: what the user wants, else what the checkpoint is made for. Raises InputError."""
    if checkpoint is not None and checkpoint.img_size and size not in (None, checkpoint.img_size):
        raise InputError(f"--size {size}: the checkpoint's generators are made for {checkpoint.img_size} x "
                         f"{checkpoint.img_size} pictures only; leave --size out")
    size = size or (checkpoint.img_size if checkpoint else None) or SIZE
    if size % 4:
        raise InputError(f"--size {size}: expected a multiple of 4, as the generators halve the picture twice")
    return size


def _side_by_side(by_mode: Iterable[list[Case]]) -> list[Case]:
    """The modes of each program next to each other."""
    return [case for cases_of_one in zip(*by_mode, strict=True) for case in cases_of_one]


def _pictures(images: str | Path | None, size: int, batch: int, seed: int) -> dict[str, np.ndarray]:
    if images is not None:
        return pictures.batches(images, size, batch)
    return {domain: pictures.picture(domain, seed, size, batch) for domain in pictures.DOMAINS}


def _networks(checkpoint: Checkpoint | None, images: Mapping[str, np.ndarray], size: int, seed: int,
              training: bool, weights: bool, ablation: Mapping[str, Any]) -> Iterator[tuple[str, Subject]]:
    common = {"seed": seed, "training": training, "weights": weights}
    if checkpoint is not None:
        for name in ugatit.NETWORKS:
            for subject in ugatit.networks(checkpoint, images, checkpoint.states, names=(name,), calls=_calls(name, training),
                                           **common):
                yield name, subject
        return
    for name, title, light in (("genA2B", "genA2B light", True), ("genA2B", "genA2B full", False),
                               ("disGA", "disGA 7 layers", True), ("disLA", "disLA 5 layers", True)):
        for subject in ugatit.networks(ugatit.Sizes(img_size=size, light=light, **ablation), images, names=(name,),
                                       calls=_calls(name, training), **common):
            yield title, subject


def _calls(network: str, training: bool) -> int:
    return TRAINING_CALLS if training and network.startswith("dis") else 1
