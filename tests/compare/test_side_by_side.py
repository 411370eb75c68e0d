"""Several results that a function returns side by side: each is made of its own."""

import paddle
import pytest
import torch

import parity
from parity import normal
from parity.port import Port


class Several(torch.nn.Linear):
    def __init__(self):
        super().__init__(4, 4)

    def forward(self, x):
        y = super().forward(x)
        first = y.exp()
        second = y.sin()
        third = y * y
        if self.training:
            return first, second, third
        return {"first": first, "more": [second, third]}


class PaddleSeveral(paddle.nn.Linear):
    def __init__(self, wrong=""):
        super().__init__(4, 4)
        self.one = 1.01 if wrong == "first" else 1.0
        self.two = 1.01 if wrong == "second" else 1.0
        self.three = 1.01 if wrong == "third" else 1.0

    def forward(self, x):
        y = super().forward(x)
        first = y.exp() * self.one
        second = y.sin() * self.two
        third = y * y * self.three
        if self.training:
            return first, second, third
        return {"first": first, "more": [second, third]}


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("wrong", ["", "first", "second", "third"])
def test_a_mistake_in_any_of_them_is_found_on_its_line(wrong, mode):
    found = parity.compare(Port(Several, lambda: PaddleSeveral(wrong), inputs=[normal(3, 4)], modes=[mode]), lanes=["float64"])
    assert found.verdict == ("diverged" if wrong else "same")
    if wrong:
        twin = found.headline[1].twin
        with open(twin.file) as file:
            assert file.readlines()[twin.line - 1].strip().startswith(f"{wrong} = ")
