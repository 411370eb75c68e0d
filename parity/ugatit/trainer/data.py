"""The pictures of a run, framework-free: files, the augmentation, and which pictures make up which batch.

The augmentation is the official one (znxlwm/UGATIT-pytorch, ``UGATIT.build_model``): flip with probability 1/2, resize
to (size + 30, size + 30) (bilinear, antialiased: Pillow's), crop size x size at random, to [0, 1], minus 0.5, over 0.5.

Nothing here has a state. Every draw comes from a random generator that is named by what it is for (seed, domain, epoch,
picture), so both frameworks see the same bits, and a run that resumes at step k sees what it would have seen.
"""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from .errors import TrainerError

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
MARGIN = 30


@dataclass(frozen=True)
class Draws:
    """What is random in one picture's augmentation; top and left lie in 0 .. MARGIN."""

    flip: bool
    top: int
    left: int


def generator(*names):
    """A numpy random generator named by what it is for: numbers and strings."""
    return np.random.default_rng([zlib.crc32(name.encode()) if isinstance(name, str) else name for name in names])


def draws(seed, domain, epoch, index):
    """The draws for picture number ``index`` of a domain ("A", "B") in one epoch."""
    rng = generator(seed, f"augment/{domain}", epoch, index)
    return Draws(bool(rng.random() < 0.5), int(rng.integers(MARGIN + 1)), int(rng.integers(MARGIN + 1)))


def read_image(path):
    """One picture file as an RGB picture (Pillow), as a viewer shows it.

    As the official loader (``Image.open(path).convert("RGB")``), but for three kinds of files that it hands to the
    network as nobody sees them: a photo that EXIF says to turn is turned upright; transparency is laid on white (the
    official loader shows whatever colour hides below, often black); 16-bit grey is scaled to 8 bits (Pillow clips it
    to white). Grey, palette and CMYK become RGB as in the official loader.

    Raises TrainerError where the file is no picture, is damaged, or is too large to be a picture (Pillow's limit
    against decompression bombs, 179 million pixels).
    """
    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)
            if image.mode in ("I", "F") or image.mode.startswith("I;"):
                return _deep_grey(path, image)
            if "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
                image = image.convert("RGBA")
                white = Image.new("RGBA", image.size, "white")
                image = Image.alpha_composite(white, image)
            return image.convert("RGB")
    except Image.DecompressionBombError as error:
        raise TrainerError(f"{path}: expected a picture, found one of more than {2 * Image.MAX_IMAGE_PIXELS:,} "
                           f"pixels; scale it down") from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Warning) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise TrainerError(f"{path}: expected a picture, cannot read it ({reason}); remove or replace it") from error


def _deep_grey(path, image):
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise TrainerError(f"{path}: expected a picture of 8 or 16 bits, found mode {image.mode} with values from "
                           f"{values.min()} to {values.max()}; convert it to 8 bits")
    return Image.fromarray((values // 257).astype(np.uint8)).convert("RGB")


def train_array(image, size, drawn):
    """An RGB picture, augmented: float32 (3, size, size) in [-1, 1]."""
    if drawn.flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image = image.resize((size + MARGIN, size + MARGIN), Image.Resampling.BILINEAR)
    image = image.crop((drawn.left, drawn.top, drawn.left + size, drawn.top + size))
    return to_array(image)


def test_array(image, size):
    """An RGB picture as the official code prepares it for translation: float32 (3, size, size) in [-1, 1]."""
    return to_array(image.resize((size, size), Image.Resampling.BILINEAR))


test_array.__test__ = False  # not one of pytest's


def to_array(image):
    """An RGB picture as float32 (3, H, W) in [-1, 1]: v / 255, minus 0.5, over 0.5, each rounded to float32."""
    pixels = np.asarray(image, np.float32).transpose(2, 0, 1)
    return np.ascontiguousarray((pixels / np.float32(255) - np.float32(0.5)) / np.float32(0.5))


def to_image(array):
    """The inverse of ``to_array``: (3, H, W) as an RGB picture, clipped to [-1, 1] and rounded; NaN is black."""
    pixels = np.nan_to_num(np.asarray(array, np.float64).transpose(1, 2, 0) + 1, nan=0.0) * 127.5
    return Image.fromarray(np.rint(np.clip(pixels, 0, 255)).astype(np.uint8))


def find_images(folder):
    """The picture files below a folder, by their suffix, sorted by path; hidden ones and other files are passed over.

    Raises TrainerError where there is no folder or no picture in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing"
        raise TrainerError(f"{folder}: expected a folder of pictures, found {found}; check the path")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()
                   and not any(part.startswith(".") for part in path.relative_to(folder).parts))
    if not files:
        raise TrainerError(f"{folder}: expected pictures ({', '.join(sorted(SUFFIXES))}), found none; put some there")
    return files


class Domain:
    """One side of the data, "A" or "B": the pictures of a folder such as trainA, in a new random order each epoch.

    As in the official loader (``shuffle=True``), the last batch of an epoch holds what is left, and the next epoch
    begins when the pictures have run out. Opening it looks into every file's header: a file that is no picture stops
    the run now and not at step 30 000. Raises TrainerError.
    """

    def __init__(self, domain, folder, size, batch_size=1, seed=0):
        self.domain, self.size, self.batch_size, self.seed = domain, size, batch_size, seed
        self.files = find_images(folder)
        self.names = [path.relative_to(folder).as_posix() for path in self.files]
        for path in self.files:
            _check_header(path)

    def chosen(self, step):
        """The (epoch, picture number) of each picture in the batch of step ``step`` (the first is 1)."""
        per_epoch = -(-len(self.files) // self.batch_size)
        epoch, position = divmod(step - 1, per_epoch)
        order = generator(self.seed, f"order/{self.domain}", epoch).permutation(len(self.files))
        start = position * self.batch_size
        return [(epoch, int(index)) for index in order[start:start + self.batch_size]]

    def batch(self, step):
        """The batch of step ``step``: float32 (N, 3, size, size) in [-1, 1], N at most batch_size."""
        return np.stack([train_array(read_image(self.files[index]), self.size,
                                     draws(self.seed, self.domain, epoch, index))
                         for epoch, index in self.chosen(step)])

    def plain(self, count):
        """The first ``count`` pictures, not augmented: float32 (count or fewer, 3, size, size)."""
        return np.stack([test_array(read_image(path), self.size) for path in self.files[:count]])


def _check_header(path):
    try:
        with Image.open(path):
            pass
    except Exception:
        read_image(path)  # raises with a message
        raise
