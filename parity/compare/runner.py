"""What `parity check` compares: the modules alone and the networks, in eval and in train mode, one case after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from parity.compare.ladder import compare, glance
from parity.compare.results import Case, Result
from parity.declare.pair import Pair, Subject
from parity.differences import explain
from parity.files import InputError
from parity.frameworks import FrameworkError
from parity.ugatit import pictures
from parity.ugatit import subjects as ugatit
from parity.verdict.findings import Finding, Report
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
    def read(cls, path: str | Path) -> Checkpoint:
        """Raises ConversionError where the file cannot be read, InputError where it is no official checkpoint."""
        states = read_torch(path)
        try:
            sizes = infer_sizes(states)
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
          only: Iterable[str] = (), weights: bool = True) -> list[Case]:
    """All cases, cheap ones first.

    checkpoint: its six networks; without one a light and a full generator and both discriminators from seeded weights.
    images: a folder of pictures; without one they are generated. only: patterns (`*` and `?`) of titles to keep.
    weights: False where a trace will give them. Raises InputError.
    """
    size = picture_size(size, checkpoint)
    modes = tuple(modes)
    found: list[Case] = []
    if modules:
        found += _side_by_side([Case(subject.name, mode, subject)
                                for subject in ugatit.modules(seed, training=mode == "train", weights=weights)]
                               for mode in modes)
    shown = _pictures(images, size, batch, seed)
    found += _side_by_side([Case(title, mode, subject)
                            for title, subject in _networks(checkpoint, shown, size, seed, mode == "train", weights)]
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
    return {domain: ugatit.picture(domain, seed, size, batch) for domain in pictures.DOMAINS}


def _networks(checkpoint: Checkpoint | None, images: Mapping[str, np.ndarray], size: int, seed: int,
              training: bool, weights: bool) -> Iterator[tuple[str, Subject]]:
    common = {"seed": seed, "training": training, "weights": weights}
    if checkpoint is not None:
        for name in ugatit.NETWORKS:
            for subject in ugatit.networks(checkpoint, images, checkpoint.states, names=(name,), calls=_calls(name, training),
                                           **common):
                yield name, subject
        return
    for name, title, light in (("genA2B", "genA2B light", True), ("genA2B", "genA2B full", False),
                               ("disGA", "disGA 7 layers", True), ("disLA", "disLA 5 layers", True)):
        for subject in ugatit.networks(ugatit.Sizes(img_size=size, light=light), images, names=(name,),
                                       calls=_calls(name, training), **common):
            yield title, subject


def _calls(network: str, training: bool) -> int:
    return TRAINING_CALLS if training and network.startswith("dis") else 1


def run(todo: Iterable[Case], *, lanes: Iterable[str], device: str = "cpu", operations: bool = False, quick: bool = False,
        progress: Callable[[Case, str], None] = lambda case, doing: None) -> Iterator[Result]:
    """Compare one case after the other. operations: single operations too; of a user's pair they are watched anyway where
    neither a line nor a layer places the first divergence. quick: what one pass in float64 finds to be the same
    (`ladder.glance`) is done with, and only the rest compared as ever. Raises NothingCompared, FrameworkError, InputError (the
    reference cannot run).
    """
    lanes = tuple(lanes)
    for case in todo:
        started = time.perf_counter()
        with blaming_inputs(str(case), case.subject.pair):
            told = {"lanes": lanes, "device": device, "progress": lambda doing, case=case: progress(case, doing)}
            report = _glanced(case.subject, device, told["progress"]) if quick else None
            if report is None:
                report = compare_placing(case.subject, operations=operations, **told)
            if report.diverged:
                progress(case, "is it a known difference of the frameworks?")
                report = explain(report, lambda lanes, case=case: compare(case.subject, lanes=lanes, device=device))
        report.verdict  # noqa: B018 (raises NothingCompared)
        yield Result(case, report, time.perf_counter() - started)


def _glanced(subject: Subject, device: str, progress: Callable[[str], None]) -> Report | None:
    """What one pass says, if that settles it."""
    report = glance(subject, device=device, progress=progress)
    return None if report.diverged or report.unseen else report


def compare_placing(subject: Subject, *, operations: bool = False, **options: Any) -> Report:
    """As `ladder.compare`; of a user's pair single operations are watched too where no line places the first divergence."""
    report = compare(subject, operations=operations, **options)
    if not operations and subject.pair.names is not None and _between_layers(report.first):
        report = compare(subject, operations=True, **options)
    return report


def _between_layers(first: Finding | None) -> bool:
    """Whether a divergence shows at the border of a module, and no line says where it was made."""
    return first is not None and first.key.stage != "census" and not first.key.is_local


@contextmanager
def blaming_inputs(what: str, pair: Pair) -> Iterator[None]:
    """Whatever the reference raises becomes an InputError: it is right, so what it was given is not."""
    try:
        yield
    except FrameworkError:
        raise
    except Exception as error:
        if not _raised_in_reference(error.__traceback__, pair):
            raise
        text = " ".join(str(error).split())
        raise InputError(f"{what}: the reference program itself cannot run on these inputs ({type(error).__name__}: "
                         f"{text[:300]}); check the picture size and the weights") from error


def _raised_in_reference(traceback: TracebackType | None, pair: Pair) -> bool:
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename in pair.reference_source:
            return True
        traceback = traceback.tb_next
    return False
