"""What the eighth blind round has shown: each fault with a healthy program that looks like it."""

from __future__ import annotations

import paddle
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import parity
from parity.doctor.finding import ERROR
from tests.doctor.rounds import found, line, script, trained


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
    paddle.seed(0)


# --- what becomes of a program once it has been watched -------------------------------------------------------------------


REPLACED = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))

    class Adapted(nn.Module):
        def __init__(self, base):
            super().__init__()
            self.base = base.requires_grad_(False)
            self.down, self.up = nn.Linear(8, 2), nn.Linear(2, 8)
        def forward(self, x):
            return self.base(x) + self.up(self.down(x))

    def fit(optimizer):
        for number in range(25):
            x = torch.randn(16, 8)
            loss = nn.functional.cross_entropy(net(x), x[:, :3].argmax(1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    optimizer = torch.optim.SGD(net.parameters(), 0.05)
    fit(optimizer)
    net[0] = Adapted(net[0])
    fit({optimizer})
    net[0] = net[0].base  # merged: what was watched is there no more
"""


@pytest.mark.parametrize(("optimizer", "ids"), [
    ("torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 0.05)", set()),
    ("torch.optim.SGD(net[2].parameters(), 0.05)", {"parameters-unheld"}),
    ("optimizer", {"parameters-unheld"})])
def test_layers_that_are_replaced_when_the_watch_is_over(tmp_path, optimizer, ids):
    said = script(tmp_path, REPLACED, optimizer=optimizer)
    assert ids <= said.keys()
    assert ids or not said


LOW = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
    for dtype in (torch.float32, {dtype}):
        net = net.to(dtype)
        optimizer = torch.optim.Adam(net.parameters(), {lr})
        for number in range(25):
            x = torch.randn(16, 8)
            loss = (net(x.to(dtype)) - x[:, :1]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
"""


@pytest.mark.parametrize(("dtype", "lr", "ill"), [
    ("torch.bfloat16", 2e-5, True), ("torch.float32", 2e-5, False), ("torch.bfloat16", 0.02, False)])
def test_weights_that_stay_as_they_are_in_half_precision(tmp_path, dtype, lr, ill):
    said = script(tmp_path, LOW, dtype=dtype, lr=lr)
    assert ("updates-rounded-away" in said) is ill
    assert not ill or "unchanged" not in said


ASLEEP = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(net.parameters(), 0.05)
    net.train()
    for epoch in range(3):
        {train}
        for number in range(21):
            x = torch.randn(16, 4)
            loss = (net(x) - x[:, :1]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        net.eval()
        x = torch.randn(16, 4, requires_grad=True)
        net(x).sum().backward()  # a saliency map: a backward in eval mode that trains nothing
"""


@pytest.mark.parametrize(("train", "ill"), [("pass", True), ("net.train()", False)])
def test_a_network_that_an_evaluation_leaves_in_eval_mode(tmp_path, train, ill):
    said = script(tmp_path, ASLEEP, train=train)
    assert ("eval-mode" in said) is ill
    assert not ill or line(said["eval-mode"]) == "net.eval()"


COPIED = """
    import copy, torch
    from torch import nn
    torch.manual_seed(0)
    online = nn.Linear(4, 2)
    target = copy.deepcopy(online)
    optimizer = torch.optim.SGD(online.parameters(), 0.05)
    for number in range(40):
        x = torch.randn(16, 4)
        with torch.no_grad():
            wanted = x[:, :2] + 0.5 * target(x)
        loss = (online(x) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if number % 10 == 9:
            {one}.load_state_dict({other}.state_dict())
"""


@pytest.mark.parametrize(("one", "other", "ill"), [("online", "target", True), ("target", "online", False)])
def test_a_target_network_that_overwrites_the_trained_one(tmp_path, one, other, ill):
    said = script(tmp_path, COPIED, one=one, other=other)
    assert ("training-thrown-away" in said) is ill


SCHEDULED = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    net = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), 0.05)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10, gamma={gamma})
    for epoch in range(10):
        for number in range(30):
            x = torch.randn(16, 4)
            loss = (net(x) - x[:, :2]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            {inside}
        {outside}
"""


@pytest.mark.parametrize(("gamma", "inside", "outside", "ill"), [
    (0.3, "scheduler.step()", "pass", True), (0.9, "scheduler.step()", "pass", False), (0.3, "pass", "scheduler.step()", False)])
def test_a_schedule_that_is_through_before_half_of_the_training(tmp_path, gamma, inside, outside, ill):
    said = script(tmp_path, SCHEDULED, gamma=gamma, inside=inside, outside=outside)
    assert said.keys() == ({"scheduler-too-often"} if ill else set())  # nor is one idle that is stepped once an epoch
    assert not ill or line(said["scheduler-too-often"]) == "scheduler.step()"


ANEW = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    for {loop} in range(3):
        net = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(net.parameters(), 0.05)
        for number in range(8):
            x = torch.randn(16, 4)
            loss = (net(x) - x[:, :2]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
"""


@pytest.mark.parametrize(("loop", "ill"), [("epoch", True), ("fold", False)])
def test_a_network_that_is_made_in_each_epoch(tmp_path, loop, ill):
    assert ("made-each-epoch" in script(tmp_path, ANEW, loop=loop)) is ill


FROZEN = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    body, head = nn.Linear(4, 8), nn.Linear(8, 2)
    for {p} in body.parameters():
        {p}.{name} = False
    optimizer = torch.optim.SGD(head.parameters(), 0.05)
    for number in range(4):
        optimizer.zero_grad()
        head(torch.relu(body(torch.randn(8, 4)))).square().mean().backward()
        optimizer.step()
"""


@pytest.mark.parametrize(("p", "name", "ill"), [
    ("p", "require_grad", True), ("p", "requires_grad", False), ("p", "is_shared", False), ("self", "require_grad", False)])
def test_an_attribute_that_is_misspelt(tmp_path, p, name, ill):
    assert ("attribute-misspelt" in script(tmp_path, FROZEN, p=p, name=name)) is ill


# --- steps and schedules --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "ill"), [(0.0, False), (1e-3, True)])
def test_what_starts_at_0_has_no_size_to_be_moved_by(value, ill):
    net = nn.Linear(8, 3)
    nn.init.constant_(net.weight, value)
    nn.init.constant_(net.bias, value)
    said = trained(net, lambda net: F.cross_entropy(net(torch.randn(16, 8)), torch.randint(3, (16,))), lr=8.0, iterations=6)
    assert ("lr-too-large" in said) is ill


@pytest.mark.parametrize(("layers", "ill"), [(1, False), (2, True)])
def test_large_inputs_of_a_single_layer_that_learns(layers, ill):
    net = nn.Linear(2, 1) if layers == 1 else nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))

    def loss(net):
        x = torch.rand(16, 2) * 1000 + 100
        return F.mse_loss(net(x), x.sum(1, keepdim=True))

    assert ("input-range" in trained(net, loss, lr=1e-7, iterations=12)) is ill


# --- losses ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("added", [False, True])
def test_a_loss_that_is_bound_anew(added):
    heads = nn.ModuleList([nn.Linear(4, 2), nn.Linear(4, 2)])
    optimizer = torch.optim.SGD(heads.parameters(), 0.01)

    def step():
        x, total = torch.randn(8, 4), torch.zeros(())
        for head in heads:
            loss = head(x).square().mean()
            if added:
                total = total + loss
        optimizer.zero_grad()
        (total if added else loss).backward()
        optimizer.step()

    said = found(step, heads, optimizer)
    assert ("loss-overwritten" in said) is not added
    if not added:
        first = next(iter(said.values()))
        assert (first.id, first.severity, line(first)) == ("loss-overwritten", ERROR, "loss = head(x).square().mean()")
        assert "parameters-without-gradient" not in said


def test_a_part_of_the_loss_that_is_kept_for_the_log():
    net = nn.Linear(4, 2)

    def parts():
        part = net(torch.randn(8, 4)).square().mean()
        return part * 2, part

    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    with parity.doctor(net, optimizer) as d:
        for _ in range(4):
            loss, part = parts()  # noqa: RUF059 - as it is kept for a log
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert "loss-overwritten" not in {finding.id for finding in d.findings}


@pytest.mark.parametrize("detached", [False, True])
def test_a_ratio_of_a_probability_and_the_same_again(detached):
    def loss(net):
        x = torch.randn(8, 4)
        new, old = net(x).log_softmax(1), net(x).log_softmax(1)
        ratio = torch.exp(new - (old.detach() if detached else old))
        return -ratio.mean()

    assert ("difference-cancels" in trained(nn.Linear(4, 3), loss)) is not detached


@pytest.mark.parametrize(("made", "softened", "ill"), [(1.0, 1.0, True), (0.0, 1.0, False), (0.0, 0.9, False)])
def test_a_discriminator_that_is_told_one_label(made, softened, ill):
    D, G = nn.Linear(4, 1), nn.Linear(2, 4)
    of_d, of_g = torch.optim.SGD(D.parameters(), 0.01), torch.optim.SGD(G.parameters(), 0.01)
    criterion = nn.BCEWithLogitsLoss()

    def step():
        fake = G(torch.randn(8, 2))
        of_d.zero_grad()
        (criterion(D(torch.randn(8, 4)), torch.full((8, 1), softened)) + criterion(D(fake.detach()), torch.full((8, 1), made))
         ).backward()
        of_d.step()
        of_g.zero_grad()
        criterion(D(fake), torch.ones(8, 1)).backward()
        of_g.step()

    assert ("verdict-constant" in found(step, [D, G], [of_d, of_g], iterations=6)) is ill


@pytest.mark.parametrize("constant", [False, True])
def test_a_loss_of_one_label_may_stay_at_ln_2(constant):
    net = nn.Linear(4, 1)

    def loss(net):
        err = F.binary_cross_entropy_with_logits(net(torch.randn(64, 4)) * 0.01, torch.zeros(64, 1) if constant
                                                 else torch.randint(2, (64, 1)).float())
        return err

    assert ("loss-at-chance" in trained(net, loss, iterations=25, lr=20)) is not constant


@pytest.mark.parametrize("late", [False, True])
def test_a_target_that_is_drawn_after_the_network_has_run(late):
    def loss(net):
        x, noise = torch.randn(8, 4), torch.randn(8, 4)
        given = net(x + noise)
        return F.mse_loss(given, torch.randn_like(x) if late else noise)

    assert ("target-drawn-late" in trained(nn.Linear(4, 4), loss)) is late


@pytest.mark.parametrize("how", ["sample", "rsample", "log_prob"])
def test_a_draw_without_a_gradient(how):
    nets = nn.ModuleDict({"encoder": nn.Linear(4, 2), "decoder": nn.Linear(2, 4)})
    optimizer = torch.optim.SGD(nets.parameters(), 0.01)

    def step():
        x = torch.randn(8, 4)
        q = torch.distributions.Normal(nets["encoder"](x), 1.0)
        z = q.rsample() if how == "rsample" else q.sample()
        loss = (nets["decoder"](z) - x).square().mean() + q.mean.square().mean()
        if how == "log_prob":
            loss = loss + (q.log_prob(z).sum(1) * loss.detach()).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    assert ("draw-without-gradient" in found(step, dict(nets.items()), optimizer)) is (how == "sample")


@pytest.mark.parametrize(("ignored", "ill"), [(2, True), (0, False)])
def test_a_loss_that_ignores_the_end_and_not_the_padding(ignored, ill):
    net = nn.Sequential(nn.Embedding(8, 8), nn.Linear(8, 8))

    def loss(net):
        lengths = torch.randint(2, 5, (16, 1))
        words, at = torch.randint(3, 8, (16, 6)), torch.arange(6)
        words = torch.where(at < lengths, words, torch.where(at == lengths, 2, 0))  # 2: the end, 0: padding behind it
        return F.cross_entropy(net(words).reshape(-1, 8), words.reshape(-1), ignore_index=ignored)

    assert ("class-without-gradient" in trained(net, loss)) is ill


# --- networks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("axis", "ill"), [(1, True), (2, False)])
def test_a_softmax_of_one(axis, ill):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.query, self.key = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            scores = self.query(x[:, :1]) @ self.key(x).transpose(1, 2)
            return F.softmax(scores, dim=axis) @ x

    said = trained(Net(), lambda net: net(torch.randn(8, 5, 4)).square().mean())
    assert ("softmax-of-one" in said) is ill
    assert "gradient-zero" not in said


@pytest.mark.parametrize(("padding", "ill"), [(0, True), (7, False)])
def test_padding_that_stands_between_others(padding, ill):
    net = nn.Sequential(nn.Embedding(8, 4, padding_idx=padding), nn.Flatten(), nn.Linear(40, 1))

    def loss(net):
        ids = torch.randint(0, 7, (16, 10))
        ids[:, 8:] = 7
        return net(ids).square().mean()

    assert ("padding-inside" in trained(net, loss)) is ill


class Placed(nn.Module):
    def __init__(self, axis):
        super().__init__()
        self.axis = axis
        self.table, self.body = nn.Parameter(torch.randn(16, 4)), nn.Linear(4, 2)

    def forward(self, x):
        places = self.table[:x.size(self.axis)]
        x = x + (places[:, None] if self.axis == 0 else places)
        return self.body(torch.tanh(x)).mean(1)


@pytest.mark.parametrize(("axis", "ill"), [(0, True), (1, False)])
def test_positions_along_the_batch(axis, ill):
    said = trained(Placed(axis), lambda net: net(torch.randn(8, 5, 4)).square().mean())
    assert ("place-in-batch" in said) is ill
    assert not ill or line(said["place-in-batch"]).startswith("places = ")


def test_rows_of_the_whole_data_may_have_parameters_of_their_own():
    x = torch.randn(8, 5, 4)
    assert "place-in-batch" not in trained(Placed(0), lambda net: net(x).square().mean())


def test_a_state_whose_rows_lie_along_its_second_axis():
    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.gru, self.head = nn.GRU(4, 6, batch_first=True), nn.Linear(6, 2)

        def forward(self, x, state):
            return self.head(self.gru(x, state)[0]).transpose(0, 1).transpose(0, 1)

    assert not trained(Decoder(), lambda net: net(torch.randn(8, 5, 4), torch.randn(1, 8, 6)).square().mean())


def test_noise_that_is_drawn_for_each_row_is_no_place():
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Linear(4, 2)

        def forward(self, x):
            return self.body(x + torch.randn_like(x)).view(len(x), 2)

    assert not trained(Noisy(), lambda net: net(torch.randn(8, 4)).square().mean())


@pytest.mark.parametrize(("axis", "ill"), [(0, True), (1, False)])
def test_a_norm_over_the_batch(axis, ill):
    class Unit(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Linear(4, 6)

        def forward(self, x):
            return F.normalize(self.body(x), dim=0) if axis == 0 else F.normalize(self.body(x), dim=1)

    assert ("rows-mixed" in trained(Unit(), lambda net: (net(torch.randn(8, 4)) - 1).square().mean())) is ill


@pytest.mark.parametrize("batch_first", [False, True])
def test_an_attention_over_the_batch_that_the_output_does_not_show(batch_first):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(8, 8)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=batch_first)
            self.head = nn.Linear(8, 3)

        def forward(self, ids):
            h = self.words(ids)
            return self.head(self.attention(h, h, h)[0][:, 0])  # what stands first is the same in all rows

    def loss(net):
        ids = torch.randint(1, 8, (16, 5))
        ids[:, 0] = 0
        return F.cross_entropy(net(ids), torch.randint(3, (16,)))

    assert ("rows-mixed" in trained(Net(), loss)) is not batch_first


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_scatter_that_keeps_the_last(overwrite):
    net = paddle.nn.Linear(3, 3)
    optimizer = paddle.optimizer.SGD(0.01, parameters=net.parameters())

    def step():
        sent = net(paddle.randn([6, 3]))
        got = paddle.scatter(paddle.zeros([4, 3]), paddle.to_tensor([0, 1, 1, 2, 3, 3]), sent, overwrite=overwrite)
        got.square().mean().backward()
        optimizer.step()
        optimizer.clear_grad()

    assert ("scatter-overwrites" in found(step, net, optimizer)) is overwrite


@pytest.mark.parametrize("given", [True, False])
def test_rows_that_are_brought_together_by_indices(given):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Linear(4, 2)

        def forward(self, x, target=None):
            target = torch.arange(len(x)).roll(1) if target is None else target
            return torch.zeros(len(x), 2).index_add(0, target, self.body(x))

    said = trained(Net(), lambda net: (net(torch.randn(8, 4), *[torch.randint(8, (8,))] * given) - 1).square().mean())
    assert ("rows-mixed" in said) is not given


@pytest.mark.parametrize("through", [False, True])
def test_a_rounding_without_a_way_through(through):
    def rounded(w):
        q = torch.round(w * 8) / 8
        return w + (q - w).detach() if through else q

    class Quantised(nn.Linear):
        def forward(self, x):
            return F.linear(x, rounded(self.weight), self.bias)

    said = trained(Quantised(4, 2), lambda net: net(torch.randn(8, 4)).square().mean())
    assert ("gradient-zero" in said) is not through
    assert through or line(said["gradient-zero"]).startswith("q = torch.round")


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_factors_that_both_start_at_0(value):
    class LowRank(nn.Module):
        def __init__(self):
            super().__init__()
            self.down = nn.Parameter(torch.full((2, 4), value))
            self.up = nn.Parameter(torch.zeros(3, 2))

        def forward(self, x):
            return x @ self.down.T @ self.up.T

    said = trained(LowRank(), lambda net: (net(torch.randn(8, 4)) - 1).square().mean(), kind=torch.optim.Adam)
    assert ("gradient-zero" in said) is (value == 0)
    assert value or line(said["gradient-zero"]).startswith("self.down")


@pytest.mark.parametrize("framework", ["torch", "paddle"])
@pytest.mark.parametrize(("every", "ill"), [(1, True), (3, False), (9, False)])
def test_a_state_that_is_detached_at_every_step(framework, every, ill):
    nn_ = nn if framework == "torch" else paddle.nn

    class Recurrent(nn_.Module if framework == "torch" else nn_.Layer):
        def __init__(self):
            super().__init__()
            self.cell, self.head = nn_.Linear(6, 4), nn_.Linear(4, 1)

        def forward(self, x):
            h = x[:, 0, :1].tile([1, 4]) * 0
            for t in range(x.shape[1]):
                h = h.detach() if t % every == 0 else h
                h = self.cell(torch.cat([x[:, t], h], 1) if framework == "torch" else paddle.concat([x[:, t], h], 1)).tanh()
            return self.head(h)

    net = Recurrent()
    kind = torch.optim.SGD(net.parameters(), 0.01) if framework == "torch" else paddle.optimizer.SGD(0.01, net.parameters())

    def step():
        (net(torch.randn(8, 8, 2) if framework == "torch" else paddle.randn([8, 8, 2])) ** 2).mean().backward()
        kind.step()
        (kind.zero_grad if framework == "torch" else kind.clear_grad)()

    said = found(step, net, kind)
    assert ("graph-cut" in said) is ill
    assert not ill or line(said["graph-cut"]).startswith("h = h.detach()")


@pytest.mark.parametrize("detached", [False, True])
def test_a_teacher_that_learns_from_its_student(detached):
    teacher, student = nn.Linear(4, 3), nn.Linear(4, 3)
    optimizer = torch.optim.SGD([*teacher.parameters(), *student.parameters()], 0.01)

    def step():
        x = torch.randn(8, 4)
        wanted = teacher(x).detach() if detached else teacher(x)
        loss = F.kl_div(F.log_softmax(student(x), 1), F.softmax(wanted, 1),
                        reduction="batchmean") + F.cross_entropy(teacher(x), x.argmax(1) % 3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    said = found(step, [teacher, student], optimizer)
    assert ("target-with-graph" in said) is not detached
    assert detached or line(said["target-with-graph"]).startswith("wanted = teacher(x)")


@pytest.mark.parametrize(("factor", "ill"), [(0.07, True), (1 / 0.07, False), (1.0, False)])
def test_cosines_that_are_too_flat(factor, ill):
    class Towers(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.other = nn.Linear(4, 8), nn.Linear(4, 8)

        def forward(self, x):
            cosines = F.normalize(self.one(x), dim=1) @ F.normalize(self.other(x), dim=1).T
            return cosines * factor

    said = trained(Towers(), lambda net: F.cross_entropy(net(torch.randn(9, 4)), torch.arange(9)))
    assert ("cosines-flat" in said) is ill
    assert "place-in-batch" not in said  # all rows to all: where they move, columns do
    assert not ill or line(said["cosines-flat"]) == "return cosines * factor"
