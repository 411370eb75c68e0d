"""Both packages, in float64, against numbers measured on the official code (``fixtures/``, ``recipe.py``)."""

import json
from pathlib import Path

import numpy as np
import paddle
import pytest
import recipe
import torch

import paddle_impl
import torch_ref

paddle.set_device("cpu")
FIXTURES = {
    config: json.loads((Path(__file__).parents[1] / f"fixtures/official_visible_{config}.json").read_text())
    for config in ("full", "light")
}
OUTPUTS = ("out", "cam_logit", "heatmap")
CEILING = 1e-10
CASES = [(config, network) for config in FIXTURES for network in ("genA2B", "disGA", "disLA")]


def build(package, network, config):
    if network == "genA2B":
        return package.ResnetGenerator(3, 3, config["ngf"], config["blocks"], config["size"], config["light"])
    return package.Discriminator(3, config["ndf"], {"disGA": 7, "disLA": 5}[network])


def torch_run(network, config, weights, image):
    """One train-mode forward and backward: stages, gradients and buffers, as dicts of arrays."""
    model = build(torch_ref, network, config).double()
    model.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()}, strict=True)
    stages = {}
    for name, module in list(model.named_modules())[1:]:  # the network itself aside
        # cloned, as the in-place activation that follows overwrites it
        module.register_forward_hook(
            lambda _, __, output, name=name: stages.update({name: output.detach().clone().numpy()})
        )
    image = torch.from_numpy(image).requires_grad_()
    outputs = dict(zip(OUTPUTS, model(image), strict=True))
    stages.update({name: value.detach().numpy() for name, value in outputs.items()})
    probes = {name: torch.from_numpy(recipe.probe(name, value.shape)) for name, value in outputs.items()}
    sum((value * probes[name]).sum() for name, value in outputs.items()).backward()
    gradients = {name: parameter.grad.numpy() for name, parameter in model.named_parameters()}
    gradients["input"] = image.grad.numpy()
    return stages, gradients, {name: value.numpy() for name, value in model.named_buffers()}


def paddle_run(network, config, weights, image):
    """The same on the twin, in torch's layouts."""
    model = build(paddle_impl, network, config)
    model.to(dtype="float64")
    linear = {name for name, layer in model.named_sublayers() if isinstance(layer, paddle.nn.Linear)}

    def torch_layout(key, value):
        layer, _, kind = key.rpartition(".")
        transposed = layer in linear and kind in ("weight", "weight_orig")
        return np.ascontiguousarray(value.T) if transposed else value

    missing, unexpected = model.set_state_dict(
        {key: paddle.to_tensor(torch_layout(key, value)) for key, value in weights.items()}
    )
    assert not missing and not unexpected
    stages = {}
    for name, layer in model.named_sublayers():
        layer.register_forward_post_hook(
            lambda _, __, output, name=name: stages.update({name: output.numpy()})
        )
    image = paddle.to_tensor(image, stop_gradient=False)
    outputs = dict(zip(OUTPUTS, model(image), strict=True))
    stages.update({name: value.numpy() for name, value in outputs.items()})
    probes = {name: paddle.to_tensor(recipe.probe(name, value.shape)) for name, value in outputs.items()}
    sum((value * probes[name]).sum() for name, value in outputs.items()).backward()
    gradients = {name: torch_layout(name, weight.grad.numpy()) for name, weight in model.named_parameters()}
    gradients["input"] = image.grad.numpy()
    buffers = {name: value.numpy() for name, value in model.named_buffers() if name in model.state_dict()}
    return stages, gradients, buffers


def compare(actual, golden):
    """The number of values compared. Fails where anything is missing, surplus, misshapen or off."""
    assert set(actual) == set(golden)
    compared = 0
    for name, entry in golden.items():
        value = np.asarray(actual[name])
        assert list(value.shape) == entry["shape"], name
        measured = [*value.flat[entry["at"]], value.mean(), np.abs(value).max()]
        expected = [*entry["values"], entry["mean"], entry["absmax"]]
        np.testing.assert_allclose(measured, expected, 0, CEILING * entry["absmax"], err_msg=name)
        np.testing.assert_allclose(np.linalg.norm(value), entry["norm"], CEILING, err_msg=name)
        compared += len(entry["at"])
    return compared


@pytest.mark.parametrize("run", [torch_run, paddle_run])
@pytest.mark.parametrize(("config", "network"), CASES)
def test_forward_gradients_and_buffers_are_the_official_ones(run, config, network):
    golden = FIXTURES[config]
    shapes = {key: entry["shape"] for key, entry in golden["after_steps"][network].items()}
    image = recipe.image("A", golden["config"]["size"], golden["config"]["batch"])
    stages, gradients, buffers = run(network, golden["config"], recipe.state(shapes, network), image)
    entries = {"genA2B": (109, 45, 0), "disGA": (28, 18, 18), "disLA": (22, 14, 14)}[network]
    assert (len(stages), len(gradients), len(buffers)) == entries
    assert compare(stages, golden["forward"][network]) >= entries[0]
    assert compare(gradients, golden["gradient"][network]) >= entries[1]
    assert compare(buffers, golden["buffers"][network]) >= entries[2]


@pytest.mark.parametrize("package", [torch_ref, paddle_impl])
@pytest.mark.parametrize(("config", "network"), CASES)
def test_state_dict_keys_are_the_official_ones_in_order(package, config, network):
    official = FIXTURES[config]["after_steps"][network]
    assert list(build(package, network, FIXTURES[config]["config"]).state_dict()) == list(official)
