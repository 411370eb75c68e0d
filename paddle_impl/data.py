"""Paddle's own path from a picture file to a batch: ``paddle.vision.transforms`` on PIL pictures.

Training takes its batches from ``trainer.data``; this path is here to be compared with that recipe.
"""

import paddle
from paddle.vision.transforms import functional


def load_image(path):
    """A picture as ``paddle.vision.image_load`` opens it, with the official loader's conversion to RGB."""
    with paddle.vision.image_load(path, backend="pil") as file:
        image = file.convert("RGB")
    return image


def epoch_order(count, rng):
    """The numbers of the pictures in the order of one epoch, all of them shuffled. rng: a numpy generator."""
    order = rng.permutation(count)
    return order


def train_transform(image, size, flip, top, left):
    """The official augmentation with given draws: RGB picture -> float32 array (3, size, size) in [-1, 1]."""
    if flip:
        image = functional.hflip(image)
    image = functional.resize(image, (size + 30, size + 30), "bilinear")
    image = functional.crop(image, top, left, size, size)
    array = normalize(image)
    return array


def test_transform(image, size):
    """The official preparation of a test picture: RGB picture -> float32 array (3, size, size) in [-1, 1]."""
    image = functional.resize(image, (size, size), "bilinear")
    array = normalize(image)
    return array


def normalize(image):
    """ToTensor and Normalize(0.5, 0.5): RGB picture -> float32 array (3, H, W)."""
    # Paddle 2.6 multiplies by a float32 1/255 where torch and Paddle 3 divide: half of the pixels one unit in the last
    # place off.
    tensor = functional.to_tensor(image)
    tensor = functional.normalize(tensor, [0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
    array = tensor.numpy()
    return array


def batch_to_tensor(batch, dtype="float32", device=None):
    """A numpy batch as a tensor of this dtype on "cpu", "gpu" or the default device (None)."""
    place = device if device != "gpu" else "gpu:0"
    tensor = paddle.to_tensor(batch, dtype, place)
    return tensor


def tensor_to_array(tensor):
    """A tensor as a numpy array, copied."""
    array = tensor.numpy()
    return array
