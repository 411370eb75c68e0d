"""Layers are what they inherit from, whatever they are called and wherever they lie; each kind with a twin that is wrong."""

import paddle
import pytest
import torch

from parity.compare.ladder import compare, glance
from parity.compare.results import Case
from parity.compare.runner import run as compare_all
from parity.inputs import normal
from parity.pairing.correspondence import correspond
from parity.port import Port
from weights_convert import DEFAULT

t, p = torch.nn, paddle.nn
EPS = 2.0 ** -17  # in float32 too: Paddle keeps a norm's epsilon in that


class TorchNorm(t.LayerNorm):
    pass


class PaddleNorm(p.LayerNorm):
    pass


class PaddleLinear(p.Linear):
    pass


class LinearReLU(p.Linear):
    def forward(self, x):
        return p.functional.relu(super().forward(x))


class TorchOwnNorm(t.Module):
    def __init__(self, size):
        super().__init__()
        self.weight, self.bias = t.Parameter(torch.ones(size)), t.Parameter(torch.zeros(size))

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        return self.weight * centred / torch.sqrt((centred ** 2).mean(-1, keepdim=True) + EPS) + self.bias


class TorchScaled(t.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.gamma = t.Conv2d(3, 3, 1), t.Parameter(torch.full((3, 1, 1), 0.5))

    def forward(self, x):
        return self.gamma * self.conv(x)


class PaddleScaled(p.Layer):
    def __init__(self):
        super().__init__()
        self.conv = p.Conv2D(3, 3, 1)
        self.scale = self.create_parameter([3], default_initializer=p.initializer.Constant(0.5))

    def forward(self, x):
        return self.scale.reshape([1, 3, 1, 1]) * self.conv(x)


class TorchPointwise(t.Module):
    def __init__(self):
        super().__init__()
        self.mlp = t.Conv2d(3, 5, 1)

    def forward(self, x):
        return self.mlp(x)


class PaddlePointwise(p.Layer):
    def __init__(self, transposed=True):
        super().__init__()
        self.mlp = p.Linear(3, 5)

    def forward(self, x):
        return self.mlp(x.transpose([0, 2, 3, 1])).transpose([0, 3, 1, 2])


class Wrapped(p.Layer):
    """As the U-GAT-IT ports of 2020 do: the layer inside, its weight outside."""

    def __init__(self, layer):
        super().__init__()
        self.spectral_norm, self.layer = p.SpectralNorm(layer.weight.shape, 0, 1, 1e-12), layer
        weight = layer._parameters.pop("weight")
        self.weight_orig = self.create_parameter(weight.shape, dtype=weight.dtype)

    def forward(self, x):
        self.layer.weight = self.spectral_norm(self.weight_orig)
        return self.layer(x)


class Positive(t.Module):
    def forward(self, weight):
        return t.functional.softplus(weight)


def positive():
    layer = t.Linear(4, 3)
    t.utils.parametrize.register_parametrization(layer, "weight", Positive())
    return layer


class PaddlePositive(p.Linear):
    def forward(self, x):
        return p.functional.linear(x, p.functional.softplus(self.weight), self.bias)


def frozen(value):
    return paddle.ParamAttr(initializer=p.initializer.Constant(value), trainable=False)


def seq(*layers):
    return lambda: t.Sequential(*(layer() for layer in layers)) if issubclass(type(layers[0]()), t.Module) else p.Sequential(
        *(layer() for layer in layers))


FLAT, PICTURE = (3, 4), (2, 3, 4, 4)
HEALTHY = {
    "a subclass there": (lambda: t.Linear(4, 4), lambda: PaddleLinear(4, 4), FLAT),
    "a subclass here": (lambda: TorchNorm(4), lambda: p.LayerNorm(4), FLAT),
    "subclasses of other names": (seq(lambda: TorchNorm(4)), seq(lambda: PaddleNorm(4)), FLAT),
    "the first batch norm": (lambda: t.BatchNorm2d(3), lambda: p.BatchNorm(3), PICTURE),
    "with its act": (lambda: t.Sequential(t.BatchNorm2d(3), t.ReLU()), lambda: p.Sequential(p.BatchNorm(3, act="relu")), PICTURE),
    "frozen at what does nothing": (lambda: t.InstanceNorm2d(3),
                                    lambda: p.InstanceNorm2D(3, weight_attr=frozen(1.0), bias_attr=frozen(0.0)), PICTURE),
    "prelu": (lambda: t.PReLU(4), lambda: p.PReLU(4), FLAT),
    "a fused activation": (seq(lambda: t.Linear(4, 4), t.ReLU, lambda: t.Linear(4, 4), t.ReLU),
                           seq(lambda: LinearReLU(4, 4), lambda: LinearReLU(4, 4)), FLAT),
    "in place": (seq(lambda: t.Linear(4, 4), lambda: t.ReLU(inplace=True)), seq(lambda: p.Linear(4, 4), p.ReLU), FLAT),
    "identities": (seq(lambda: t.Linear(4, 4), t.Identity, lambda: t.Dropout(0.0)), seq(lambda: p.Linear(4, 4)), FLAT),
    "a norm of one's own": (seq(lambda: TorchOwnNorm(4)), seq(lambda: p.LayerNorm(4, epsilon=EPS)), FLAT),
    "a scale of another shape": (TorchScaled, PaddleScaled, PICTURE),
    "a 1x1 convolution and a Linear": (TorchPointwise, PaddlePointwise, PICTURE),
    "a weight by a parametrization of one's own": (seq(positive), seq(lambda: PaddlePositive(4, 3)), FLAT),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_pair_is_the_same(name):
    reference, twin, shape = HEALTHY[name]
    port = Port(reference, twin, inputs=[normal(*shape)], modes=["train"])
    [result] = compare_all([Case(name, "train", port.subject("train"))], lanes=["float64"], quick=True)
    assert result.report.verdict == "same", result.report.first


class NoAct(p.Linear):
    pass


class Negated(PaddleScaled):
    def forward(self, x):
        return -super().forward(x)


WRONG = {
    "a subclass that computes otherwise": (lambda: t.Linear(4, 4), lambda: LinearReLU(4, 4), FLAT),
    "the first batch norm, without act": (lambda: t.Sequential(t.BatchNorm2d(3), t.ReLU()), lambda: p.Sequential(p.BatchNorm(3)),
                                          PICTURE),
    "the activation is missing": (seq(lambda: t.Linear(4, 4), t.ReLU), seq(lambda: NoAct(4, 4)), FLAT),
    "dropout that is none there": (seq(lambda: t.Linear(4, 4), lambda: t.Dropout(0.5)), seq(lambda: p.Linear(4, 4)), FLAT),
    "a norm of another epsilon": (seq(lambda: TorchOwnNorm(4)), seq(lambda: p.LayerNorm(4, epsilon=1e-2)), FLAT),
    "a sign": (TorchScaled, Negated, PICTURE),
    "a weight as it is, not as its parametrization makes it": (seq(positive), seq(lambda: p.Linear(4, 3)), FLAT),
    "trained there": (lambda: t.InstanceNorm2d(3), lambda: p.InstanceNorm2D(3), PICTURE),
    "frozen at something else": (lambda: t.InstanceNorm2d(3),
                                 lambda: p.InstanceNorm2D(3, weight_attr=frozen(2.0), bias_attr=frozen(0.0)), PICTURE),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_twin_is_found(name):
    reference, twin, shape = WRONG[name]
    assert compare(Port(reference, twin, inputs=[normal(*shape)]).subject("train"), lanes=["float64"]).verdict == "diverged"


def test_a_wrapper_that_holds_a_layer_is_the_layer():
    torch_layer = lambda: t.Sequential(t.utils.spectral_norm(t.Conv2d(3, 4, 3)))  # noqa: E731
    report = glance(Port(torch_layer, lambda: p.Sequential(Wrapped(p.Conv2D(3, 4, 3))), inputs=[normal(2, 3, 6, 6)],
                         calls=2).subject("train"))
    assert report.verdict == "diverged" and report.first.key.stage == "forward"  # Paddle's layer never updates u and v
    assert report.first.key.module.endswith("0")


def test_a_parameter_that_has_a_name_of_its_own_is_built_twice():
    def named():
        return p.Linear(4, 4, weight_attr=paddle.ParamAttr(name="weight of the test"))

    port = Port(lambda: t.Linear(4, 4), named, inputs=[normal(2, 4)])
    assert [glance(port.subject(mode)).verdict for mode in ("eval", "train")] == ["same", "same"]


class TorchBlock(t.Module):
    """What Paddle has as one layer, spelled out, with other names and in another order."""

    def __init__(self):
        super().__init__()
        attention = t.Module()
        for name in ("key", "value", "query", "output"):
            setattr(attention, name, t.Linear(4, 4))
        self.attention, self.up, self.down = attention, t.Linear(4, 8), t.Linear(8, 4)
        self.before, self.after = t.LayerNorm(4), t.LayerNorm(4)


def test_a_layer_that_holds_none_but_other_layers_opens_up():
    found = correspond(TorchBlock(), p.TransformerEncoderLayer(4, 2, 8), DEFAULT)
    assert {name: found.modules[name] for name in ("self_attn.q_proj", "self_attn.k_proj", "linear2", "norm1")} == {
        "self_attn.q_proj": "attention.query", "self_attn.k_proj": "attention.key", "linear2": "down", "norm1": "before"}
    assert not found.problems


class TorchRunning(t.Module):
    """What it has seen is a buffer."""

    def __init__(self):
        super().__init__()
        self.fc = t.Linear(3, 4)
        self.register_buffer("seen", torch.zeros(4))

    def forward(self, x):
        y = self.fc(x)
        self.seen.copy_(0.5 * self.seen + 0.5 * y.detach().mean(0))
        return y


class PaddleRunning(p.Layer):
    """What it has seen is a parameter, which its forward sets."""

    def __init__(self, momentum=0.5):
        super().__init__()
        self.fc, self.momentum = p.Linear(3, 4), momentum
        self.seen = self.create_parameter([4], default_initializer=p.initializer.Constant(0.0))

    def forward(self, x):
        y = self.fc(x)
        with paddle.no_grad():
            self.seen.set_value(self.momentum * self.seen + (1 - self.momentum) * y.mean(0))
        return y


def test_a_buffer_that_is_a_parameter_of_the_twins_is_compared_as_a_state():
    """That it is of another kind is a finding, and that it has a gradient; that it is not there would be none."""
    def stages(build):
        port = Port(TorchRunning, build, inputs=[normal(5, 3)], calls=2)
        return {finding.key.stage for finding in compare(port.subject("train"), lanes=("float64",)).diverged}

    assert stages(PaddleRunning) == {"census", "gradients"}
    assert stages(lambda: PaddleRunning(0.9)) == {"census", "gradients", "state"}
