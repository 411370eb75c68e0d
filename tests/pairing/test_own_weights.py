"""Weights that a builder loads: what a hand-made conversion got wrong is not to vanish behind the reference's weights."""

import numpy as np
import paddle
import pytest
import torch

from parity.compare.ladder import compare
from parity.inputs import normal
from parity.port import Port


class Torch(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = torch.nn.Linear(5, 6), torch.nn.Linear(6, 6)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


class Paddle(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = paddle.nn.Linear(5, 6), paddle.nn.Linear(6, 6)

    def forward(self, x):
        return self.fc2(paddle.nn.functional.relu(self.fc1(x)))


RIGHT = {name: np.random.default_rng(len(name)).standard_normal(tensor.shape).astype("float32")
         for name, tensor in Torch().state_dict().items()}


def loaded():
    net = Torch()
    net.load_state_dict({name: torch.tensor(array) for name, array in RIGHT.items()})
    return net


def converted(wrong=()):
    def build():
        net = Paddle()
        net.set_state_dict({name: paddle.to_tensor(array.T.copy() if array.ndim == 2 and name not in wrong else array)
                            for name, array in RIGHT.items()})
        return net
    return build


def judged(twin, reference=loaded, **options):
    report = compare(Port(reference, twin, inputs=[normal(2, 5)], **options).subject(), lanes=("float64",))
    return report, [(f.key.stage, f.key.module.rpartition(".")[2], f.deviation.trouble or "") for f in report.findings
                    if f.verdict.value == "diverged"]


def test_a_square_weight_that_was_not_transposed_is_found():
    _, findings = judged(converted(wrong=["fc2.weight"]))
    assert [one[:2] for one in findings] == [("census", "fc2")]
    assert "3 of 4 tensors of the two came equal" in findings[0][2] and "the same values in another order" in findings[0][2]


def test_a_right_conversion_is_the_same_with_its_own_weights_too():
    for options in ({}, {"own_weights": True}):
        report, findings = judged(converted(), **options)
        assert not findings and report.verdict == "same" and not report.remarks


def test_it_is_said_whose_weights_were_used():
    report, findings = judged(Paddle, Torch)
    assert not findings and any("both were given the reference's weights" in remark for remark in report.remarks)


@pytest.mark.parametrize("wrong", [["fc2.weight"], list(RIGHT)])
def test_each_side_with_its_own_weights(wrong):
    _, findings = judged(converted(wrong), own_weights=True) if wrong != list(RIGHT) else judged(Paddle, own_weights=True)
    assert findings[0][0] == "census" and any(stage == "forward" for stage, _, _ in findings)
