"""A small network with spectral norms, and twins that keep u and v in layers of their own, as the U-GAT-IT ports of 2020 do."""

import paddle
import torch

from parity.inputs import normal
from parity.port import Port

t, p = torch.nn, paddle.nn
EPS = 1e-12


def reference():
    return t.Sequential(t.utils.spectral_norm(t.Conv2d(3, 4, 3)), t.LeakyReLU(0.25), t.AdaptiveAvgPool2d(1), t.Flatten(),
                        t.utils.spectral_norm(t.Linear(4, 2, bias=False)))


class Norm(p.Layer):
    """What divides a weight. kept: whether u and v are "buffers" or "parameters"; moving: whether each forward in train mode moves
    them."""

    def __init__(self, shape, dim=0, kept="buffers", moving=True):
        super().__init__()
        self.order = [dim, *(axis for axis in range(len(shape)) if axis != dim)]
        self.moving = moving
        rows = shape[dim]
        for name, size in (("weight_u", rows), ("weight_v", int(paddle.prod(paddle.to_tensor(shape))) // rows)):
            if kept == "buffers":
                self.register_buffer(name, paddle.randn([size]))
            else:
                setattr(self, name, self.create_parameter([size], attr=paddle.ParamAttr(trainable=False),
                                                          default_initializer=p.initializer.Normal()))

    def forward(self, weight):
        matrix = weight.transpose(self.order).reshape([weight.shape[self.order[0]], -1])
        if self.training and self.moving:
            with paddle.no_grad():
                v = matrix.t() @ self.weight_u
                self.weight_v.set_value(v / paddle.maximum(v.norm(), paddle.to_tensor(EPS, v.dtype)))
                u = matrix @ self.weight_v
                self.weight_u.set_value(u / paddle.maximum(u.norm(), paddle.to_tensor(EPS, u.dtype)))
        return weight / (self.weight_u.clone() * (matrix @ self.weight_v.clone())).sum()


class Holding(p.Layer):
    """Holds the layer, and its weight beside it."""

    def __init__(self, layer, dim=None, **options):
        super().__init__()
        weight = layer._parameters.pop("weight")
        dim = weight.ndim == 2 if dim is None else dim
        self.norm, self.layer = Norm(weight.shape, int(dim), **options), layer
        self.weight_orig = self.create_parameter(weight.shape)

    def forward(self, x):
        self.layer.weight = self.norm(self.weight_orig)
        return self.layer(x)


class Conv(p.Layer):
    """Computes the convolution by itself."""

    def __init__(self, inputs, outputs, size, **options):
        super().__init__()
        self.weight_orig = self.create_parameter([outputs, inputs, size, size])
        self.bias = self.create_parameter([outputs], is_bias=True)
        self.norm = Norm(self.weight_orig.shape, **options)

    def forward(self, x):
        return p.functional.conv2d(x, self.norm(self.weight_orig), self.bias)


class Linear(p.Layer):
    """The same of a matrix, which lies as torch's."""

    def __init__(self, inputs, outputs, **options):
        super().__init__()
        self.weight_orig = self.create_parameter([outputs, inputs])
        self.norm = Norm(self.weight_orig.shape, **options)

    def forward(self, x):
        return x @ self.norm(self.weight_orig).t()


class Forgetful(p.Conv2D):
    """Divides its weight by a norm that begins anew at each forward."""

    def forward(self, x):
        matrix = self.weight.reshape([self.weight.shape[0], -1])
        return p.functional.conv2d(x, self.weight / paddle.linalg.norm(matrix), self.bias)


def network(conv, linear):
    return p.Sequential(conv, p.LeakyReLU(0.25), p.AdaptiveAvgPool2D(1), p.Flatten(), linear)


def holding():
    return network(Holding(p.Conv2D(3, 4, 3)), Holding(p.Linear(4, 2, bias_attr=False)))


def holding_parameters():
    return network(Holding(p.Conv2D(3, 4, 3), kept="parameters"), Holding(p.Linear(4, 2, bias_attr=False), kept="parameters"))


def computing():
    return network(Conv(3, 4, 3), Linear(4, 2))


def standing_still():
    return network(Holding(p.Conv2D(3, 4, 3), moving=False), Holding(p.Linear(4, 2, bias_attr=False)))


def over_another_dim():
    return network(Holding(p.Conv2D(3, 4, 3), dim=1), Holding(p.Linear(4, 2, bias_attr=False)))


def forgetful():
    return network(Forgetful(3, 4, 3), Holding(p.Linear(4, 2, bias_attr=False)))


def with_a_bias():
    return network(Holding(p.Conv2D(3, 4, 3)), Holding(p.Linear(4, 2)))


HEALTHY = ("holding", "holding_parameters", "computing")
WRONG = {"standing_still": ("forward", "0"), "over_another_dim": ("census", "0"), "forgetful": ("census", "0"),
         "with_a_bias": ("census", "4.layer")}
"""The stage and the module of the first divergence."""
SAID = {"over_another_dim": "over dim 1 of the twin's weight, over dim 0", "forgetful": "the twin keeps none",
        "with_a_bias": "in the twin only"}
RECORDED = Port(reference, None, inputs=[normal(2, 3, 6, 6)], calls=2, modes=["train"])
"""For a twin that runs elsewhere."""
