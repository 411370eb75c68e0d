"""Faults of the data code: pictures read, ordered, cut or scaled otherwise. The networks are right; they see other pictures."""

from __future__ import annotations

import numpy as np
import paddle
from PIL import Image

from parity.fixes.edit import Edit
from parity.ugatit.faults.fault import Answer, Fault

_DATA = "paddle_impl.data:"
_RESIZE = 'image = functional.resize(image, (size + 30, size + 30), "bilinear")'
_CROP = "image = functional.crop(image, top, left, size, size)"


def _bgr(image):
    """The channels as cv2.imread has them."""
    return Image.fromarray(np.ascontiguousarray(np.asarray(image)[..., ::-1]))


def _random_resized(image, size, draw):
    """RandomResizedCrop: a part of the picture, 8 % of its area or more, scaled to the size. draw: 0 .. 30."""
    width, height = (round(side * (0.08 + 0.92 * draw / 30) ** 0.5) for side in image.size)
    return image.crop((0, 0, width, height)).resize((size, size), Image.Resampling.BILINEAR)


def _not_antialiased(image, size):
    """cv2.resize, or interpolate without antialiasing: four neighbours, however much smaller the picture gets."""
    pixels = paddle.to_tensor(np.asarray(image, np.float32).transpose(2, 0, 1)[None])
    scaled = paddle.nn.functional.interpolate(pixels, size, mode="bilinear", align_corners=False)
    return Image.fromarray(scaled[0].numpy().round().astype(np.uint8).transpose(1, 2, 0))


def _buffered(count, size, rng):
    """A shuffle that sees `size` pictures at a time: each comes out near its place in the sorted files."""
    buffer, order = list(range(min(size, count))), []
    for number in range(count):
        order.append(buffer.pop(rng.integers(len(buffer))))
        if number + size < count:
            buffer.append(number + size)
    return np.array(order)


DATA_FAULTS = (
    Fault(
        "bgr", "port2020", "red and blue exchanged, consistently: translations look right, checkpoints do not fit",
        'image.convert("RGB")',
        Answer("training_files", "data", "", "image", 'image = file.convert("RGB")', 1),
        edits=(Edit(_DATA + "load_image", 'file.convert("RGB")', '_bgr(file.convert("RGB"))', {"_bgr": _bgr}),),
    ),
    Fault(
        "random_resized_crop", "port2020", "RandomResizedCrop keeps 48 % of the area on average, official always 80 %",
        "resize to size + 30, then crop",
        Answer("training_files", "data", "", "image", "image = image.resize((size + 30, size + 30)", 1),
        edits=(Edit(_DATA + "train_transform", _RESIZE, "image = _random_resized(image, size, top)",
                    {"_random_resized": _random_resized}),
               Edit(_DATA + "train_transform", _CROP, "image = functional.crop(image, 0, 0, size, size)")),
    ),
    Fault(
        "shuffle_buffer", "port2020", "a buffer of 20 over sorted files: every epoch nearly in file order",
        "shuffle the whole epoch",
        Answer("training_files", "data", "", "order", "order = rng.permutation(count)", 1),
        edits=(Edit(_DATA + "epoch_order", "rng.permutation(count)", "_buffered(count, 20, rng)", {"_buffered": _buffered}),),
    ),
    Fault(
        "bicubic_resize", "PaddleGAN's UGATIT", "bicubic instead of bilinear", 'interpolation="bilinear"',
        Answer("training_files", "data", "", "image", "image = image.resize((size + 30, size + 30)", 1),
        edits=(Edit(_DATA + "train_transform", '"bilinear"', '"bicubic"'),),
    ),
    Fault(
        "not_antialiased", "ports that read with cv2; Pillow issue 4445, torchvision issue 2950",
        "bilinear, but of four neighbours only: pictures alias when they shrink",
        "resize PIL pictures",
        Answer("training_files", "data", "", "image", "image = image.resize((size + 30, size + 30)", 1),
        edits=(Edit(_DATA + "train_transform", _RESIZE, "image = _not_antialiased(image, (size + 30, size + 30))",
                    {"_not_antialiased": _not_antialiased}),),
    ),
    Fault(
        "crop_corner_swapped", "ports by hand", "PIL takes (left, top), Paddle (top, left): another part of the picture",
        "crop(image, top, left, ...)",
        Answer("training_files", "data", "", "image", "image = image.crop((left, top", 1),
        edits=(Edit(_DATA + "train_transform", "image, top, left,", "image, left, top,"),),
    ),
    Fault(
        "pictures_from_0_to_1", "ports by hand", "not normalised to [-1, 1]: half of tanh's range is never asked for",
        "normalise with mean 0.5 and standard deviation 0.5",
        Answer("training_files", "data", "", "tensor", "tensor = tensor.sub(0.5).div(0.5)", 1),
        edits=(Edit(_DATA + "normalize", "[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]", "[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]"),),
    ),
    Fault(
        "pictures_on_their_side", "ports by hand (transpose((2, 1, 0)))",
        "height and width exchanged: no error in square pictures",
        "transpose((2, 0, 1))",
        Answer("training_files", "data", "", "tensor", "tensor = torch.tensor(np.asarray(image))", 1),
        edits=(Edit(_DATA + "normalize", "functional.to_tensor(image)", "functional.to_tensor(image).transpose([0, 2, 1])"),),
    ),
)
