"""Small twins for the tests of the harness: each torch class has a Paddle twin, line for line.

Their epsilon is a power of two, which Paddle 2.6 does not round (`differences`: scalar_addition).
"""

import numpy as np
import paddle
import torch

from parity.compare.ladder import compare
from parity.declare.pair import Pair, Subject
from parity.fixes.edit import Edit, applied
from parity.numbers.noise import generator
from parity.trace.source import SourceTree


class TorchNorm(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gamma = torch.nn.Parameter(torch.ones(width))
        self.beta = torch.nn.Parameter(torch.zeros(width))
        self.register_buffer("seen", torch.zeros(width))

    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        centred = x - mean
        var = (centred * centred).mean(1, keepdim=True)
        out = centred / torch.sqrt(var + 2**-16)
        if self.training:
            self.seen.copy_(0.9 * self.seen + 0.1 * out.detach().mean(0))
        out = out * self.gamma + self.beta
        return out


class PaddleNorm(paddle.nn.Layer):
    def __init__(self, width):
        super().__init__()
        self.gamma = self.create_parameter([width])
        self.beta = self.create_parameter([width], is_bias=True)
        self.register_buffer("seen", paddle.zeros([width]))

    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        centred = x - mean
        var = (centred * centred).mean(1, keepdim=True)
        out = centred / paddle.sqrt(var + 2**-16)
        if self.training:
            paddle.assign(0.9 * self.seen + 0.1 * out.detach().mean(0), self.seen)
        out = out * self.gamma + self.beta
        return out


class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(4, 4)
        self.norm = TorchNorm(4)
        self.act = torch.nn.Tanh()
        self.second = torch.nn.Linear(4, 4)
        self.head = torch.nn.Linear(4, 3)

    def forward(self, x, y):
        h = self.first(x)
        h = self.norm(h)
        h = self.act(h)
        skip = self.second(h)
        h = h + skip * y
        out = self.head(h)
        score = self.mix(out, out * 2)
        return out, score

    def mix(self, a, b):
        both = a * a - b
        return both.mean(1)


class PaddleNet(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.first = paddle.nn.Linear(4, 4)
        self.norm = PaddleNorm(4)
        self.act = paddle.nn.Tanh()
        self.second = paddle.nn.Linear(4, 4)
        self.head = paddle.nn.Linear(4, 3)

    def forward(self, x, y):
        h = self.first(x)
        h = self.norm(h)
        h = self.act(h)
        skip = self.second(h)
        h = h + skip * y
        out = self.head(h)
        score = self.mix(out, out * 2)
        return out, score

    def mix(self, a, b):
        both = a * a - b
        return both.mean(1)


class TorchWords(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(7, 4)

    def forward(self, words):
        found = self.table(words)
        best = found.argmax(-1)
        large = found > 0
        return found.sum(1), best, large


class PaddleWords(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.table = paddle.nn.Embedding(7, 4)

    def forward(self, words):
        found = self.table(words)
        best = found.argmax(-1)
        large = found > 0
        return found.sum(1), best, large


class TorchImage(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(1, 2, 3, bias=False)
        self.act = torch.nn.ReLU(True)
        self.second = torch.nn.Conv2d(2, 2, 3)

    def forward(self, x):
        h = self.first(x)
        h = self.act(h)
        out = self.second(h)
        return out


class PaddleImage(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.first = paddle.nn.Conv2D(1, 2, 3, bias_attr=False)
        self.act = paddle.nn.ReLU()
        self.second = paddle.nn.Conv2D(2, 2, 3)

    def forward(self, x):
        h = self.first(x)
        h = self.act(h)
        out = self.second(h)
        return out


class TorchAttention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.key = torch.nn.Linear(4, 4)

    def forward(self, x):
        scores = self.key(x) @ x.t()
        ones = torch.ones_like(scores)
        scores = torch.where(torch.triu(ones, 1) > 0, ones * -3e38, scores)
        weights = torch.softmax(scores, -1)
        out = weights @ x
        return out


class PaddleAttention(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.key = paddle.nn.Linear(4, 4)

    def forward(self, x):
        scores = self.key(x) @ x.t()
        ones = paddle.ones_like(scores)
        scores = paddle.where(paddle.triu(ones, 1) > 0, ones * -3e38, scores)
        weights = paddle.nn.functional.softmax(scores, -1)
        out = weights @ x
        return out


class TorchBatchNorm(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(2)

    def forward(self, x):
        return self.norm(x)


class PaddleBatchNorm(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.norm = paddle.nn.BatchNorm2D(2)

    def forward(self, x):
        return self.norm(x)


PAIR = Pair("toys", SourceTree(__file__), SourceTree(__file__))


def numbers(*shape, name="x"):
    return generator("toys", name).standard_normal(shape).astype(np.float32)


INPUTS = {"Net": {"x": numbers(2, 4), "y": numbers(2, 4, name="y")},
          "Words": {"words": np.array([[1, 2, 2], [0, 6, 3]])},
          "Image": {"x": numbers(1, 1, 8, 8)},
          "Attention": {"x": numbers(5, 4)},
          "BatchNorm": {"x": numbers(3, 2, 4, 4)}}


def subject(name="Net", pair=PAIR, **options):
    """The subject of that name, "Torch" + name beside "Paddle" + name."""
    return between(globals()["Torch" + name], globals()["Paddle" + name],
                   **{"inputs": INPUTS[name], "pair": pair, **options})


def between(reference, twin, inputs=None, pair=PAIR, state=None, **options):
    """The subject of any two builders."""
    if state is None:
        state = {key: numbers(*value.shape, name=key) if value.is_floating_point() else value.numpy()
                 for key, value in reference().state_dict().items()}
        state |= {key: abs(value) for key, value in state.items() if key.endswith("running_var")}
    return Subject("net", pair, reference, twin, state, inputs or {"x": numbers(2, 4)}, **options)


def mutant(*edits, name="Net", lanes=("float64",), **options):
    """The report on a subject whose twin has these edits: (function, old text, new text)."""
    made = tuple(Edit(f"toys:Paddle{where}", old, new) for where, old, new in edits)
    with applied(made):
        return compare(subject(name, **options), lanes=lanes)
