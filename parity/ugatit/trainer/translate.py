"""Translating pictures with a trained generator."""

from pathlib import Path

from weights_convert import Staging

from .checkpoint import load_weights
from .data import find_images, read_image, test_array, to_image
from .errors import TrainerError
from .frameworks import Layouts, load_twin
from .loop import device_trouble


class Translator:
    """One generator of a checkpoint, in either framework.

    Args:
        framework: "torch" or "paddle".
        checkpoint: what `load_weights` reads: an official ``.pt``, a folder of Paddle files, the folder of a run.
        direction: "A2B" or "B2A".
        img_size: side of the pictures; a full generator was made for one, a light one takes any multiple of 4 (256
            without it).
        device: as in `Trainer`.
        decoder_norm: of the ablation's generators, where the checkpoint does not tell (see `load_weights`).
    Raises:
        TrainerError, ConversionError: the checkpoint cannot be used, or not with this size or on this device.
    """

    def __init__(self, framework, checkpoint, direction="A2B", img_size=None, device=None, decoder_norm=None):
        self.twin, self.device, self.name = load_twin(framework), device, f"gen{direction}"
        networks, sizes, _ = load_weights(checkpoint, decoder_norm)
        size = sizes[self.name]
        if size.img_size and img_size not in (None, size.img_size):
            raise TrainerError(f"{checkpoint}: made for pictures of {size.img_size} pixels, not {img_size}; "
                               f"leave the size out")
        self.img_size = size.img_size or img_size or 256
        if self.img_size % 4 or self.img_size < 8:
            raise TrainerError(f"expected pictures of 8 pixels or more, a multiple of 4, found {self.img_size}")
        with device_trouble(device):
            self.network = self.twin.training.place(self.twin.ResnetGenerator(**size.arguments()), "float32", device)
        layouts = Layouts(framework, {self.name: self.network}, sizes)
        self.twin.training.load_network(self.network, layouts.network_from_neutral(self.name, networks[self.name]))

    def __call__(self, image):
        """An RGB picture of any size -> the translation, an RGB picture img_size x img_size."""
        batch = self.twin.data.batch_to_tensor(test_array(image, self.img_size)[None], "float32", self.device)
        picture, _ = self.twin.training.translate(self.network, batch)
        return to_image(self.twin.data.tensor_to_array(picture)[0])


def image_files(sources):
    """Files and folders as (file, name of its result): the pictures of a folder keep their place below it.

    Raises TrainerError where two results would have one name, or where there is nothing.
    """
    pairs = []
    for source in map(Path, sources):
        if source.is_dir():
            pairs += [(path, path.relative_to(source).with_suffix(".png")) for path in find_images(source)]
        else:
            pairs.append((source, Path(f"{source.stem}.png")))
    names = [name for _, name in pairs]
    for path, name in pairs:
        if names.count(name) > 1:
            raise TrainerError(f"{path}: more than one picture would become {name}; translate them into two folders")
    return pairs


def translate_files(translator, pairs, out, progress=iter):
    """Translate (file, name) pairs into ``out``, one whole file at a time. Returns how many."""
    count = 0
    for path, name in progress(pairs):
        picture = translator(read_image(path))
        target = Path(out) / name
        with Staging(target.parent) as stage:
            picture.save(stage.path(target.name))
        count += 1
    return count
