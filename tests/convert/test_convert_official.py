"""Whole official checkpoints, both ways."""

import hashlib
import json
import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

import paddle_impl
import torch_ref
from weights_convert import (
    NETWORKS,
    CheckpointError,
    DiscriminatorSizes,
    GeneratorSizes,
    LayoutError,
    VerificationError,
    convert_to_paddle,
    convert_to_torch,
    infer_sizes,
    read_paddle,
    read_torch,
)
from weights_convert import convert as convert_module
from weights_convert.bits import same_bits, sha256_array, sha256_file

SIZES = {
    "light": GeneratorSizes(3, 3, 8, 2, None, True),
    "full": GeneratorSizes(3, 3, 8, 2, 32, False),
    5: DiscriminatorSizes(3, 4, 5),
    7: DiscriminatorSizes(3, 4, 7),
}


def make(package, sizes):
    kind = "ResnetGenerator" if isinstance(sizes, GeneratorSizes) else "Discriminator"
    return getattr(package, kind)(**sizes.arguments())


def build(network, sizes):
    with torch.device("meta"):
        torch_module = make(torch_ref, sizes)
    return torch_module, make(paddle_impl, sizes)


def modules(kind="light", seed=0):
    torch.manual_seed(seed)
    sizes = [SIZES[kind]] * 2 + [SIZES[7]] * 2 + [SIZES[5]] * 2
    return {network: make(torch_ref, size) for network, size in zip(NETWORKS, sizes, strict=True)}


def checkpoint(kind="light", seed=0):
    return OrderedDict((network, module.state_dict()) for network, module in modules(kind, seed).items())


def saved(path, content, legacy=False):
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    if legacy:  # as the real ones of 2019 are: written on a GPU
        data = path.read_bytes()
        assert data.count(b"X\x03\x00\x00\x00cpu")
        path.write_bytes(data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"))
    return path


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def assert_same(found, expected):
    assert list(found) == list(expected)
    for network in expected:
        assert list(found[network]) == list(expected[network])
        for name, tensor in expected[network].items():
            assert same_bits(found[network][name], np.asarray(tensor)), (network, name)


# Sizes


@pytest.mark.parametrize("kind", ["light", "full"])
def test_sizes_are_read_off_the_tensors_in_either_layout(kind):
    expected = dict(zip(NETWORKS, [SIZES[kind]] * 2 + [SIZES[7]] * 2 + [SIZES[5]] * 2, strict=True))
    assert infer_sizes(checkpoint(kind)) == expected
    twins = {network: make(paddle_impl, sizes).state_dict() for network, sizes in expected.items()}
    assert infer_sizes(twins) == expected


def test_unequal_sizes_are_read_each_for_itself():
    content = checkpoint()
    odd = GeneratorSizes(1, 4, 4, 0, 64, False)
    content["genA2B"] = make(torch_ref, odd).state_dict()
    content["disLB"] = make(torch_ref, DiscriminatorSizes(1, 2, 3)).state_dict()
    found = infer_sizes(content)
    assert found["genA2B"] == odd and found["disLB"] == DiscriminatorSizes(1, 2, 3)


def test_a_full_generator_for_4_pixels_looks_light():
    content = checkpoint()
    content["genA2B"] = torch_ref.ResnetGenerator(3, 3, ngf=8, n_blocks=2, img_size=4).state_dict()
    assert infer_sizes(content)["genA2B"] == SIZES["light"]


def changed(network, name, shape=None):
    def change(content):
        if shape is None:
            del content[network][name]
        else:
            content[network][name] = torch.zeros(shape)

    return change


WRONG = {
    "missing network": (lambda c: c.pop("disLB"), "missing disLB"),
    "extra network": (lambda c: c.update(G_optim={}), "unexpected G_optim"),
    "bare state_dict": (lambda c: c.update(c.pop("genA2B")), "missing genA2B.*unexpected gap_fc.weight"),
    "other network": (
        lambda c: c.update(genA2B=c["disGA"]),
        "genA2B: missing DownBlock.1.weight: not an official",
    ),
    "swapped kinds": (lambda c: c.update(disGA=c["genA2B"]), "disGA: missing model.1.weight_orig"),
    "not a dict": (lambda c: c.update(genA2B=torch.ones(1)), "genA2B: expected a state_dict"),
    "missing tensor": (changed("genA2B", "gamma.weight"), r"genA2B: .*missing gamma.weight \(32, 32\)"),
    "extra tensor": (changed("disGA", "norm.weight", (4,)), r"disGA: .*unexpected norm.weight \(4,\)"),
    "misshapen": (
        changed("genB2A", "UpBlock2.3.rho", (16,)),
        r"UpBlock2.3.rho should be \(1, 16, 1, 1\), is \(16,\)",
    ),
    "half a block": (changed("genA2B", "UpBlock1_2.conv2.weight"), "missing UpBlock1_2.conv2.weight"),
    "a block of one half": (changed("genA2B", "UpBlock1_2.conv1.weight"), r"unexpected UpBlock1_2\.norm1"),
    "FC of no square": (
        changed("genA2B", "FC.0.weight", (32, 96)),
        "FC.0.weight: expected 32 columns.*found 96",
    ),
    "FC of another ngf": (changed("genA2B", "DownBlock.1.weight", (16, 3, 7, 7)), "genA2B"),
    "no pixels": (
        changed("genA2B", "DownBlock.1.weight", (0, 3, 7, 7)),
        "DownBlock.1.weight: expected 4 dim",
    ),
    "flat": (
        changed("disGA", "model.1.weight_orig", (3,)),
        r"model.1.weight_orig: expected 4 dimensions.*\(3,\)",
    ),
    "layer in between": (changed("disLA", "model.4.weight_orig"), "disLA: .*model.4"),
    "long u": (changed("disLA", "conv.weight_u", (2,)), r"conv.weight_u should be \(1,\), is \(2,\)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_contradicting_checkpoints_are_refused_by_name(tmp_path, case):
    change, message = WRONG[case]
    content = checkpoint()
    change(content)
    with pytest.raises(CheckpointError, match=message) as caught:
        infer_sizes(content)
    assert "\n" not in str(caught.value)
    with pytest.raises(CheckpointError, match="a.pt"):
        convert_to_paddle(saved(tmp_path / "a.pt", content), tmp_path / "out", build)
    assert names(tmp_path) == ["a.pt"]


# Conversion


@pytest.mark.parametrize("format", ["pdparams", "safetensors"])
@pytest.mark.parametrize("kind,legacy", [("light", False), ("light", True), ("full", False)])
def test_there_and_back_is_bit_identical(tmp_path, kind, legacy, format):
    content = checkpoint(kind)
    odd = np.array([0x7FC12345, 0xFFC00001, 0x80000000, 1, 0x7F800000], "u4").view("f4")
    content["genA2B"]["gamma.weight"].view(-1)[:5] = torch.from_numpy(odd)
    src = saved(tmp_path / "src.pt", content, legacy)
    receipt = convert_to_paddle(src, tmp_path / "out", build, format)
    assert names(tmp_path / "out") == sorted([*(f"{n}.{format}" for n in NETWORKS), "receipt.json"])
    assert receipt["sizes"]["genA2B"]["light"] == (kind == "light")
    assert [(x["network"], x["source"], x["count"]) for x in receipt["non_finite"]] == [
        ("genA2B", "gamma.weight", 3)
    ]
    back = convert_to_torch(tmp_path / "out", tmp_path / "back.pt", build)
    assert_same(read_torch(tmp_path / "back.pt"), content)
    checksums = [{(t["network"], t["source"]): t["sha256"] for t in r["tensors"]} for r in (receipt, back)]
    assert checksums[0] == checksums[1] and len(checksums[0]) == sum(map(len, content.values()))


def test_float64_checkpoints_stay_float64(tmp_path):
    content = OrderedDict((network, module.double().state_dict()) for network, module in modules().items())
    convert_to_paddle(saved(tmp_path / "src.pt", content), tmp_path / "out", build)
    assert read_paddle(tmp_path / "out" / "disGA.pdparams")["conv.weight_v"].dtype == np.float64
    convert_to_torch(tmp_path / "out", tmp_path / "back.pt", build)
    assert_same(read_torch(tmp_path / "back.pt"), content)


def test_official_code_loads_what_comes_back(tmp_path):
    content = checkpoint()
    convert_to_paddle(saved(tmp_path / "src.pt", content), tmp_path / "out", build)
    convert_to_torch(tmp_path / "out", tmp_path / "back.pt", build)
    loaded = torch.load(tmp_path / "back.pt", weights_only=True)
    for network, module in modules(seed=1).items():
        module.load_state_dict(loaded[network], strict=True)
        assert loaded[network]._metadata == content[network]._metadata


def test_the_twins_compute_the_same_from_what_was_converted(tmp_path):
    ours = modules()
    for module in ours.values():
        module.double()
    content = OrderedDict((network, module.state_dict()) for network, module in ours.items())
    layers = {}

    def keep(network, sizes):
        torch_module, layers[network] = build(network, sizes)
        return torch_module, layers[network]

    convert_to_paddle(saved(tmp_path / "src.pt", content), tmp_path / "out", keep)
    x = np.random.default_rng(0).uniform(-1, 1, (1, 3, 32, 32))
    for network in ("genA2B", "genB2A", "disLA", "disLB"):
        layers[network].eval()
        expected = ours[network].eval()(torch.from_numpy(x))
        for a, b in zip(layers[network](paddle.to_tensor(x)), expected, strict=True):
            b = b.detach().numpy()
            assert np.abs(a.numpy() - b).max() <= 1e-11 * np.abs(b).max()


def test_the_receipt_can_be_verified_by_anyone(tmp_path):
    src = saved(tmp_path / "src.pt", checkpoint())
    returned = convert_to_paddle(src, tmp_path / "out", build)
    receipt = json.loads((tmp_path / "out" / "receipt.json").read_text())
    assert (
        receipt == returned and receipt["schema"] == "weights_convert.receipt/1" and receipt["to"] == "paddle"
    )
    assert receipt["source"] == [{"path": str(src), "bytes": src.stat().st_size, "sha256": sha256_file(src)}]
    assert receipt["versions"]["paddle"] == paddle.__version__ and receipt["non_finite"] == []
    for file in receipt["files"]:
        data = (tmp_path / "out" / file["path"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(data).hexdigest() and file["bytes"] == len(data)
    state = read_torch(src)
    written = {network: read_paddle(tmp_path / "out" / f"{network}.pdparams") for network in NETWORKS}
    for tensor in receipt["tensors"]:
        array = state[tensor["network"]][tensor["source"]]
        target = written[tensor["network"]][tensor["target"]]
        assert tensor["sha256"] == sha256_array(array)
        assert tensor["source_shape"] == list(array.shape) and tensor["target_shape"] == list(target.shape)
        assert tensor["sha256"] == sha256_array(target.T if tensor["rule"] == "transpose" else target)
    transposed = {(t["network"], t["source"]) for t in receipt["tensors"] if t["rule"] == "transpose"}
    assert (
        len(transposed) == 2 * 6 + 4 * 2 and ("genA2B", "gamma.weight") in transposed
    )  # the square ones as well


def test_progress_names_every_tensor(tmp_path):
    content, seen = checkpoint(), []
    convert_to_paddle(
        saved(tmp_path / "a.pt", content), tmp_path / "out", build, progress=lambda *e: seen.append(e)
    )
    assert seen == [(f"{n}/{k}", v.nbytes) for n in NETWORKS for k, v in content[n].items()]


# Refusals leave nothing behind.


def snapshot(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_a_failed_conversion_leaves_the_old_one(tmp_path, monkeypatch):
    out = tmp_path / "out"
    convert_to_paddle(saved(tmp_path / "a.pt", checkpoint(seed=0)), out, build)
    before = snapshot(out)
    saved(tmp_path / "b.pt", checkpoint(seed=1))

    def mistaken(network, sizes):
        torch_module, layer = build(network, sizes)
        if network == "disLB":
            layer.add_parameter("more", layer.create_parameter([1]))
        return torch_module, layer

    with pytest.raises(LayoutError, match="disLB: .*more: in Paddle only"):
        convert_to_paddle(tmp_path / "b.pt", out, mistaken)
    assert snapshot(out) == before

    replace, calls = os.replace, []

    def fails_once(source, target):
        calls.append(target)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fails_once)
    with pytest.raises(CheckpointError, match="No space left on device"):
        convert_to_paddle(tmp_path / "b.pt", out, build)
    assert snapshot(out) == before
    monkeypatch.undo()
    convert_to_paddle(tmp_path / "b.pt", out, build)
    assert names(out) == sorted(before) and snapshot(out) != before


def test_an_interrupt_leaves_nothing(tmp_path):
    def interrupt(name, nbytes):
        if name.startswith("disLA"):
            raise KeyboardInterrupt

    src = saved(tmp_path / "src.pt", checkpoint())
    with pytest.raises(KeyboardInterrupt):
        convert_to_paddle(src, tmp_path / "out", build, progress=interrupt)
    assert names(tmp_path) == ["src.pt"]
    convert_to_paddle(src, tmp_path / "out", build)
    (tmp_path / "back.pt").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        convert_to_torch(tmp_path / "out", tmp_path / "back.pt", build, progress=interrupt)
    assert names(tmp_path) == ["back.pt", "out", "src.pt"] and (tmp_path / "back.pt").read_text() == "old"


@pytest.mark.parametrize("format", ["pdparams", "safetensors"])
def test_what_does_not_read_back_is_fatal(tmp_path, monkeypatch, format):
    """One bit of one tensor flipped on its way to the disk; or the file changed after it was written."""
    src = saved(tmp_path / "src.pt", checkpoint())
    write = convert_module.write_paddle

    def one_bit_off(path, tensors, checksum):
        pairs = [(name, array.copy()) for name, array in tensors]
        pairs[3][1].reshape(-1).view("u4")[0] ^= 1
        return write(path, pairs, checksum)

    def changed_later(path, tensors, checksum):
        written = write(path, tensors, checksum)
        with open(path, "ab") as file:
            file.write(b"x")
        return written

    for mistake, message in (
        (one_bit_off, "reloaded: .* is not, bit for bit"),
        (changed_later, "other bytes than were written"),
    ):
        monkeypatch.setattr(convert_module, "write_paddle", mistake)
        with pytest.raises(VerificationError, match=message):
            convert_to_paddle(src, tmp_path / "out", build, format)
        assert names(tmp_path) == ["src.pt"]


def test_a_network_that_ignores_its_state_is_fatal(tmp_path):
    def deaf(network, sizes):
        torch_module, layer = build(network, sizes)
        layer.set_state_dict = lambda state: ([], [])
        return torch_module, layer

    with pytest.raises(VerificationError, match="genA2B, after set_state_dict: .* is not, bit for bit"):
        convert_to_paddle(saved(tmp_path / "src.pt", checkpoint()), tmp_path / "out", deaf)
    assert names(tmp_path) == ["src.pt"]


def test_a_checkpoint_that_does_not_read_back_is_fatal(tmp_path, monkeypatch):
    convert_to_paddle(saved(tmp_path / "src.pt", checkpoint()), tmp_path / "out", build)
    write = convert_module.write_torch

    def one_bit_off(path, states, *rest):
        states["disGA"]["conv1x1.bias"] = states["disGA"]["conv1x1.bias"].copy()
        states["disGA"]["conv1x1.bias"].view("u4")[0] ^= 1
        return write(path, states, *rest)

    monkeypatch.setattr(convert_module, "write_torch", one_bit_off)
    with pytest.raises(VerificationError, match=r"disGA\.conv1x1\.bias is not, bit for bit"):
        convert_to_torch(tmp_path / "out", tmp_path / "back.pt", build)
    assert names(tmp_path) == ["out", "src.pt"]


def test_the_folder_must_hold_six_networks_in_one_format(tmp_path):
    src, out, dst = saved(tmp_path / "src.pt", checkpoint()), tmp_path / "out", tmp_path / "back.pt"
    with pytest.raises(CheckpointError, match="expected the folder"):
        convert_to_torch(src, dst, build)
    for format in ("pdparams", "safetensors"):
        convert_to_paddle(src, out, build, format)
    with pytest.raises(CheckpointError, match="both pdparams and safetensors"):
        convert_to_torch(out, dst, build)
    convert_to_torch(out, dst, build, "safetensors")
    (out / "disLA.pdparams").unlink()
    with pytest.raises(CheckpointError, match=r"missing disLA\.pdparams"):
        convert_to_torch(out, dst, build, "pdparams")
    with pytest.raises(ValueError, match="format must be"):
        convert_to_paddle(src, out, build, "onnx")


def test_a_folder_in_the_place_of_the_checkpoint_is_refused(tmp_path):
    convert_to_paddle(saved(tmp_path / "src.pt", checkpoint()), tmp_path / "out", build)
    (tmp_path / "back.pt").mkdir()
    with pytest.raises(CheckpointError, match=r"back\.pt is a directory"):
        convert_to_torch(tmp_path / "out", tmp_path / "back.pt", build)
    assert names(tmp_path / "back.pt") == [] and "back.pt.receipt.json" not in names(tmp_path)
