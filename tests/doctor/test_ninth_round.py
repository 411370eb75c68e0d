"""What the ninth blind round has shown: each fault with a healthy program that looks like it."""

from __future__ import annotations

import paddle
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from parity.doctor.finding import ERROR
from tests.doctor.rounds import found, line, script, trained


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    paddle.seed(0)


# --- what was called wrong, or not watched --------------------------------------------------------------------------------


@pytest.mark.parametrize("healthy", [True, False])
def test_a_loss_that_is_divided_by_its_own_value_is_the_same_number_and_still_trains(healthy):
    net, data = nn.Linear(4, 1), torch.randn(8, 4)

    def loss(net):
        value = net(data).square().mean()
        return value / value.detach() if healthy else value.sign()

    assert ("loss-constant" in trained(net, loss, 6)) is not healthy


@pytest.mark.parametrize("deep", [True, False])
def test_a_layer_by_itself_that_is_given_ones_is_a_bias(deep):
    rows = nn.Embedding(8, 4)
    bias = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)) if deep else nn.Linear(1, 1)
    optimizer = torch.optim.SGD([*rows.parameters(), *bias.parameters()], 0.1)

    def step():
        given = rows(torch.randint(0, 8, (6,))).sum(1, keepdim=True) + bias(torch.ones(6, 4 if deep else 1))
        optimizer.zero_grad()
        given.square().mean().backward()
        optimizer.step()

    assert ("input-constant" in found(step, [rows, bias], optimizer)) is deep


EVALUATED_FIRST = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(net.parameters(), 0.05)

    def evaluate():
        net.eval()
        with torch.{mode}():
            return net(torch.randn(16, 8)).argmax(1)

    for epoch in range(3):
        evaluate()
        {train}
        for number in range(8):
            x = torch.randn(16, 8)
            loss = nn.functional.cross_entropy(net(x), x[:, :3].argmax(1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
"""


@pytest.mark.parametrize("mode", ["no_grad", "enable_grad"])
@pytest.mark.parametrize("train", ["net.train()", "pass"])
def test_a_training_that_never_was_in_train_mode_is_watched(tmp_path, mode, train):
    said = script(tmp_path, EVALUATED_FIRST, mode=mode, train=train)
    assert ("eval-mode" in said) is (train == "pass")
    assert train == "pass" or not [one for one in said.values() if one.severity == ERROR]


def test_a_bias_before_a_norm_may_come_to_rest_after_its_first_step():
    net, data = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1)), 100 * torch.randn(16, 4) + 90
    assert "unchanged" not in trained(net, lambda net: (net(data) - data[:, :1] / 100).square().mean(), 6)


# --- gradients --------------------------------------------------------------------------------------------------------------


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad_output):
        x, = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad_output * (s + x * s * (1 - s))


class LoneSwish(Swish):
    @staticmethod
    def backward(ctx, grad_output):
        x, = ctx.saved_tensors
        s = torch.sigmoid(x)
        return s + x * s * (1 - s)


class Energy(torch.autograd.Function):
    """One number, a loss: the gradient that it is given is 1."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.square().sum() / 2

    @staticmethod
    def backward(ctx, grad_output):
        x, = ctx.saved_tensors
        return x


@pytest.mark.parametrize(("kind", "wrong"), [(Swish, False), (LoneSwish, True), (Energy, False)])
def test_a_backward_that_does_not_read_its_gradient(kind, wrong):
    net, data = nn.Linear(4, 3), torch.randn(8, 4)
    before = vars(torch.autograd.Function)["apply"]
    said = trained(net, lambda net: kind.apply(net(data)).square().mean())
    assert ("gradient-not-passed-on" in said) is wrong
    assert vars(torch.autograd.Function)["apply"] is before
    assert not wrong or line(said["gradient-not-passed-on"]) == "return s + x * s * (1 - s)"


class Doubled(paddle.autograd.PyLayer):
    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad


class LoneDoubled(paddle.autograd.PyLayer):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 2 * x

    @staticmethod
    def backward(ctx, grad):
        x, = ctx.saved_tensor()
        return 2 * paddle.ones_like(x)


@pytest.mark.parametrize("kind", [Doubled, LoneDoubled])
def test_a_backward_of_paddle_that_does_not_read_its_gradient(kind):
    net, data = paddle.nn.Linear(4, 3), paddle.randn([8, 4])
    optimizer = paddle.optimizer.SGD(0.01, parameters=net.parameters())

    def step():
        kind.apply(net(data)).square().mean().backward()
        optimizer.step()
        optimizer.clear_grad()

    assert ("gradient-not-passed-on" in found(step, net, optimizer)) is (kind is LoneDoubled)
    assert "apply" not in vars(paddle.autograd.PyLayer) or not hasattr(vars(paddle.autograd.PyLayer)["apply"], "__wrapped__")


@pytest.mark.parametrize("cut", [True, False])
def test_a_judge_whose_gradient_serves_nobody(cut):
    """The generator's loss on a sample without a graph: the discriminator's word is a constant to it."""
    maker, judge = nn.Linear(3, 4), nn.Linear(4, 1)
    makes, judges = torch.optim.SGD(maker.parameters(), 0.01), torch.optim.SGD(judge.parameters(), 0.01)

    def step():
        real, fake = torch.randn(8, 4) + 1, maker(torch.randn(8, 3))
        verdict = (judge(real) - 1).square().mean() + judge(fake.detach()).square().mean()
        judges.zero_grad()
        verdict.backward()
        judges.step()
        fooled = (judge(fake.detach() if cut else fake) - 1).square().mean() + 0.1 * fake.square().mean()
        makes.zero_grad()
        fooled.backward()
        makes.step()

    said = found(step, [maker, judge], [makes, judges])
    assert ("gradient-serves-nobody" in said) is cut
    assert not cut or "fooled =" in line(said["gradient-serves-nobody"])


@pytest.mark.parametrize("zero", [True, False])
def test_layers_that_all_start_at_zero(zero):
    net, data = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)), torch.randn(16, 4)
    for layer in (net[0], net[2], net[4]) if zero else (net[4],):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    said = trained(net, lambda net: F.cross_entropy(net(data), (data[:, 0] > 0.8).long()))
    assert ("units-alike" in said) is zero


# --- losses -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [-0.5, 0.5])
def test_a_divergence_with_the_wrong_sign(sign):
    net, data = nn.Linear(6, 4), torch.randn(16, 6)

    def loss(net):
        mu, logvar = net(data).chunk(2, 1)
        kld = sign * torch.mean(1 + logvar - mu.square() - logvar.exp())
        rec = (mu - data[:, :2]).square().mean()
        return rec + kld

    said = trained(net, loss)
    assert ("divergence-grows" in said) is (sign > 0)
    assert sign < 0 or line(said["divergence-grows"]).startswith("kld =")


@pytest.mark.parametrize("way", ["both", "detached", "pushed"])
def test_a_loss_that_only_draws_together(way):
    net, head = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4)), nn.Linear(4, 4)
    both, data = nn.ModuleList([net, head]), torch.randn(16, 6)

    def loss(both):
        one, other = head(net(data + 0.1 * torch.randn_like(data))), net(data + 0.1 * torch.randn_like(data))
        near = F.cosine_similarity(one, other.detach() if way == "detached" else other)
        apart = F.cosine_similarity(one, other.roll(1, 0)).clamp(min=0).mean() if way == "pushed" else 0.0
        return apart - near.mean()

    assert ("only-drawn-together" in trained(both, loss)) is (way == "both")


@pytest.mark.parametrize(("labels", "square"), [("zeros", True), ("arange", True), ("zeros", False)])
def test_one_label_for_all_pairs_of_a_batch(labels, square):
    """Of one positive before the others (MoCo) the label is 0, and the scores are no square."""
    net, data = nn.Linear(6, 4), torch.randn(8, 6)

    def loss(net):
        one, other = net(data + 0.1 * torch.randn_like(data)), net(data + 0.1 * torch.randn_like(data))
        scores = one @ other.t() if square else torch.cat([(one * other).sum(1, keepdim=True), one @ other.t()], 1)
        wanted = torch.zeros(8, dtype=torch.long) if labels == "zeros" else torch.arange(8)
        return F.cross_entropy(scores, wanted)

    said = trained(net, loss)
    assert ("labels-constant" in said) is (labels == "zeros" and square)
    assert "labels-constant" not in said or line(said["labels-constant"]).startswith("wanted =")


# --- shapes and positions -----------------------------------------------------------------------------------------------------


class Heads(nn.Module):
    def __init__(self, moved):
        super().__init__()
        self.moved, self.q = moved, nn.Linear(12, 12)

    def forward(self, x):
        q = self.q(x)
        q = q.reshape(len(x), 5, 3, 4).transpose(1, 2) if self.moved else q.reshape(len(x), 3, 5, 4)
        return (q @ q.transpose(2, 3)).softmax(-1) @ q


@pytest.mark.parametrize("moved", [True, False])
def test_heads_that_are_split_by_a_reshape_alone(moved):
    net, data = Heads(moved), torch.randn(6, 5, 12)
    said = trained(net, lambda net: net(data).square().mean())
    assert ("axes-renumbered" in said) is not moved


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb, self.out = nn.Embedding(9, 8), nn.Linear(8, 9)
        self.enc, self.dec = nn.GRU(8, 8, batch_first=True), nn.GRU(8, 8, batch_first=True)

    def forward(self, source, target):
        return self.out(self.dec(self.emb(target), self.enc(self.emb(source))[1])[0])


@pytest.mark.parametrize("shifted", [True, False])
def test_a_decoder_that_is_given_what_it_is_to_say(shifted):
    def loss(net):
        source = torch.randint(1, 9, (12, 6))
        target = source.flip(1)
        given = torch.cat([torch.zeros(12, 1, dtype=torch.long), target[:, :-1]], 1) if shifted else target
        return F.cross_entropy(net(source, given).flatten(0, 1), target.flatten())

    assert ("target-not-shifted" in trained(Translator(), loss)) is not shifted


class Codes(nn.Module):
    """A code book that is looked up by an index; straight through, or not."""

    def __init__(self, through):
        super().__init__()
        self.through, self.enc, self.code, self.dec = through, nn.Linear(6, 3), nn.Embedding(8, 3), nn.Linear(3, 6)

    def forward(self, x):
        z = self.enc(x)
        index = torch.cdist(z, self.code.weight).argmin(1)
        looked_up = self.code(index)
        vq = F.mse_loss(looked_up, z.detach()) + 0.25 * F.mse_loss(z, looked_up.detach())
        return self.dec(z + (looked_up - z).detach() if self.through else looked_up), vq


@pytest.mark.parametrize("through", [True, False])
def test_a_code_book_that_learns_by_another_loss(through):
    data = torch.randn(16, 6)

    def loss(net):
        out, vq = net(data)
        return F.mse_loss(out, data) + vq

    assert ("index-without-gradient" in trained(Codes(through), loss)) is not through


# --- learning rates -----------------------------------------------------------------------------------------------------------


SCHEDULED = """
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    x = torch.randn(60, 8)
    loader = DataLoader(TensorDataset(x, x[:, :3].argmax(1)), 4)
    scheduler = torch.optim.lr_scheduler.{scheduler}
    for epoch in range(4):
        for x, y in loader:
            loss = nn.functional.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            {batch}
        {epoch}
"""
STEP, PASS = "scheduler.step()", "pass"


@pytest.mark.parametrize(("scheduler", "batch", "epoch", "ids"), [
    ("MultiStepLR(optimizer, [3, 6, 9], 0.1)", STEP, PASS, {"scheduler-too-often"}),
    ("MultiStepLR(optimizer, [3, 6, 9], 0.1)", PASS, STEP, set()),
    ("MultiStepLR(optimizer, [16, 30, 45], 0.1)", STEP, PASS, set()),
    ("OneCycleLR(optimizer, 0.1, total_steps=60)", PASS, STEP, {"scheduler-too-seldom"}),
    ("OneCycleLR(optimizer, 0.1, total_steps=60)", STEP, PASS, set())])
def test_schedules_in_the_wrong_unit(tmp_path, scheduler, batch, epoch, ids):
    said = script(tmp_path, SCHEDULED, scheduler=scheduler, batch=batch, epoch=epoch)
    assert ids == said.keys() & {"scheduler-too-often", "scheduler-too-seldom"}


@pytest.mark.parametrize("lr", [0.3, 0.003])
def test_steps_that_come_back_to_guessing_are_too_large(lr):
    net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2))
    weights = torch.randn(8)

    def loss(net):
        data = torch.randn(32, 8)
        labels = torch.randint(0, 2, (32,)) if lr > 0.1 else (data @ weights > 0).long()
        return F.cross_entropy(net(data), labels)

    assert ("lr-too-large" in trained(net, loss, 22, lr, torch.optim.Adam)) is (lr > 0.1)


FITTED = """
    import numpy as np
    import paddle
    paddle.seed(0)
    net = paddle.nn.Linear(4, 2)
    scheduler = paddle.optimizer.lr.StepDecay(0.1, step_size=3)
    optimizer = paddle.optimizer.SGD(scheduler, parameters=net.parameters())
    x = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    data = paddle.io.TensorDataset([paddle.to_tensor(x), paddle.to_tensor((x[:, :1] > 0).astype("int64"))])
    model = paddle.Model(net)
    model.prepare(optimizer, paddle.nn.CrossEntropyLoss())
    {train}
"""
BY_HAND = """for x, y in paddle.io.DataLoader(data, batch_size=2):
        paddle.nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
        optimizer.clear_grad()"""


@pytest.mark.parametrize(("train", "stuck"), [
    ("model.fit(data, batch_size=2, epochs=1, verbose=0, callbacks=[paddle.callbacks.LRScheduler(by_step=False, by_epoch=True)])",
     False), (BY_HAND, True)])
def test_a_scheduler_that_fit_steps_by_epoch(tmp_path, train, stuck):
    assert ("scheduler-stuck" in script(tmp_path, FITTED, train=train)) is stuck


class Backwards(nn.Module):
    """Encoder and decoder in one, or what goes on from the encoder beside it."""

    def __init__(self):
        super().__init__()
        self.emb, self.rnn = nn.Embedding(9, 8), nn.GRU(8, 8, batch_first=True)

    def forward(self, source):
        return self.rnn(self.emb(source))[0]


@pytest.mark.parametrize("beside", [True, False])
def test_a_target_that_only_what_comes_after_has_to_give(beside):
    net, head = Backwards(), nn.Sequential(nn.Flatten(), nn.Linear(48, 54)) if beside else nn.Linear(8, 9)
    optimizer = torch.optim.SGD([*net.parameters(), *head.parameters()], 0.01)
    whole = net if beside else nn.Sequential(net, head)

    def step():
        source = torch.randint(1, 9, (12, 6))
        scores = head(net(source)).reshape(12, 6, 9) if beside else whole(source)
        optimizer.zero_grad()
        F.cross_entropy(scores.flatten(0, 1), source.flip(1).flatten()).backward()
        optimizer.step()

    assert ("target-out-of-sight" in found(step, [net, head] if beside else whole, optimizer)) is not beside


@pytest.mark.parametrize("early", [True, False])
def test_a_clip_before_the_gradients_are_unscaled_explains_that_it_is_tight(early):
    net, scaler = nn.Linear(4, 1), torch.amp.GradScaler("cpu", init_scale=2.0 ** 14)
    optimizer = torch.optim.SGD(net.parameters(), 0.05)

    def step():
        optimizer.zero_grad()
        scaler.scale(F.mse_loss(net(torch.randn(16, 4)), torch.ones(16, 1))).backward()
        if not early:
            scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(net.parameters(), 1.0 if early else 1e-5)
        scaler.step(optimizer)
        scaler.update()

    said = found(step, net, optimizer, 6)
    assert said.keys() == ({"clip-before-unscale"} if early else {"clip-too-tight"})
    assert not early or "clip-too-tight" in said["clip-before-unscale"].evidence


@pytest.mark.parametrize("how", ["alone", "with its graph", "attack", "drawn"])
def test_a_derivative_without_a_graph_in_a_residual(how):
    net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))

    def loss(net):
        t = torch.rand(12, 1, requires_grad=True)
        u = net(t)
        if how == "alone":
            du = torch.autograd.grad(u.sum(), t, retain_graph=True)[0]
        elif how == "with its graph":
            du = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
        elif how == "drawn":
            u = net((t + torch.autograd.grad(u.sum(), t)[0]).detach())
            du = 0.5 * u
        else:
            away = t + 0.01 * torch.randn_like(t)
            slope = torch.autograd.grad(net(away).sum(), away)[0]
            moved = away + 0.1 * slope
            return net(moved).square().mean()
        residual = du + 2 * u
        return residual.square().mean() + (net(torch.zeros(1, 1)) - 1).square().mean()

    said = trained(net, loss)
    assert ("term-without-graph" in said) is (how == "alone")
    assert how != "alone" or line(said["term-without-graph"]).startswith("du = torch.autograd.grad")


BOOTSTRAPPED = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    def build():
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    online, target = build(), build()
    optimizer = torch.optim.Adam(online.parameters(), 0.005)
    for number in range(22):
        s, a = torch.randn(16, 4), torch.randint(0, 2, (16, 1))
        with torch.no_grad():
            y = s[:, :1] + 0.9 * target(torch.randn(16, 4)).max(1, keepdim=True).values
        loss = (online(s).gather(1, a) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if number % 4 == 3:
            target.load_state_dict({loaded}.state_dict())
"""


@pytest.mark.parametrize("loaded", ["online", "target"])
def test_a_target_network_that_loads_itself(tmp_path, loaded):
    said = script(tmp_path, BOOTSTRAPPED, loaded=loaded)
    assert ("target-unsynchronised" in said) is (loaded == "target")
    assert loaded == "online" or "load_state_dict" in line(said["target-unsynchronised"])


@pytest.mark.parametrize("lent", [True, False])
def test_a_network_that_runs_with_weights_made_by_another_serves_it(lent):
    """A step ahead, by weights that another network gives; or what it says of a sample without a graph."""
    net, weigher = nn.Linear(3, 2), nn.Linear(1, 1)
    moves, weighs = torch.optim.SGD(net.parameters(), 0.01), torch.optim.SGD(weigher.parameters(), 0.01)

    def step():
        data, wanted = torch.randn(8, 3), torch.randint(0, 2, (8,))
        costs = F.cross_entropy(net(data), wanted, reduction="none")
        weights = weigher(costs.detach()[:, None]).sigmoid()
        own = dict(net.named_parameters())
        if lent:
            gradients = torch.autograd.grad((weights.squeeze(1) * costs).sum(), list(own.values()), create_graph=True)
            ahead = {name: p - 0.1 * g for (name, p), g in zip(own.items(), gradients, strict=True)}
            judged = F.cross_entropy(torch.func.functional_call(net, ahead, (data,)), wanted)
        else:
            judged = F.cross_entropy(net(data), wanted) + weights.mean()
        weighs.zero_grad()
        judged.backward()
        weighs.step()
        moves.zero_grad()
        F.cross_entropy(net(data), wanted).backward()
        moves.step()

    assert ("gradient-serves-nobody" in found(step, [net, weigher], [moves, weighs])) is not lent
