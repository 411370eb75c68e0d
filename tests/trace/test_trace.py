"""A recording shows what a program computed, line by line, and leaves the program as it was."""

import sys
import threading
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
import torch
from paddle.distributed.fleet.utils import recompute
from torch.utils.checkpoint import checkpoint

from parity.frameworks import PaddleFramework, TorchFramework
from parity.trace.execute import forward_backward
from parity.trace.randomness import Tape
from parity.trace.recorder import Recorder
from parity.trace.side import Run, Side
from parity.trace.source import SourceTree
from parity.verdict.sinks import Store

# ruff: noqa: F841, RUF059 (locals that are there to be seen)

BOTH = pytest.mark.parametrize("side", ["torch", "paddle"])
FRAMEWORKS = {"torch": TorchFramework(), "paddle": PaddleFramework()}
X = np.random.default_rng(0).standard_normal((2, 4))
HERE = SourceTree(__file__)


class Sums(torch.nn.Module):
    """Wraps a function as a torch module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class PaddleSums(paddle.nn.Layer):
    """Wraps a function as a Paddle layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def wrap(side, function):
    return (Sums if side == "torch" else PaddleSums)(function)


def record(model, *inputs):
    """name -> array of everything that one forward and backward of a model computes."""
    framework = FRAMEWORKS["torch" if isinstance(model, torch.nn.Module) else "paddle"]
    store = Store()
    recorder = Recorder(Side(framework, HERE), store, Run(measure=True))
    forward_backward(framework, model, inputs or (X,), lambda number, shape: np.ones(shape), recorder)
    return {f"{key}" + (f" [{key.frame}]" if key.frame else ""): event.array for key, event in store.events.items()}


def equal(found, name, expected):
    np.testing.assert_allclose(found[name], expected, rtol=1e-12)


# --- values are those of their moment --------------------------------------------------------------------------------


def in_place(x):
    y = x * 2
    z = y
    y += 1
    y *= 3
    return y


@BOTH
def test_a_write_in_place_does_not_reach_back(side):
    found = record(wrap(side, in_place))
    equal(found, "forward (top level) in_place: z", X * 2)
    equal(found, "forward (top level) in_place: y", X * 2)
    equal(found, "forward (top level) in_place: y (binding 2)", X * 2 + 1)
    equal(found, "forward (top level) in_place: y (binding 3)", (X * 2 + 1) * 3)
    equal(found, "gradients (top level) in_place: z", np.full_like(X, 3))
    equal(found, "gradients (top level) input[0]", np.full_like(X, 6))


def unseen_write(x):
    y = x * 2
    if isinstance(y, torch.Tensor):
        y.data.clamp_(-0.5, 0.5)
    else:
        y.set_value(y.clip(-0.5, 0.5))
    z = y
    return z


@BOTH
def test_a_write_that_no_version_tells_of_is_seen(side):
    """Through torch's `.data`, or Paddle's `set_value`."""
    found = record(wrap(side, unseen_write))
    equal(found, "forward (top level) unseen_write: y", X * 2)
    equal(found, "forward (top level) unseen_write: z", np.clip(X * 2, -0.5, 0.5))
    equal(found, "forward (top level) output", np.clip(X * 2, -0.5, 0.5))
    equal(found, "gradients (top level) input[0]", np.full_like(X, 2))


def test_relu_in_place_does_not_reach_back():
    def function(x):
        before = x * 2
        after = relu(before)
        again = relu(after - 0.1)
        return again

    relu = torch.nn.ReLU(True)
    model = Sums(function)
    model.relu = relu
    found = record(model)
    equal(found, "forward (top level) function: before", X * 2)
    equal(found, "forward relu input[0]", X * 2)
    equal(found, "forward relu output", np.maximum(X * 2, 0))
    equal(found, "forward relu call 2 input[0]", np.maximum(X * 2, 0) - 0.1)
    slope = (np.maximum(X * 2, 0) > 0.1)
    equal(found, "gradients relu output", slope)
    equal(found, "gradients relu input[0]", slope)
    equal(found, "gradients (top level) input[0]", 2 * slope)


def test_a_write_into_a_view_shows_in_its_base_from_then_on():
    def function(x):
        base = x * 1
        view = base[:, :2]
        view.mul_(5)
        after = base
        return after

    found = record(Sums(function))
    changed = X.copy()
    changed[:, :2] *= 5
    equal(found, "forward (top level) function: base", X)
    equal(found, "forward (top level) function: view", X[:, :2])
    equal(found, "forward (top level) function: after", changed)
    equal(found, "forward (top level) output", changed)


# --- modules ---------------------------------------------------------------------------------------------------------


@BOTH
def test_each_call_of_a_module_has_its_number(side):
    layer = torch.nn.Tanh() if side == "torch" else paddle.nn.Tanh()

    def function(x):
        for _ in range(3):
            x = layer(x)
        return x

    model = wrap(side, function)
    model.layer = layer
    found, expected = record(model), X
    for call in ("", " call 2", " call 3"):
        equal(found, f"forward layer{call} input[0]", expected)
        expected = np.tanh(expected)
        equal(found, f"forward layer{call} output", expected)
        assert f"gradients layer{call} output" in found


@BOTH
def test_a_shared_module_is_one_module(side):
    layer = torch.nn.Tanh() if side == "torch" else paddle.nn.Tanh()
    model = wrap(side, lambda x: layer(layer(x)))
    model.one = model.two = layer
    found = record(model)
    equal(found, "forward one call 2 output", np.tanh(np.tanh(X)))
    assert not any(" two" in name for name in found)


@BOTH
def test_the_inner_module_stands_within_the_outer(side):
    inner = wrap(side, in_place)
    outer = wrap(side, lambda x: inner(x) + 1)
    outer.inner = inner
    found = record(outer)
    equal(found, "forward inner in_place: y (binding 2)", X * 2 + 1)
    equal(found, "forward inner output", (X * 2 + 1) * 3)
    equal(found, "forward (top level) output", (X * 2 + 1) * 3 + 1)


def fails(x):
    if x is not None:
        raise ValueError("no")


@BOTH
def test_a_module_that_raised_does_not_disturb_its_callers(side):
    bad = wrap(side, fails)

    def function(x):
        try:
            y = bad(x)
        except ValueError:
            y = x * 2
        z = y * 3
        return z

    model = wrap(side, function)
    model.bad = bad
    found = record(model)
    equal(found, "forward (top level) function: y", X * 2)
    equal(found, "forward (top level) function: z", X * 6)
    equal(found, "forward (top level) output", X * 6)
    assert not any("bad output" in name for name in found)


# --- functions -------------------------------------------------------------------------------------------------------


def helper(x, times=2):
    product = x * times
    return product


def twice(x):
    a = helper(x)
    b = helper(a, times=5)
    return b


@BOTH
def test_a_helper_called_twice_has_two_runs(side):
    found = record(wrap(side, twice))
    equal(found, "forward (top level) helper: argument x", X)
    equal(found, "forward (top level) helper: product", X * 2)
    equal(found, "forward (top level) helper: argument x [1]", X * 2)
    equal(found, "forward (top level) helper: return [1]", X * 10)


class Tail(torch.nn.Module):
    def forward(self, x):
        return self.end(x * 2)

    def end(self, x):
        y = x + 1
        return y * y


def test_a_method_beside_forward_shows_what_it_takes_and_gives():
    found = record(Tail())
    equal(found, "forward (top level) end: argument x", X * 2)
    equal(found, "forward (top level) end: return", (X * 2 + 1) ** 2)
    assert not any("forward: argument" in name or "forward: return" in name for name in found)


def early(x):
    y = x * 2
    if y.shape[0] == 2:
        return y
    z = y * 3
    return z


def list_of(x):
    parts = [part * 2 for part in (x, x + 1)]
    nested = {"a": (x, parts[1]), "b": parts}
    total = sum(part.sum() for part in parts)
    return total


def numbers(x):
    for n in (1, 2):
        yield x * n


def generated(x):
    total = x * 0
    for part in numbers(x):
        total = total + part
    return total


@BOTH
def test_an_early_return(side):
    found = record(wrap(side, early))
    equal(found, "forward (top level) output", X * 2)
    assert not any(": z" in name for name in found)


@BOTH
def test_comprehensions_and_nests(side):
    found = record(wrap(side, list_of))
    equal(found, "forward (top level) list_of: parts[1]", (X + 1) * 2)
    equal(found, "forward (top level) list_of: nested['a'][1]", (X + 1) * 2)
    equal(found, "forward (top level) list_of: nested['b'][0]", X * 2)


@BOTH
def test_generators(side):
    found = record(wrap(side, generated))
    equal(found, "forward (top level) generated: part (binding 2)", X * 2)
    equal(found, "forward (top level) generated: total (binding 3)", X * 3)


def styles(x):
    if x.shape[0]: y = x * 2  # noqa: E701
    a = y + 1; b = a * 3  # noqa: E702
    try:
        c = b - 1
        d = c * c
    finally:
        e = d + 1
    return e


@BOTH
def test_one_liners_and_try_blocks_hide_nothing(side):
    found, y = record(wrap(side, styles)), X * 2
    for name, expected in {"y": y, "a": y + 1, "b": (y + 1) * 3, "c": (y + 1) * 3 - 1, "d": ((y + 1) * 3 - 1) ** 2}.items():
        equal(found, f"forward (top level) styles: {name}", expected)


# --- results ---------------------------------------------------------------------------------------------------------


@dataclass
class Answer:
    value: object
    note: str = "?"


RESULTS = {
    "tuple": (lambda x: (x * 2, x * 3), {"[0]": 2, "[1]": 3}),
    "dict": (lambda x: {"a": x * 2, "b": [x * 3, None]}, {"['a']": 2, "['b'][0]": 3}),
    "dataclass": (lambda x: Answer(x * 2), {".value": 2}),
    "namespace": (lambda x: SimpleNamespace(deep=Answer((x * 2,))), {".deep.value[0]": 2}),
}


@BOTH
@pytest.mark.parametrize("name", RESULTS)
def test_nested_results(side, name):
    function, expected = RESULTS[name]
    found = record(wrap(side, function))
    for place, factor in expected.items():
        equal(found, f"forward (top level) output{place}", X * factor)
        equal(found, f"gradients (top level) output{place}", np.ones_like(X))


@BOTH
def test_results_that_are_plain_numbers(side):
    found = record(wrap(side, lambda x: (x * 1, x.sum().item(), x.shape[0], np.arange(3), True)))
    equal(found, "forward (top level) output[1]", X.sum())
    equal(found, "forward (top level) output[2]", 2)
    equal(found, "forward (top level) output[3]", np.arange(3))
    assert found["forward (top level) output[4]"].dtype == bool


# --- gradients -------------------------------------------------------------------------------------------------------


def used_and_unused(x):
    used = x * x
    unused = x * 7
    part = used.detach()
    return used * part


@BOTH
def test_gradients_of_locals_inputs_and_what_is_not_used(side):
    found = record(wrap(side, used_and_unused))
    equal(found, "gradients (top level) used_and_unused: used", X * X)
    equal(found, "gradients (top level) input[0]", 2 * X**3)
    assert "gradients (top level) used_and_unused: part" not in found
    assert not found.get("gradients (top level) used_and_unused: unused", np.zeros(1)).any()


@BOTH
def test_the_gradient_of_a_value_used_twice_is_the_sum(side):
    def function(x):
        y = x * 1
        return y * 2 + y * 3

    equal(record(wrap(side, function)), "gradients (top level) function: y", np.full_like(X, 5))


@BOTH
def test_a_part_of_a_result_that_nothing_needs(side):
    split = wrap(side, lambda x: tuple(x.chunk(2, 1)))

    def function(x):
        left, right = split(x)
        return left * 2

    model = wrap(side, function)
    model.split = split
    equal(record(model), "gradients split output[0]", np.full((2, 2), 2))


@BOTH
def test_parameters_that_got_no_gradient_say_so(side):
    model = wrap(side, lambda x: x * 2)
    model.layer = torch.nn.Linear(4, 4) if side == "torch" else paddle.nn.Linear(4, 4)
    assert record(model)["gradients layer weight"] is None


# --- the program stays as it was -------------------------------------------------------------------------------------


def net(side):
    nn = torch.nn if side == "torch" else paddle.nn
    torch.manual_seed(0)
    paddle.seed(0)
    conv, norm = (nn.Conv2d, nn.BatchNorm2d) if side == "torch" else (nn.Conv2D, nn.BatchNorm2D)
    act = nn.ReLU(True) if side == "torch" else nn.ReLU()
    model = nn.Sequential(conv(2, 3, 3), norm(3), act, conv(3, 2, 1), nn.Tanh())
    return model.double() if side == "torch" else model.to(dtype="float64")


def outcome(side, recorded, **options):
    """Output, gradients and buffers after a forward and backward."""
    framework, model, x = FRAMEWORKS[side], net(side), np.random.default_rng(1).standard_normal((2, 2, 7, 7))
    taken = []

    def run():
        tensor = framework.tensor(x, requires_grad=True)
        result = model(tensor)
        framework.backward([result], [framework.tensor(np.ones(framework.shape_dtype(result)[0]))])
        taken.extend([result, tensor.grad, *framework.buffers(model).values(),
                      *(p.grad for p in framework.parameters(model).values() if framework.requires_grad(p))])

    if recorded:
        recorder = Recorder(Side(framework, HERE), Store(), Run(**options))
        recorder.watch(model)
        with recorder.recording():
            run()
    else:
        run()
    return [framework.array(tensor, copy=True) for tensor in taken]


@BOTH
@pytest.mark.parametrize("options", [{}, {"measure": True}, {"lines": False}, {"gradients": False}], ids=str)
def test_recording_changes_no_bit(side, options):
    plain, recorded = outcome(side, False), outcome(side, True, **options)
    assert len(plain) == len(recorded) > 8
    assert all(np.array_equal(a, b) for a, b in zip(plain, recorded, strict=True))


def written_into(side, part):
    """A program that writes into what a module of it returned, and returns what that is a part of."""
    def function(x):
        whole = x * 1
        model.part(whole).scale_(5.0) if side == "paddle" else model.part(whole).mul_(5)
        return whole

    model = wrap(side, function)
    model.part = wrap(side, part)
    return model


@BOTH
@pytest.mark.parametrize("part", [lambda x: x[:, :2], lambda x: x.reshape([4, 2]), lambda x: x], ids=["slice", "reshape", "same"])
def test_a_write_into_a_modules_view_is_kept(side, part):
    model = written_into(side, part)
    expected = model(FRAMEWORKS[side].tensor(X)).numpy()
    assert not np.array_equal(expected, X)
    equal(record(model), "forward (top level) output", expected)


def test_the_gradient_goes_through_a_write_into_a_modules_view():
    found = record(written_into("torch", lambda x: x[:, :2]))
    equal(found, "gradients (top level) input[0]", [[5, 5, 1, 1]] * 2)


@BOTH
def test_a_module_whose_memory_is_written_into_is_named(side):
    for part, named in ((lambda x: x[:, :2], {"part"}), (lambda x: x + 1, set())):
        model, store = written_into(side, part), Store()
        recorder = Recorder(Side(FRAMEWORKS[side], HERE), store)
        forward_backward(FRAMEWORKS[side], model, [X], lambda number, shape: np.ones(shape), recorder)
        assert store.apart == named


def test_the_gradient_of_a_view_that_is_written_over_is_seen_where_nobody_else_sees_the_write():
    model = torch.nn.Sequential(torch.nn.InstanceNorm1d(2), torch.nn.ReLU(True)).double()
    found = record(model, np.random.default_rng(0).standard_normal((2, 2, 5)))
    np.testing.assert_array_equal(found["gradients 0 output"] != 0, found["forward 1 output"] > 0)


def hooks(side, model):
    framework = FRAMEWORKS[side]
    attributes = (("_forward_hooks", "_forward_pre_hooks") if side == "torch" else
                  ("_forward_post_hooks", "_forward_pre_hooks"))
    count = sum(len(getattr(module, name)) for _, module in framework.modules(model) for name in attributes)
    if side == "torch":
        count += sum(len(p._backward_hooks or ()) for p in model.parameters())
    return count


@BOTH
def test_hooks_and_tracing_are_gone_afterwards(side):
    model = net(side)
    framework, before = FRAMEWORKS[side], sys.gettrace()
    recorder = Recorder(Side(framework, HERE), Store())
    recorder.watch(model)
    assert hooks(side, model) > 0
    with recorder.recording():
        assert sys.gettrace() is not before
    assert hooks(side, model) == 0 and sys.gettrace() is before


@BOTH
def test_hooks_and_tracing_are_gone_after_an_exception(side):
    model, before = wrap(side, fails), sys.gettrace()
    with pytest.raises(ValueError, match="no"):
        record(model)
    assert hooks(side, model) == 0 and sys.gettrace() is before


def test_the_users_own_tracer_comes_back():
    seen = []

    def tracer(frame, event, arg):
        seen.append(frame.f_code.co_name)

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        record(Sums(early))
        assert sys.gettrace() is tracer
        helper(1)
    finally:
        sys.settrace(before)
    assert "helper" in seen


def test_other_threads_are_not_followed():
    def function(x):
        thread = threading.Thread(target=in_place, args=(x,))
        thread.start()
        thread.join()
        return x * 2

    assert not any("in_place" in name for name in record(Sums(function)))


def test_code_outside_the_users_files_is_not_followed():
    store = Store()
    recorder = Recorder(Side(FRAMEWORKS["torch"], SourceTree("/nowhere")), store)
    forward_backward(FRAMEWORKS["torch"], Sums(in_place), (X,), lambda number, shape: np.ones(shape), recorder)
    assert store.events and not any(key.function for key in store.events)


def test_the_line_that_bound_a_value_is_named():
    store = Store()
    recorder = Recorder(Side(FRAMEWORKS["torch"], HERE), store)
    forward_backward(FRAMEWORKS["torch"], Sums(in_place), (X,), lambda number, shape: np.ones(shape), recorder)
    lines = {key.variable: event.site.text for key, event in store.events.items() if key.stage == "forward"}
    assert lines["z"] == "z = y" and lines["y"] == "y *= 3" and lines["output"] == "return self.function(x)"


@BOTH
def test_two_backward_passes_through_one_graph_are_two_gradients(side):
    framework, store = FRAMEWORKS[side], Store()
    model = {"torch": torch.nn, "paddle": paddle.nn}[side].Sigmoid()
    recorder = Recorder(Side(framework, HERE), store)
    recorder.watch(model, "net")
    with recorder.recording():
        x = framework.tensor(X, requires_grad=True)
        y = model(x)
        (2 * y).sum().backward(retain_graph=True)
        (3 * y).sum().backward()
    found = {key.variable: event.array for key, event in store.events.items() if key.stage == "gradients"}
    np.testing.assert_array_equal(found["output"], np.full(X.shape, 2.0))
    np.testing.assert_array_equal(found["output (backward 2)"], np.full(X.shape, 3.0))


@BOTH
@pytest.mark.parametrize("leaf", [True, False])
def test_gradients_of_gradients_come_in_the_same_order_in_both(side, leaf):
    """Paddle's `grad` calls no hook of a leaf (3.3.1); a rectifier's second derivative is zeros in torch, nothing in Paddle."""
    framework, store = FRAMEWORKS[side], Store()
    layers, grad = {"torch": (torch.nn, torch.autograd.grad), "paddle": (paddle.nn, paddle.grad)}[side]
    model = layers.ReLU()
    recorder = Recorder(Side(framework, HERE), store)
    recorder.watch(model, "net")
    with recorder.recording():
        x = framework.tensor(np.abs(X), requires_grad=True)
        x = x if leaf else 1 * x
        y = model(x)
        (slope,) = grad((y * 3).sum(), [x], create_graph=True)
        ((slope * y) ** 2).sum().backward(retain_graph=True)
        (5 * y).sum().backward()
    found = {key.variable: event.array for key, event in store.events.items() if key.stage == "gradients"}
    assert found.keys() == {f"{value}{number}" for value in ("input[0]", "output")
                            for number in ("", " (backward 2)", " (backward 3)")}
    for value in ("input[0]", "output"):
        np.testing.assert_array_equal(found[value], np.full(X.shape, 3.0))
        np.testing.assert_allclose(found[f"{value} (backward 2)"], 18 * np.abs(X), rtol=1e-15)  # one rounding of float64
        np.testing.assert_array_equal(found[f"{value} (backward 3)"], np.full(X.shape, 5.0))


@BOTH
@pytest.mark.parametrize("factors", [(3.0, 0.0, 5.0), (0.0, 3.0, 5.0), (0.0, 0.0), (3.0, 0.0)])
def test_a_gradient_of_zeros_takes_no_number_from_another(side, factors):
    framework, store = FRAMEWORKS[side], Store()
    model = {"torch": torch.nn, "paddle": paddle.nn}[side].Sigmoid()
    recorder = Recorder(Side(framework, HERE), store)
    recorder.watch(model, "net")
    with recorder.recording():
        y = model(framework.tensor(X, requires_grad=True))
        for factor in factors:
            (factor * y).sum().backward(retain_graph=True)
    found = [event.array.flat[0] for key, event in store.events.items()
             if key.variable.startswith("output") and key.stage == "gradients"]
    others = [factor for factor in factors if factor]
    assert found == (others if factors[-1] else [*others, 0.0])


def checkpointed(side, reentrant=False):
    """A layer and a dropout that are computed once more in the backward."""
    def inner(x):
        return model.drop(x * 2)

    def function(x):
        if side == "paddle":
            return recompute(inner, x * 1) * 3
        return checkpoint(inner, x * 1, use_reentrant=reentrant) * 3

    model = wrap(side, function)
    model.drop = torch.nn.Dropout(0.5) if side == "torch" else paddle.nn.Dropout(0.5)
    return model


@pytest.mark.parametrize("side, reentrant", [("torch", False), ("torch", True), ("paddle", False)])
def test_what_a_backward_computes_once_more_is_recorded_once_and_draws_the_same(side, reentrant):
    model, framework, store, tape = checkpointed(side, reentrant), FRAMEWORKS[side], Store(), Tape(0)
    x = np.random.default_rng(0).standard_normal((8, 8))
    recorder = Recorder(Side(framework, HERE), store, Run(random=tape.hand(0)))
    forward_backward(framework, model, [x], lambda number, shape: np.ones(shape), recorder)
    found = {str(key): event.array for key, event in store.events.items()}
    assert not [name for name in found if "call 2" in name or "binding 2" in name] and len(tape.entries) == 1
    kept = found["forward drop output"] != 0
    assert kept.any() and not kept.all()
    equal(found, "gradients (top level) input[0]", np.where(kept, 12.0, 0.0))
    assert store.apart == {"drop"}


def test_a_module_that_is_called_twice_is_recorded_twice():
    twice = wrap("torch", lambda x: twice.part(twice.part(x)))
    twice.part = wrap("torch", lambda x: x * 2)
    assert "forward part call 2 output" in record(twice)


def test_a_recorder_whose_run_is_over_holds_no_tensor(monkeypatch):
    framework, shared = TorchFramework(), []
    recorder = Recorder(Side(framework, HERE), Store())
    monkeypatch.setattr(recorder.borders, "apart", lambda: shared.extend(recorder.borders._shared) or set())
    forward_backward(framework, torch.nn.ReLU(inplace=True), [np.ones((2, 3))], lambda number, shape: np.ones(shape), recorder)
    assert shared and not recorder.borders._shared and not recorder.cuts
