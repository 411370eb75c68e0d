"""Tensors that a program makes without naming a dtype have the lane's: the lowest number of float64 does not fit into float32."""

import paddle
import pytest
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


class TorchMemo(torch.nn.Module):
    """Positions that are made once, in the dtype of what came first."""

    def __init__(self):
        super().__init__()
        self.fc, self.positions = torch.nn.Linear(6, 5), None

    def forward(self, x):
        if self.positions is None:
            self.positions, self.signs = torch.arange(6, dtype=x.dtype), [torch.ones(6, dtype=x.dtype)]
        return self.fc(x + self.positions * self.signs[0])


class PaddleMemo(paddle.nn.Layer):
    def __init__(self, sign=1):
        super().__init__()
        self.fc, self.positions, self.sign = paddle.nn.Linear(6, 5), None, sign

    def forward(self, x):
        if self.positions is None:
            self.positions = paddle.arange(6).astype(x.dtype)
        return self.fc(x + self.positions * self.sign)


@pytest.mark.parametrize("sign, verdict", [(1, "same"), (-1, "diverged")])
def test_what_is_computed_once_is_computed_anew_in_each_lane(sign, verdict):
    assert compare(between(TorchMemo, lambda: PaddleMemo(sign), {"x": numbers(4, 6)})).verdict == verdict
