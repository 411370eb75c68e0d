"""What the seventh blind round has shown: each fault with a healthy program that looks like it."""

from __future__ import annotations

import textwrap

import paddle
import pytest
import torch
from paddle.nn import functional as PF
from torch import nn
from torch.nn import functional as F

import parity
from parity.doctor.script import diagnose_script
from tests.doctor.rounds import found, line


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


# --- closures, frozen parts, gradients that are rounding ------------------------------------------------------------------


@pytest.mark.parametrize("cleared", [True, False])
def test_a_closure_that_clears_nothing(cleared):
    net, x = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)), torch.linspace(0, 4, 32).unsqueeze(1)
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=4)

    def closure():
        if cleared:
            optimizer.zero_grad()
        loss = F.mse_loss(net(x), x.cos())
        loss.backward()
        return loss

    with parity.doctor(net, optimizer, most=3) as d:  # and goes on where the watch has seen enough
        for _ in range(6):
            optimizer.step(closure)
    assert d.seen.iterations == d.seen.steps == 3
    assert not cleared or {finding.id for finding in d.findings} <= {"full-batch"}
    assert cleared or (d.findings[0].id, line(d.findings[0])) == ("leftover-gradient", "loss.backward()")


@pytest.mark.parametrize(("frozen", "held"), [(True, True), (True, False), (False, False)])
def test_a_part_that_is_trained_later(frozen, held):
    body, head = nn.Sequential(nn.Linear(4, 8), nn.ReLU()), nn.Linear(8, 2)
    optimizer = torch.optim.SGD(head.parameters(), 0.01)
    body.requires_grad_(not frozen)

    def step():
        optimizer.zero_grad()
        head(body(torch.randn(8, 4))).square().mean().backward()
        optimizer.step()

    with parity.doctor(nn.Sequential(body, head), optimizer) as d:
        for _ in range(3):
            step()
    body.requires_grad_(True)  # the next phase
    other = torch.optim.SGD(body.parameters() if held else head.parameters(), 0.01)
    assert ("parameters-unheld" in {finding.id for finding in d.findings}) is not held, other


def test_a_pooler_that_never_runs_is_unusual_at_most():
    net = nn.ModuleDict({"pooler": nn.Linear(4, 4), "head": nn.Linear(4, 2)})
    optimizer = torch.optim.SGD(net.parameters(), 0.01)

    def step():
        optimizer.zero_grad()
        net["head"](torch.randn(8, 4)).square().mean().backward()
        optimizer.step()

    assert found(step, net, optimizer)["module-never-run"].severity == "warning"


@pytest.mark.parametrize("tiny", ["bias", "everything"])
def test_a_bias_whose_gradient_is_rounding_need_not_move(tiny):
    net, x = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)), torch.randn(512, 4)
    nn.init.constant_(net[0].bias, 0.5)
    optimizer = torch.optim.SGD(net.parameters(), 2e-3)
    if tiny == "everything":
        for p in net.parameters():
            p.register_hook(lambda gradient: gradient * 1e-12)

    def step():
        optimizer.zero_grad()
        F.cross_entropy(net(x), torch.arange(512) % 2).backward()
        optimizer.step()

    assert ("unchanged" in found(step, net, optimizer)) is (tiny == "everything")


# --- what losses are given ------------------------------------------------------------------------------------------------


def paddle_step(net, optimizer, loss):
    def step():
        loss(net).backward()
        optimizer.step()
        optimizer.clear_grad()
    return step


@pytest.mark.parametrize("shape", [[8], [8, 1]])
def test_square_error_cost_broadcasts_too(shape):
    net = paddle.nn.Linear(4, 1)
    optimizer = paddle.optimizer.SGD(0.01, parameters=net.parameters())
    step = paddle_step(net, optimizer, lambda net: PF.square_error_cost(net(paddle.randn([8, 4])), label=paddle.ones(shape)).mean())
    assert ("loss-broadcast" in found(step, net, optimizer)) is (len(shape) == 1)


def torch_step(net, optimizer, loss):
    def step():
        optimizer.zero_grad()
        loss(net).backward()
        optimizer.step()
    return step


def trained(net, loss, iterations=4, lr=0.01):
    return found(torch_step(net, optimizer := torch.optim.SGD(net.parameters(), lr), loss), net, optimizer, iterations)


@pytest.mark.parametrize(("labels", "ill"), [(3, True), (1, False)])
def test_a_softmax_for_labels_that_are_independent(labels, ill):
    net = nn.Sequential(nn.Linear(4, 6), nn.Softmax(1))
    target = torch.zeros(8, 6)
    target[:, :labels] = 1
    said = trained(net, lambda net: F.binary_cross_entropy(net(torch.randn(8, 4)), target))
    assert ("loss-input" in said) is ill and (not ill or "several or none" in said["loss-input"].message)


@pytest.mark.parametrize(("scale", "ill"), [(255, True), (1, False), (0, False)])
def test_masks_that_are_divided_twice(scale, ill):
    def loss(net):
        mask = (torch.rand(8, 3) > 0.5).float()
        return F.binary_cross_entropy_with_logits(net(torch.randn(8, 4)), mask / scale if scale else mask * 0)

    assert ("target-tiny" in trained(nn.Linear(4, 3), loss)) is ill


@pytest.mark.parametrize("positive", [True, False])
def test_targets_below_a_relu(positive):
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1), nn.ReLU())

    def loss(net):
        target = torch.randn(32, 1)
        return F.mse_loss(net(torch.randn(32, 4)), target.abs() if positive else target)

    assert ("target-out-of-reach" in trained(net, loss)) is not positive


@pytest.mark.parametrize("moved", [True, False])
def test_rows_of_classes_whose_axis_was_not_moved(moved):
    net = nn.Conv2d(1, 3, 1)

    def loss(net):
        scores = net(torch.randn(2, 1, 4, 5))
        scores = scores.permute(0, 2, 3, 1) if moved else scores
        rows = scores.reshape(-1, 3)
        return F.cross_entropy(rows, torch.arange(40) % 3)

    said = trained(net, loss)
    assert ("axes-renumbered" in said) is not moved and (moved or line(said["axes-renumbered"]).startswith("rows ="))


# --- layers ---------------------------------------------------------------------------------------------------------------


def constant(layer, value):
    nn.init.constant_(layer.weight, value)
    nn.init.zeros_(layer.bias)
    return layer


@pytest.mark.parametrize(("value", "ill"), [(0.05, True), (0.0, False), (None, False)])
def test_units_that_are_all_alike(value, ill):
    """A last layer may begin at 0: its units get different gradients."""
    hidden, last = nn.Linear(4, 8), nn.Linear(8, 3)
    if value is not None:
        constant(last, value)
    if value:
        constant(hidden, value)
    net = nn.Sequential(hidden, nn.Tanh(), last)
    said = trained(net, lambda net: F.cross_entropy(net(torch.randn(12, 4)), torch.arange(12) % 3))
    assert ("units-alike" in said) is ill and (not ill or ".0 " in said["units-alike"].message)


@pytest.mark.parametrize(("momentum", "ill"), [(0.1, True), (0.9, False)])
def test_a_momentum_of_torch_in_paddle(momentum, ill):
    net = paddle.nn.Sequential(paddle.nn.Linear(4, 4), paddle.nn.BatchNorm1D(4, momentum=momentum))
    optimizer = paddle.optimizer.SGD(0.01, parameters=net.parameters())
    step = paddle_step(net, optimizer, lambda net: net(paddle.randn([8, 4])).square().mean())
    assert ("momentum-of-torch" in found(step, net, optimizer)) is ill


class Dropping(nn.Module):
    def __init__(self, told):
        super().__init__()
        self.layer, self.told = nn.Linear(4, 2), told

    def forward(self, x):
        h = self.layer(x)
        return F.dropout(h, 0.5, training=self.training) if self.told else F.dropout(h, 0.5)


@pytest.mark.parametrize("told", [True, False])
def test_a_dropout_that_knows_no_mode(told):
    def evaluated(net):
        net.eval()(torch.randn(8, 4))
        return net.train()(torch.randn(8, 4)).square().mean()

    assert ("dropout-always" in trained(Dropping(told), evaluated)) is not told
    assert "dropout-always" not in trained(Dropping(told), lambda net: net(torch.randn(8, 4)).square().mean())


# --- steps ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "lr", "ill"), [(1e-5, 0.05, True), (1e-5, 1e3, False), (1.0, 0.05, False)])
def test_a_clip_that_takes_all(limit, lr, ill):
    """A gradient brought to one size is no fault where the learning rate is made for it."""
    net = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr)

    def step():
        optimizer.zero_grad()
        F.mse_loss(net(torch.randn(16, 4)), torch.ones(16, 1)).backward()
        nn.utils.clip_grad_norm_(net.parameters(), limit)
        optimizer.step()

    said = found(step, net, optimizer, iterations=6)
    assert ("clip-too-tight" in said) is ill and (not ill or "clip_grad_norm_" in line(said["clip-too-tight"]))


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_a_clip_of_paddles(kind):
    net = paddle.nn.Linear(4, 1)
    clip = paddle.nn.ClipGradByGlobalNorm(1e-5)
    optimizer = getattr(paddle.optimizer, kind)(0.01, parameters=net.parameters(), grad_clip=clip)
    step = paddle_step(net, optimizer, lambda net: (net(paddle.randn([8, 4])) - 1).square().mean())
    assert ("clip-too-tight" in found(step, net, optimizer, iterations=6)) is (kind == "SGD")


@pytest.mark.parametrize(("schedule", "ill"), [
    (lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 3, 0.5), True),
    (lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 20, 0.5), False),
    (lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10), True),
    (lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40), False)])
def test_a_schedule_in_epochs_that_is_stepped_by_batch(schedule, ill):
    net = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    scheduler = schedule(optimizer)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(160, 4)), batch_size=4, shuffle=True)
    with parity.doctor(net, optimizer, most=6) as d:
        for (x,) in loader:
            optimizer.zero_grad()
            net(x).square().mean().backward()
            optimizer.step()
            scheduler.step()
    assert ("scheduler-too-often" in {finding.id for finding in d.findings}) is ill


# --- networks beside one another ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "ill"), [("never", True), ("at first", False), ("slowly", False), ("a teacher", False)])
def test_a_target_network(how, ill):
    net, target = nn.Linear(4, 2), nn.Linear(4, 2)
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    if how == "at first":  # not by load_state_dict: a line of the file that says so may come to act later, and nothing is said
        with torch.no_grad():
            for one, other in zip(target.parameters(), net.parameters(), strict=True):
                one.copy_(other)

    def step():
        x = torch.randn(8, 4)
        with torch.no_grad():
            wanted = target(x if how == "a teacher" else torch.randn(8, 4)).max(1)[0]
        optimizer.zero_grad()
        F.mse_loss(net(x)[:, 0], wanted).backward()
        optimizer.step()
        if how == "slowly":
            with torch.no_grad():
                for one, other in zip(target.parameters(), net.parameters(), strict=True):
                    one.lerp_(other, 0.01)

    assert ("target-unsynchronised" in found(step, net, optimizer, iterations=6)) is ill


@pytest.mark.parametrize(("views", "drops", "ill"), [("one", False, True), ("two", False, False), ("one", True, False)])
def test_two_views_that_are_one(views, drops, ill):
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1)) if drops else nn.Linear(4, 4)

    def loss(net):
        one = torch.randn(8, 4)
        other = torch.randn(8, 4) if views == "two" else one
        z = F.normalize(net(torch.cat([one, other])), dim=1)
        return F.cross_entropy(z[:8] @ z[8:].T, torch.arange(8))

    assert ("views-alike" in trained(net, loss)) is ill


# --- beside and after what is watched -------------------------------------------------------------------------------------


def script(tmp_path, text):
    """id -> finding, of a script of 25 iterations."""
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(text))
    return {finding.id: finding for finding in diagnose_script(str(path)).diagnosis.findings}


AVERAGED = """
    import copy, torch
    from torch import nn
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
    average = copy.deepcopy(net).eval().requires_grad_(False)
    optimizer = torch.optim.SGD(net.parameters(), 0.05)
    for number in range(25):
        x = torch.randn(16, 4) + 1
        loss = (net(x) - x[:, :1]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for one, other in zip(average.{what}, net.{what}):
                one.copy_(one * 0.9 + other * 0.1 if one.is_floating_point() else other)
    with torch.no_grad():
        average(torch.randn(64, 4){scale})
"""


@pytest.mark.parametrize(("what", "ill"), [("parameters()", True), ("state_dict().values()", False)])
def test_an_average_without_the_statistics(tmp_path, what, ill):
    said = script(tmp_path, AVERAGED.format(what=what, scale=""))
    assert list(said) == ["statistics-unmoved"] * ill
    assert not ill or "average.1 runs in eval mode" in said["statistics-unmoved"].message


@pytest.mark.parametrize(("scale", "ill"), [(" * 1000", True), (" * 3", False)])
def test_an_evaluation_without_the_scaler(tmp_path, scale, ill):
    text = AVERAGED.format(what="state_dict().values()", scale=scale).replace("average(", "net.eval()(")
    assert list(script(tmp_path, text)) == ["evaluation-scale"] * ill


@pytest.mark.parametrize("told", [True, False])
def test_a_dropout_in_a_late_evaluation(tmp_path, told):
    said = script(tmp_path, f"""
        import torch
        from torch import nn
        from torch.nn import functional as F

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(4, 1)

            def forward(self, x):
                return self.layer(F.dropout(x, 0.5{", training=self.training" if told else ""}))

        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), 0.01)
        for number in range(22):
            optimizer.zero_grad()
            (net(torch.randn(8, 4)) - 1).square().mean().backward()
            optimizer.step()
        net.eval()(torch.randn(8, 4))
        """)
    assert ("dropout-always" in said) is not told


@pytest.mark.parametrize("again", [True, False])
def test_gradients_that_stay_switched_off(tmp_path, again):
    said = script(tmp_path, f"""
        import paddle
        paddle.seed(0)
        net = paddle.nn.Linear(4, 1)
        optimizer = paddle.optimizer.SGD(0.01, parameters=net.parameters())
        for number in range(25):
            loss = (net(paddle.randn([8, 4])) - 1).square().mean()
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
            if number == 21:
                paddle.set_grad_enabled(False)
                net(paddle.randn([8, 4]))
                {"paddle.framework.set_grad_enabled(True).__enter__()" if again else ""}
        """)
    paddle.set_grad_enabled(True)
    assert list(said) == ["loss-without-graph"] * (not again)
    assert again or line(said["loss-without-graph"]) == "paddle.set_grad_enabled(False)"


# --- places ---------------------------------------------------------------------------------------------------------------


def test_batches_of_one_class_are_placed_where_the_loader_is_made():
    net, y = nn.Linear(4, 4), torch.arange(4).repeat_interleave(8)
    data = torch.utils.data.TensorDataset(torch.randn(32, 4), y)
    made = torch.utils.data.DataLoader(data, 8)
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    with parity.doctor(net, optimizer) as d:
        for x, labels in made:
            loss = F.cross_entropy(net(x), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    (sorted_,) = (finding for finding in d.findings if finding.id == "labels-sorted")
    assert line(sorted_).startswith("made =")


def test_a_network_that_nobody_holds_is_placed_where_another_is_held_twice(tmp_path):
    said = script(tmp_path, """
        import torch
        from torch import nn
        torch.manual_seed(0)
        one, other = nn.Linear(4, 4), nn.Linear(4, 1)
        first = torch.optim.SGD(other.parameters(), 0.01)
        second = torch.optim.SGD(other.parameters(), 0.01)
        for number in range(4):
            for optimizer in (first, second):
                optimizer.zero_grad()
                other(one(torch.randn(8, 4))).square().mean().backward()
                optimizer.step()
        """)
    assert line(said["network-unheld"]).startswith("second =")


def test_what_was_replaced_is_placed_at_the_optimizer_that_steps(tmp_path):
    said = script(tmp_path, """
        import torch
        from torch import nn
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3))

        def fit(optimizer):
            for number in range(22):
                optimizer.zero_grad()
                net(torch.randn(8, 4)).square().mean().backward()
                optimizer.step()

        before = torch.optim.SGD(net.parameters(), 0.01)
        fit(before)
        net[0].requires_grad_(False)
        after = torch.optim.SGD(net.parameters(), 0.01)
        net[1] = nn.Linear(4, 2)
        fit(after)
        """)
    assert said["network-unheld"].site is not None and line(said["network-unheld"]).startswith("after =")
