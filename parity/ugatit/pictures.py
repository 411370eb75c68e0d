"""Pictures as the networks see them: found in folders, read, and turned into arrays and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from parity.files import InputError
from parity.numbers.noise import generator

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
DOMAINS = ("A", "B")


def find(folder: str | Path) -> dict[str, list[Path]]:
    """The picture files of each domain, sorted by name.

    From the sub-folders testA and testB, or else trainA and trainB; a folder without these serves both domains.
    Raises InputError where there are none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise InputError(f"{folder}: expected a folder of pictures, found {found}; check the path")
    for split in ("test", "train"):
        pair = {domain: folder / f"{split}{domain}" for domain in DOMAINS}
        if all(path.is_dir() for path in pair.values()):
            return {domain: _pictures_in(path) for domain, path in pair.items()}
    return dict.fromkeys(DOMAINS, _pictures_in(folder))


def _pictures_in(folder: Path) -> list[Path]:
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror}); check its permissions") from error
    if not files:
        raise InputError(f"{folder}: expected pictures ({', '.join(sorted(SUFFIXES))}), found none; put some there")
    return files


def read(path: Path, size: int) -> np.ndarray:
    """One picture: upright, RGB, resized to size x size (bilinear), float32 (3, size, size) in [-1, 1].

    Raises InputError where the file is no readable picture.
    """
    try:
        with Image.open(path) as image:
            return to_array(ImageOps.exif_transpose(image).convert("RGB"), size)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: expected a picture, cannot read it ({type(error).__name__}: {reason}); "
                         f"remove or replace this file") from error


def to_array(image: Image.Image, size: int) -> np.ndarray:
    """An RGB picture as a network's input: float32 (3, size, size) in [-1, 1]."""
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR), dtype=np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)) / np.float32(127.5) - 1


def to_image(array: np.ndarray) -> Image.Image:
    """A network's (3, H, W) picture in [-1, 1] as an RGB picture; NaN is black."""
    pixels = np.clip((np.nan_to_num(array, nan=-1.0).transpose(1, 2, 0) + 1) * 127.5, 0, 255)
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def batches(folder: str | Path, size: int, count: int) -> dict[str, np.ndarray]:
    """Domain -> its first `count` pictures as one batch (fewer where there are not so many)."""
    return {domain: np.stack([read(path, size) for path in files[:count]]) for domain, files in find(folder).items()}


def picture(name: str, seed: int, size: int, batch: int = 1, channels: int = 3) -> np.ndarray:
    """A generated picture in [-1, 1], float32 (batch, channels, size, size): smooth shapes with fine grain, like a photo."""
    rng = generator(seed, "picture", name)
    y, x = np.mgrid[0:size, 0:size] / size
    out = np.empty((batch, channels, size, size))
    for b in range(batch):
        for c in range(channels):
            waves = sum(rng.normal() * np.sin(2 * np.pi * (rng.integers(1, 5) * x + rng.integers(1, 5) * y
                                                          + rng.random())) for _ in range(4))
            out[b, c] = np.tanh(waves / 2) + 0.05 * rng.standard_normal((size, size))
    return np.clip(out, -1, 1).astype(np.float32)
