"""The systems that the paper compares with: each twin is the same computation, in a training step too, and a wrong one is found."""

import importlib
from dataclasses import replace

import pytest
import torch

from parity.compare.ladder import compare
from parity.declare.port import Port
from parity.fixes.edit import Edit, applied
from parity.steps.follow import follow
from torch_ref.systems import cyclegan

SYSTEMS = ["cyclegan", "attentiongan"]
TWIN = "paddle_impl.systems"


def declared(system):
    """Name -> what the system's file of pairs declares."""
    return vars(importlib.import_module(f"exams.systems.{system}"))


MODULES = [(system, name) for system in SYSTEMS for name, one in declared(system).items() if isinstance(one, Port)]


@pytest.mark.parametrize(("system", "name"), MODULES)
def test_each_module_is_the_same(system, name):
    report = compare(declared(system)[name].subject("train"), lanes=("float64", "float32"))
    assert report.verdict == "same", str(report.first)
    found = report.largest["float64 free"]
    assert report.compared > 30 and found["forward"] < 1e-12 and found["gradients"] < 1e-10


@pytest.mark.parametrize("steps", [2, pytest.param(10, marks=pytest.mark.slow)])
@pytest.mark.parametrize("system", SYSTEMS)
def test_a_training_step_is_the_same(system, steps):
    subject = declared(system)["training"].subject()
    found = follow(subject, steps=steps, mode="resync", lane="float64")
    assert found.verdict == "same" and found.steps == steps, str(found.report.first)
    assert found.report.compared > 500 * steps


FAULTS = {
    "cyclegan generator without a shortcut": (
        "cyclegan", "generator", Edit(f"{TWIN}.cyclegan:ResnetBlock.forward", "out = x + out", "out = out + 0")),
    "attentiongan masks that do not sum to 1": (
        "attentiongan", "generator", Edit(f"{TWIN}.attentiongan:ResnetGenerator.forward",
                                          "F.softmax(self.deconv3_attention(attention), axis=1)",
                                          "F.sigmoid(self.deconv3_attention(attention))")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_module_is_found(fault):
    system, name, edit = FAULTS[fault]
    with applied((edit,)):
        report = compare(declared(system)[name].subject("train"), lanes=("float64",))
        assert report.verdict == "diverged" and report.first.twin.file.endswith(f"systems/{system}.py"), str(report.first)


WRONG_STEPS = {
    "a pool that never gives back": (
        "cyclegan", 2, Edit(f"{TWIN}.image_pool:ImagePool.query", "chosen.append(self.images[place])", "chosen.append(image)")),
    "the domains of the cycle exchanged": (
        "attentiongan", 1, Edit(f"{TWIN}.cyclegan:Training.generator_step", "cycle_loss(rec_A, real_A)",
                                "cycle_loss(rec_A, real_B)")),
}


@pytest.mark.parametrize("fault", WRONG_STEPS)
def test_a_wrong_step_is_found(fault):
    system, step, edit = WRONG_STEPS[fault]
    with applied((edit,)):
        found = follow(replace(declared(system)["training"].subject(), own_start=False), steps=step, mode="resync", lane="float64")
        assert found.verdict == "diverged" and found.report.first.key.step == step, str(found.report.first)


# --- official state -------------------------------------------------------------------------------------------------------


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def keys(*layers, inside="model"):
    return [f"{inside}.{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]


def test_cyclegan_has_the_official_keys_and_sizes():
    """As `resnet_9blocks` and `basic` of pytorch-CycleGAN-and-pix2pix; the counts are those that its training prints."""
    with torch.device("meta"):
        generator, discriminator = cyclegan.ResnetGenerator(3, 3), cyclegan.NLayerDiscriminator(3)
    blocks = [f"{block}.conv_block.{layer}" for block in range(10, 19) for layer in (1, 5)]
    layers = [*map(str, (1, 4, 7)), *blocks, *map(str, (19, 22, 26))]
    assert list(generator.state_dict()) == keys(*layers)
    assert list(discriminator.state_dict()) == keys("0", "2", "5", "8", "11")
    assert f"{parameters(generator) / 1e6:.3f} {parameters(discriminator) / 1e6:.3f}" == "11.378 2.765"
