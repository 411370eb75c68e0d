"""Single checks that no program of the exam reaches, each with its healthy twin."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

import parity
from parity.doctor import places
from parity.doctor.arrays import checksum
from parity.files import InputError
from parity.trace.source import SourceTree
from tests.doctor.trainings import ids, training_of


@pytest.mark.parametrize(("scale", "ids"), [(1e-9, {"fp16-underflow"}), (1.0, set())])
def test_float16_underflow(scale, ids):
    torch.manual_seed(0)
    net = torch.nn.Linear(16, 4).half()
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    with parity.doctor(net, optimizer) as d:
        for _ in range(2):
            x = torch.randn(8, 16).half()
            loss = net(x).float().square().mean() * scale
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert {found.id for found in d.findings} & {"fp16-underflow"} == ids


@pytest.mark.parametrize("moving", [True, False])
def test_running_statistics_of_the_stock_batch_norm(moving):
    paddle.seed(0)
    net = paddle.nn.Sequential(paddle.nn.Conv2D(3, 4, 3), paddle.nn.BatchNorm2D(4, momentum=0.9 if moving else 1.0))
    optimizer = paddle.optimizer.Adam(1e-3, parameters=net.parameters())
    with parity.doctor(net, optimizer) as d:
        for _ in range(2):
            loss = net(paddle.randn([2, 3, 6, 6])).square().mean(axis=[2, 3]).sum()
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
    assert ("state-frozen" in {found.id for found in d.findings}) is not moving


@pytest.mark.parametrize("moved", [True, False])
@pytest.mark.parametrize("framework", ["paddle", "torch"])
def test_a_step_that_moves_as_much_up_as_down_is_a_change(framework, moved):
    """Adam's first step from a constant, as AdaLIN's rho is: the sum of the parameter's words is the same before and after."""
    signs = np.repeat([1, -1], 4).astype(np.float32)
    if framework == "paddle":
        net = paddle.nn.Layer()
        net.rho = net.create_parameter([8], default_initializer=paddle.nn.initializer.Constant(0.9))
        optimizer, signs = paddle.optimizer.Adam(1e-4, parameters=net.parameters()), paddle.to_tensor(signs)
        net.forward, clear = lambda signs: (net.rho * signs).sum(), optimizer.clear_grad
    else:
        net = torch.nn.Module()
        net.rho = torch.nn.Parameter(torch.full([8], 0.9))
        optimizer, signs = torch.optim.Adam(net.parameters(), 1e-4), torch.from_numpy(signs)
        net.forward, clear = lambda signs: (net.rho * signs).sum(), optimizer.zero_grad
    if not moved:
        optimizer.step = lambda: None
    with parity.doctor(net, optimizer) as d:
        net(signs).backward()
        optimizer.step()
        clear()
    rho, words = np.asarray(net.rho.detach()), np.full(8, 0.9, np.float32).view(np.uint64)
    assert (rho != np.float32(0.9)).all() == moved and rho.view(np.uint64).sum() == words.sum()  # it is such a step
    assert {found.id for found in d.findings} == (set() if moved else {"unchanged"})


@pytest.mark.parametrize("size", [1, 7, 8, 1023, 1024, 1025, 5000])
def test_the_checksum_sees_each_element(size):
    values = np.full(size, 0.9, np.float32)
    before = checksum(values)
    for place in range(size):
        one, two = values.copy(), values.copy()
        one[place] += np.float32(1e-4)
        two[place], two[(place + size // 2) % size] = two[place] + np.float32(1e-4), two[place] - np.float32(1e-4)
        assert checksum(one) != before and (size == 1 or checksum(two) != before)
    assert checksum(values.copy()) == before


@pytest.mark.parametrize(("batches", "ids"), [(3, set()), (0, {"no-data"})])
def test_a_loader_that_gives_nothing(batches, ids):
    net = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    with parity.doctor(net, optimizer) as d:
        for batch in d.watch(torch.randn(4, 3) for _ in range(batches)):
            loss = net(batch).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert {found.id for found in d.findings} == ids


@pytest.mark.parametrize(("slope", "bad"), [(0.0, True), (1.0, False)])
def test_a_backward_that_is_not_finite(slope, bad):
    net = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    with parity.doctor(net, optimizer) as d:
        out = net(torch.ones(2, 3))
        loss = (out * slope).square().sum().sqrt()
        loss.backward()
        optimizer.step()
    assert ("nonfinite" in {found.id for found in d.findings}) is bad


def test_what_is_no_model_is_refused():
    with pytest.raises(InputError, match="expected a torch.nn.Module"), parity.doctor(3, None):
        pass
    with pytest.raises(InputError, match="there is no finding"):
        parity.doctor(torch.nn.Linear(1, 1), None, expect=["no-such-thing"])


def test_libraries_below_the_users_folder_are_libraries(tmp_path, monkeypatch):
    """A project with its environment inside; and a model that comes from an installed package."""
    installed = tmp_path / ".venv" / "site-packages"
    monkeypatch.setattr(places, "_LIBRARIES", (str(installed.resolve()),))
    train, torch_file, zoo = tmp_path / "train.py", installed / "torch" / "nn.py", installed / "zoo" / "vit.py"
    source = places.user_source([str(train)], [])
    assert str(train) in source and str(tmp_path / "nets" / "net.py") in source
    assert str(torch_file) not in source and places.__file__ not in source and "/elsewhere/util.py" not in source
    source = places.user_source([str(train), str(zoo)], [])
    assert str(zoo) in source and str(train) in source and str(torch_file) not in source
    assert "/elsewhere/util.py" in places.user_source([], []) and str(torch_file) not in places.user_source([], [])


@pytest.mark.parametrize("foreign", [True, False])
def test_foreign_parameters(foreign):
    net, extra = torch.nn.Linear(4, 2), torch.nn.Parameter(torch.zeros(7))
    optimizer = torch.optim.Adam([*net.parameters(), *([extra] if foreign else [])], 1e-3)
    assert ids(net, optimizer, training_of(net, optimizer)) == ({"foreign-parameters"} if foreign else set())


@pytest.mark.parametrize("used", [True, False])
def test_a_parameter_that_the_loss_does_not_depend_on(used):
    net = torch.nn.Linear(4, 2)
    net.register_parameter("gain", torch.nn.Parameter(torch.ones(1)))
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    step = training_of(net, optimizer, lambda out: (out * net.gain if used else out).square().mean())
    assert ids(net, optimizer, step) == (set() if used else {"parameters-without-gradient"})


@pytest.mark.parametrize("share", [True, False])
def test_two_networks_that_share_a_part(share):
    one, other = (torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)) for _ in range(2))
    if share:
        other[0] = one[0]
    optimizer = torch.optim.Adam(dict.fromkeys([*one.parameters(), *other.parameters()]), 1e-3)
    step = training_of(lambda x: one(x) + other(x), optimizer)
    assert ids({"one": one, "other": other}, optimizer, step) == ({"weights-shared"} if share else set())


@pytest.mark.parametrize("always", [True, False])
def test_state_that_moves_in_eval(always):
    class Counts(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(4, 2)
            self.register_buffer("running_mean", torch.zeros(4))

        def forward(self, x):
            if self.training or always:
                self.running_mean.mul_(0.9).add_(0.1 * x.mean(0))
            return self.linear(x - self.running_mean)

    teacher, net = Counts().eval(), torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    with_teacher = training_of(lambda x: net(teacher(x).detach()), optimizer)
    said = ids({"net": net, "teacher": teacher}, optimizer, with_teacher, expect=["frozen-network"])
    assert said == {"frozen-network"} | ({"state-moves-in-eval"} if always else set())


@pytest.mark.parametrize(("decay", "expected"), [(0.05, {"decay-on-norms"}), (1e-6, set())])
def test_decay_that_is_stronger_than_the_loss_on_a_norm(decay, expected):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2))
    with torch.no_grad():
        net[2].weight.mul_(0.1)  # what comes after makes the norm's gradient small
    optimizer = torch.optim.SGD(net.parameters(), 1e-3, weight_decay=decay)
    assert ids(net, optimizer, training_of(net, optimizer, lambda out: (out - 1).square().mean() * 0.5)) == expected


@pytest.mark.parametrize(("lr", "expected"), [(1e-30, {"unchanged"}), (1e-3, set())])
def test_a_gradient_that_changes_nothing(lr, expected):
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr)
    assert ids(net, optimizer, training_of(net, optimizer)) == expected


@pytest.mark.parametrize("reset", [True, False])
def test_a_counter_that_does_not_move(reset):
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    trained = training_of(net, optimizer)

    def step():
        if reset:
            optimizer.state.clear()
        trained()

    assert ids(net, optimizer, step) == ({"counter-stuck"} if reset else set())


@pytest.mark.parametrize("constant", [True, False])
def test_a_loss_that_is_the_same_to_the_bit(constant):
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    step = training_of(net, optimizer, lambda out: out.sign().abs().mean() + 0 * out.sum() if constant else out.square().mean())
    assert ("loss-constant" in ids(net, optimizer, step, iterations=5)) is constant


@pytest.mark.parametrize("clipped", [True, False])
def test_a_gradient_of_zero(clipped):
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    step = training_of(net, optimizer, lambda out: (out.clamp(50, 60) if clipped else out).square().mean())
    assert ("gradient-zero" in ids(net, optimizer, step)) is clipped


@pytest.mark.parametrize("momentum", [True, False])
def test_a_change_without_gradient(momentum):
    """A part that is used at the first step only, and moved on by what Adam remembers."""
    net = torch.nn.ModuleDict({"a": torch.nn.Linear(4, 2), "b": torch.nn.Linear(4, 2)})
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    turn = iter(range(9))

    def step():
        optimizer.zero_grad(set_to_none=not momentum)
        x = torch.ones(3, 4)
        out = net["a"](x) + (net["b"](x) if next(turn) == 0 else 0)
        out.square().mean().backward()
        optimizer.step()

    assert ("change-without-gradient" in ids(net, optimizer, step)) is momentum


@pytest.mark.parametrize(("device", "lent"), [("meta", True), ("cpu", True), ("cpu", False)])
def test_a_network_that_lives_on_lent_weights(device, lent):
    """A hypernetwork makes the weights of `target`; on its own ones it would be a network that no optimizer holds."""
    made, target = torch.nn.Linear(3, 10), torch.nn.Linear(4, 2, device=device)
    optimizer = torch.optim.Adam(made.parameters(), 1e-3)
    with parity.doctor({"made": made, "target": target}, optimizer) as d:
        for _ in range(2):
            weights = made(torch.ones(3))
            values = {"weight": weights[:8].reshape(2, 4), "bias": weights[8:]}
            x = torch.randn(5, 4)
            out = torch.func.functional_call(target, values, (x,)) if lent else target(x) + values["bias"]
            optimizer.zero_grad()
            out.square().mean().backward()
            optimizer.step()
    assert ("network-unheld" in {found.id for found in d.findings}) is not lent
    assert lent is not any(found.severity == "error" for found in d.findings)


def test_a_lazy_layer_has_its_weights_after_the_first_iteration():
    net = torch.nn.Sequential(torch.nn.LazyLinear(4), torch.nn.Linear(4, 1))
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    with parity.doctor(net, optimizer) as d:
        for _ in range(3):
            loss = net(torch.randn(8, 3)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert not d.findings and "net.0.weight" in d.program.parameters


REGULAR = Path(__file__).parent / "conftest.py"  # no user's file that would speak of shuffling


@pytest.mark.parametrize(("shuffled", "apart", "expected"), [
    (True, 1, set()), (False, 1, {"never-shuffled"}), (False, 0, set()),  # batches that are alike: their order tells nothing
])
def test_an_order_that_repeats(shuffled, apart, expected):
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    data, numbers = torch.randn(3, 8, 4, generator=torch.Generator().manual_seed(0)), iter(range(99))

    def step():
        number = next(numbers)
        optimizer.zero_grad()
        net(data[number % 3] + apart * (number % 3) + (number * 0.01 if shuffled else 0)).square().mean().backward()
        optimizer.step()

    said = ids(net, optimizer, step, iterations=9, source=SourceTree(REGULAR))
    assert said == expected


@pytest.mark.parametrize(("kind", "expected"), [
    ("healthy", set()), ("unscaled, then clipped", set()), ("overflows at first", set()), ("bfloat16", set()),
    ("steps by itself", {"scaler-bypassed"}), ("clipped while scaled", {"clip-before-unscale"}), ("never finite", {"scaler-skips"}),
    ("no update", {"scaler-skips"}), ("underflow", {"fp16-underflow"}),
])
def test_mixed_precision(kind, expected):
    """float16 and bfloat16 autocast with torch's scaler on the CPU. (Paddle's scaler and autocast do nothing there.)"""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
    optimizer = torch.optim.SGD(net.parameters(), 0.05)
    scaler = torch.amp.GradScaler("cpu", enabled=kind not in ("underflow", "bfloat16"))
    factor = {"overflows at first": 1e3, "never finite": float("inf"), "underflow": 1e-7}.get(kind, 1.0)
    with suppress(RuntimeError), parity.doctor(net, optimizer) as d:
        for _ in range(12):
            d.mark()
            x = torch.randn(16, 8)
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16 if kind == "bfloat16" else torch.float16):
                out = net(x)
            loss = (out.float() - x.sum(1, keepdim=True)).square().mean() * factor
            scaler.scale(loss).backward()
            if kind == "steps by itself":
                optimizer.step()
                continue
            if kind == "unscaled, then clipped":
                scaler.unscale_(optimizer)
            if kind in ("unscaled, then clipped", "clipped while scaled"):
                torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            scaler.step(optimizer)
            if kind != "no update":
                scaler.update()
    said = d.findings
    assert {found.id for found in said[:1]} == expected
