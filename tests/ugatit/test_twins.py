"""The twins read alike, start alike, and agree where Paddle's own functions do not."""

import ast
from functools import partial
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

import paddle_impl
import torch_ref
from paddle_impl import functional

paddle.set_device("cpu")
ROOT = Path(__file__).parents[2]
TWIN_ONLY = {"functional.py", "layers.py"}
HELPERS = {"_divide_by_sigma", "_matrix"}  # torch's hook has them inside


def files_of(package):
    """All but what only says what is there."""
    files = (ROOT / package).rglob("*.py")
    return {file.relative_to(ROOT / package).as_posix() for file in files if file.name != "__init__.py"}


TWINS = sorted(files_of("torch_ref"))


def outline(file):
    """(class or None, function) -> (argument names, names in the order in which statements bind them)."""
    found = {}

    def visit(node, owner):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                visit(child, child.name)
            elif isinstance(child, ast.FunctionDef) and child.name not in HELPERS:
                names = [node for node in ast.walk(child) if isinstance(node, ast.Name)]
                bound = [node.id for node in names if isinstance(node.ctx, ast.Store)]
                found[owner, child.name] = ([argument.arg for argument in child.args.args], bound)

    visit(ast.parse(file.read_text()), None)
    return found


def linear_layers(model):
    return {name for name, layer in model.named_sublayers() if isinstance(layer, paddle.nn.Linear)}


def load(twin, reference):
    """Give the twin the reference's state."""
    linear = linear_layers(twin)
    state = {}
    for key, value in reference.state_dict().items():
        layer, _, kind = key.rpartition(".")
        transposed = layer in linear and kind in ("weight", "weight_orig")
        state[key] = paddle.to_tensor((value.T if transposed else value).numpy().copy())
    missing, unexpected = twin.set_state_dict(state)
    assert not missing and not unexpected


def discriminators():
    reference = torch_ref.Discriminator(3, 4, 5).double()
    twin = paddle_impl.Discriminator(3, 4, 5)
    twin.to(dtype="float64")
    load(twin, reference)
    return reference, twin


def test_the_same_files():
    assert set(TWINS) == files_of("paddle_impl") - TWIN_ONLY
    assert len(TWINS) >= 14 and "systems/cyclegan.py" in TWINS


@pytest.mark.parametrize("name", TWINS)
def test_the_same_functions_arguments_and_local_names(name):
    reference, twin = (outline(ROOT / package / name) for package in ("torch_ref", "paddle_impl"))
    twin_only = {"norms.py": {("InstanceNorm2D", "__init__"), ("InstanceNorm2D", "forward")},
                 "optimizer.py": {("Adam", "__init__"), ("Adam", "step"), ("Adam", "state_dict"), (None, "_power")},
                 }.get(name, set())
    assert [key for key in twin if key not in twin_only] == list(reference)
    assert reference
    for key, (arguments, names) in reference.items():
        assert twin[key][0] == arguments, key
        # torch's own hook against a composed one; Adam's state by parameter against Paddle's by global name
        if key not in {(None, "spectral_norm"), (None, "get_moments"), (None, "set_moments")}:
            assert twin[key][1] == names, key


def test_the_same_exports():
    assert {name.lower() for name in torch_ref.__all__} == {name.lower() for name in paddle_impl.__all__}
    for package in (torch_ref, paddle_impl):
        assert package.adaILN is package.AdaLIN and package.ILN is package.LIN


@pytest.mark.parametrize("make", [
    lambda package: package.ResnetGenerator(3, 3, 4, 2, 32),
    lambda package: package.ResnetGenerator(3, 3, 4, 2, 32, True),
    lambda package: package.Discriminator(3, 4, 5),
    lambda package: package.Discriminator(3, 4, 7),
])
def test_the_same_modules_state_and_initial_distribution(make):
    torch.manual_seed(0)
    paddle.seed(0)
    reference, twin = make(torch_ref), make(paddle_impl)
    assert [name for name, _ in reference.named_modules()][1:] == [name for name, _ in twin.named_sublayers()]
    assert list(reference.state_dict()) == list(twin.state_dict())
    assert [name for name, _ in reference.named_parameters()] == [name for name, _ in twin.named_parameters()]
    linear = linear_layers(twin)
    state = twin.state_dict()
    for key, value in reference.state_dict().items():
        layer, _, kind = key.rpartition(".")
        shape = list(value.shape)
        transposed = layer in linear and kind in ("weight", "weight_orig")
        assert state[key].shape == (shape[::-1] if transposed else shape), key
        value, other = value.numpy(), state[key].numpy()
        if kind in ("weight_u", "weight_v"):
            assert np.linalg.norm(other) == pytest.approx(1, rel=1e-5)
        elif kind in ("rho", "gamma", "beta"):
            np.testing.assert_array_equal(other, value, key)
        else:
            weight = reference.state_dict()[key.replace("bias", "weight_orig")] if "model" in key else value
            if layer == "conv1x1":
                weight = reference.state_dict()["conv1x1.weight"]
            bound = 1 / np.sqrt(np.prod(weight.shape[1:]))
            for drawn in (value, other):
                assert np.abs(drawn).max() <= bound * (1 + 1e-6), key
                if drawn.size >= 1000:  # std of a uniform distribution; its estimate is off by .45 / sqrt(n)
                    deviation = drawn.std() / (bound / np.sqrt(3)) - 1
                    assert abs(deviation) < 5 * 0.45 / np.sqrt(drawn.size), key
                    assert abs(drawn.mean()) < 5 * bound / np.sqrt(3 * drawn.size), key
                    assert np.abs(drawn).max() > bound * 0.98, key


def test_biases_are_drawn_as_in_torch():
    torch.manual_seed(0)
    paddle.seed(0)
    pairs = [
        (torch.nn.Conv2d(8, 4000, 3).bias, paddle_impl.layers.conv2d(8, 4000, 3).bias),
        (torch.nn.Linear(72, 4000).bias, paddle_impl.layers.linear(72, 4000).bias),
    ]
    for reference, twin in pairs:
        reference, twin = np.sort(reference.detach().numpy()), np.sort(twin.numpy())
        # the two-sample Kolmogorov-Smirnov distance of equal distributions is above this once in 10^4
        both = np.concatenate([reference, twin])
        ranks = [np.searchsorted(values, both, "right") for values in (reference, twin)]
        assert np.abs(ranks[0] - ranks[1]).max() / 4000 < 2.2 * np.sqrt(2 / 4000)


SIZES = np.array([0, 1e-300, 1e-9, 0.3, 5, 19.9, 20.1, 36.8, 100, 800])
LOGITS = np.concatenate([SIZES, -SIZES])


def both_gradients(reference, twin, *arrays):
    ours = [torch.from_numpy(array).requires_grad_() for array in arrays]
    theirs = [paddle.to_tensor(array, stop_gradient=False) for array in arrays]
    a, b = reference(*ours), twin(*theirs)
    assert list(a.shape) == b.shape
    upstream = np.random.default_rng(9).standard_normal(b.shape)
    a.backward(torch.as_tensor(upstream))
    b.backward(paddle.to_tensor(upstream))
    return a.detach().numpy(), b.numpy(), [x.grad.numpy() for x in ours], [x.grad.numpy() for x in theirs]


def test_leaky_relu_to_the_bit_at_zero_and_far_from_it():
    x = np.concatenate([LOGITS, [np.inf, -np.inf, np.nan]])
    a, b, (da,), (db,) = both_gradients(torch.nn.LeakyReLU(0.2), paddle_impl.layers.LeakyReLU(0.2), x)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(da, db)
    upstream = np.random.default_rng(9).standard_normal(x.shape)
    np.testing.assert_array_equal(db[x == 0], 0.2 * upstream[x == 0])
    assert (x == 0).sum() == 2


@pytest.mark.parametrize("positive", [True, False])
def test_cam_loss_at_zero_and_far_from_it(positive):
    for logit in LOGITS:
        losses = (partial(package.cam_loss, positive=positive) for package in (torch_ref, paddle_impl))
        a, b, (da,), (db,) = both_gradients(*losses, np.full((1, 2), logit))
        truth = np.logaddexp(0, -logit if positive else logit)
        # torch itself loses the far tail (1 - 1 + e^-37): absolute against torch, relative against the truth
        np.testing.assert_allclose(b, a, 1e-15, 1e-14)
        np.testing.assert_allclose(b, truth, 1e-15)
        np.testing.assert_allclose(db, da, 1e-15, 1e-16)
        if logit == 0:
            upstream = np.random.default_rng(9).standard_normal()
            np.testing.assert_allclose(db, upstream * (-0.25 if positive else 0.25), 1e-15)


def test_the_other_losses():
    a, b = np.random.default_rng(0).standard_normal((2, 2, 3, 8, 8))
    b[0] = a[0]
    for name in ("cycle_loss", "identity_loss"):
        x, y, dx, dy = both_gradients(getattr(torch_ref, name), getattr(paddle_impl, name), a, b)
        np.testing.assert_allclose(y, x, 1e-14)
        np.testing.assert_allclose(dy, dx, 1e-14)
        for package, tensor in ((torch_ref, torch.zeros), (paddle_impl, paddle.zeros)):
            with pytest.raises(ValueError, match="shapes differ"):
                getattr(package, name)(tensor([2, 1]), tensor([2]))
    for real in (True, False):
        losses = (partial(package.adversarial_loss, real=real) for package in (torch_ref, paddle_impl))
        x, y, dx, dy = both_gradients(*losses, a)
        np.testing.assert_allclose(y, x, 1e-14)
        np.testing.assert_allclose(dy, dx, 1e-13, 1e-18)
    for name in ("ADV_WEIGHT", "CYCLE_WEIGHT", "IDENTITY_WEIGHT", "CAM_WEIGHT"):
        assert getattr(torch_ref, name) == getattr(paddle_impl, name)


@pytest.mark.parametrize("scale", [1, 1e-3, 1e-8])
def test_norms_at_ordinary_and_tiny_variance(scale):
    draw = np.random.default_rng(1)
    x = scale * (0.3 + draw.standard_normal((2, 6, 5, 7)))
    gamma, beta = draw.standard_normal((2, 2, 6))
    rho = draw.uniform(0, 1, (1, 6, 1, 1))
    cases = [("AdaLIN", (x, gamma, beta)), ("LIN", (x,)), ("InstanceNorm2d", (x,))]
    for name, inputs in cases:
        reference = getattr(torch_ref, name)(6).double()
        twin = getattr(paddle_impl, name.replace("2d", "2D"))(6)
        twin.to(dtype="float64")
        if hasattr(reference, "rho"):
            reference.rho.data = torch.from_numpy(rho)
            twin.rho.set_value(rho)
        a, b, da, db = both_gradients(reference, twin, *inputs)
        for one, other in zip([a, *da], [b, *db], strict=True):
            assert np.abs(one - other).max() <= 1e-12 * np.abs(one).max(), name


def test_a_variance_of_one_value_raises():
    with pytest.raises(ValueError, match="two values"):
        paddle_impl.LIN(2)(paddle.zeros([1, 2, 1, 1]))


def test_float32_statistics_are_accurate():
    x = (np.random.default_rng(2).standard_normal((1, 64, 256, 256)) + 0.5).astype("float32")
    truth, twin = x.astype("float64"), paddle.to_tensor(x)
    average = functional.mean(twin, [1, 2, 3])
    assert abs(average.item() / truth.mean() - 1) < 1e-6
    assert abs(functional.var(twin, average, [1, 2, 3]).item() / truth.var(ddof=1) - 1) < 1e-6
    bias = paddle.zeros([1, 64, 1, 1])
    bias.stop_gradient = False
    (twin + functional.rows(bias, twin)).backward(twin)
    expected = truth.sum((2, 3), keepdims=True)
    assert np.abs(bias.grad.numpy() / expected - 1).max() < 3e-6
    channels = np.abs(np.random.default_rng(3).standard_normal((1, 2048, 4, 4))).astype("float32")
    total = functional.channel_sum(paddle.to_tensor(channels)).numpy()
    assert np.abs(total / channels.astype("float64").sum(1, keepdims=True) - 1).max() < 4e-7
    vector = channels.ravel()
    unit = functional.normalize(paddle.to_tensor(vector), 1e-12).numpy().astype("float64")
    assert abs(np.linalg.norm(unit) - 1) < 3e-7


def test_spectral_norm_advances_once_per_training_forward_and_not_in_eval():
    reference, twin = discriminators()
    image = np.random.default_rng(4).uniform(-1, 1, (1, 3, 64, 64))
    vectors = [key for key in reference.state_dict() if key.endswith(("_u", "_v"))]
    assert len(vectors) == 14
    for _ in range(5):
        before = {key: twin.state_dict()[key].numpy() for key in vectors}
        expected, actual = reference(torch.from_numpy(image)), twin(paddle.to_tensor(image))
        for one, other in zip(expected, actual, strict=True):
            np.testing.assert_allclose(other.numpy(), one.detach().numpy(), 0, 1e-13 * one.abs().max().item())
        for key in vectors:
            after = twin.state_dict()[key].numpy()
            np.testing.assert_allclose(after, reference.state_dict()[key].numpy(), 0, 1e-14, err_msg=key)
            if key.startswith("model"):  # a one-row matrix converges at once
                assert not np.array_equal(after, before[key]), key
    before = {key: twin.state_dict()[key].numpy() for key in vectors}
    for model in (reference, twin):
        model.eval()
    expected, actual = reference(torch.from_numpy(image)), twin(paddle.to_tensor(image))
    np.testing.assert_allclose(actual[0].numpy(), expected[0].detach().numpy(), 0, 1e-13)
    for key in vectors:
        np.testing.assert_array_equal(twin.state_dict()[key].numpy(), before[key])


def test_state_is_the_official_one_after_a_forward_too():
    reference, twin = discriminators()
    image = np.zeros((1, 3, 64, 64))
    twin(paddle.to_tensor(image))[0].sum().backward()
    assert list(twin.state_dict()) == list(reference.state_dict())
    assert [name for name, _ in twin.named_parameters()] == [name for name, _ in reference.named_parameters()]


def test_two_forwards_before_one_backward():
    reference, twin = discriminators()
    draw = np.random.default_rng(5)
    real, fake = draw.uniform(-1, 1, (2, 1, 3, 64, 64))
    (reference(torch.from_numpy(real))[0].sum() - reference(torch.from_numpy(fake))[0].sum()).backward()
    (twin(paddle.to_tensor(real))[0].sum() - twin(paddle.to_tensor(fake))[0].sum()).backward()
    ours, theirs = dict(reference.named_parameters()), dict(twin.named_parameters())
    compared = 0
    for name, parameter in ours.items():
        if parameter.grad is None:
            assert theirs[name].grad is None, name
            continue
        other = theirs[name].grad.numpy()
        expected = parameter.grad.numpy()
        other = other.T if other.shape != expected.shape else other
        assert np.abs(other - expected).max() <= 1e-10 * np.abs(expected).max(), name
        compared += 1
    assert compared >= 11


@pytest.mark.parametrize("package", [torch_ref, paddle_impl])
def test_impossible_sizes_raise(package):
    with pytest.raises(ValueError, match="n_blocks"):
        package.ResnetGenerator(3, 3, n_blocks=-1)
    with pytest.raises(ValueError, match="n_layers"):
        package.Discriminator(3, n_layers=2)


@pytest.mark.parametrize("network", ["genA2B", "disGA"])
def test_float32_is_as_accurate_as_torch(network):
    torch.manual_seed(0)
    make = {
        "genA2B": lambda package: package.ResnetGenerator(3, 3, 8, 4, 96, True),
        "disGA": lambda package: package.Discriminator(3, 4, 7),
    }[network]
    reference, twin = make(torch_ref), make(paddle_impl)
    load(twin, reference)
    image = np.random.default_rng(6).uniform(-1, 1, (1, 3, 96, 96)).astype("float32")
    truth = make(torch_ref).double()
    truth.load_state_dict(reference.state_dict())
    stages = ({}, {}, {})
    entered = {}

    def keep(stage, name):
        def hook(_, inputs, output):
            entered[name] = max(float(abs(value.detach()).max()) for value in (*inputs, output))
            stage[name] = output.detach().clone().numpy()  # cloned: an in-place activation may follow
        return hook

    for stage, model in zip(stages[:2], (truth, reference), strict=True):
        for name, module in list(model.named_modules())[1:]:
            module.register_forward_hook(keep(stage, name))
    for name, layer in twin.named_sublayers():
        layer.register_forward_post_hook(keep(stages[2], name))
    truth(torch.from_numpy(image).double())
    reference(torch.from_numpy(image))
    twin(paddle.to_tensor(image))
    assert len(stages[0]) >= 25 and set(stages[0]) == set(stages[1]) == set(stages[2])
    for name, exact in stages[0].items():
        own, other = (np.abs(stage[name] - exact).max() for stage in stages[1:])
        assert other <= 4 * max(own, np.finfo("float32").eps * entered[name]), name
