"""Tensors that programs ordinarily have and that no two frameworks keep alike: tied, non-persistent, 0-d, integer, sparse, of half
precision. Healthy twins pass; each mistake that may hide there is found."""

import ml_dtypes
import numpy as np
import paddle
import pytest
import torch

from parity.compare.ladder import compare
from parity.frameworks import PaddleFramework, TorchFramework
from parity.inputs import normal
from parity.numbers.arrays import eps_of, is_float
from parity.numbers.noise import one_ulp
from parity.port import Port

SIDES = {"torch": (torch.nn.Module, torch.nn.Linear), "paddle": (paddle.nn.Layer, paddle.nn.Linear)}
FRAMEWORKS = [TorchFramework(), PaddleFramework()]
named = pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda one: one.name)


def network(framework, make, run):
    """A module with two square layers `a` and `b`, and what `make(module)` adds to it; `run(module, x)` is its forward."""
    base, linear = SIDES[framework]

    class Net(base):
        def __init__(self):
            super().__init__()
            self.a, self.b = linear(6, 6), linear(6, 6)
            make(self)

        def forward(self, x):
            return run(self, x)

    return Net


def pair(make, twin_make, run=lambda net, x: net.b(net.a(x)), twin_run=None, **options):
    return Port(network("torch", make, run), network("paddle", twin_make, twin_run or run), inputs=[normal(4, 6)], **options)


def judged(port, mode="eval"):
    report = compare(port.subject(mode), lanes=("float64",))
    return report, [(f.key.stage, f.key.variable, f.deviation.trouble or "") for f in report.findings
                    if f.verdict.value == "diverged"]


def is_same(port):
    report, findings = judged(port)
    assert report.verdict == "same" and not findings and report.compared > 10
    return report


# --- one tensor under two names ----------------------------------------------------------------------------------------

def tie(net):
    net.b.weight = net.a.weight


def nothing(net):
    pass


def freeze(net):
    for layer in (net.a, net.b):
        if isinstance(layer, torch.nn.Module):
            layer.weight.requires_grad_(False)
        else:
            layer.weight.stop_gradient = True


def freeze_and_tie(net):
    freeze(net)
    tie(net)


def test_what_is_tied_on_both_sides_is_one_tensor():
    assert not any("one tensor with" in remark for remark in is_same(pair(tie, tie)).remarks)


def test_what_is_tied_is_compared_once_under_either_sides_first_name():
    def other_way(net):
        net.a.weight = net.b.weight

    is_same(pair(tie, other_way))


def test_a_wrong_twin_with_tied_weights_is_found():
    _, findings = judged(pair(tie, tie, twin_run=lambda net, x: net.b(net.a(x) * 1.01)))
    assert findings and findings[0][0] == "forward"


@pytest.mark.parametrize(("makes", "side"), [((tie, nothing), "reference"), ((nothing, tie), "twin")])
def test_a_tie_that_one_side_lacks_trains_otherwise(makes, side):
    _, findings = judged(pair(*makes))
    assert findings[0][:2] == ("census", "weight") and f"one tensor with a.weight in the {side}" in findings[0][2]
    assert not any(stage == "gradients" and "weight" in variable for stage, variable, _ in findings)  # said once


def test_a_tie_of_what_is_not_trained_is_a_remark():
    assert any("one tensor with a.weight in the reference" in remark for remark in is_same(pair(freeze_and_tie, freeze)).remarks)


def test_frozen_tensors_that_differ_cannot_be_one():
    assert judged(pair(freeze, freeze_and_tie))[1]


# --- buffers that no state dict holds ----------------------------------------------------------------------------------

def table(make, **options):
    def add(net):
        net.register_buffer("freq", make(), **options)
    return add


def scaled(net, x):
    return net.b(net.a(x)) * net.freq


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("theirs", [True, False])
def test_a_table_may_stand_in_a_state_dict_or_not(ours, theirs):
    is_same(pair(table(lambda: torch.arange(6.) + 1, persistent=ours),
                 table(lambda: paddle.arange(6.) + 1, persistable=theirs), scaled))


def test_rounding_in_a_table_is_not_a_difference():
    one = np.sin(np.arange(6, dtype="float32"))
    is_same(pair(table(lambda: torch.tensor(one), persistent=False),
                 table(lambda: paddle.to_tensor(one * (1 + 1e-7)), persistable=False), scaled))


@pytest.mark.parametrize("saved", [True, False])
def test_a_wrong_table_that_no_checkpoint_puts_right_is_found(saved):
    _, findings = judged(pair(table(lambda: torch.arange(6.) + 1, persistent=False),
                              table(lambda: paddle.arange(6.), persistable=saved), scaled))
    assert findings[0][:2] == ("census", "freq") and "each side keeps what it made" in findings[0][2]


def test_a_table_that_one_side_alone_registers_is_its_own_affair():
    def plain(net):
        net.freq = torch.arange(6.)

    report = is_same(pair(plain, table(lambda: paddle.arange(6.)), scaled))
    assert any("the twin alone has freq" in remark for remark in report.remarks)
    _, findings = judged(pair(plain, table(lambda: paddle.arange(6.) * 2), scaled))
    assert findings[0][0] == "forward"


def test_state_that_one_side_alone_moves_is_found():
    def counting(net, x):
        net.freq.set_value(net.freq + 1)
        return net.b(net.a(x))

    _, findings = judged(pair(nothing, table(lambda: paddle.zeros([6])), lambda net, x: net.b(net.a(x)), counting))
    assert ("state", "freq", "exists in the twin only") in findings


@pytest.mark.parametrize(("share", "expected"), [(0.1, "same"), (0.2, "diverged")])
def test_what_is_assigned_anew_is_the_buffer_from_there_on(share, expected):
    """`self.seen = ...` puts another tensor in its place; so does `self.seen += 1` in Paddle."""
    def counting(share):
        def run(net, x):
            y = net.a(x)
            net.average = (1 - share) * net.average + share * y.detach().mean(0)
            net.seen += 1
            return net.b(y)

        return run

    found = pair(lambda net: (net.register_buffer("average", torch.zeros(6)), net.register_buffer("seen", torch.zeros(1))),
                 lambda net: (net.register_buffer("average", paddle.zeros([6])), net.register_buffer("seen", paddle.zeros([1]))),
                 counting(0.1), counting(share), calls=2)
    assert compare(found.subject("train"), lanes=("float64",)).verdict == expected


def test_a_product_of_a_norm_is_no_buffer():
    def norm(net):
        (torch.nn.utils.spectral_norm if isinstance(net, torch.nn.Module) else paddle.nn.utils.spectral_norm)(net.a)

    held = PaddleFramework().buffers(network("paddle", norm, nothing)())
    assert {"a.weight_u", "a.weight_v"} <= set(held) and "a.weight" not in held


# --- numbers without axes, and integers ----------------------------------------------------------------------------------

def test_a_parameter_without_axes():
    def scale(net):
        net.s = torch.nn.Parameter(torch.tensor(2.0)) if isinstance(net, torch.nn.Module) else net.create_parameter([])

    is_same(pair(scale, scale, lambda net, x: net.a(x) * net.s))
    assert judged(pair(scale, scale, lambda net, x: net.a(x) * net.s, lambda net, x: net.a(x) * net.s * 1.01))[1]


def test_an_index_stays_an_integer_in_either_lane():
    def index(order):
        def add(net):
            net.register_buffer("i", torch.tensor(order) if isinstance(net, torch.nn.Module) else paddle.to_tensor(order))
        return add

    def picked(net, x):
        return net.a(x)[:, net.i] if isinstance(x, torch.Tensor) else paddle.index_select(net.a(x), net.i, axis=1)

    assert compare(pair(index([2, 0]), index([2, 0]), picked).subject()).verdict == "same"
    is_same(pair(nothing, index([2, 0]), lambda net, x: net.a(x)[:, [2, 0]], picked))
    assert judged(pair(nothing, index([0, 2]), lambda net, x: net.a(x)[:, [2, 0]], picked))[1]


def test_a_list_of_plain_tensors():
    def tables(net):
        library = torch if isinstance(net, torch.nn.Module) else paddle
        net.scales = [library.ones([6]), library.ones([6]) * 2]

    is_same(pair(tables, tables, lambda net, x: net.a(x) * net.scales[1]))


# --- values of every dtype -----------------------------------------------------------------------------------------------

@named
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64", "complex128", "bool", "uint8", "int8",
                                   "int16", "int32", "int64"])
@pytest.mark.parametrize("shape", [(2, 3), ()])
def test_a_tensor_of_any_dtype_crosses_the_border_and_comes_back(framework, dtype, shape):
    array = np.asarray(np.arange(6).reshape(2, 3) if shape else 3).astype(dtype)
    tensor = framework.tensor(array)
    assert framework.shape_dtype(tensor) == (shape, dtype)
    for copy in (True, False):
        back = framework.array(tensor, copy=copy)
        assert back.dtype == array.dtype and back.shape == shape and (back == array).all()


def test_conjugates_and_transposed_halves():
    framework = FRAMEWORKS[0]
    assert framework.array(torch.tensor([1 + 2j]).conj(), copy=False) == np.array([1 - 2j])
    halves = torch.arange(6.).reshape(2, 3).bfloat16().T
    assert (framework.array(halves, copy=False) == np.arange(6).reshape(2, 3).T.astype(ml_dtypes.bfloat16)).all()


def test_sparse_tensors_are_read_whole():
    whole = np.array([[0, 1.], [2, 0]], "float32")
    assert (FRAMEWORKS[0].array(torch.tensor(whole).to_sparse(), copy=False) == whole).all()
    assert (FRAMEWORKS[1].array(paddle.sparse.sparse_coo_tensor([[0, 1], [1, 0]], [1., 2.], [2, 2]), copy=False) == whole).all()


@named
def test_the_sparse_gradient_of_an_embedding(framework):
    library = torch if framework.name == "torch" else paddle
    table = library.nn.Embedding(5, 3, sparse=True)
    table(framework.tensor(np.array([1, 1, 4]))).sum().backward()
    assert framework.array(framework.gradient(table.weight), copy=False).sum(1).tolist() == [0, 6, 0, 0, 3]


@named
def test_half_precision_and_complex_parameters_keep_their_kind(framework):
    net = network(framework.name, nothing, nothing)()
    net.a = net.a.to(dtype=framework.root.bfloat16)  # Paddle's `bfloat16()` does nothing on a processor without AVX-512
    for lane in ("float64", "float32"):
        framework.prepare(net, dtype=lane, training=False, device="cpu")
        kinds = {name: framework.shape_dtype(value)[1] for name, value in framework.parameters(net).items()}
        assert kinds == {"a.weight": "bfloat16", "a.bias": "bfloat16", "b.weight": lane, "b.bias": lane}
        framework.load_state(net, framework.state(net))


def test_what_a_dtype_rounds():
    assert [eps_of(np.dtype(name)) for name in ("float64", "float16", "complex64", "int64")] == [2**-52, 2**-10, 2**-23, 0]
    halves = np.ones(100, ml_dtypes.bfloat16)
    assert is_float(halves.dtype) and eps_of(halves.dtype) == 2**-7
    moved = one_ulp(halves, np.random.default_rng(0))
    assert moved.dtype == halves.dtype and set(moved.astype(float)) == {1 + 2**-7, 1 - 2**-8}


# --- a graph that is walked twice ----------------------------------------------------------------------------------------

@named
def test_a_spliced_value_lets_a_second_backward_through(framework):
    x = framework.tensor(np.ones(3, "float32"), requires_grad=True)
    values = np.array([0.1, 0.2, 0.3], "float32")
    spliced = framework.spliced(x * 2, values)
    assert framework.array(spliced, copy=True).tobytes() == values.tobytes()
    spliced.sum().backward(retain_graph=True)
    (spliced ** 2).sum().backward()
    assert np.allclose(framework.array(framework.gradient(x), copy=True), 2 + 4 * values)


# --- results of every dtype ----------------------------------------------------------------------------------------------

def cast(dtype, factor=1):
    def run(net, x):
        y = net.a(x)
        return (y.to(getattr(torch, dtype)) if isinstance(y, torch.Tensor) else y.astype(dtype)) * factor
    return run


def complex_of(factor=1):
    def run(net, x):
        y = net.a(x)
        return (torch if isinstance(y, torch.Tensor) else paddle).complex(y, net.b(x) * factor)
    return run


def truths_and_bytes(factor=1):
    def run(net, x):
        y = net.a(x)
        small = abs(y * (10 * factor))
        return y > 0, small.to(torch.uint8) if isinstance(y, torch.Tensor) else small.astype("uint8"), y
    return run


@pytest.mark.parametrize(("run", "wrong"), [
    (cast("bfloat16"), cast("bfloat16", 1.5)), (cast("float16"), cast("float16", 1.5)), (complex_of(), complex_of(1.1)),
    (truths_and_bytes(), truths_and_bytes(2))])
def test_results_of_every_dtype_are_compared_in_either_lane(run, wrong):
    assert compare(pair(nothing, nothing, run).subject()).verdict == "same"
    assert any(stage == "forward" for stage, _, _ in judged(pair(nothing, nothing, run, wrong))[1])


def test_a_program_may_use_sparse_tensors():
    def dense(net, x):
        return net.a(x) * 1

    assert compare(pair(nothing, nothing, lambda net, x: net.a(x).to_sparse().to_dense(), dense).subject()).verdict == "same"


# --- a model of the user's in a wrapper of a framework's ---------------------------------------------------------------

def one_layer(net, x):
    return net.a(x) * 2


def without_b(net):
    del net.b


def halved(net, x):
    return net.a(x)


WRAPPED = {"torch.nn.DataParallel": (torch.nn.DataParallel, None), "AveragedModel": (torch.optim.swa_utils.AveragedModel, None),
           "paddle.DataParallel": (None, paddle.DataParallel)}


@pytest.mark.parametrize("wrapper", WRAPPED)
def test_a_model_of_one_layer_in_a_wrapper(wrapper):
    def wrapped(run):
        nets = network("torch", without_b, one_layer), network("paddle", without_b, run)
        builders = [net if around is None else lambda net=net, around=around: around(net())
                    for net, around in zip(nets, WRAPPED[wrapper], strict=True)]
        return Port(*builders, inputs=[normal(4, 6)])

    is_same(wrapped(one_layer))
    report, _ = judged(wrapped(halved))
    assert report.verdict == "diverged" and report.first.twin.text == "return net.a(x)"
