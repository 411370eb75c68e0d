"""Adam's state, both ways: what counts is the step after it."""

import numpy as np
import paddle
import pytest
import torch

from weights_convert import StateError, optimizer_state, plan, read_paddle, write_paddle
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


@pytest.mark.parametrize("change,message", [
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
