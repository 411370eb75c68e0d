"""The paper's ablation: each decoder norm, with and without CAM, is the same computation; a wrong twin of each is found."""

from dataclasses import asdict, replace

import paddle
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import paddle_impl
import torch_ref
import weights_convert
from parity.cli.convert import convert as convert_command
from parity.cli.ugatit_options import DECODER_NORMS
from parity.compare.ladder import compare
from parity.files import InputError
from parity.fixes.edit import Edit, applied
from parity.steps.follow import follow
from parity.ugatit import cases, subjects
from parity.ugatit.pictures import picture
from parity.ugatit.trainer import Options, TrainerError, load_weights, save_weights
from parity.ugatit.trainer import cli as trainer
from parity.ugatit.trainer.start import initial_networks
from weights_convert import NETWORKS, CheckpointError, GeneratorSizes, infer_sizes

PACKAGES = (torch_ref, paddle_impl)
TINY = subjects.Sizes(ngf=2, n_blocks=1, img_size=32, light=True, ndf=2)


def subject(norm="adalin", cam=True, name="genA2B", **sizes):
    built = replace(TINY, decoder_norm=norm, cam=cam, **sizes)
    images = {domain: picture(domain, 0, built.img_size, batch=2) for domain in "AB"}
    return next(subjects.networks(built, images, names=(name,), calls=2 if name.startswith("dis") else 1))


def assert_same(subject, least):
    report = compare(subject, lanes=("float64", "float32"))
    assert report.verdict == "same", str(report.first)
    found = report.largest["float64 free"]
    assert report.compared > least and found["forward"] < 1e-12 and found["gradients"] < 1e-10


@pytest.mark.parametrize("cam", [True, False])
@pytest.mark.parametrize("norm", DECODER_NORMS)
def test_each_generator_is_the_same(norm, cam):
    assert_same(subject(norm, cam), 500)


@pytest.mark.slow
@pytest.mark.parametrize("cam", [True, False])
@pytest.mark.parametrize("norm", DECODER_NORMS)
def test_each_full_and_wider_generator_is_the_same(norm, cam):
    assert_same(subject(norm, cam, light=False, ngf=8, n_blocks=2), 500)


def test_a_discriminator_without_attention_is_the_same():
    assert_same(subject(cam=False, name="disLA"), 150)


@pytest.mark.slow
def test_a_global_discriminator_without_attention_is_the_same():
    assert_same(subject(cam=False, name="disGA", img_size=96), 150)


@pytest.mark.parametrize("norm", [norm for norm in DECODER_NORMS if norm != "adalin"])
def test_the_norms_and_blocks_alone_are_the_same(norm):
    usual = {one.name for one in subjects.modules()}
    alone = [one for one in subjects.modules(decoder_norm=norm) if one.name not in usual]
    assert len(alone) == (3 if norm == "adain" else 2)
    for one in alone:
        assert_same(one, 10)


@pytest.mark.parametrize(("norm", "cam"), [
    pytest.param(norm, cam, marks=() if (norm, cam) == ("gn", False) else pytest.mark.slow)
    for norm in DECODER_NORMS for cam in (True, False)])
def test_a_training_step_is_the_same(norm, cam):
    training = subjects.training(replace(TINY, img_size=96, ndf=1, decoder_norm=norm, cam=cam))
    found = follow(training, steps=1, mode="resync", lane="float64")
    assert found.verdict == "same", str(found.report.first)
    assert found.report.compared > 500


NORMS = "paddle_impl.norms"
FAULTS = {
    "adalin with rho exchanged": (
        "adalin", Edit(f"{NORMS}:AdaLIN.forward", "rows(rho, input) * out_in + rows(1 - rho, input) * out_ln",
                       "rows(1 - rho, input) * out_in + rows(rho, input) * out_ln")),
    "adain without epsilon": (
        "adain", Edit(f"{NORMS}:AdaIN.forward", "instance_norm(input, self.eps)", "instance_norm(input, 0.0)")),
    "in with an unbiased variance": (
        "in", Edit(f"{NORMS}:IN.forward", "instance_norm(input, self.eps)",
                   "standardize(input, mean(input, [2, 3]), var(input, mean(input, [2, 3]), [2, 3]), self.eps)")),
    "ln over places alone": ("ln", Edit(f"{NORMS}:LN.forward", "layer_norm(input, self.eps)", "instance_norm(input, self.eps)")),
    "gn of half the groups": ("gn", Edit(f"{NORMS}:GN.forward", "group_norm(input, self.num_groups, self.eps)",
                                         "group_norm(input, max(1, self.num_groups // 2), self.eps)")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_norm_is_found(fault):
    norm, edit = FAULTS[fault]
    with applied((edit,)):
        report = compare(subject(norm), lanes=("float64",))
        assert report.verdict == "diverged" and report.first.twin.file.endswith("norms.py"), str(report.first)


def test_a_generator_that_attends_where_the_reference_does_not_is_found():
    with applied((Edit("paddle_impl.generator:ResnetGenerator.__init__", "self.adaptive = block_norm in ADAPTIVE",
                       "self.adaptive = block_norm in ADAPTIVE; cam = True"),)):
        report = compare(subject(cam=False), lanes=("float64",))
    assert report.verdict == "diverged"


OFFICIAL_GENERATOR = [
    "gap_fc.weight", "gmp_fc.weight", "conv1x1.weight", "conv1x1.bias", "gamma.weight", "beta.weight",
    *(f"UpBlock1_1.{name}" for name in ("conv1.weight", "norm1.rho", "conv2.weight", "norm2.rho")),
    *(f"DownBlock.{layer}.weight" for layer in (1, 5, 9)), *(f"DownBlock.12.conv_block.{layer}.weight" for layer in (1, 5)),
    "FC.0.weight", "FC.2.weight",
    "UpBlock2.2.weight", *(f"UpBlock2.3.{name}" for name in ("rho", "gamma", "beta")),
    "UpBlock2.7.weight", *(f"UpBlock2.8.{name}" for name in ("rho", "gamma", "beta")), "UpBlock2.11.weight",
]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_default_is_official(package):
    """Its keys, and the same draws as when it is asked for by name. (Its bits: test_reference_golden.py.)"""
    assert list(package.ResnetGenerator(3, 3, 2, 1, 32).state_dict()) == OFFICIAL_GENERATOR
    default, named = Options(), Options(decoder_norm="adalin", cam=True)
    assert default == named and default.sizes()["genA2B"] == GeneratorSizes(3, 3, 64, 4, 256, False)
    if package is torch_ref:
        states = []
        for extra in ({}, {"decoder_norm": "adalin", "cam": True}):
            torch.manual_seed(0)
            states.append(package.ResnetGenerator(3, 3, 2, 1, 32, **extra).state_dict())
        assert all(torch.equal(states[0][key], states[1][key]) for key in OFFICIAL_GENERATOR)


@pytest.mark.parametrize("package", PACKAGES)
def test_what_the_ablation_leaves_out(package):
    keys = {norm: set(package.ResnetGenerator(3, 3, 2, 1, 32, decoder_norm=norm).state_dict()) for norm in DECODER_NORMS}
    assert keys["adain"] == {key for key in keys["adalin"] if not key.endswith("rho")}
    assert keys["in"] == keys["ln"] == keys["gn"]
    assert not any(key.startswith(("FC", "gamma", "beta")) or key.endswith("rho") for key in keys["in"])
    attention = ("gap_fc", "gmp_fc", "conv1x1")
    for network in (package.ResnetGenerator(3, 3, 2, 1, 32, cam=False), package.Discriminator(3, 2, cam=False)):
        assert not any(key.startswith(attention) for key in network.state_dict())
    assert list(DECODER_NORMS) == list(package.DECODER_NORMS) == list(weights_convert.DECODER_NORMS)


@pytest.mark.parametrize("package", PACKAGES)
def test_groups(package):
    groups = {width: package.GN(width).num_groups for width in (1, 2, 3, 5, 6, 8, 12, 32, 48, 64, 256)}
    assert groups == {1: 1, 2: 1, 3: 1, 5: 1, 6: 2, 8: 4, 12: 4, 32: 16, 48: 16, 64: 32, 256: 32}


@pytest.mark.parametrize("package", PACKAGES)
def test_an_unknown_norm_raises(package):
    with pytest.raises(ValueError, match="expected one of adalin, adain, in, ln, gn, found 'bn'"):
        package.ResnetGenerator(3, 3, 2, 1, 32, decoder_norm="bn")
    with pytest.raises(TrainerError, match="expected a decoder norm of adalin, .*found 'bn'"):
        Options(decoder_norm="bn")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_losses_of_an_attention_that_is_not_there(package):
    for cam in (True, False):
        training = package.Training(2, 1, 96, True, 1, cam=cam)
        images = (torch if package is torch_ref else paddle).zeros([1, 3, 96, 96])
        losses = training.step(images, images, 1)
        assert len(losses) == (24 if cam else 14) and {"D_loss", "G_loss"} <= set(losses)
        assert any(name.endswith("cam") for name in losses) is cam


# Checkpoints


def official(norm, cam):
    """The six networks, torch's layout."""
    training = torch_ref.Training(2, 1, 96, True, 1, decoder_norm=norm, cam=cam)
    return initial_networks(training.state()["networks"], 0)


@pytest.mark.parametrize("cam", [True, False])
@pytest.mark.parametrize("norm", DECODER_NORMS)
def test_a_checkpoint_tells_or_asks_and_refuses(norm, cam, tmp_path):
    networks = official(norm, cam)
    own = norm in ("in", "ln", "gn")
    if own:
        with pytest.raises(CheckpointError, match="the same for the decoder norms in, ln, gn"):
            infer_sizes(networks)
    sizes = infer_sizes(networks, norm if own else None)
    assert sizes == Options(2, 1, 96, True, 1, decoder_norm=norm, cam=cam).sizes()
    for other in DECODER_NORMS:
        if other != norm and not (own and other in ("in", "ln", "gn")):
            with pytest.raises(CheckpointError, match=f"expected a generator with the decoder norm {other}, found the tensors of"):
                infer_sizes(networks, other)
    path = save_weights(tmp_path, "a", "torch", 3, networks, None)
    found, read, step = load_weights(path, norm)
    assert read == sizes and step == 3 and set(found) == set(NETWORKS)
    assert cases.Checkpoint.read(path, norm).sizes == sizes
    if own:
        with pytest.raises(InputError, match=r"--decoder-norm"):
            cases.Checkpoint.read(path)


def test_a_full_generator_without_attention_is_known_in_paddles_layout():
    sizes = GeneratorSizes(3, 3, 2, 1, 32, False, "adain", False)
    for package in PACKAGES:
        state = package.ResnetGenerator(**sizes.arguments()).state_dict()
        assert weights_convert.infer_some_sizes({"genA2B": state}) == {"genA2B": sizes}


def test_a_run_from_before_the_ablation_is_official():
    old = {name: value for name, value in asdict(Options()).items() if name not in ("decoder_norm", "cam")}
    assert Options.from_json(old) == Options()
    with pytest.raises(ValueError, match="not those of this version"):
        Options.from_json({})


# Commands


def test_train_and_translate_remember_the_norm(tmp_path):
    for domain in "AB":
        (tmp_path / f"train{domain}").mkdir()
        Image.new("RGB", (96, 96), (90, 120, 200)).save(tmp_path / f"train{domain}/1.png")

    def call(command, *arguments):
        return CliRunner().invoke(command, [str(argument) for argument in arguments])

    out, sizes = tmp_path / "run", ("--light", "--ch", 1, "--n-blocks", 1, "--img-size", 96)
    done = call(trainer.train, "--framework", "torch", "--data", tmp_path, "--out", out, "--steps", 1, "--decoder-norm", "ln",
                "--no-cam", *sizes)
    assert done.exit_code == 0, done.output
    weights = out / "model" / f"{tmp_path.name}_params_0000001.pt"

    def translated(framework, checkpoint, *more):
        return call(trainer.translate, "--framework", framework, "--checkpoint", checkpoint, "--img-size", 32, "--out",
                    tmp_path / "out", *more, tmp_path / "trainA")

    assert translated("paddle", out).exit_code == 0
    assert translated("torch", weights, "--decoder-norm", "ln").exit_code == 0
    for found in (translated("torch", out, "--decoder-norm", "in"), translated("torch", weights),
                  translated("torch", weights, "--decoder-norm", "adain")):
        assert found.exit_code == 2 and "decoder norm" in found.output
    resumed = call(trainer.train, "--framework", "paddle", "--data", tmp_path, "--out", out, "--resume", out, "--steps", 2,
                   "--decoder-norm", "gn")
    assert resumed.exit_code == 2 and "--decoder-norm: the run was made with ln, not gn" in resumed.output
    resumed = call(trainer.train, "--framework", "paddle", "--data", tmp_path, "--out", out, "--resume", out, "--steps", 2)
    assert resumed.exit_code == 0, resumed.output


def test_check_takes_the_ablation():
    found = cases.cases(size=32, modes=("train",), decoder_norm="adain", cam=False)
    titles = [case.title for case in found]
    assert {"AdaIN", "IN", "ResnetAdaILNBlock AdaIN"} <= set(titles)
    networks = {case.title: case.subject for case in found}
    assert not any(key.startswith("gap_fc") or key.endswith("rho") for key in networks["genA2B full"].state)
    assert not any(key.startswith("gap_fc") for key in networks["disLA 5 layers"].state)
    assert "GN" not in [case.title for case in cases.cases(size=32, modes=("train",))]


def test_convert_is_told_the_norm_and_its_receipt_remembers(tmp_path):
    networks = {"genA2B": official("ln", False)["genA2B"]}
    source, out = tmp_path / "a.pt", tmp_path / "converted"
    torch.save({name: {key: torch.tensor(array) for key, array in state.items()} for name, state in networks.items()}, source)

    def convert(*arguments):
        return CliRunner().invoke(convert_command, [str(argument) for argument in arguments])

    for wrong, said in (((source, out), "--decoder-norm"), ((source, out, "--decoder-norm", "adain"), "found the tensors of"),
                        (("--decoder-norm", "ln", "--check", out / "receipt.json"), "a receipt say themselves"),
                        ((source, out, "--decoder-norm", "ln", "--pair", "mine.py"), "a pair and a receipt")):
        found = convert(*wrong, "--network", "genA2B") if "--check" not in wrong else convert(*wrong)
        assert found.exit_code and said in found.output + str(found.exception)
    done = convert(source, out, "--network", "genA2B", "--decoder-norm", "ln")
    assert done.exit_code == 0 and "decoder_norm ln" in done.output, done.output
    assert convert("--check", out / "receipt.json").exit_code == 0
    by_hand = convert(source, "--network", "genA2B", "--decoder-norm", "ln", "--check-against", out)
    assert by_hand.exit_code == 0 and "are what the checkpoint says" in by_hand.output
    back = tmp_path / "back.pt"
    assert convert("--to", "torch", out, back, "--network", "genA2B", "--decoder-norm", "ln").exit_code == 0
    assert all(torch.equal(tensor, torch.tensor(networks["genA2B"][key])) for key, tensor in torch.load(back)["genA2B"].items())
