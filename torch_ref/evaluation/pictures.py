"""From a picture file to what a feature network sees: decoding, colour order, range and resize, where FIDs go wrong unseen."""

import numpy as np
import torch
from PIL import Image


def load_image(path):
    """A picture file as an RGB picture (Pillow), neither turned upright nor laid on a background."""
    with Image.open(path) as file:
        image = file.convert("RGB")
    return image


def image_to_tensor(image, like):
    """An RGB picture as a tensor (3, H, W), 0 to 255, of the dtype and on the device of ``like``."""
    tensor = torch.tensor(np.asarray(image)).permute(2, 0, 1).to(like)
    return tensor


def resize_like_tensorflow(picture, size):
    """(3, H, W) -> (3, size, size) as TensorFlow 1 resizes for Inception: bilinear, four neighbours (not antialiased), corner on
    corner of the first pixel and not of the last (``tf.image.resize_bilinear`` with align_corners=False)."""
    top, bottom, down = neighbours(picture.shape[1], size)
    left, right, across = neighbours(picture.shape[2], size)
    across = across.to(picture)
    down = down.to(picture).unsqueeze(1)
    upper, lower = picture[:, top], picture[:, bottom]
    upper = upper[:, :, left] + (upper[:, :, right] - upper[:, :, left]) * across
    lower = lower[:, :, left] + (lower[:, :, right] - lower[:, :, left]) * across
    resized = upper + (lower - upper) * down
    return resized


def neighbours(length, size):
    """Along one side of ``length`` pixels, for each of ``size``: the neighbour before, the one after (int64), and how far it lies
    from the one towards the other (float64). TensorFlow works out the places in single precision."""
    scale = np.float32(length) / np.float32(size)
    position = torch.tensor(np.arange(size, dtype=np.float32) * scale).to(torch.float64)
    before = position.to(torch.int64)
    after = (before + 1).clamp(max=length - 1)
    share = position - before.to(position)
    return before, after, share
