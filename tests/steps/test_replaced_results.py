"""A step judged alone is a replay: what a layer returns is replaced by the reference's, so what follows from it acquits nothing."""

import paddle
import pytest
import torch

import parity
from parity.declare.training import Training
from parity.inputs import normal
from tests.steps.plain import trainers


class OurNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(x)


class TheirNet(paddle.nn.Layer):
    def __init__(self, more):
        super().__init__()
        self.fc, self.more = paddle.nn.Linear(4, 3), more

    def forward(self, x):
        return self.fc(x) + self.more  # the line


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("more", [0.0, 0.01])
def test_a_constant_added_to_what_a_network_returns(mode, more):
    """Loss and gradients of the step alone are those of the reference's value, whatever the network returned."""
    training = Training(*trainers(OurNet, lambda: TheirNet(more)), [normal(6, 4), normal(6, 3)])
    found = parity.follow(training, steps=2, mode=mode)
    assert found.verdict == ("diverged" if more else "same")
    if more:
        first = found.merged.first
        assert (first.key.step, first.key.module, first.key.variable) == (1, "net", "output")
        # what follows from its own value goes wrong by itself, and would be counted as one more place
        assert found.merged.counterfactual is None


class OurKeys(torch.nn.Module):
    """Momentum contrast: the encoder of the keys follows that of the queries, before it is used."""

    def __init__(self):
        super().__init__()
        self.query, self.key = torch.nn.Linear(4, 5), torch.nn.Linear(4, 5)
        self.key.requires_grad_(False)

    def forward(self, a, b):
        query = self.query(a)
        with torch.no_grad():
            for ours, theirs in zip(self.query.parameters(), self.key.parameters(), strict=True):
                theirs.mul_(0.9).add_(ours, alpha=0.1)
            key = self.key(b)
        return torch.nn.functional.cross_entropy(query @ key.T, torch.arange(a.shape[0]))


class TheirKeys(paddle.nn.Layer):
    def __init__(self, late):
        super().__init__()
        self.query, self.key, self.late = paddle.nn.Linear(4, 5), paddle.nn.Linear(4, 5), late
        for parameter in self.key.parameters():
            parameter.stop_gradient = True

    @paddle.no_grad()
    def follow(self):
        for ours, theirs in zip(self.query.parameters(), self.key.parameters(), strict=True):
            theirs.set_value(theirs * 0.9 + ours * 0.1)

    def forward(self, a, b):
        query = self.query(a)
        if not self.late:
            self.follow()
        with paddle.no_grad():
            key = self.key(b)
        if self.late:
            self.follow()
        return paddle.nn.functional.cross_entropy(query @ key.T, paddle.arange(a.shape[0]))


class OurContrast:
    def __init__(self):
        self.model = OurKeys()
        self.sgd = torch.optim.SGD(self.model.query.parameters(), lr=0.1)

    def step(self, a, b):
        loss = self.model(a, b)
        self.sgd.zero_grad()
        loss.backward()
        self.sgd.step()
        return loss


class TheirContrast:
    def __init__(self, late=False):
        self.model = TheirKeys(late)
        self.sgd = paddle.optimizer.SGD(0.1, parameters=self.model.query.parameters())

    def step(self, a, b):
        loss = self.model(a, b)
        self.sgd.clear_grad()
        loss.backward()
        self.sgd.step()
        return loss


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("late", [False, True])
def test_weights_that_move_after_the_layer_has_used_them(mode, late):
    """The state after the step is the same, and so is all that follows from the reference's keys."""
    found = parity.follow(Training(OurContrast, lambda: TheirContrast(late), [normal(4, 4), normal(4, 4)]), steps=2, mode=mode)
    assert found.verdict == ("diverged" if late else "same")
    if late:
        assert found.merged.first.key.module == "model.key"


class OurScaled(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = OurNet()

    def forward(self, x):
        return self.inner(x) / 2


class TheirInner(TheirNet):
    def forward(self, x):
        return self.fc(x) / 2


class TheirScaled(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.inner = TheirInner(0.0)

    def forward(self, x):
        return self.inner(x)


def test_a_factor_that_a_layer_takes_or_its_caller_is_the_same():
    training = Training(*trainers(OurScaled, TheirScaled), [normal(6, 4), normal(6, 3)])
    assert parity.follow(training, steps=2).verdict == "same"
