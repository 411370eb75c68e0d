"""The training step of both twins: the official figures, exact resume, hand-over, and what Adam is given."""

import json
from functools import partial
from importlib import import_module
from itertools import product
from pathlib import Path

import both
import numpy as np
import paddle
import pytest
import torch
from both import TINY, make, pictures

import paddle_impl
import torch_ref

pytestmark = pytest.mark.usefixtures("one_thread")

PACKAGES = [torch_ref, paddle_impl]
FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.mark.parametrize(("config", "package"), [
    ("light", torch_ref), ("full", paddle_impl),
    *(pytest.param(*case, marks=pytest.mark.slow) for case in (("full", torch_ref), ("light", paddle_impl)))])
def test_official_steps_in_float64(config, package):
    golden = json.loads((FIXTURES / f"official_visible_{config}.json").read_text())
    config = golden["config"]
    sizes = {"ngf": config["ngf"], "n_blocks": config["blocks"], "img_size": config["size"],
             "light": config["light"], "ndf": config["ndf"]}
    training = make(package, sizes, iteration=config["iteration"], dtype="float64")
    assert len(golden["steps"]) == 5 > config["iteration"] // 2
    for step, expected in enumerate(golden["steps"], 1):
        losses = training.step(*pictures(package, step, config["size"], batch=config["batch"]), step)
        expected_losses = {**expected["terms"], "D_loss": expected["D_loss"], "G_loss": expected["G_loss"]}
        assert losses.keys() == expected_losses.keys() and len(losses) == 24
        for name, value in expected_losses.items():
            assert float(losses[name]) == pytest.approx(value, rel=1e-9), f"step {step}: {name}"
        lr = training.state()["lr"]
        assert lr == {"G": expected["lr"], "D": expected["lr"]}
    state = training.state()
    if package is paddle_impl:
        state = both.carried(state, both.plans(sizes), to_paddle=False)
    for network, entries in golden["after_steps"].items():
        assert list(state["networks"][network]) == list(entries)
        for key, entry in entries.items():
            value = state["networks"][network][key]
            assert list(value.shape) == entry["shape"]
            # The losses' ceiling, on weights too: Adam's fifth step carries the earlier ones' differences along.
            np.testing.assert_allclose(value.flat[entry["at"]], entry["values"], 0, 1e-9 * entry["absmax"], err_msg=key)
            np.testing.assert_allclose(np.linalg.norm(value), entry["norm"], 1e-9, err_msg=key)


def raw_terms(package, monkeypatch):
    """Every call of a loss function, by name and in order, as the step makes them."""
    calls = []
    module = import_module(f"{package.__name__}.training")

    def recorded(name, original, *arguments):
        loss = original(*arguments)
        calls.append((name, float(loss.detach())))
        return loss

    for name in ("adversarial_loss", "cycle_loss", "identity_loss", "cam_loss"):
        monkeypatch.setattr(module, name, partial(recorded, name, getattr(module, name)))
    return calls


@pytest.mark.parametrize("package", PACKAGES)
def test_ten_official_steps_of_the_full_model_term_by_term(package, monkeypatch):
    with np.load(FIXTURES / "official_steps.npz") as file:
        golden = dict(file)
    meta = json.loads(str(golden["meta"]))
    sizes = {"ngf": meta["ch"], "n_blocks": meta["n_res"], "img_size": meta["img_size"], "light": meta["light"],
             "ndf": meta["ch"]}
    weights = {}
    for name, value in golden.items():
        if name.startswith("w/"):
            _, network, key = name.split("/")
            weights.setdefault(network, {})[key] = value
    training = make(package, sizes, {"networks": weights}, dtype="float64")
    calls = raw_terms(package, monkeypatch)
    order = [f"{kind}_{net}" for net, cam in product(["GA", "LA", "GB", "LB"], ["", "_cam"])
             for kind in (f"D_real{cam}", f"D_fake{cam}")]
    order += [f"G{cam}_{net}" for net, cam in product(["GA", "LA", "GB", "LB"], ["", "_cam"])]
    order += ["G_recon_A", "G_recon_B", "G_identity_A", "G_identity_B"]
    order += ["G_cam_A_fake", "G_cam_A_identity", "G_cam_B_fake", "G_cam_B_identity"]
    functions = {"G_recon": "cycle_loss", "G_identity": "identity_loss", "G_cam_A": "cam_loss", "G_cam_B": "cam_loss",
                 "": "adversarial_loss"}
    weight = {"cycle_loss": 10, "identity_loss": 10, "cam_loss": 1000, "adversarial_loss": 1}
    for step in range(10):
        pixels = [golden[f"input_{domain}_u8"][step % 4:step % 4 + 1].astype("float32") for domain in "AB"]
        images = [((values / 255 - 0.5) / 0.5).astype("float64") for values in pixels]
        calls.clear()
        losses = training.step(*(both.TENSOR[package](image) for image in images), step + 1)
        assert [name for name, _ in calls] == [next(function for start, function in functions.items()
                                                    if name.startswith(start)) for name in order]
        totals = {side: golden[f"loss/{side}_total"][step] for side in "DG"}
        for side, total in totals.items():
            assert float(losses[f"{side}_loss"]) == pytest.approx(total, rel=1e-6), step
        for name, (function, value) in zip(order, calls, strict=True):
            difference = weight[function] * (value - golden[f"loss/{name}"][step])
            assert abs(difference) <= 1e-6 * totals[name[0]], (step, name)


@pytest.mark.parametrize(("package", "dtype"), [*product(PACKAGES, ["float32", "float64"])])
def test_a_pause_changes_no_bit(package, dtype):
    options = {"iteration": 6, "dtype": dtype}  # lr falls from step 4 on: before, at and after the pause
    unbroken = make(package, TINY, **options)
    paused = make(package, TINY, **options)
    for step in range(1, 6):
        images = pictures(package, step, 96, dtype)
        if step == 4:
            state = paused.state()
            paused = package.Training(**TINY, **options)
            paused.load_state(state)
            assert both.equal(paused.state(), state) > 300  # read back before any step
        losses = [{name: float(loss) for name, loss in one.step(*images, step).items()} for one in (unbroken, paused)]
        assert losses[0] == losses[1]
    assert both.equal(unbroken.state(), paused.state()) > 300
    moments = unbroken.state()["moments"]
    assert {held["updates"] for entries in moments.values() for held in entries.values()} == {5}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_state_can_be_taken_back_in_the_middle_of_a_run(package):
    training = make(package, TINY, iteration=4)
    training.step(*pictures(package, 1, 96, "float32"), 1)
    state = training.state()
    first = training.step(*pictures(package, 2, 96, "float32"), 2)
    after = training.state()
    training.load_state(state)
    again = training.step(*pictures(package, 2, 96, "float32"), 2)
    assert {name: float(loss) for name, loss in first.items()} == {name: float(loss) for name, loss in again.items()}
    assert both.equal(after, training.state()) > 300


@pytest.mark.parametrize("package", PACKAGES)
def test_an_official_resume_starts_adam_anew(package):
    training = make(package, TINY)
    for step in (1, 2):
        training.step(*pictures(package, step, 96, "float32"), step)
    networks = training.state()["networks"]
    training.load_state({"networks": networks})
    assert not any(training.state()["moments"].values())
    fresh = package.Training(**TINY)
    fresh.load_state({"networks": networks})
    for one in (training, fresh):
        one.step(*pictures(package, 3, 96, "float32"), 3)
    assert both.equal(training.state(), fresh.state()) > 300


def test_hand_over_and_back():
    options = {"iteration": 8, "dtype": "float64"}
    plans = both.plans(TINY)
    unbroken = make(torch_ref, TINY, **options)
    other = make(torch_ref, TINY, **options)
    for step in range(1, 7):
        if step == 3:
            state = both.carried(other.state(), plans, to_paddle=True)
            other = paddle_impl.Training(**TINY, **options)
            other.load_state(state)
        if step == 5:
            state = both.carried(other.state(), plans, to_paddle=False)
            other = torch_ref.Training(**TINY, **options)
            other.load_state(state)
        expected = unbroken.step(*pictures(torch_ref, step, 96), step)
        package = paddle_impl if step in (3, 4) else torch_ref
        found = other.step(*pictures(package, step, 96), step)
        for name, loss in expected.items():
            # The ceiling for free steps of the light model; measured 1e-14.
            assert float(found[name]) == pytest.approx(float(loss), rel=1e-9), (step, name)
    one, two = unbroken.state(), other.state()
    assert one["lr"] == two["lr"]
    for network, entries in one["moments"].items():
        for key, held in entries.items():
            assert held["updates"] == two["moments"][network][key]["updates"] == 6
            for kind in ("exp_avg", "exp_avg_sq"):
                scale = np.abs(held[kind]).max()
                np.testing.assert_allclose(two["moments"][network][key][kind], held[kind], 0, 1e-9 * scale)


@pytest.mark.parametrize("package", PACKAGES)
def test_gradients_where_and_when_the_official_code_has_them(package):
    training = make(package, TINY)
    generators = [training.genA2B, training.genB2A]
    discriminators = [training.disGA, training.disGB, training.disLA, training.disLB]

    def norms(networks):
        gradients = [parameter.grad for network in networks for parameter in network.parameters()]
        assert all(gradient is not None for gradient in gradients)
        return [float((gradient ** 2).sum()) for gradient in gradients]

    images = pictures(package, 1, 96, "float32")
    training.discriminator_step(*images)
    assert len(norms(discriminators)) == 60 and all(norms(discriminators))
    left = norms(generators[:1])  # undetached: D's backward reaches the generators; CAM's classifiers are out of it
    assert sum(value > 0 for value in left) > len(left) // 2
    before = norms(discriminators)
    training.generator_step(*images)
    assert all(norms(generators))
    assert norms(discriminators) != before  # G's backward added to them
    held = norms(generators)
    clean = make(package, TINY)
    clean.discriminator_step(*images)
    for network in (clean.genA2B, clean.genB2A):
        for parameter in network.parameters():  # gone, not zero
            if package is torch_ref:
                parameter.grad = None
            else:
                parameter.clear_gradient(False)
            assert parameter.grad is None
    clean.generator_step(*images)
    assert norms([clean.genA2B, clean.genB2A]) == held  # clearing leaves nothing of D's gradients


@pytest.mark.parametrize("package", PACKAGES)
def test_each_optimizer_holds_its_networks_parameters(package):
    training = package.Training(**TINY)
    for optimizer, names in ((training.G_optim, ["genA2B", "genB2A"]),
                             (training.D_optim, ["disGA", "disGB", "disLA", "disLB"])):
        held = optimizer.param_groups[0]["params"] if package is torch_ref else optimizer._parameter_list
        expected = [parameter for name in names for parameter in training.networks[name].parameters()]
        assert len(held) == len(expected) > 40
        assert all(one is other for one, other in zip(held, expected, strict=True))


@pytest.mark.parametrize("package", PACKAGES)
def test_rho_is_clipped_after_the_step_and_nothing_else(package):
    training = make(package, TINY)
    state = training.state()
    for network in ("genA2B", "genB2A"):
        for key, value in state["networks"][network].items():
            if key.endswith(("rho", "gamma")):
                value.flat[:2] = [-0.5, 1.5]
    state["networks"]["genA2B"]["UpBlock2.3.rho"].flat[2] = np.nan
    training.load_state(state)
    training.clip_rho()
    after = training.state()["networks"]
    clipped = 0
    for network, entries in state["networks"].items():
        for key, value in entries.items():
            expected = np.clip(value, 0, 1) if key.endswith("rho") else value
            np.testing.assert_array_equal(after[network][key], expected)
            clipped += key.endswith("rho")
    assert clipped == 8


@pytest.mark.parametrize("package", PACKAGES)
def test_lr_falls_after_the_first_half(package):
    training = package.Training(**TINY, lr=1e-3, iteration=11)
    rates = []
    for step in range(1, 12):
        training.decay_lr(step)
        rates.append(training.state()["lr"])
    assert all(rate["G"] == rate["D"] for rate in rates)
    expected = [1e-3] * 5 + [1e-3 * (1 - k / 5) for k in range(1, 7)]
    # 12 ulp of lr: what six subtractions can lose.
    np.testing.assert_allclose([rate["G"] for rate in rates], expected, 0, 12 * np.spacing(1e-3))
    assert rates[-1]["G"] < 0  # an odd number of steps overshoots, in the official code as well


@pytest.mark.parametrize("package", PACKAGES)
def test_translating_leaves_no_trace(package):
    training = make(package, TINY)
    before = training.state()
    image = pictures(package, 1, 96, "float32")[0]
    translate = import_module(f"{package.__name__}.training").translate
    picture, heatmap = translate(training.genA2B, image)
    assert tuple(picture.shape) == (1, 3, 96, 96) and tuple(heatmap.shape) == (1, 1, 24, 24)
    assert both.equal(before, training.state()) > 100
    assert all(network.training for network in training.networks.values())
    training.genB2A.eval()
    translate(training.genB2A, image)
    assert not training.genB2A.training
    if package is torch_ref:
        assert not picture.requires_grad
    else:
        assert picture.stop_gradient


@pytest.mark.parametrize("package", PACKAGES)
def test_a_state_that_does_not_fit_changes_nothing(package):
    training = make(package, TINY)
    training.step(*pictures(package, 1, 96, "float32"), 1)
    good = training.state()

    def broken(change):
        state = training.state()
        change(state)
        return state

    changes = {
        "genA2B/conv1x1.bias": lambda s: s["networks"]["genA2B"].pop("conv1x1.bias"),
        "disLB/extra": lambda s: s["networks"]["disLB"].update(extra=np.zeros(1)),
        "disGA/model.1.bias": lambda s: s["networks"]["disGA"].update({"model.1.bias": np.zeros(7)}),
        "disGB/conv1x1.bias": lambda s: s["networks"].pop("disGB"),
        "moments of genB2A/conv1x1.bias": lambda s: s["moments"]["genB2A"]["conv1x1.bias"].update(exp_avg=np.zeros(9)),
        "moments of genB2A/nobody": lambda s: s["moments"]["genB2A"].update(
            nobody=s["moments"]["genB2A"]["conv1x1.bias"]),
    }
    for named, change in changes.items():
        with pytest.raises(ValueError, match=named.replace(".", r"\.")):
            training.load_state(broken(change))
    assert both.equal(good, training.state()) > 300
    with pytest.raises(ValueError, match="iteration"):
        package.Training(**TINY, iteration=1)


def test_paddle_powers_of_beta_are_its_own_to_the_bit():
    # Restored from the update count alone; in float32 0.5^n is 0 from n = 150 on.
    from paddle_impl.optimizer import _power, adam
    for dtype in ("float32", "float64"):
        parameter = paddle.create_parameter([2], dtype)
        optimizer = adam([parameter], 1e-3, (0.5, 0.999), 1e-8, 1e-4)
        for step in range(1, 161):
            parameter.sum().backward()
            optimizer.step()
            optimizer.clear_grad()
            held = {key: value.numpy() for key, value in optimizer.state_dict().items() if "pow" in key}
            assert len(held) == 2
            for key, value in held.items():
                beta = 0.5 if "beta1" in key else 0.999
                assert value.tobytes() == _power(beta, step + 1, parameter).tobytes(), (dtype, step, key)
        assert optimizer.updates == {parameter.name: 160}


def test_both_optimizers_decay_weights_before_the_moments():
    # Coupled: with a gradient of 0 the first update is lr * sign(weight), whatever the decay.
    ours, theirs = torch.nn.Parameter(torch.tensor([2.0, -3.0])), paddle.create_parameter([2], "float32")
    theirs.set_value(np.array([2, -3], "float32"))
    for package, parameter in ((torch_ref, ours), (paddle_impl, theirs)):
        module = import_module(f"{package.__name__}.optimizer")
        optimizer = module.adam([parameter], 0.1, (0.5, 0.999), 1e-8, 1e-4)
        (parameter * 0).sum().backward()
        optimizer.step()
        np.testing.assert_allclose(parameter.detach().numpy(), [1.9, -2.9], 1e-4)  # eps: 1e-8 of 2e-4
        assert module.get_moments(optimizer, {"weight": parameter})["weight"]["updates"] == 1
        assert module.get_moments(optimizer, {"other": both.TENSOR[package]([0.0])}) == {}
