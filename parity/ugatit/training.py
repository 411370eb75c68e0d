"""What `parity steps` follows without a pair: U-GAT-IT's training, of a checkpoint or seeded, with known faults in the twin."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Any

import numpy as np

from parity.declare.pair import TrainingSubject
from parity.files import InputError
from parity.ugatit import faults
from parity.ugatit import subjects as ugatit
from parity.ugatit.cases import Checkpoint, picture_size
from parity.ugatit.trainer.data import Domain
from parity.ugatit.trainer.errors import TrainerError

LAYERS = {"disG": 7, "disL": 5}  # of the official discriminators


def subject(*, seed: int = 0, checkpoint: Checkpoint | None = None, images: str | Path | None = None, size: int | None = None,
            batch: int = 1, iteration: int = 1_000_000, device: str = "cpu", **sizes: Any) -> TrainingSubject:
    """The training of U-GAT-IT.

    checkpoint: sizes and weights; without one they come from the seed and from `sizes` (see `ugatit.Sizes`).
    images: a folder of pictures, which then come in the order and augmentation of `parity train`; without one they are
    generated. iteration: the length of the whole training, over whose second half the learning rate falls. Without a checkpoint
    the initial weights that each side would draw are compared, too. Raises InputError.
    """
    size = picture_size(size, checkpoint)
    if checkpoint is None:
        built, states = ugatit.Sizes(img_size=size, **sizes), None
    else:
        built, states = sizes_of(checkpoint, size), checkpoint.states
    training = ugatit.training(built, seed=seed, iteration=iteration, batch=batch, states=states, device=device,
                               images=None if images is None else _pictures(Path(images), size, batch, seed))
    return with_changes(training, own_start=checkpoint is None)


def sizes_of(checkpoint: Checkpoint, size: int) -> ugatit.Sizes:
    """The sizes of a checkpoint that the training can continue: networks of a kind are alike. Raises InputError."""
    generators = {name: sizes for name, sizes in checkpoint.sizes.items() if name.startswith("gen")}
    discriminators = {name: sizes for name, sizes in checkpoint.sizes.items() if name.startswith("dis")}
    gen, dis = next(iter(generators.values())), next(iter(discriminators.values()))
    odd = [name for name, sizes in generators.items() if sizes != gen or sizes.output_nc != dis.input_nc]
    odd += [name for name, sizes in discriminators.items()
            if (sizes.input_nc, sizes.ndf, sizes.n_layers, sizes.cam) != (gen.input_nc, dis.ndf, LAYERS[name[:4]], gen.cam)]
    if odd:
        raise InputError(f"checkpoint: expected two equal generators, and discriminators of one width with 7 (global) and 5 "
                         f"(local) layers, CAM in all or in none, found others in {', '.join(odd)}; parity check takes such a "
                         f"checkpoint")
    return ugatit.Sizes(gen.ngf, gen.n_blocks, size, gen.light, dis.ndf, gen.input_nc, gen.decoder_norm, gen.cam)


def _pictures(folder: Path, size: int, batch: int, seed: int) -> Callable[[int], dict[str, np.ndarray]]:
    """Step -> the batches of `parity train`: trainA and trainB, else testA and testB, else the folder for both domains."""
    split = next((split for split in ("train", "test") if all((folder / f"{split}{d}").is_dir() for d in "AB")), None)
    try:
        domains = {domain: Domain(domain, folder / f"{split}{domain}" if split else folder, size, batch, seed)
                   for domain in "AB"}
    except TrainerError as error:
        raise InputError(str(error)) from error

    def batches(step: int) -> dict[str, np.ndarray]:
        try:
            return {f"real_{name}": domain.batch(step) for name, domain in domains.items()}
        except TrainerError as error:
            raise InputError(str(error)) from error

    return batches


def injected(names: Iterable[str]) -> AbstractContextManager[None]:
    """These faults in the twin. Raises InputError with the names that are nearest to an unknown one."""
    return faults.inject(*known(names) if names else ())


def known(names: Iterable[str]) -> tuple[str, ...]:
    """The faults that these names stand for; without any, the catalogue. Raises InputError with the nearest names."""
    names = tuple(names)
    try:
        return faults.members(*names) if names else tuple(faults.CATALOGUE)
    except KeyError as error:
        known = [*faults.GROUPS, *faults.CATALOGUE]
        unknown = [name for name in names if name not in known]
        near = [match for name in unknown for match in difflib.get_close_matches(name, known, n=3, cutoff=0.4)]
        hint = f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else "none is called like that;"
        raise InputError(f"--fault {' '.join(unknown)}: expected the name of a fault; {hint} `parity faults` lists all") from error
