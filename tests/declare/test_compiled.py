"""Programs that are compiled, decorated, or not whole before they have run once: followed as what they were written as, or refused
aloud."""

import functools

import paddle
import pytest
import torch
from paddle.nn import functional as P

import parity
from parity import normal
from parity.files import InputError
from parity.frameworks import PaddleFramework
from parity.port import Port
from parity.trace.source import SourceTree, code_of

X = {"x": normal(2, 4)}


def timed(forward):
    @functools.wraps(forward)
    def around(*args, **kwargs):
        return forward(*args, **kwargs)

    return around


class Reference(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 4)

    @timed
    def forward(self, x):
        h = self.fc(x)
        return torch.relu(h)


class Compiled(paddle.nn.Layer):
    def __init__(self, factor=1.0):
        super().__init__()
        self.fc = paddle.nn.Linear(4, 4)
        self.factor = factor

    @paddle.jit.to_static
    def forward(self, x):
        h = self.fc(x)
        return P.relu(h) * self.factor


class Decorated(Compiled):
    @timed
    def forward(self, x):
        h = self.fc(x)
        return P.relu(h) * self.factor


def compared(reference, twin, **options):
    return parity.compare(Port(reference, twin, **{"inputs": X, **options}), lanes=("float64",), modes=("train",))


def line_of(function, text):
    code = code_of(function)
    with open(code.co_filename) as file:
        return next(n for n, line in enumerate(file, 1) if n >= code.co_firstlineno and text in line)


@pytest.mark.parametrize("twin", [Compiled, Decorated])
def test_a_right_twin_is_the_same_and_what_was_compiled_is_so_again(twin):
    assert compared(Reference, twin).verdict == "same"
    assert paddle.jit.dy2static.program_translator.ProgramTranslator().enable_to_static


@pytest.mark.parametrize("twin", [Compiled, Decorated])
def test_a_wrong_one_is_placed_at_its_line(twin):
    _, found = compared(Reference, lambda: twin(1.01)).headline
    assert found.twin.line == line_of(twin.forward, "self.factor\n")
    assert found.reference.line == line_of(Reference.forward, "torch.relu")


def test_a_program_that_raises_leaves_the_compiler_as_it_was():
    with pytest.raises(RuntimeError), PaddleFramework().uncompiled():
        raise RuntimeError
    assert paddle.jit.dy2static.program_translator.ProgramTranslator().enable_to_static


def test_what_a_decorator_is_around_is_the_users_code():
    source = SourceTree(__file__)
    assert source.defines(Reference()) and source.defines(Compiled()) and not source.defines(torch.nn.Linear(1, 1))
    assert code_of(type("Everything", (), {"__getattr__": lambda self, name: self})()) is None


def test_torchscript_is_refused_wherever_it_is():
    for build in (lambda: torch.jit.script(torch.nn.Linear(4, 4)),
                  lambda: torch.nn.Sequential(torch.jit.script(torch.nn.Linear(4, 4)))):
        with pytest.raises(InputError, match="TorchScript.*hand over the module that it was made of"):
            compared(build, lambda: paddle.nn.Linear(4, 4))


class Lazy(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.norm = torch.nn.LazyLinear(3), torch.nn.LazyBatchNorm1d()

    def forward(self, x):
        return self.norm(self.fc(x))


class Sized(paddle.nn.Layer):
    def __init__(self, epsilon=1e-5):
        super().__init__()
        self.fc, self.norm = paddle.nn.Linear(4, 3), paddle.nn.BatchNorm1D(3, epsilon=epsilon)

    def forward(self, x):
        return self.norm(self.fc(x))


@pytest.mark.parametrize("epsilon, verdict", [(1e-5, "same"), (1e-3, "diverged")])
def test_a_layer_that_takes_its_shape_from_its_first_input_is_given_one(epsilon, verdict):
    assert compared(Lazy, lambda: Sized(epsilon)).verdict == verdict


def test_without_an_input_a_layer_without_a_shape_is_refused():
    with pytest.raises(InputError, match=r"fc\.weight takes its shape from the first input, and no inputs are declared"):
        Port(Lazy, Sized).listing()


@pytest.mark.parametrize("factor, verdict", [(1.0, "same"), (1.01, "diverged")])
def test_a_parametrized_layer_under_another_name(factor, verdict):
    class Twin(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.convolution = paddle.nn.utils.weight_norm(paddle.nn.Conv1D(3, 6, 3))

        def forward(self, x):
            return self.convolution(x) * factor

    class Normed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(3, 6, 3))

        def forward(self, x):
            return self.conv(x)

    assert compared(Normed, Twin, inputs={"x": normal(2, 3, 9)}).verdict == verdict
