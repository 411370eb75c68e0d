"""From a picture file to what a feature network sees: decoding, colour order, range and resize, where FIDs go wrong unseen."""

import numpy as np
import paddle


def load_image(path):
    """A picture file as an RGB picture (Pillow), neither turned upright nor laid on a background."""
    with paddle.vision.image_load(path, backend="pil") as file:
        image = file.convert("RGB")
    return image


def image_to_tensor(image, like):
    """An RGB picture as a tensor (3, H, W), 0 to 255, of the dtype and on the device of ``like``."""
    tensor = paddle.to_tensor(np.array(image), place=like.place).transpose([2, 0, 1]).astype(like.dtype)
    return tensor


def resize_like_tensorflow(picture, size):
    """(3, H, W) -> (3, size, size) as TensorFlow 1 resizes for Inception: bilinear, four neighbours (not antialiased), corner on
    corner of the first pixel and not of the last (``tf.image.resize_bilinear`` with align_corners=False)."""
    top, bottom, down = neighbours(picture.shape[1], size)
    left, right, across = neighbours(picture.shape[2], size)
    across = across.astype(picture.dtype)
    down = down.astype(picture.dtype).unsqueeze(1)
    upper, lower = picture.index_select(top, 1), picture.index_select(bottom, 1)
    upper = upper.index_select(left, 2) + (upper.index_select(right, 2) - upper.index_select(left, 2)) * across
    lower = lower.index_select(left, 2) + (lower.index_select(right, 2) - lower.index_select(left, 2)) * across
    resized = upper + (lower - upper) * down
    return resized


def neighbours(length, size):
    """Along one side of ``length`` pixels, for each of ``size``: the neighbour before, the one after (int64), and how far it lies
    from the one towards the other (float64). TensorFlow works out the places in single precision."""
    scale = np.float32(length) / np.float32(size)
    position = paddle.to_tensor(np.arange(size, dtype=np.float32) * scale).astype("float64")
    before = position.astype("int64")
    after = (before + 1).clip(max=length - 1)
    share = position - before.astype(position.dtype)
    return before, after, share
