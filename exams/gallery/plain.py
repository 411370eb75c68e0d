"""A pair without the harness: both models built, and run forward and backward in eval and train mode, as anybody would."""

from __future__ import annotations

import paddle
import torch

from exams.gallery import truth


def plain(name: str) -> int:
    pair = truth.port(name)
    arrays = list(pair.arrays(pair.seed).values())
    for side, (build, tensor, is_tensor) in enumerate(((pair.reference, torch.from_numpy, torch.is_tensor),
                                                       (pair.twin, paddle.to_tensor, paddle.is_tensor))):
        model = build()
        for mode in pair.modes:
            model.train() if mode == "train" else model.eval()
            returned = truth.called(pair, side, model, [tensor(array) for array in arrays])
            sum(value.sum() for value in truth.outputs(returned, is_tensor) if value.is_floating_point()).backward()
    return 0
