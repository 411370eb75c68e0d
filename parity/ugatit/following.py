"""What `parity steps` compares: two trainings from the same weights and pictures, in one lane after the other."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Any

import numpy as np

from parity import differences
from parity.compare.runner import Checkpoint, blaming_inputs, picture_size
from parity.declare.pair import TrainingSubject
from parity.files import InputError
from parity.recordings.stored_steps import RecordingError
from parity.steps.follow import follow
from parity.steps.reference import ReferenceStep
from parity.steps.result import StepsReport
from parity.steps.stored import record_to, recorded_in
from parity.ugatit import faults
from parity.ugatit import subjects as ugatit
from parity.ugatit.trainer.data import Domain
from parity.ugatit.trainer.errors import TrainerError

LAYERS = {"disG": 7, "disL": 5}  # of the official discriminators
Progress = Callable[[str, int, str, Mapping[str, float]], None]
"""Called with the lane, the step, what runs ("reference", "noise draw 2", "twin") and the total losses last seen."""


@dataclass(frozen=True)
class Followed:
    """One lane, followed to its end, and the seconds that it took."""

    subject: TrainingSubject
    result: StepsReport
    seconds: float

    @property
    def lane(self) -> str:
        return self.result.lane


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
            if (sizes.input_nc, sizes.ndf, sizes.n_layers) != (gen.input_nc, dis.ndf, LAYERS[name[:4]])]
    if odd:
        raise InputError(f"checkpoint: expected two equal generators, and discriminators of one width with 7 (global) and 5 "
                         f"(local) layers, found others in {', '.join(odd)}; parity check takes such a checkpoint")
    return ugatit.Sizes(gen.ngf, gen.n_blocks, size, gen.light, dis.ndf, gen.input_nc)


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


def run(training: TrainingSubject, *, lanes: Iterable[str], progress: Progress = lambda *told: None,
        **options: Any) -> Iterator[Followed]:
    """Follow the training in one lane after the other. options: as for `parity.steps.follow.follow`.

    Raises NothingCompared, InputError (a picture cannot be read, or the reference cannot run).
    """
    for lane in lanes:
        started, losses = time.perf_counter(), {}
        heard = with_changes(training, reference=_telling(training.reference, losses.update),
                             twin=_telling(training.twin, losses.update))
        with blaming_inputs(training.name, training.pair):
            result = follow(heard, lane=lane, differences=differences.ALL, **options,
                                     progress=lambda step, what, lane=lane, losses=losses: progress(lane, step, what, losses))
        result.verdict  # noqa: B018 (raises NothingCompared)
        yield Followed(training, result, time.perf_counter() - started)


def record(folder: str | Path, training: TrainingSubject, **options: Any) -> None:
    """The reference's steps into an empty folder. options: as for `parity.steps.stored.record_to`. Raises InputError."""
    try:
        with blaming_inputs(training.name, training.pair):
            record_to(Path(folder), training, **options)
    except (RecordingError, OSError) as error:
        raise InputError(f"--record: {error}") from error


def recording_of(folder: str | Path, training: TrainingSubject) -> tuple[str, str, int, Iterator[ReferenceStep]]:
    """(lane, mode, number of steps, the steps) of a recorded folder. Raises InputError where it is none, or another run's."""
    try:
        index, recorded = recorded_in(Path(folder), training)
    except RecordingError as error:
        raise InputError(f"--against: {error}") from error
    return index["lane"], index["mode"], index["steps"], recorded


def _telling(build: Callable[[str], Any], tell: Callable[[Mapping[str, float]], None]) -> Callable[[str], Any]:
    """The same program, which tells its total losses after each step."""
    def built(dtype: str) -> Any:
        program = build(dtype)
        step = program.step

        def told(*arguments: Any) -> Mapping[str, Any]:
            losses = step(*arguments)
            tell({name: float(loss) for name, loss in losses.items() if is_total(name)})
            return losses

        program.step = told
        return program

    return built


def is_total(loss: str) -> bool:
    """Whether a loss is a sum that is trained on ("G_loss"), not a term of one ("G/A/cycle")."""
    return "/" not in loss
