"""KID and FID: the estimates themselves, the feature networks, and both frameworks beside each other.

What torch-fidelity makes of the same numbers is in fixtures/torch_fidelity.json, made by benchmarks/evaluation.py.
"""

import json
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch
from PIL import Image

import paddle_impl.evaluation
import torch_ref.evaluation
from benchmarks.evaluation import EVERY, SHAPES, SIZES, SUBSETS, digest, features, pixels
from parity.compare.ladder import compare
from parity.files import InputError
from parity.ugatit.evaluation import pairs, weights
from parity.ugatit.faults.evaluation_faults import EVALUATION_FAULTS
from parity.ugatit.faults.exam import sit
from weights_convert import CheckpointError, write_torch

KNOWN = json.loads((Path(__file__).parents[1] / "fixtures" / "torch_fidelity.json").read_text())
SIDES = {"torch": (torch_ref.evaluation, torch.tensor), "paddle": (paddle_impl.evaluation, paddle.to_tensor)}
SEED = 2020  # torch-fidelity's


@pytest.fixture(params=SIDES)
def side(request):
    """(package, array -> tensor) of either framework."""
    return SIDES[request.param]


def kernel_distance(side, real, fake, *, subsets, subset_size, seed=SEED):
    package, tensor = side
    return [float(value) for value in package.kernel_distance(tensor(real), tensor(fake), subsets, subset_size, seed)]


def frechet_distance(side, real, fake):
    package, tensor = side
    return float(package.frechet_distance(tensor(real), tensor(fake)))


def test_the_kernel_distance_by_its_definition(side):
    """Equation 4 of Binkowski et al. term by term, no row with itself, over subsets of distinct rows."""
    real, fake = features(9, 8, 5)

    def kernel(x, y):
        return (sum(a * b for a, b in zip(x, y, strict=True)) / 5 + 1) ** 3

    def mmd(x, y):
        m = len(x)
        within = sum(kernel(one[i], one[j]) for one in (x, y) for i in range(m) for j in range(m) if i != j)
        return within / (m * (m - 1)) - 2 * sum(kernel(a, b) for a in x for b in y) / m**2

    rng, found = np.random.RandomState(3), []
    for _ in range(4):
        chosen = rng.permutation(9)[:6], rng.permutation(8)[:6]  # what `choice` without replacement does
        found.append(mmd(real[chosen[0]], fake[chosen[1]]))
    # sums of 36 kernels of up to 60 in another order, of which about 1 is left
    assert kernel_distance(side, real, fake, subsets=4, subset_size=6, seed=3) == pytest.approx(
        [np.mean(found), np.std(found)], rel=1e-12)


def test_a_subset_of_all_pictures_is_all_pictures(side):
    """Drawn with replacement, subsets would differ."""
    real, fake = features(8, 8, 5)
    _, deviation = kernel_distance(side, real, fake, subsets=5, subset_size=8)
    assert deviation < 1e-12


def test_the_estimate_is_unbiased(side):
    """Of two sets of one distribution it is 0 on average; with rows that meet themselves it is 1.95: 2 (E k(x, x) - E k(x, y)) / m,
    of normal rows of 4 numbers 11.5 and 1.75."""
    rng = np.random.RandomState(0)
    found = [kernel_distance(side, rng.standard_normal((10, 4)), rng.standard_normal((10, 4)), subsets=1, subset_size=10)[0]
             for _ in range(200)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(len(found))
    assert 10 * np.std(found) / np.sqrt(len(found)) < 1.95  # as many pairs as it takes to see that


@pytest.mark.parametrize("shape", [(40, 6), (10, 30)], ids=["more pictures", "more features"])
def test_the_frechet_distance_where_it_is_known(side, shape):
    """Equal sets: 0. Moved: the square of the way. Stretched about the mean: (1 - s)^2 of the variance."""
    real, _ = features(shape[0], 2, shape[1])
    variance = real.var(0, ddof=1).sum()
    rounding = 1e-13 * variance  # of the traces, which cancel
    assert frechet_distance(side, real, real[::-1].copy()) == pytest.approx(0, abs=rounding)
    assert frechet_distance(side, real, real + 0.5) == pytest.approx(0.25 * shape[1], abs=rounding)
    stretched = real.mean(0) + 3 * (real - real.mean(0))
    assert frechet_distance(side, real, stretched) == pytest.approx(4 * variance, abs=9 * rounding)


@pytest.mark.parametrize("name", SHAPES)
def test_distances_are_torch_fidelitys(side, name):
    """To 1e-6, as promised; with fewer pictures than features its own FID is 5e-8 off, as it takes roots of rounded zeros."""
    real, fake = features(*SHAPES[name])
    known = KNOWN["distances"][name]
    kid = kernel_distance(side, real, fake, subsets=SUBSETS["kid_subsets"], subset_size=SUBSETS["kid_subset_size"])
    assert kid == pytest.approx([known["kernel_inception_distance_mean"], known["kernel_inception_distance_std"]], rel=1e-6)
    assert frechet_distance(side, real, fake) == pytest.approx(known["frechet_inception_distance"], rel=1e-6)


def test_distances_of_both_frameworks_are_one_to_rounding():
    real, fake = features(60, 50, 8)
    ours, theirs = ([*kernel_distance(side, real, fake, subsets=7, subset_size=12), frechet_distance(side, real, fake)]
                    for side in SIDES.values())
    assert ours == pytest.approx(theirs, rel=1e-13)


@pytest.mark.parametrize("size", SIZES)
def test_the_resize_is_tensorflows_to_the_bit(side, size):
    package, tensor = side
    picture = package.image_to_tensor(Image.fromarray(pixels(*size)), tensor(np.zeros(1, np.float32)))
    assert digest(package.resize_like_tensorflow(picture, 299).numpy()) == KNOWN["resized"][f"{size[0]} x {size[1]}"]


def test_pictures_are_read_as_rgb_from_0_to_255(side, tmp_path):
    package, tensor = side
    Image.new("RGB", (3, 2), (255, 7, 0)).save(tmp_path / "orange.png")
    Image.new("L", (3, 2), 9).save(tmp_path / "grey.png")
    like = tensor(np.zeros(1, np.float32))
    orange, grey = (package.image_to_tensor(package.load_image(tmp_path / f"{name}.png"), like).numpy()
                    for name in ("orange", "grey"))
    assert orange.shape == (3, 2, 3) and [channel.max() for channel in orange] == [255, 7, 0] and (grey == 9).all()


@pytest.fixture(scope="module")
def state():
    return weights.random(0)


@pytest.mark.parametrize("framework", SIDES)
def test_features_are_torch_fidelitys(framework, state):
    """Its network in float64 hands out float32: one rounding."""
    package, _ = SIDES[framework]
    network = weights.give(framework, package.InceptionV3(), state).to(dtype={"torch": torch.float64}.get(framework, "float64"))
    prepared = network.prepare(Image.fromarray(pixels(299, 299)))
    found = network(prepared.unsqueeze(0)).numpy()[0, ::EVERY]
    known = np.array(KNOWN["features"])
    assert (known > 0).sum() > 20
    np.testing.assert_allclose(found, known, rtol=2.0**-24 * 1.01)


def test_a_file_is_read_as_it_is(state, tmp_path):
    file = tmp_path / "inception.pth"
    write_torch(file, {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")})
    read = weights.read(file)  # the counts are not in every file
    assert list(read) == list(state) and all(np.array_equal(read[name], state[name]) for name in state)
    assert len(state) == 94 * 6 + 2 and not weights.is_published(file)


def test_another_network_is_refused(state, tmp_path):
    file = tmp_path / "torchvision.pth"
    write_torch(file, {**state, "fc.weight": np.zeros((1000, 2048), np.float32), "AuxLogits.fc.bias": np.zeros(3, np.float32)})
    said = r"fc.weight: expected \(1008, 2048\), found \(1000, 2048\).*AuxLogits.fc.bias: expected none"
    with pytest.raises(InputError, match=said):
        weights.read(file)
    file.write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError, match="expected a PyTorch checkpoint"):
        weights.read(file)


@pytest.mark.parametrize("name", ["small", "resize", "distances", "whole", "inception",
                                  *(pytest.param(name, marks=pytest.mark.slow) for name in ("inception_299", "whole_inception"))])
def test_the_measurement_is_a_pair(name):
    report = compare(pairs.subject(f"evaluation_{name}"))
    assert report.verdict == "same" and not report.uncompared and report.compared > 20, str(report.first)


@pytest.mark.parametrize("fault", EVALUATION_FAULTS, ids=lambda fault: fault.name)
def test_a_wrong_measurement_is_found_and_placed(fault):
    """`test_the_measurement_is_a_pair` has the healthy twins."""
    grade, _ = sit(fault)
    assert grade.placed, f"{grade.misplaced} {grade.headline}"
