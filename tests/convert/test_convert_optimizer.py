"""Adam's state, both ways: what counts is the step after it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

from parity.cli import main
from weights_convert import StateError, optimizer_files, optimizer_state, plan, read_paddle, write_paddle
from weights_convert.bits import same_bits
from weights_convert.torch_files import read_tree

BETAS = (0.5, 0.999)


class Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.MultiheadAttention(4, 2, batch_first=True)
        self.head = torch.nn.Linear(4, 4)

    def forward(self, x):
        return self.head(self.inner(x, x, x, need_weights=False)[0])


class Twin(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.inner = paddle.nn.MultiHeadAttention(4, 2)
        self.head = paddle.nn.Linear(4, 4)

    def forward(self, x):
        return self.head(self.inner(x, x, x))


def sides(seed=0):
    torch.manual_seed(seed)
    ours, theirs = Attention().double(), Twin()
    theirs.to(dtype="float64")
    pairs = plan(ours, theirs)
    theirs.set_state_dict(pairs.to_paddle({name: value.numpy() for name, value in ours.state_dict().items()}))
    adam = torch.optim.Adam(ours.parameters(), 1e-2, BETAS)
    twin = paddle.optimizer.Adam(1e-2, *BETAS, parameters=theirs.parameters())
    return ours, theirs, pairs, adam, twin


def train(model, optimizer, steps, first=0):
    is_torch = isinstance(model, torch.nn.Module)
    for step in range(first, first + steps):
        x = np.random.default_rng(step).normal(size=(2, 3, 4))
        (model(torch.from_numpy(x) if is_torch else paddle.to_tensor(x)) ** 2).sum().backward()
        optimizer.step()
        optimizer.zero_grad() if is_torch else optimizer.clear_grad()


def names_of(ours, theirs):
    return [name for name, _ in ours.named_parameters()], {name: value.name for name, value in theirs.named_parameters()}


def distance(ours, theirs, pairs):
    state = pairs.to_torch({name: value.numpy() for name, value in theirs.state_dict().items()})
    return max(float(np.abs(state[name] - value.detach().numpy()).max()) for name, value in ours.state_dict().items())


def carry(ours, theirs, pairs, adam, twin, tmp_path):
    """Trained torch weights and moments into Paddle, through files."""
    names, global_names = names_of(ours, theirs)
    torch.save(adam.state_dict(), tmp_path / "adam.pt")
    moments = optimizer_state.from_torch(read_tree(tmp_path / "adam.pt"), names)
    write_paddle(tmp_path / "adam.pdopt", optimizer_state.to_paddle(moments, pairs, global_names, BETAS).items())
    twin.set_state_dict(paddle.load(str(tmp_path / "adam.pdopt")))
    theirs.set_state_dict(pairs.to_paddle({name: value.numpy() for name, value in ours.state_dict().items()}))
    return moments


def test_torch_to_paddle_goes_on_as_torch_does(tmp_path):
    ours, theirs, pairs, adam, twin = sides()
    train(ours, adam, 3)
    carry(ours, theirs, pairs, adam, twin, tmp_path)
    train(ours, adam, 2, first=3)
    train(theirs, twin, 2, first=3)
    # A key's bias shifts all scores of a query alike: its gradient is 0 but for rounding, 1e-16, of which Adam's steps make
    # lr 1e-16 / eps = 1e-10 at most. Without the moments it is 1e-2 (below).
    assert distance(ours, theirs, pairs) < 1e-10


def test_without_the_moments_it_does_not(tmp_path):
    """The mutant: weights carried over, Adam started anew."""
    ours, theirs, pairs, adam, twin = sides()
    train(ours, adam, 3)
    theirs.set_state_dict(pairs.to_paddle({name: value.numpy() for name, value in ours.state_dict().items()}))
    train(ours, adam, 2, first=3)
    train(theirs, twin, 2, first=3)
    assert distance(ours, theirs, pairs) > 1e-3


def test_there_and_back_is_bit_identical(tmp_path):
    ours, theirs, pairs, adam, twin = sides()
    train(ours, adam, 3)
    moments = carry(ours, theirs, pairs, adam, twin, tmp_path)
    names, global_names = names_of(ours, theirs)
    (tmp_path / "adam.pdopt").rename(tmp_path / "adam.pdparams")
    back = optimizer_state.from_paddle(read_paddle(tmp_path / "adam.pdparams"), pairs, global_names, BETAS)
    assert back.keys() == moments.keys() and len(back) == 6
    for name, held in moments.items():
        assert back[name].step == held.step == 3
        assert same_bits(back[name].exp_avg, held.exp_avg) and same_bits(back[name].exp_avg_sq, held.exp_avg_sq)
    settings = {key: value for key, value in adam.state_dict()["param_groups"][0].items() if key != "params"}
    again = optimizer_state.to_torch(back, names, [settings])
    fresh = torch.optim.Adam(ours.parameters(), 1e-2, BETAS)
    fresh.load_state_dict({**again, "state": {number: {key: torch.as_tensor(value) for key, value in held.items()}
                                              for number, held in again["state"].items()}})
    for number, held in adam.state_dict()["state"].items():
        for key, value in held.items():
            assert torch.equal(torch.as_tensor(fresh.state_dict()["state"][number][key], dtype=value.dtype), value)


@pytest.mark.parametrize("step", [1, 2, 148, 149, 1000, 80_000, 10**6])
def test_the_step_survives_float32_as_long_as_it_matters(step):
    ours, theirs = torch.nn.Linear(2, 2, bias=False), paddle.nn.Linear(2, 2, bias_attr=False)
    pairs, (_, global_names) = plan(ours, theirs), names_of(ours, theirs)
    moments = {"weight": optimizer_state.Moments(step, np.ones((2, 2), "f4"), np.ones((2, 2), "f4"))}
    state = optimizer_state.to_paddle(moments, pairs, global_names, BETAS)
    found = optimizer_state.from_paddle(state, pairs, global_names, BETAS)["weight"].step
    # Powers multiplied up in float32 drift; what a step uses is 1 - beta^step. Below, float32 itself says no more.
    assert abs(BETAS[1] ** found - BETAS[1] ** step) <= 6e-8 * step * BETAS[1] ** step + 1e-42
    assert found == step or step > 10_000


def endless():
    """A tuple that nobody can hash, show or turn into an array: 2^60 leaves."""
    value = ()
    for _ in range(60):
        value = (value, value)
    return value


@pytest.mark.parametrize("change,message", [
    (lambda s: s["state"][0].update(step="x"), "expected the state_dict of a torch Adam"),
    (lambda s: s["state"][0].update(step=endless()), "expected the state_dict of a torch Adam"),
    (lambda s: s["state"][0].update(exp_avg=endless()), "expected the state_dict of a torch Adam"),
    (lambda s: s["state"][0].update(exp_avg=torch.ones(12, 4, dtype=torch.int64)), "float32 or float64 was expected"),
    (lambda s: s["state"][0].update(step=2**52), "no count"), (lambda s: s["state"][0].update(step=float("nan")), "no count"),
    (lambda s: s.update(state=list(s["state"].values())), "expected the state_dict of a torch Adam"),
    (lambda s: s["param_groups"][0]["params"].append(9), "of 6 parameters was expected, found 7"),
    (lambda s: s.pop("state"), "expected the state_dict of a torch Adam"),
    (lambda s: s["state"][0].pop("exp_avg"), "expected the state_dict of a torch Adam"),
    (lambda s: s["param_groups"][0].update(amsgrad=True), "amsgrad"),
    (lambda s: s["state"][0].update(step=-1.0), "no count"),
])  # fmt: skip
def test_what_is_no_adam_is_refused(change, message):
    ours, theirs, _, adam, _ = sides()
    train(ours, adam, 1)
    state = adam.state_dict()
    change(state)
    with pytest.raises(StateError, match=message):
        optimizer_state.from_torch(state, names_of(ours, theirs)[0])


def test_other_betas_and_halves_of_a_state_are_refused():
    ours, theirs, pairs, adam, _ = sides()
    train(ours, adam, 3)
    names, global_names = names_of(ours, theirs)
    state = optimizer_state.to_paddle(optimizer_state.from_torch(adam.state_dict(), names), pairs, global_names, BETAS)
    with pytest.raises(StateError, match="no power of 0.99;|more than beta 0.99;"):
        optimizer_state.from_paddle(state, pairs, global_names, (0.5, 0.99))
    state.pop(next(key for key in state if "moment2" in key))
    with pytest.raises(StateError, match="found only some"):
        optimizer_state.from_paddle(state, pairs, global_names, BETAS)


# Files, by the command


PAIR = """
import sys
sys.path.insert(0, {tests!r})
from tests.convert.test_convert_optimizer import Attention, Twin
from parity.pair import Pair, Subject
from parity.source import SourceTree
from dataclasses import replace
from pathlib import Path

import numpy as np
pair = Pair("mine", SourceTree(__file__), SourceTree(__file__))
SUBJECTS = [Subject("net", pair, Attention, Twin, {{}}, {{"x": np.zeros((2, 3, 4), "f4")}})]
"""
ADAM = ["--adam", "lr=0.01", "--adam", "beta1=0.5"]


def command(folder, *arguments):
    (folder / "mine.py").write_text(PAIR.format(tests=str(Path(__file__).parents[2])))
    return main(["convert", "--no-forward", "--pair", str(folder / "mine.py"), *map(str, arguments)])


def trained(folder):
    """What people save, after three steps."""
    ours, *_, adam, _ = sides()
    train(ours, adam, 3)
    torch.save({"model": ours.state_dict(), "optimizer": adam.state_dict(), "epoch": 3}, folder / "a.pt")
    return ours, adam


def twin_of(folder):
    theirs = Twin()
    theirs.to(dtype="float64")
    theirs.set_state_dict(paddle.load(str(folder / "net.pdparams")))
    adam = paddle.optimizer.Adam(1e-2, *BETAS, parameters=theirs.parameters())
    adam.set_state_dict(paddle.load(str(folder / "net.pdopt")))
    return theirs, adam


def to_paddle(folder):
    return command(folder, "--prefix", "model", "--optimizer", "optimizer", folder / "a.pt", folder / "out")


def to_torch(folder, *adam):
    out = folder / "out"
    return command(folder, "--to", "torch", "--optimizer", out / "net.pdopt", *adam, out / "net.pdparams", folder / "b.pt")


@pytest.fixture
def new_process():
    """Paddle counts layers and accumulators from 0, as in a process that builds its network first."""
    with paddle.utils.unique_name.guard():
        yield


def test_the_command_carries_a_training_to_paddle_and_back(tmp_path, capsys, new_process):
    with paddle.utils.unique_name.guard():  # `sides` builds a twin, too
        ours, adam = trained(tmp_path)
    assert to_paddle(tmp_path) == 0 and "Adam's moments of 6 parameters at step 3: net.pdopt" in capsys.readouterr().out
    assert command(tmp_path, "--check", tmp_path / "out" / "receipt.json") == 0
    theirs, twin = twin_of(tmp_path / "out")
    pairs = plan(ours, theirs)
    train(ours, adam, 2, first=3)
    train(theirs, twin, 2, first=3)
    assert distance(ours, theirs, pairs) < 1e-10  # as above

    paddle.save(theirs.state_dict(), str(tmp_path / "out" / "net.pdparams"))
    paddle.save(twin.state_dict(), str(tmp_path / "out" / "net.pdopt"))
    assert to_torch(tmp_path, *ADAM) == 0 and "at step 5: b.optimizer.pt" in capsys.readouterr().out
    assert command(tmp_path, "--check", tmp_path / "b.pt.receipt.json") == 0
    again = Attention().double()
    again.load_state_dict(torch.load(tmp_path / "b.pt", weights_only=True))
    fresh = torch.optim.Adam(again.parameters(), 1.0)
    fresh.load_state_dict(torch.load(tmp_path / "b.optimizer.pt", weights_only=True))
    train(again, fresh, 2, first=5)
    train(theirs, twin, 2, first=5)
    assert distance(again, theirs, pairs) < 1e-10
    (tmp_path / "out" / "net.pdopt").write_bytes(b"x")  # a source of its own is no part of the proof, the result is
    assert command(tmp_path, "--check", tmp_path / "b.pt.receipt.json") == 0
    (tmp_path / "b.optimizer.pt").write_bytes(b"x")
    assert command(tmp_path, "--check", tmp_path / "b.pt.receipt.json") == 2


def swapped(moments):
    return {name: replace(held, exp_avg=held.exp_avg_sq, exp_avg_sq=held.exp_avg) for name, held in moments.items()}


def step_lost(moments):
    return {name: replace(held, step=held.step - 1) for name, held in moments.items()}


def one_missing(moments):
    return dict(list(moments.items())[1:])


@pytest.mark.parametrize("mistake", [swapped, step_lost, one_missing])
@pytest.mark.parametrize("direction", ["paddle", "torch"])
def test_a_state_that_does_not_read_back_is_fatal(tmp_path, monkeypatch, capsys, mistake, direction):
    trained(tmp_path)
    if direction == "torch":
        assert to_paddle(tmp_path) == 0
    written = getattr(optimizer_state, f"to_{direction}")
    monkeypatch.setattr(optimizer_state, f"to_{direction}", lambda moments, *rest: written(mistake(moments), *rest))
    before = sorted(tmp_path.rglob("*"))
    assert (to_paddle(tmp_path) if direction == "paddle" else to_torch(tmp_path, *ADAM)) == 2
    assert "are not those of the source" in capsys.readouterr().err
    assert [path for path in sorted(tmp_path.rglob("*")) if path.name != "mine.py" and "__pycache__" not in str(path)] == [
        path for path in before if path.name != "mine.py" and "__pycache__" not in str(path)]


@pytest.mark.parametrize("adam,message", [
    ([], "does not hold the learning rate"), (["--adam", "lr=0.01"], "no power of 0.9 at step"),
    (["--adam", "lr=x"], "expected lr, beta1"), (["--adam", "momentum=1"], "expected lr, beta1"),
    (["--adam", "lr=1", "--adam", "beta1=1"], "expected lr, beta1"),
])  # fmt: skip
def test_hyperparameters_that_do_not_fit_are_refused(tmp_path, capsys, adam, message):
    trained(tmp_path)
    assert to_paddle(tmp_path) == 0
    assert to_torch(tmp_path, *adam) == 2 and message in capsys.readouterr().err
    assert not (tmp_path / "b.pt").exists()


@pytest.mark.parametrize("where,message", [("missing", "no optimizer's state under missing"), ("epoch", "no optimizer's state"),
                                           ("model", "expected the state_dict of a torch Adam")])
def test_what_is_no_optimizer_is_refused(tmp_path, capsys, where, message):
    trained(tmp_path)
    arguments = "--prefix", "model", "--optimizer", where, tmp_path / "a.pt", tmp_path / "out"
    assert command(tmp_path, *arguments) == 2 and message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_state_of_other_layers_is_refused(tmp_path, capsys):
    """A network that was built second has other names; nothing is guessed."""
    trained(tmp_path)
    assert to_paddle(tmp_path) == 0
    path = tmp_path / "out" / "net.pdopt"
    write_paddle(path, [(name.replace("linear_0", "linear_70"), array) for name, array in read_paddle(path).items()])
    assert to_torch(tmp_path, *ADAM) == 2 and "does not name so" in capsys.readouterr().err


@pytest.mark.parametrize("betas", [None, [0.9, 0.999], (0.9, 1.0), (0.9,), (True, 0.5), endless(), (endless(), 0.5), ([], [])])
def test_betas_that_are_none_are_refused(betas):
    ours, theirs, pairs, adam, _ = sides()
    train(ours, adam, 1)
    state = adam.state_dict()
    state["param_groups"][0]["betas"] = betas
    with pytest.raises(StateError, match="expected one pair of betas"):
        optimizer_files.torch_to_paddle(state, Path("no such folder") / "a.pdopt", pairs, ours, theirs, True)


@pytest.mark.parametrize("change,message", [
    (lambda s, n: s.update({f"{n}_beta1_pow_acc_0": np.zeros(0)}), "one number each"),
    (lambda s, n: s.update({f"{n}_beta1_pow_acc_0": np.array([np.nan])}), "more than beta"),
    (lambda s, n: s.update({f"{n}_beta1_pow_acc_0": np.array([BETAS[0] ** 3])}), "no power of 0.5 at step 3"),
    (lambda s, n: s.update({f"{n}_moment1_0": np.zeros((4, 4), "i8")}), "float32 or float64"),
    (lambda s, n: s.update({f"{n}_beta1_pow_acc_0": np.array([0.5**5]), f"{n}_beta2_pow_acc_0": np.array([0.999**5])}),
     "updated 4, 3, 3 times"),
])  # fmt: skip
def test_a_paddle_state_that_contradicts_itself_is_refused(change, message):
    ours, theirs, pairs, adam, _ = sides()
    train(ours, adam, 3)
    names, global_names = names_of(ours, theirs)
    state = optimizer_state.to_paddle(optimizer_state.from_torch(adam.state_dict(), names), pairs, global_names, BETAS)
    change(state, global_names["inner.q_proj.weight"])
    with pytest.raises(StateError, match=message):
        optimizer_state.from_paddle(state, pairs, global_names, BETAS)
