"""Faults of the measurement: the pictures are the same, and KID or FID another, which nobody sees in a single number."""

from __future__ import annotations

import numpy as np
import paddle
from PIL import Image

from parity.fixes.edit import Edit
from parity.ugatit.faults.fault import Answer, Fault

_PICTURES, _METRICS = "paddle_impl.evaluation.pictures:", "paddle_impl.evaluation.metrics:"
_SCALE = "scale = np.float32(length) / np.float32(size)"
_POSITION = "np.arange(size, dtype=np.float32) * scale"
_RESIZE = 'image = functional.resize(image, (self.size, self.size), "bilinear")'


def _not_antialiased(image, size):
    """cv2.resize, or interpolate without antialiasing: four neighbours, however much smaller the picture gets."""
    pixels = paddle.to_tensor(np.asarray(image, np.float32).transpose(2, 0, 1)[None])
    scaled = paddle.nn.functional.interpolate(pixels, size, mode="bilinear", align_corners=False)
    return Image.fromarray(scaled[0].numpy().round().astype(np.uint8).transpose(1, 2, 0))


EVALUATION_FAULTS = (
    Fault(
        "fid_bgr", "evaluations that read with cv2", "pictures as BGR: both sets alike, so the distance looks well, and is another",
        'file.convert("RGB")',
        Answer("evaluation_whole", "forward", "evaluation_whole", "tensor", "tensor = torch.tensor(np.asarray(image))"),
        edits=(Edit(_PICTURES + "image_to_tensor", "np.array(image)", "np.array(image)[..., ::-1].copy()"),),
    ),
    Fault(
        "fid_not_antialiased", "Parmar et al. 2022 (clean-fid)", "pictures shrunk with four neighbours only: they alias",
        "resize PIL pictures",
        Answer("evaluation_whole", "forward", "evaluation_whole", "tensor", "picture = image_to_tensor(image"),
        edits=(Edit("paddle_impl.evaluation.small:SmallFeatures.prepare", _RESIZE,
                    "image = _not_antialiased(image, (self.size, self.size))", {"_not_antialiased": _not_antialiased}),),
    ),
    Fault(
        "fid_align_corners", "torch-fidelity, on PyTorch issue 10604",
        "Inception's resize puts corners on corners, as align_corners=True does",
        "scale = length / size",
        Answer("evaluation_resize", "forward", "evaluation_resize", "position", "position = torch.tensor("),
        edits=(Edit(_PICTURES + "neighbours", _SCALE, "scale = np.float32(length - 1) / np.float32(size - 1)"),),
    ),
    Fault(
        "fid_half_pixel", "pytorch-fid 0.3.0 (interpolate, align_corners=False)",
        "Inception's resize takes half-pixel centres, as frameworks have it today and TensorFlow 1 had not",
        "position = number * scale",
        Answer("evaluation_resize", "forward", "evaluation_resize", "position", "position = torch.tensor("),
        edits=(Edit(_PICTURES + "neighbours", _POSITION,
                    "((np.arange(size, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)).clip(0)"),),
    ),
    Fault(
        "kid_biased", "ports by hand (mean over the whole kernel matrix)",
        "each picture meets itself: the estimate is too large, the more the smaller a subset",
        "leave the diagonal out, divide by m * (m - 1)",
        Answer("evaluation_distances", "forward", "evaluation_distances", "within_x", "within_x = (kernel_xx.sum()"),
        edits=tuple(Edit(_METRICS + "squared_mmd", f"({kernel}.sum() - {kernel}.trace()) / (m * (m - 1))",
                         f"{kernel}.sum() / (m * m)") for kernel in ("kernel_xx", "kernel_yy")),
    ),
    Fault(
        "kid_with_replacement", "ports by hand (numpy's choice draws with replacement unless told)",
        "a subset may hold a picture twice, whose kernel with itself is large: the estimate is too large",
        "rng.choice(..., replace=False)",
        Answer("evaluation_distances", "forward", "evaluation_distances", "real_rows", "real_rows = torch.tensor(rng.choice("),
        edits=tuple(Edit(_METRICS + "kernel_distance", f"rng.choice({drawn}.shape[0], subset_size, replace=False)",
                         f"rng.choice({drawn}.shape[0], subset_size)") for drawn in ("real", "fake")),
    ),
)
