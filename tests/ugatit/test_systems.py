"""The systems that the paper compares with: each twin is the same computation, in a training step too, and a wrong one is found."""

import importlib
from dataclasses import replace

import pytest
import torch

from parity.compare.ladder import compare
from parity.declare.port import Port
from parity.fixes.edit import Edit, applied
from parity.steps.follow import follow
from torch_ref.systems import cyclegan, drit, multi_scale, munit, unit

SYSTEMS = ["cyclegan", "attentiongan", "munit", "unit", "drit"]
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


TEN = [pytest.param(system, 10, marks=pytest.mark.slow) for system in SYSTEMS]


@pytest.mark.parametrize(("system", "steps"), [("cyclegan", 2), ("munit", 1), *TEN])  # its second step finds a full pool
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
    "munit AdaIN with an unbiased variance": (
        "munit", "generator", Edit(f"{TWIN}.norms:AdaptiveInstanceNorm2d.forward", "wide = instance_norm(x, self.eps)",
                                   "wide = (x - mean(x, [2, 3])) / paddle.sqrt(var(x, mean(x, [2, 3]), [2, 3]) + self.eps)")),
    "munit scale and shift of AdaIN exchanged": (
        "munit", "generator", (Edit(f"{TWIN}.munit:AdaINGen.assign_adain_params", "layer.bias =", "layer.scale ="),
                               Edit(f"{TWIN}.munit:AdaINGen.assign_adain_params", "layer.weight =", "layer.bias ="),
                               Edit(f"{TWIN}.munit:AdaINGen.assign_adain_params", "layer.scale =", "layer.weight ="))),
    "munit layer norm with epsilon under the root": (
        "munit", "layer_norm", Edit(f"{TWIN}.norms:LayerNorm.forward", "x_std = paddle.sqrt(var(x, x_mean, axis=[1, 2, 3]))",
                                    "x_std = paddle.sqrt(var(x, x_mean, axis=[1, 2, 3]) + self.eps)")),
    "munit scales that count what lies outside": (
        "munit", "discriminator", Edit(f"{TWIN}.multi_scale:MsImageDis.downsample", "average_pool_3x3(x, stride=2)",
                                       "paddle.nn.functional.avg_pool2d(x, 3, 2, 1, exclusive=False)")),
    "unit noise in the reconstruction of eval": (
        "unit", "generator", Edit(f"{TWIN}.unit:VAEGen.forward", "if self.training else self.decode(hiddens)",
                                  "if not self.training else self.decode(hiddens)")),
    "drit the last block of one domain left out": (
        "drit", "content", Edit(f"{TWIN}.drit:E_content.forward", "outputB = self.conv_share(outputB)", "outputB = outputB + 0")),
    "drit the variance by the layer of the mean": (
        "drit", "attributes", Edit(f"{TWIN}.drit:E_attr_concat.forward", "self.fcVar_A(flat_A)", "self.fc_A(flat_A)")),
    "drit attributes before the features": (
        "drit", "generator", Edit(f"{TWIN}.drit:G_concat.joined", "[x, z_img]", "[z_img, x]")),
}
FILES = {"munit": ("munit.py", "norms.py", "multi_scale.py")}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_module_is_found(fault):
    system, name, edit = FAULTS[fault]
    with applied(edit if isinstance(edit, tuple) else (edit,)):
        report = compare(declared(system)[name].subject("train"), lanes=("float64",))
        told = str(report.first)
    assert report.verdict == "diverged" and report.first.twin.file.endswith(FILES.get(system, f"{system}.py")), told


WRONG_STEPS = {
    # Instance norms have no partner, return views, and ReLU(True) writes into them: gradients that are lost so came first.
    "cyclegan discriminators of twice the loss": (
        "cyclegan", 1, Edit(f"{TWIN}.cyclegan:Training.discriminator_loss", "* 0.5", "* 1.0")),
    "munit a schedule that stands still": (
        "munit", 2, Edit(f"{TWIN}.munit:Training.step", "self.gen_scheduler.step()", "pass")),
    "a pool that takes no new picture in": (
        "cyclegan", 2, Edit(f"{TWIN}.image_pool:ImagePool.query", "self.images[place] = image", "pass")),
    "a pool that never gives back": (
        "cyclegan", 2, Edit(f"{TWIN}.image_pool:ImagePool.query", "chosen.append(self.images[place])", "chosen.append(image)")),
    "the domains of the cycle exchanged": (
        "attentiongan", 1, Edit(f"{TWIN}.cyclegan:Training.generator_step", "cycle_loss(rec_A, real_A)",
                                "cycle_loss(rec_A, real_B)")),
    "munit content and style of the cycle from one picture": (
        "munit", 1, Edit(f"{TWIN}.munit:Training.gen_update", "self.gen_a.decode(c_a_recon, s_a_prime)",
                         "self.gen_a.decode(c_a_recon, s_a_recon)")),
    "munit styles of another size": (
        "munit", 1, Edit(f"{TWIN}.munit:Training.styles", "paddle.randn([x.shape[0], self.style_dim, 1, 1])",
                         "2 * paddle.randn([x.shape[0], self.style_dim, 1, 1])")),
    "unit a translation without noise": (
        "unit", 1, Edit(f"{TWIN}.unit:Training.gen_update", "x_ba = self.gen_a.decode(h_b + n_b)",
                        "x_ba = self.gen_a.decode(h_b)")),
    "drit attributes of the other domain": (
        "drit", 1, Edit(f"{TWIN}.drit:Training.translate", "[z_attr_b, z_attr_b, z_random]", "[z_attr_a, z_attr_b, z_random]")),
    "drit gradients clipped elsewhere": (
        "drit", 1, Edit(f"{TWIN}.drit:Training.content_step", "self.max_norm)", "10 * self.max_norm)")),
}


PLACES = {"cyclegan discriminators of twice the loss": ("losses", "discriminator_loss", "loss"),
          "munit a schedule that stands still": ("update", "", "lr")}
FAST = {"a pool that never gives back", "cyclegan discriminators of twice the loss"}


@pytest.mark.parametrize("fault", [pytest.param(fault, marks=[pytest.mark.slow] * (fault not in FAST)) for fault in WRONG_STEPS])
def test_a_wrong_step_is_found(fault):
    system, step, edit = WRONG_STEPS[fault]
    with applied((edit,)):
        found = follow(replace(declared(system)["training"].subject(), own_start=False), steps=step, mode="resync", lane="float64")
        first, told = found.report.first, str(found.report.first)
    assert found.verdict == "diverged" and first.key.step == step, told
    assert "exists in the twin only" not in told
    if fault in PLACES:
        assert (first.key.stage, first.key.function or "", first.key.variable) == PLACES[fault], told


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


def test_munit_and_unit_have_the_official_keys():
    """As the state dicts in the checkpoints of NVlabs/MUNIT and mingyuliutw/UNIT are."""
    with torch.device("meta"):
        style_content, code, discriminator = munit.AdaINGen(3), unit.VAEGen(3), multi_scale.MsImageDis(3)
    dis = [f"{scale}.{layer}" for scale in range(3) for layer in ("0.conv", "1.conv", "2.conv", "3.conv", "4")]
    assert list(discriminator.state_dict()) == keys(*dis, inside="cnns")
    content = [*(f"{layer}.conv" for layer in range(3)),
               *(f"3.model.{block}.model.{layer}.conv" for block in range(4) for layer in (0, 1))]
    style = [*(f"{layer}.conv" for layer in range(5)), "6"]

    def decoder(*of_norm):
        for block in range(4):
            for layer in (0, 1):
                yield from (f"dec.model.0.model.{block}.model.{layer}.{kind}" for kind in (*of_norm, "conv.weight", "conv.bias"))
        for layer in (2, 4):
            yield from (f"dec.model.{layer}.{kind}" for kind in ("norm.gamma", "norm.beta", "conv.weight", "conv.bias"))
        yield from keys("5.conv", inside="dec.model")

    assert list(code.state_dict()) == [*keys(*content, inside="enc.model"), *decoder()]
    assert list(style_content.state_dict()) == [
        *keys(*style, inside="enc_style.model"), *keys(*content, inside="enc_content.model"),
        *decoder("norm.running_mean", "norm.running_var"), *keys("0.fc", "1.fc", "2.fc", inside="mlp.model")]


def test_drit_has_the_official_keys():
    """As the state dicts in the checkpoints of HsinYingLee/DRIT are."""
    with torch.device("meta"):
        content, attributes, generator = drit.E_content(3, 3), drit.E_attr_concat(3, 3), drit.G_concat(3, 3)
        pictures, contents = drit.MultiScaleDis(3), drit.Dis_content()

    def residual(block):
        return [f"{block}.model.1", f"{block}.model.5"]

    own = ["0.model.1", "1.model.1", "2.model.1", *residual("3"), *residual("4"), *residual("5")]
    assert list(content.state_dict()) == [*keys(*residual("0"), inside="conv_share"), *keys(*own, inside="convA"),
                                          *keys(*own, inside="convB")]
    blocks = [f"{block}.{layer}" for block in (2, 3, 4) for layer in ("conv.2", "conv.4.1", "shortcut.1")]
    assert list(attributes.state_dict()) == [key for domain in "AB" for key in (
        *keys("0", inside=f"fc_{domain}"), *keys("0", inside=f"fcVar_{domain}"), *keys("1", *blocks, inside=f"conv_{domain}"))]
    up = ["0.model.0", "0.model.1"]
    assert list(generator.state_dict()) == [*keys(*residual("0"), inside="dec_share"), *(key for domain in "AB" for key in (
        *keys(*residual("0"), *residual("1"), *residual("2"), inside=f"dec{domain}1"), *keys(*up, inside=f"dec{domain}2"),
        *keys(*up, inside=f"dec{domain}3"), *keys("0", inside=f"dec{domain}4")))]
    scales = [f"{scale}.{layer}" for scale in range(3) for layer in ("0.model.1", "1.model.1", "2.model.1", "3.model.1", "4")]
    assert list(pictures.state_dict()) == keys(*scales, inside="Diss")
    assert list(contents.state_dict()) == keys("0.model.1", "1.model.1", "2.model.1", "3.model.1", "4")
