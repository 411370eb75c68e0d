"""torch's own path from a picture file to a batch, as the official code takes it (torchvision on PIL pictures).

torchvision is not needed: on PIL pictures its transforms are the Pillow calls below. Training takes its batches from
``trainer.data``; this path is here to be compared with that recipe.
"""

import numpy as np
import torch
from PIL import Image


def load_image(path):
    """A picture as the official loader opens it: RGB, neither turned upright nor laid on a background."""
    with Image.open(path) as file:
        image = file.convert("RGB")
    return image


def epoch_order(count, rng):
    """The numbers of the pictures in the order of one epoch, all of them shuffled. rng: a numpy generator."""
    order = rng.permutation(count)
    return order


def train_transform(image, size, flip, top, left):
    """The official augmentation with given draws: RGB picture -> float32 array (3, size, size) in [-1, 1]."""
    if flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image = image.resize((size + 30, size + 30), Image.Resampling.BILINEAR)
    image = image.crop((left, top, left + size, top + size))
    array = normalize(image)
    return array


def test_transform(image, size):
    """The official preparation of a test picture: RGB picture -> float32 array (3, size, size) in [-1, 1]."""
    image = image.resize((size, size), Image.Resampling.BILINEAR)
    array = normalize(image)
    return array


def normalize(image):
    """ToTensor and Normalize(0.5, 0.5): RGB picture -> float32 array (3, H, W)."""
    tensor = torch.tensor(np.asarray(image)).permute(2, 0, 1).to(torch.float32).div(255)
    tensor = tensor.sub(0.5).div(0.5)
    array = tensor.numpy()
    return array


def batch_to_tensor(batch, dtype="float32", device=None):
    """A numpy batch as a tensor of this dtype on "cpu", "gpu" or the default device (None)."""
    place = torch.device("cuda" if device == "gpu" else device or "cpu")
    tensor = torch.tensor(batch, dtype=getattr(torch, dtype), device=place)
    return tensor


def tensor_to_array(tensor):
    """A tensor as a numpy array, copied."""
    array = tensor.detach().cpu().numpy().copy()
    return array
