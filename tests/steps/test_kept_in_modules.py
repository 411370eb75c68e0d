"""What the modules of a network keep from step to step besides weights: a hidden state, a temperature, a queue, a count. Every run
of a step begins with what the first one had, and each side goes on with its own."""

import collections
import copy

import paddle
import pytest
import torch

from parity import Training, differences, normal
from parity.steps.follow import follow
from tests.steps.plain import PaddleTrainer, TorchTrainer, trainers


class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 4)
        self.hidden, self.tau, self.recent = None, 1.0, collections.deque(maxlen=2)

    def forward(self, x):
        y = self.fc(x)
        if self.hidden is not None:
            y = y + 0.5 * self.hidden
        self.hidden = y.detach()
        self.tau *= 0.75
        self.recent.append(self.tau)
        if hasattr(self, "late"):
            y = y + self.late
        self.late = 0.125
        return y / self.tau + sum(self.recent)


class PaddleNet(paddle.nn.Layer):
    """Paddle makes a buffer of `hidden`."""

    KEPT, FALLS, LENGTH, LATE = 0.5, 0.75, 2, 0.125  # without a rounding to float32

    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(4, 4)
        self.hidden, self.tau, self.recent = None, 1.0, collections.deque(maxlen=self.LENGTH)

    def forward(self, x):
        y = self.fc(x)
        if self.hidden is not None:
            y = y + self.KEPT * self.hidden
        self.hidden = y.detach()
        self.tau *= self.FALLS
        self.recent.append(self.tau)
        if hasattr(self, "late"):
            y = y + self.late
        self.late = self.LATE
        return y / self.tau + sum(self.recent)


def followed(reference, twin, mode="free", steps=4):
    subject = Training(reference, twin, batch=[normal(6, 4), normal(6, 4)]).subject()
    return follow(subject, steps=steps, mode=mode, differences=differences.ALL).report


@pytest.mark.parametrize("mode", ["free", "resync"])
def test_each_run_begins_with_what_the_first_had(mode):
    report = followed(*trainers(TorchNet, PaddleNet), mode)
    assert not report.diverged and not report.undecided


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize(("constant", "value", "step"), [("KEPT", 0.75, 2), ("FALLS", 0.5, 1), ("LENGTH", 3, 3), ("LATE", 0.25, 2)])
def test_another_one_is_found_in_the_step_in_which_it_acts(constant, value, step, mode):
    other = type("Other", (PaddleNet,), {constant: value})
    report = followed(*trainers(TorchNet, other), mode)
    assert report.diverged and report.first.key.step == step and report.first.key.module == "net"


# --- counters ---------------------------------------------------------------------------------------------------------

class TorchCounting(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 4)
        self.register_buffer("calls", torch.tensor(0))

    def forward(self, x):
        self.calls += 1
        return self.fc(x) / self.calls.item()


class TorchNumber(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 4)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return self.fc(x) / self.calls


class PaddleCounting(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(4, 4)
        self.register_buffer("calls", paddle.to_tensor(0, dtype="int64"))

    def forward(self, x):
        self.calls += 1
        return self.fc(x) / float(self.calls)


class PaddleNumber(paddle.nn.Layer):
    BY = 1

    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(4, 4)
        self.calls = 0

    def forward(self, x):
        self.calls += self.BY
        return self.fc(x) / self.calls


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("twins", [(TorchCounting, PaddleNumber), (TorchNumber, PaddleCounting)])
def test_a_counter_of_one_side_alone_is_what_it_is_used_for(twins, mode):
    report = followed(*trainers(*twins), mode)
    assert not report.diverged and not report.undecided
    assert any("calls" in str(remark) for remark in report.remarks)


def test_a_counter_that_goes_wrong_is_found_by_what_it_is_used_for():
    report = followed(*trainers(TorchCounting, type("Twice", (PaddleNumber,), {"BY": 2})))
    assert report.diverged and report.first.key.step == 1


class Averaging(TorchTrainer):
    make = TorchNumber

    def __init__(self):
        super().__init__()
        self.average = torch.optim.swa_utils.AveragedModel(self.net)

    def step(self, x, t):
        loss = super().step(x, t)
        self.average.update_parameters(self.net)
        return loss


class AveragingByHand(PaddleTrainer):
    make, FIRST = PaddleNumber, 1

    def __init__(self):
        super().__init__()
        self.average, self.count = copy.deepcopy(self.net), 0

    def step(self, x, t):
        loss = super().step(x, t)
        with paddle.no_grad():
            for mean, weight in zip(self.average.parameters(), self.net.parameters(), strict=True):
                mean.set_value(mean + (weight - mean) / (self.count + self.FIRST))
        self.count += 1
        return loss


def test_an_average_of_torchs_beside_one_by_hand():
    report = followed(Averaging, AveragingByHand)
    assert not report.diverged and not report.undecided
    assert any("n_averaged" in str(remark) for remark in report.remarks)


def test_an_average_that_counts_otherwise():
    report = followed(Averaging, type("Later", (AveragingByHand,), {"FIRST": 2}))
    assert report.diverged and report.first.key.stage == "state" and report.first.key.module.startswith("average")
