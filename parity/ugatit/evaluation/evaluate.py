"""KID and FID of translations: from folders of pictures, or a checkpoint, to the numbers and what they are worth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from PIL import Image

from parity.files import InputError
from parity.messages import some
from parity.ugatit.evaluation import weights
from parity.ugatit.trainer import TrainerError, Translator, find_images, translate_files
from parity.ugatit.trainer.frameworks import TWINS, load_twin
from parity.ugatit.trainer.loop import device_trouble
from weights_convert.bits import sha256_file

DOMAINS = {"A2B": "AB", "B2A": "BA"}
"""Direction -> the domain that is translated, and the one that the translations are to look like."""

Told = Callable[[str, Sequence[Path]], Iterable[Path]]
"""What is done with these files, for whoever watches: hands them on, one by one."""


@dataclass(frozen=True)
class Sets:
    """What is compared: picture files, and where they are from."""

    real: Sequence[Path]
    fake: Sequence[Path]
    real_from: str
    fake_from: str


@dataclass(frozen=True)
class Distances:
    """KID and FID of two sets, as estimated; of KID people publish 100 times that.

    features: of what network. comparable: with published numbers. file: of its weights, with its SHA-256.
    """

    framework: str
    features: str
    comparable: bool
    file: dict[str, str] | None
    kid_mean: float
    kid_deviation: float
    fid: float
    subsets: int
    subset_size: int
    seed: int
    real: dict[str, Any]
    fake: dict[str, Any]
    remarks: list[str]

    def to_json(self) -> str:
        """The fields, and what people publish: "kid_x100"."""
        published = {"mean": 100 * self.kid_mean, "deviation": 100 * self.kid_deviation}
        return json.dumps({**asdict(self), "kid_x100": published}, indent=1, ensure_ascii=False) + "\n"

    def lines(self) -> list[str]:
        """For people."""
        return [f"KID x 100  {100 * self.kid_mean:.4g} ± {100 * self.kid_deviation:.2g}   ({self.subsets} subsets of "
                f"{self.subset_size}, of {self.real['pictures']} real and {self.fake['pictures']} fake pictures)",
                f"FID        {self.fid:.5g}",
                f"features   {self.features}, by {self.framework}", *(f"remark     {remark}" for remark in self.remarks)]


def domains(folder: str | Path, direction: str, split: str | None) -> tuple[Path, Path]:
    """The folders of a data set: of the pictures to translate, and of those that the translations are to look like.

    direction: of `DOMAINS`. split: "test", "train", or None for the first of these that is there. Raises InputError.
    """
    splits = [split] if split else ["test", "train"]
    for name in splits:
        source, target = (Path(folder) / f"{name}{domain}" for domain in DOMAINS[direction])
        if source.is_dir() and target.is_dir():
            return source, target
    names = " or ".join(f"{name}A and {name}B" for name in splits)
    raise InputError(f"{folder}: expected a folder with {names} in it, found none: with --checkpoint the pictures of the one are "
                     f"translated and held against those of the other; give that folder, or translate first (parity translate) "
                     f"and use --fake")


def translated(framework: str, checkpoint: str, source: Path, out: Path, direction: str, img_size: int | None, device: str | None,
               told: Told) -> list[Path]:
    """The translations of a folder's pictures, as PNG files in `out`. Raises InputError, ConversionError."""
    with _as_input_errors():
        files = find_images(source)
        translator = Translator(framework, checkpoint, direction, img_size, device)
        names = [f"{number:06}.png" for number in range(len(files))]
        translate_files(translator, zip(told("translating", files), names, strict=True), out)
        return [out / name for name in names]


def pictures(folder: str | Path) -> list[Path]:
    """The picture files below a folder. Raises InputError."""
    with _as_input_errors():
        return find_images(folder)


def evaluate(framework: str, sets: Sets, *, inception: str | None = None, subsets: int = 100, subset_size: int = 1000,
             seed: int = 2020, device: str | None = None, told: Told = lambda what, files: files) -> Distances:
    """Both distances. framework: "torch" or "paddle". inception: the file of Inception's weights; without one the small network.

    Raises InputError, ConversionError: fewer pictures than a subset takes, one that cannot be read, another network's file.
    """
    for files, folder in ((sets.real, sets.real_from), (sets.fake, sets.fake_from)):
        if len(files) < subset_size:
            smaller = f", or use a --subset-size of 2 to {len(files)}" if len(files) > 1 else ""
            raise InputError(f"{folder}: expected {subset_size} pictures or more, as many as are drawn for a subset, found "
                             f"{len(files)}; add pictures{smaller}")
    with _as_input_errors(), device_trouble(device):
        program = _program(framework, inception, device)
    reader = _Reader(told)
    with _as_input_errors(), reader.named():
        kid_mean, kid_deviation, fid = map(float, program(reader.read("real pictures", sets.real),
                                                          reader.read("fake pictures", sets.fake), subsets, subset_size, seed))
    comparable = inception is not None and weights.is_published(inception)
    return Distances(framework, _features(inception, comparable), comparable,
                     {"path": inception, "sha256": sha256_file(Path(inception))} if inception else None,
                     kid_mean, kid_deviation, fid, subsets, subset_size, seed,
                     {"from": sets.real_from, "pictures": len(sets.real)}, {"from": sets.fake_from, "pictures": len(sets.fake)},
                     _remarks(sets, comparable, 224 if inception is None else 2048))


def _program(framework: str, inception: str | None, device: str | None) -> Any:
    package = import_module(f"{TWINS[framework]}.evaluation")
    network = package.SmallFeatures()
    if inception is not None:
        network = weights.give(framework, package.InceptionV3(), weights.read(inception))
    program = package.Evaluation(load_twin(framework).training.place(network, "float32", device))
    program.eval()
    return program


def _features(inception: str | None, comparable: bool) -> str:
    if inception is None:
        return "the small network that parity brings along"
    return f"Inception v3 of {inception}" + (f", the published file ({weights.PUBLISHED})" if comparable else "")


def _remarks(sets: Sets, comparable: bool, width: int) -> list[str]:
    remarks = []
    if not comparable:
        remarks.append(f"not comparable with published numbers, which are of other features: those of --inception "
                       f"pt_inception-2015-12-05-{weights.PUBLISHED}.pth (pytorch-fid)")
    fewest = min(len(sets.real), len(sets.fake))
    if fewest <= width:
        remarks.append(f"of {fewest} pictures, no more than the {width} features, FID comes out too large, by how much depends on "
                       f"their number; KID does not")
    sizes = [_sizes(files) for files in (sets.real, sets.fake)]
    if len(sizes[0] | sizes[1]) > 1:
        said = (some(f"{width} x {height}" for width, height in sorted(found)) for found in sizes)
        remarks.append("the pictures are of several sizes (real {}; fake {}), so that scaling them is a part of the distance; "
                       "bring them to one size first".format(*said))
    return remarks


def _sizes(files: Sequence[Path]) -> set[tuple[int, int]]:
    sizes = set()
    for file in files:
        with Image.open(file) as image:
            sizes.add(image.size)
    return sizes


class _Reader:
    """Hands picture files to a program and remembers which one it is at."""

    def __init__(self, told: Told) -> None:
        self._told, self._at = told, None

    def read(self, what: str, files: Sequence[Path]) -> Iterator[Path]:
        for self._at in self._told(what, files):  # noqa: B020 (the attribute is the point)
            yield self._at
        self._at = None

    @contextmanager
    def named(self) -> Iterator[None]:
        """Where a picture cannot be read, the error says which. Raises InputError."""
        try:
            yield
        except Exception as error:
            if self._at is not None and (reason := _unreadable(self._at)):
                raise InputError(f"{self._at}: expected a picture, cannot read it ({reason}); remove or replace it") from error
            raise


def _unreadable(file: Path) -> str | None:
    """Why Pillow cannot read a picture, if so."""
    try:
        with Image.open(file) as image:
            image.convert("RGB")
    except Exception as error:
        return " ".join(str(error).split()) or type(error).__name__
    return None


@contextmanager
def _as_input_errors() -> Iterator[None]:
    try:
        yield
    except TrainerError as error:
        raise InputError(str(error)) from error
