"""A step that differentiates a gradient: right twins are the same in every value, wrong ones are placed where the graph ends."""

import paddle
import pytest
import torch

from parity.declare.training import Training
from parity.inputs import normal
from parity.steps.follow import follow


class TorchNet(torch.nn.Module):
    def __init__(self, act=torch.nn.Tanh):
        super().__init__()
        self.body, self.act, self.head = torch.nn.Linear(5, 6), act(), torch.nn.Linear(6, 1)

    def forward(self, x):
        return self.head(self.act(self.body(x)))


class PaddleNet(paddle.nn.Layer):
    def __init__(self, act=paddle.nn.Tanh):
        super().__init__()
        self.body, self.act, self.head = paddle.nn.Linear(5, 6), act(), paddle.nn.Linear(6, 1)

    def forward(self, x):
        return self.head(self.act(self.body(x)))


def torch_penalty(act=torch.nn.Tanh, several=False):
    net = TorchNet(act)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)

    def step(real, fake):
        blend = (real + fake) / 2
        blend.requires_grad_(True)
        score = net(blend)
        slope = torch.autograd.grad(score.sum(), blend, create_graph=True)[0]
        penalty = ((slope.square().sum(1).sqrt() - 1) ** 2).mean()
        judged = net(fake).mean() - score.mean()
        optimizer.zero_grad()
        if several:
            penalty.backward(retain_graph=True)
            judged.backward()
        else:
            (judged + penalty).backward()
        optimizer.step()
        return judged, penalty

    return step


def paddle_penalty(act=paddle.nn.Tanh, several=False, wrong=None):
    net = PaddleNet(act)
    optimizer = paddle.optimizer.SGD(0.1, net.parameters())

    def step(real, fake):
        blend = (real + fake) / 2
        blend.stop_gradient = False
        score = net(blend)
        if wrong == "no graph":
            slope = paddle.grad(score.sum(), blend, create_graph=False, retain_graph=True)[0]
        else:
            slope = paddle.grad(score.sum(), blend,
                                create_graph=True)[0]
        if wrong == "detached":
            slope = slope.detach()
        penalty = ((slope.square().sum(1).sqrt() - 1) ** 2).mean()
        judged = net(fake).mean() - score.mean()
        optimizer.clear_grad()
        if several:
            penalty.backward(retain_graph=True)
            judged.backward()
        else:
            (judged + penalty).backward()
        optimizer.step()
        return judged, penalty

    return step


def followed(reference, twin, **options):
    training = Training(reference, twin, batch=[normal(6, 5), normal(6, 5)])
    return follow(training.subject(), steps=2, **options)


ACTS = {"tanh": (torch.nn.Tanh, paddle.nn.Tanh), "relu": (torch.nn.ReLU, paddle.nn.ReLU)}


@pytest.mark.parametrize(("act", "several", "mode", "lane"), [
    ("tanh", False, "free", "float64"), ("tanh", True, "resync", "float64"), ("relu", True, "free", "float64"),
    ("relu", False, "resync", "float32"),
])
def test_a_right_penalty_is_the_same_in_every_gradient(act, several, mode, lane):
    ours, theirs = ACTS[act]
    found = followed(lambda: torch_penalty(ours, several), lambda: paddle_penalty(theirs, several), mode=mode, lane=lane)
    assert found.verdict == "same" and found.steps == 2
    assert not [f for f in found.report.findings if f.verdict.value == "uncompared"]


@pytest.mark.parametrize(("wrong", "line", "said"), [
    ("no graph", "slope = paddle.grad(score.sum(), blend, create_graph=False, retain_graph=True)[0]", "without create_graph=True"),
    ("detached", "slope = slope.detach()", "the twin cuts the graph here")])
@pytest.mark.parametrize("mode", ["free", "resync"])
def test_a_penalty_that_moves_nothing_is_placed_where_its_graph_ends(wrong, line, said, mode):
    first = followed(torch_penalty, lambda: paddle_penalty(wrong=wrong), mode=mode).report.first
    assert (first.key.stage, first.key.step, first.key.variable) == ("gradients", 1, "slope")
    assert first.twin.text == line and first.reference.text.startswith("slope = torch.autograd.grad(")
    assert said in first.cause


def detached_torch(act=torch.nn.Tanh):
    net = TorchNet(act)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)

    def step(real, fake):
        score = net(real)
        target = net(fake).detach()
        loss = (score - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def attached_paddle(detached=False):
    net = PaddleNet()
    optimizer = paddle.optimizer.SGD(0.1, net.parameters())

    def step(real, fake):
        score = net(real)
        target = net(fake).detach() if detached else net(fake)
        loss = (score - target).square().mean()
        optimizer.clear_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def test_a_graph_that_only_the_twin_has_is_placed_where_the_references_ends():
    first = followed(detached_torch, attached_paddle).report.first
    assert (first.key.stage, first.key.variable) == ("gradients", "target")
    assert first.reference.text.startswith("target = net(fake)")
    assert "the graph ends here in the reference alone" in first.cause
    assert followed(detached_torch, lambda: attached_paddle(detached=True)).verdict == "same"
