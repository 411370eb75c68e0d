"""A framework's own way from a file to an array, compared with the recipe of ``data.py``."""

from dataclasses import dataclass

import numpy as np

from .data import Draws, read_image, test_array, train_array

DRAWS = (Draws(False, 0, 0), Draws(True, 7, 23))


@dataclass(frozen=True)
class Difference:
    """One array that a framework's own path makes otherwise than the recipe.

    stage: "load" (pixels 0 .. 255), "train" or "test" (in [-1, 1]; from the recipe's picture, so that a difference in
    loading is not reported again). ``count`` of ``of`` values differ, at most by ``largest``, there (``index``)
    ``recipe`` against ``own``. Where the shapes differ, ``recipe`` and ``own`` are the shapes, and index is None.
    """

    path: str
    stage: str
    recipe: object
    own: object
    largest: float
    index: tuple | None = None
    count: int = 0
    of: int = 0

    def __str__(self):
        if self.index is None:
            return f"{self.path}: {self.stage}: expected {self.recipe}, found {self.own}"
        return (f"{self.path}: {self.stage}: {self.count} of {self.of} values differ, by {self.largest:.3g} at "
                f"{self.index}: {self.recipe:.9g} in the recipe, {self.own:.9g} in the framework's own path")


def compare_transforms(own, paths, size, draws=DRAWS):
    """Compare a framework's own transforms with the recipe, to the bit, stage by stage.

    Args:
        own: a module like ``torch_ref.data`` or ``paddle_impl.data``: ``load_image(path)``,
            ``train_transform(image, size, flip, top, left)`` and ``test_transform(image, size)``.
        paths: picture files.
        size: side of the network's pictures.
        draws: the augmentations to try.
    Returns:
        What differs, a list of Difference; an empty list means not one bit. What ``own`` raises is a Difference, too.
    Raises:
        TrainerError: the recipe cannot read a file.
    """
    differences = []
    for path in paths:
        image = read_image(path)
        stages = [("load", lambda image=image: _pixels(image), lambda path=path: _pixels(own.load_image(path)))]
        for drawn in draws:
            stages.append((f"train {drawn}", lambda image=image, drawn=drawn: train_array(image, size, drawn),
                           lambda image=image, drawn=drawn: own.train_transform(image, size, drawn.flip, drawn.top,
                                                                                drawn.left)))
        stages.append(("test", lambda image=image: test_array(image, size),
                       lambda image=image: own.test_transform(image, size)))
        for stage, recipe, theirs in stages:
            try:
                found = np.asarray(theirs())
            except Exception as error:
                differences.append(Difference(str(path), stage, "an array", f"{type(error).__name__}: {error}", np.inf))
                continue
            differences += _differences(str(path), stage, recipe(), found)
    return differences


def _pixels(image):
    return np.asarray(image)


def _differences(path, stage, recipe, own):
    if recipe.shape != own.shape or recipe.dtype != own.dtype:
        return [Difference(path, stage, f"{recipe.shape} {recipe.dtype}", f"{own.shape} {own.dtype}", np.inf)]
    wrong = recipe != own  # NaN differs from everything
    if not wrong.any():
        return []
    distance = np.abs(recipe.astype(np.float64) - own)
    index = tuple(int(i) for i in np.unravel_index(np.argmax(np.where(wrong, distance, -1)), wrong.shape))
    return [Difference(path, stage, float(recipe[index]), float(own[index]), float(distance[index]), index,
                       int(wrong.sum()), wrong.size)]
