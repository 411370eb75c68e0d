"""Tensors that a program makes without naming a dtype have the lane's: the lowest number of float64 does not fit into float32."""

import paddle
import torch
from toys import between, numbers

from parity.compare.ladder import compare


class TorchMasked(torch.nn.Module):
    def forward(self, x):
        mask = torch.triu(torch.full((x.shape[1], x.shape[1]), torch.finfo(x.dtype).min), diagonal=1)
        return torch.softmax(x @ x.transpose(1, 2) + mask, -1) @ x


class PaddleMasked(paddle.nn.Layer):
    def __init__(self, diagonal):
        super().__init__()
        self.diagonal = diagonal

    def forward(self, x):
        mask = paddle.triu(paddle.full((x.shape[1], x.shape[1]), paddle.finfo(x.dtype).min), diagonal=self.diagonal)
        return paddle.nn.functional.softmax(x @ x.transpose([0, 2, 1]) + mask, -1) @ x


def judged(diagonal):
    return compare(between(TorchMasked, lambda: PaddleMasked(diagonal), {"x": numbers(2, 4, 3)}))


def test_a_mask_of_the_lowest_number_is_made_in_the_lane_s_dtype():
    assert judged(1).verdict == "same"
    assert torch.get_default_dtype() == torch.float32
    assert paddle.get_default_dtype() == "float32"


def test_a_mask_that_hides_another_word_differs():
    assert judged(2).verdict == "diverged"
