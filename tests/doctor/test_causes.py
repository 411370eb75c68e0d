"""What a first line has to lead to: terms that left the graph, gradients that die on the way, things made while it is watched.

Each with its healthy twin."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import parity


def watched(step, models, optimizers=None, iterations=4, **options):
    with parity.doctor(models, optimizers, **options) as d:
        for _ in range(iterations):
            step()
    return d.findings


def line(finding):
    return finding.site.text.strip()


# --- terms of a loss that have no graph ---------------------------------------------------------------------------------


def halves(z):
    """A numpy function between network and loss, in a function of its own."""
    a = z.detach().numpy()
    return torch.from_numpy(a / 2)


def by_numpy(y, x):
    z = torch.from_numpy(y.detach().numpy() ** 2)
    part = (z - 1).abs().mean()
    loss = part + 0.1 * y.pow(2).mean()
    return loss


def by_item(y, x):
    part = y.abs().mean().item()
    loss = y.pow(2).mean() - 0.5 * part
    return loss


def by_item_at_once(y, x):
    part = y.abs().mean()
    loss = y.pow(2).mean() + 2.0 * part.item()
    return loss


def by_function(y, x):
    part = (halves(y) - 1).pow(2).mean()
    loss = y.pow(2).mean() + 3 * part
    return loss


def augmented(y, x):
    part = y.detach().pow(2).mean()
    loss = y.pow(2).mean()
    loss += part
    return loss


def by_gradient(y, x):
    slope = torch.autograd.grad(y.sum(), x, retain_graph=True)[0]
    penalty = (slope.norm(dim=1) - 1).pow(2).mean()
    loss = y.pow(2).mean() + 10 * penalty
    return loss


LOST = {by_numpy: "z = torch.from_numpy(y.detach().numpy() ** 2)", by_item: "part = y.abs().mean().item()",
        by_item_at_once: "loss = y.pow(2).mean() + 2.0 * part.item()",
        by_function: "a = z.detach().numpy()", augmented: "part = y.detach().pow(2).mean()",
        by_gradient: "slope = torch.autograd.grad(y.sum(), x, retain_graph=True)[0]"}


def kept(y, x):
    part = y.abs().mean()
    loss = y.pow(2).mean() + part
    return loss


def target_detached(y, x):
    target = y.detach().roll(1, 0)
    part = F.mse_loss(y, target)
    loss = part + y.pow(2).mean()
    return loss


def summed_up(y, x):
    loss = torch.zeros(())
    for one in y:
        loss = loss + one.pow(2).mean()
    return loss


def constant_beside(y, x):
    entropy = x.softmax(1).log().mean()  # of a teacher, say: nothing that is trained is in it
    loss = y.pow(2).mean() + entropy
    return loss


def logged(y, x):
    loss = y.pow(2).mean()
    seen = loss.item()
    logged = seen + loss.detach()
    assert logged >= 0
    return loss


def balanced(y, x):
    part, other = y.abs().mean(), y.pow(2).mean()
    loss = part + other * (part.item() / other.item())
    return loss


def by_gradient_with_graph(y, x):
    slope = torch.autograd.grad(y.sum(), x, create_graph=True)[0]
    penalty = (slope.norm(dim=1) - 1).pow(2).mean()
    loss = y.pow(2).mean() + 10 * penalty
    return loss


def weighed(y, x):
    weight = 1 / y.detach().abs().mean()
    loss = weight * y.pow(2).mean() + y.abs().mean()
    return loss


def trained_by(loss_of):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(net.parameters(), 0.01)

    def step():
        x = torch.randn(8, 4, requires_grad=True)
        loss = loss_of(net(x), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return watched(step, net, optimizer)


@pytest.mark.parametrize("loss_of", LOST)
def test_a_term_without_graph_is_named_with_the_line_that_lost_it(loss_of):
    (found,) = trained_by(loss_of)
    assert (found.id, line(found)) == ("term-without-graph", LOST[loss_of])


@pytest.mark.parametrize("loss_of", [kept, target_detached, summed_up, constant_beside, logged, by_gradient_with_graph, weighed,
                                     balanced])
def test_what_rightly_has_no_graph_is_no_lost_term(loss_of):
    assert trained_by(loss_of) == ()


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_penalty_in_paddle(create_graph):
    paddle.seed(0)
    critic = paddle.nn.Sequential(paddle.nn.Linear(5, 6), paddle.nn.Tanh(), paddle.nn.Linear(6, 1))
    optimizer = paddle.optimizer.SGD(1e-3, parameters=critic.parameters())

    def step():
        x = paddle.randn([8, 5])
        x.stop_gradient = False
        slope = paddle.grad(critic(x).sum(), x, create_graph=create_graph)[0]
        penalty = ((slope ** 2).sum(1) - 1).square().mean()
        loss = critic(x).mean() + 10 * penalty
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()

    assert [found.id for found in watched(step, critic, optimizer)] == ([] if create_graph else ["term-without-graph"])


# --- where the graph is left, where a gradient dies ---------------------------------------------------------------------


@pytest.mark.parametrize("how", ["nested", "in a list"])
def test_a_cut_within_a_line_is_placed(how):
    torch.manual_seed(0)
    a, b = nn.Linear(4, 4), nn.Linear(4, 1)
    optimizer = torch.optim.SGD([*a.parameters(), *b.parameters()], 0.1)

    def head(h):
        if how == "nested":
            return b(h.detach())
        rows = [one.clone().detach().requires_grad_(True) for one in [h]]
        return b(rows[0])

    def step():
        loss = head(a(torch.randn(8, 4))).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    (found,) = watched(step, {"a": a, "b": b}, optimizer)
    assert found.id == "graph-cut" and "detach()" in line(found)


@pytest.mark.parametrize(("limit", "ids"), [(2.0, ["gradient-zero"]), (-9.0, [])])
def test_a_gradient_that_a_clip_cuts_is_placed_at_the_clip(limit, ids):
    torch.manual_seed(0)
    net = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(net.parameters(), 0.01)

    def step():
        apart = net(torch.rand(8, 4))
        held = apart.clamp(min=limit)
        loss = -F.logsigmoid(held).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    found = watched(step, net, optimizer)
    assert [one.id for one in found if one.id != "loss-constant"] == ids
    assert all(line(one) == "held = apart.clamp(min=limit)" for one in found[:1])


@pytest.mark.parametrize(("eps", "ids"), [(0.0, ["nonfinite"]), (1e-6, [])])
def test_a_slope_that_is_infinite_is_placed_in_the_lambda_that_has_it(eps, ids):
    torch.manual_seed(0)
    net = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    length = lambda d: torch.sqrt((d ** 2).sum(1) + eps)  # noqa: E731

    def step():
        x = torch.randn(8, 4)
        loss = length(net(x) - net(x)).mean() + net(x).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    found = watched(step, net, optimizer, iterations=1)
    assert [one.id for one in found] == ids
    assert all(line(one).startswith("length = lambda d") for one in found)


@pytest.mark.parametrize(("last", "ids"), [("ReLU", ["gradient-zero", "target-out-of-reach"]), ("Identity", [])])
def test_a_network_that_dies_after_the_first_iterations_is_seen(last, ids):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1), getattr(nn, last)())
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)

    def step():
        x = torch.randn(32, 8)
        loss = F.mse_loss(net(x), -2 - x[:, :1].abs())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    found = watched(step, net, optimizer, iterations=20)
    assert [one.id for one in found] == ids
    assert all(one.iteration > 2 and "a ReLU" in one.evidence for one in found[:1])


SOFTMAX = {"a layer": lambda head: nn.Sequential(head, nn.Softmax(1)), "none": lambda head: head}


@pytest.mark.parametrize("how", [*SOFTMAX, "a function"])
def test_a_softmax_too_many_is_placed_where_it_is(how):
    torch.manual_seed(0)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = SOFTMAX.get(how, SOFTMAX["none"])(nn.Linear(6, 3))

        def forward(self, x):
            x = self.head(x)
            return x.softmax(1) if how == "a function" else x

    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)

    def step():
        loss = F.cross_entropy(net(torch.randn(8, 6)), torch.randint(0, 3, (8,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    found = watched(step, net, optimizer)
    assert [one.id for one in found] == ([] if how == "none" else ["loss-input"])
    assert all(("softmax(1)" if how == "a function" else "self.head =") in line(one) for one in found)


# --- made while it is watched -------------------------------------------------------------------------------------------


def one_layer():
    torch.manual_seed(0)
    return nn.Linear(4, 1)


def squares(net):
    x = torch.randn(8, 4)
    return (net(x) - x.sum(1, keepdim=True)).pow(2).mean()


@pytest.mark.parametrize("twice", [False, True])
def test_a_scheduler_built_in_the_block_steps_once_by_itself(twice):
    net = one_layer()
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    with parity.doctor(net, optimizer) as d:
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 100)
        for _ in range(4):
            loss = squares(net)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            if twice:
                scheduler.step()
    assert [found.id for found in d.findings] == (["scheduler-too-often"] if twice else [])


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("clears", [True, False])
@pytest.mark.parametrize("framework", ["torch", "paddle"])
def test_an_optimizer_that_was_not_handed_over_is_found(framework, clears, before):
    torch.manual_seed(0)
    paddle.seed(0)
    net = nn.Linear(4, 1) if framework == "torch" else paddle.nn.Linear(4, 1)

    def make():
        if framework == "torch":
            return torch.optim.SGD(net.parameters(), 1e-3)
        return paddle.optimizer.SGD(1e-3, parameters=net.parameters())

    optimizer = make() if before else None
    with parity.doctor(net) as d:
        optimizer = optimizer or make()
        for _ in range(5):
            x = torch.randn(8, 4) if framework == "torch" else paddle.randn([8, 4])
            loss = (net(x) ** 2).mean()
            if clears:
                optimizer.clear_grad() if framework == "paddle" else optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    diagnosis = d.diagnose()
    assert [found.id for found in diagnosis.findings] == ([] if clears else ["leftover-gradient"])
    assert diagnosis.iterations == 5


@pytest.mark.parametrize("kept", [True, False])
def test_a_layer_made_at_the_first_forward_alone_is_a_layer(kept):
    class Net(nn.Module):
        def forward(self, x):
            if not kept or not hasattr(self, "last"):
                self.last = nn.Linear(4, 1)
            return self.last(x)

    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 4), Net())
    optimizer = torch.optim.SGD(net.parameters(), 0.01)

    def step():
        loss = squares(net)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    first = watched(step, net, optimizer)[0]
    assert first.id == ("parameters-unheld" if kept else "parameter-made-in-forward")


@pytest.mark.parametrize(("norm", "severities"), [(True, ["warning"]), (False, ["error"])])
def test_the_range_of_an_input_is_no_error_before_a_norm(norm, severities):
    torch.manual_seed(0)
    between = [nn.BatchNorm2d(4)] if norm else []
    net = nn.Sequential(nn.Conv2d(3, 4, 3), *between, nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    optimizer = torch.optim.SGD(net.parameters(), 1e-6)

    def step():
        x = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (8, 3, 8, 8)).astype(np.float32)) + torch.rand(1)
        loss = F.cross_entropy(net(x), torch.arange(8) % 3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    found = [one for one in watched(step, net, optimizer) if one.id == "input-range"]
    assert [one.severity for one in found] == severities


@pytest.mark.parametrize("each_step", [True, False])
def test_a_warm_up_that_is_stepped_once_an_epoch(each_step):
    torch.manual_seed(0)
    paddle.seed(0)
    net = paddle.nn.Linear(4, 1)
    scheduler = paddle.optimizer.lr.NoamDecay(d_model=512, warmup_steps=4000)
    optimizer = paddle.optimizer.Adam(scheduler, parameters=net.parameters())
    with parity.doctor(net, optimizer) as d:
        for number in range(24):
            d.mark()
            loss = net(paddle.randn([8, 4])).square().mean()
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            if each_step or number % 8 == 7:
                scheduler.step()
    assert [found.id for found in d.findings] == ([] if each_step else ["scheduler-too-seldom"])


def test_a_step_that_is_named_and_not_called_is_the_line():
    net = one_layer()
    optimizer = torch.optim.SGD(net.parameters(), 0.01)

    def step():
        loss = squares(net)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step  # noqa: B018

    (found,) = watched(step, net, optimizer)
    assert found.id == "never-stepped" and line(found).startswith("optimizer.step")


@pytest.mark.parametrize("clears", [True, False])
def test_a_watch_without_a_block(clears):
    net = one_layer()
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    d = parity.doctor.start(net, optimizer)
    for _ in range(3):
        loss = squares(net)
        if clears:
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    d.stop()
    assert [found.id for found in d.findings] == ([] if clears else ["leftover-gradient"])
    assert "step" not in vars(optimizer)
