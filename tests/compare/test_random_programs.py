"""Programs that draw random numbers: right twins are the same, wrong ones are found where they part."""

import functools
import random
from random import choice
from types import SimpleNamespace

import numpy as np
import paddle
import paddle.nn.functional as PF
import pytest
import torch
import torch.nn.functional as TF
from torch import nn

from parity.compare.ladder import compare, glance
from parity.compare.results import Case
from parity.compare.runner import run
from parity.inputs import normal
from parity.port import Port
from parity.verdict.findings import LANES


def nets(ours, theirs, our_parts=None, their_parts=None):
    """Builders of two networks of one linear layer, with these forwards."""
    def torch_net():
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(6, 8)
                for name, part in (our_parts() if our_parts else {}).items():
                    setattr(self, name, part)

            forward = ours

        return Net()

    def paddle_net():
        class Net(paddle.nn.Layer):
            def __init__(self):
                super().__init__()
                self.fc = paddle.nn.Linear(6, 8)
                for name, part in (their_parts() if their_parts else {}).items():
                    setattr(self, name, part)

            forward = theirs

        return Net()

    return torch_net, paddle_net


def port(*programs, modes=("train",)):
    return Port(*nets(*programs), inputs=[normal(5, 6)], modes=list(modes))


def t_dropout(self, x):
    x = self.fc(x)
    return TF.dropout(x, 0.4, self.training) * 2


def p_dropout(self, x):
    x = self.fc(x)
    return PF.dropout(x, 0.4, training=self.training) * 2


def p_dropout_rate(self, x):
    x = self.fc(x)
    return PF.dropout(x, 0.3, training=self.training) * 2


def p_dropout_mode(self, x):
    x = self.fc(x)
    return PF.dropout(x, 0.4, training=self.training, mode="downscale_in_infer") * 2


def p_dropout_elsewhere(self, x):
    x = self.fc(PF.dropout(x, 0.4, training=self.training))
    return x * 2


def p_dropout_none(self, x):
    x = self.fc(x)
    return x * 2


def p_dropout_twice(self, x):
    x = self.fc(x)
    x = PF.dropout(x, 0.4, training=self.training) * 2
    return x + 0 * PF.dropout(x, 0.4, training=self.training)


def modules_dropout(self, x):
    return self.drop(self.fc(x))


def t_drop_path(self, x):
    keep = x.new_empty((x.shape[0], 1)).bernoulli_(0.7) / 0.7
    return self.fc(x) * keep


def p_drop_path(self, x):
    keep = paddle.floor(0.7 + paddle.rand([x.shape[0], 1], dtype=x.dtype)) / 0.7
    return self.fc(x) * keep


def p_drop_path_scale(self, x):
    keep = paddle.floor(0.7 + paddle.rand([x.shape[0], 1], dtype=x.dtype))
    return self.fc(x) * keep


def t_latent(self, x):
    mean = self.fc(x)
    return mean + torch.randn_like(mean) * torch.exp(0.5 * mean)


def p_latent(self, x):
    mean = self.fc(x)
    return mean + paddle.randn(mean.shape, mean.dtype) * paddle.exp(0.5 * mean)


def p_latent_variance(self, x):
    mean = self.fc(x)
    return mean + paddle.randn(mean.shape, mean.dtype) * paddle.exp(mean)


def p_latent_uniform(self, x):
    mean = self.fc(x)
    return mean + paddle.rand(mean.shape, mean.dtype) * paddle.exp(0.5 * mean)


def t_gumbel(self, x):
    return TF.gumbel_softmax(self.fc(x), tau=0.7)


def p_gumbel(self, x):
    return PF.gumbel_softmax(self.fc(x), temperature=0.7)


def p_gumbel_temperature(self, x):
    return PF.gumbel_softmax(self.fc(x))


def t_permuted(self, x):
    return self.fc(x)[torch.randperm(5)]


def p_permuted(self, x):
    return self.fc(x)[paddle.randperm(5)]


def p_permuted_features(self, x):
    return self.fc(x)[:, paddle.randperm(8)]


def t_rrelu(self, x):
    return TF.rrelu(self.fc(x), training=self.training)


def p_rrelu(self, x):
    return PF.rrelu(self.fc(x), training=self.training)


def p_rrelu_slopes(self, x):
    return PF.rrelu(self.fc(x), lower=0.2, training=self.training)


def norm_behind(self, x):
    return self.norm(self.drop(self.fc(x)))


def dropping_norm(momentum):
    return (lambda: {"drop": nn.Dropout(0.3), "norm": nn.BatchNorm1d(8)},
            lambda: {"drop": paddle.nn.Dropout(0.3), "norm": paddle.nn.BatchNorm1D(8, momentum=momentum)})


def global_generators(scale):
    def forward(self, x):
        return self.fc(x) * random.random() + float(np.random.rand()) * scale

    return forward


def scaled_by(draw):
    def forward(self, x):
        return self.fc(x) * float(draw(self))

    return forward


def own_generators(seed):
    @functools.cache  # one for all that is built, and none before: what was collected is frozen (tests/conftest.py)
    def made():
        return SimpleNamespace(rng=np.random.default_rng(seed), old=np.random.RandomState(seed), plain=random.Random(seed))

    return lambda: {"drawing": made()}


def drawn_by_own(self):
    drawing = self.drawing
    return drawing.rng.normal(1, .5) + drawing.old.uniform(1, 2) * drawing.plain.gauss(1, .5)


def pinned(seed):
    return scaled_by(lambda self: np.random.default_rng(seed).normal(1, .5))


def by_size(low, high):
    return scaled_by(lambda self: np.random.randint(low, high))


def t_attention(self, x):
    x = self.fc(x).reshape([1, 5, 8])
    return self.attention(x, x, x, need_weights=False)[0]


def p_attention(self, x):
    x = self.fc(x).reshape([1, 5, 8])
    return self.attention(x, x, x)


def heads(rate):
    return (lambda: {"attention": nn.MultiheadAttention(8, 2, dropout=0.2, batch_first=True)},
            lambda: {"attention": paddle.nn.MultiHeadAttention(8, 2, dropout=rate)})


def encoded(self, x):
    return self.encoder(self.fc(x).reshape([1, 5, 8]))


def encoders(rate):
    return (lambda: {"encoder": nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True)},
            lambda: {"encoder": paddle.nn.TransformerEncoderLayer(8, 2, 16, dropout=rate)})


def recurrent(self, x):
    return self.lstm(self.fc(x).reshape([1, 5, 8]))[0]


def lstms(rate):
    return (lambda: {"lstm": nn.LSTM(8, 6, 2, dropout=0.4, batch_first=True)},
            lambda: {"lstm": paddle.nn.LSTM(8, 6, 2, dropout=rate)})


class Part(nn.Module):
    """Drops out what it returns."""

    def __init__(self):
        super().__init__()
        self.fc2, self.drop = nn.Linear(8, 8), nn.Dropout(.4)

    def forward(self, x):
        return self.drop(self.fc2(x))


class Bare(paddle.nn.Layer):
    """Leaves that to who calls it."""

    def __init__(self):
        super().__init__()
        self.fc2 = paddle.nn.Linear(8, 8)

    def forward(self, x):
        return self.fc2(x)


def t_dropped_inside(self, x):
    x = self.fc(x)
    x = x + self.part(x)
    return TF.dropout(TF.relu(x), .4, self.training)


def p_dropped_outside(self, x):
    x = self.fc(x)
    x = x + PF.dropout(self.part(x), .4, training=self.training)
    return PF.dropout(PF.relu(x), .4, training=self.training)


def p_dropped_with_the_rest(self, x):
    x = self.fc(x)
    x = PF.dropout(x + self.part(x), .4, training=self.training)
    return PF.dropout(PF.relu(x), .4, training=self.training)


def parts():
    return lambda: {"part": Part()}, lambda: {"part": Bare()}


def skipping(rate):
    return scaled_by(lambda self: 1 if torch.rand(()) < rate else 2)


def skipping_in(least, most):
    return scaled_by(lambda self: 1 if least <= torch.rand(()) < most else 2)


def skipping_one_of(count, rate):
    """Where the first draw says so and none of the others."""
    def scale(self):
        taken = []
        for _ in range(count):
            number = random.random()
            taken.append(self.training and number < rate)
        return 1 if taken[0] and not any(taken[1:]) else 2
    return scaled_by(scale)


def ended_by(rate):
    def scale(self):
        while random.random() < rate:
            pass
        return 2
    return scaled_by(scale)


def layer_drop(training):
    def scale(self):
        kept = 2
        for _ in range(3):
            dropped = random.uniform(0, 1)
            skip = not training or (dropped < .5)
            kept = kept if skip else kept + 0
        return kept
    return scaled_by(scale)


def dropouts(ours, theirs):
    return lambda: {"drop": ours}, lambda: {"drop": theirs}


SAME = {
    "dropout": (t_dropout, p_dropout),
    "a dropout module": (modules_dropout, modules_dropout, *dropouts(nn.Dropout(.4), paddle.nn.Dropout(.4))),
    "a module beside a function": (modules_dropout, lambda self, x: PF.dropout(self.fc(x), .4, training=self.training),
                                   lambda: {"drop": nn.Dropout(.4)}),
    "in a layer and behind it": (t_dropped_inside, p_dropped_outside, *parts()),
    "a number that nothing is made of": (skipping(0.), scaled_by(lambda self: 2)),
    "numbers that skip nothing": (layer_drop(True), scaled_by(lambda self: 2)),
    "alpha dropout": (modules_dropout, modules_dropout, *dropouts(nn.AlphaDropout(.4), paddle.nn.AlphaDropout(.4))),
    "drop path": (t_drop_path, p_drop_path),
    "latent noise": (t_latent, p_latent),
    "gumbel": (t_gumbel, p_gumbel),
    "randperm": (t_permuted, p_permuted),
    "rrelu": (t_rrelu, p_rrelu),
    "a norm behind a dropout": (norm_behind, norm_behind, *dropping_norm(0.9)),
    "attention": (t_attention, p_attention, *heads(0.2)),
    "an encoder's four dropouts": (encoded, encoded, *encoders(0.2)),
    "an LSTM's": (recurrent, recurrent, *lstms(0.4)),
    "python and numpy": (global_generators(1), global_generators(1)),
    "a function under its own name": (scaled_by(lambda self: random.choice([1, 2, 3])), scaled_by(lambda self: choice([1, 2, 3]))),
    "generators of its own": (scaled_by(drawn_by_own), scaled_by(drawn_by_own), own_generators(0), own_generators(1)),
    "torch's for numpy's": (scaled_by(lambda self: torch.rand(1)), scaled_by(lambda self: np.random.rand())),
    "a choice for an index": (scaled_by(lambda self: [1, 2, 3][torch.randint(3, ())]), scaled_by(lambda self: choice([1, 2, 3]))),
    "mixup": (scaled_by(lambda self: torch.distributions.Beta(.4, .4).sample()),
              scaled_by(lambda self: np.random.beta(.4, .4))),
    "a seed in the program": (pinned(3), pinned(3)),
}
# name -> (programs, what the first finding's variable begins with)
DIFFERENT = {
    "rate": ((t_dropout, p_dropout_rate), "random bernoulli"),
    "mode": ((t_dropout, p_dropout_mode), "output"),
    "dropout elsewhere": ((t_dropout, p_dropout_elsewhere), ""),
    "no dropout": ((t_dropout, p_dropout_none), "random bernoulli"),
    "two dropouts": ((t_dropout, p_dropout_twice), "random bernoulli"),
    "a module's rate": ((modules_dropout, modules_dropout, *dropouts(nn.Dropout(.4), paddle.nn.Dropout(.5))), "random bernoulli"),
    "behind a layer and what is around": ((t_dropped_inside, p_dropped_with_the_rest, *parts()), ""),
    "a number that seldom matters": ((skipping(.01), scaled_by(lambda self: 2)), "random uniform"),
    "a number that matters in between": ((skipping_in(.55, .56), scaled_by(lambda self: 2)), "random uniform"),
    "two numbers that matter together": ((skipping_one_of(2, .01), scaled_by(lambda self: 2)), "random uniform"),
    "a number that a loop waits for": ((ended_by(.01), scaled_by(lambda self: 2)), "random uniform"),
    "scale of a drop path": ((t_drop_path, p_drop_path_scale), ""),
    "variance": ((t_latent, p_latent_variance), "output"),
    "uniform noise": ((t_latent, p_latent_uniform), "random normal"),
    "temperature": ((t_gumbel, p_gumbel_temperature), "output"),
    "another permutation": ((t_permuted, p_permuted_features), ""),
    "slopes": ((t_rrelu, p_rrelu_slopes), "random uniform"),
    "a norm's momentum behind a dropout": ((norm_behind, norm_behind, *dropping_norm(0.1)), ""),
    "attention's rate": ((t_attention, p_attention, *heads(0.1)), "random bernoulli"),
    "an encoder's rate": ((encoded, encoded, *encoders(0.1)), "random bernoulli"),
    "an LSTM's rate": ((recurrent, recurrent, *lstms(0.2)), "random bernoulli"),
    "numpy's number used otherwise": ((global_generators(1), global_generators(2)), "output"),
    "no draw of numpy's": ((scaled_by(lambda self: 1 + 0.1 * np.random.rand()), scaled_by(lambda self: 1.)), "random uniform"),
    "one draw of python's more": ((scaled_by(lambda self: random.random()),
                                   scaled_by(lambda self: random.random() + 0.1 * choice([1, 2]))), "random integers"),
    "numpy's range": ((by_size(1, 5), by_size(1, 6)), "random integers"),
    "numpy's distribution": ((scaled_by(lambda self: np.random.normal(2, 1)), scaled_by(lambda self: np.random.exponential(2))),
                             "random normal"),
    "numpy's shape": ((scaled_by(lambda self: np.random.uniform(1, 2, 3)[0]),
                       scaled_by(lambda self: np.random.uniform(1, 2, 4)[0])), "random uniform"),
    "another seed in the program": ((pinned(3), pinned(4)), ""),
}


@pytest.mark.parametrize("name", SAME)
def test_a_right_twin_is_the_same(name):
    case = Case("Net", "train", port(*SAME[name]).subject("train"))
    for options in ({}, {"quick": True}, {"lanes": ("float64",)}):
        result, = run([case], **{"lanes": LANES, **options})
        assert result.report.verdict == "same", result.report.first
        assert not any(finding.key.variable.startswith("random") for finding in result.report.findings)


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_wrong_twin_is_found(name):
    programs, variable = DIFFERENT[name]
    subject = port(*programs).subject("train")
    reports = compare(subject, lanes=("float64",)), compare(subject, lanes=("float32",)), glance(subject)
    assert [report.verdict for report in reports] == ["diverged"] * 3
    first = reports[0].first
    assert first.key.variable.startswith(variable)
    if variable.startswith("random"):
        assert "the reference draws" in first.deviation.trouble and (first.reference or first.twin)


def test_a_twin_on_its_own_dropout_mode_is_right_in_eval():
    assert compare(port(t_dropout, p_dropout_none).subject("eval")).verdict == "same"


def test_what_was_global_before_goes_on():
    random.seed(5)
    np.random.seed(5)
    torch.manual_seed(5)
    before = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    glance(port(*SAME["python and numpy"]).subject("train"))
    compare(port(*SAME["dropout"]).subject("train"), lanes=("float64",))
    assert random.getstate() == before[0] and (np.random.get_state()[1] == before[1]).all()
    assert torch.equal(torch.get_rng_state(), before[2])


@pytest.mark.parametrize("rate, verdict", [(.4, "same"), (.3, "diverged")])
def test_a_compiled_reference_hands_on_its_random_numbers(rate, verdict):
    def compiled():
        net = nets(modules_dropout, modules_dropout, lambda: {"drop": nn.Dropout(.4)}, dict)[0]()
        net.compile(backend="eager")
        return net

    twin = nets(modules_dropout, modules_dropout, dict, lambda: {"drop": paddle.nn.Dropout(rate)})[1]
    subject = Port(compiled, twin, inputs=[normal(5, 6)], modes=["train"]).subject("train")
    assert compare(subject, lanes=("float64",)).verdict == glance(subject).verdict == verdict
