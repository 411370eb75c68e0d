"""In what way two pictures are one, and how a picture was resized: what frameworks and Pillow do is known again, noise is not."""

import numpy as np
import pytest
import torch
from PIL import Image

from parity.numbers import pictures

RNG = np.random.default_rng(3)
SMOOTH = Image.fromarray(RNG.integers(0, 256, (6, 7, 3), dtype=np.uint8)).resize((35, 27), Image.Resampling.BICUBIC)
BYTES = np.asarray(SMOOTH)
UNIT = (BYTES / np.float32(255)).astype(np.float32)
MEAN, DEVIATION = np.float32([0.5, 0.4, 0.3]), np.float32([0.2, 0.25, 0.3])


@pytest.mark.parametrize(("made", "said"), [
    (BYTES[..., ::-1], "BGR"), (np.flip(BYTES, 1), "left and right"), (np.flip(BYTES, 0), "top and bottom"),
    (BYTES.transpose(2, 0, 1), "the channels first (CHW), not last (HWC)"),
    (BYTES.transpose(1, 0, 2), "height and width exchanged"),
    (UNIT, "values of [0, 1], not of [0, 255]"), (UNIT * 2 - 1, "another range"),
    ((UNIT - MEAN) / DEVIATION, "another mean or deviation for each channel"),
    (UNIT[..., ::-1].transpose(2, 0, 1), "the channels first (CHW), not last (HWC), and with red and blue exchanged"),
])
def test_a_likeness_is_told(made, said):
    assert said in str(pictures.likeness(BYTES, made))


@pytest.mark.parametrize("made", [
    BYTES, BYTES ^ 1, RNG.integers(0, 256, BYTES.shape, dtype=np.uint8), np.full_like(BYTES, 7), BYTES[1:], np.full(3, 2.0)])
def test_what_is_equal_or_of_no_likeness_has_none(made):
    assert pictures.likeness(BYTES, made) is None


def resized(size, **options):
    pixels = torch.from_numpy(BYTES.copy()).permute(2, 0, 1)[None].float()
    return torch.nn.functional.interpolate(pixels, size, **options)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize(("made", "said"), [
    (np.asarray(SMOOTH.resize((13, 11), Image.Resampling.BILINEAR)), "bilinear interpolation with antialiasing"),
    (np.asarray(SMOOTH.resize((13, 11), Image.Resampling.BICUBIC)), "bicubic interpolation with antialiasing"),
    (np.asarray(SMOOTH.resize((13, 11), Image.Resampling.NEAREST)), "the nearest pixel (by centres)"),
    (resized((11, 13), mode="bilinear"), "bilinear interpolation without antialiasing"),
    (resized((11, 13), mode="bilinear", align_corners=True), "bilinear interpolation with aligned corners"),
    (resized((11, 13), mode="bicubic"), "bicubic interpolation without antialiasing"),
    (resized((11, 13), mode="nearest"), "the nearest pixel (by corners)"),
])
def test_an_interpolation_is_known_again(made, said):
    assert said in str(pictures.resized_how(BYTES, made))


def test_what_is_no_resizing_is_not_called_one():
    assert pictures.resized_how(BYTES, BYTES[:11, :13]) is None
    assert pictures.resized_how(BYTES, BYTES) is None


def test_the_form_of_a_picture_is_no_difference_and_its_values_are():
    assert pictures.same_up_to_form(BYTES, UNIT.transpose(2, 0, 1), 1e-6)
    assert not pictures.same_up_to_form(BYTES, UNIT[..., ::-1], 1e-6)
    assert not pictures.same_up_to_form(BYTES, UNIT + np.float32(0.01), 1e-6)
    assert pictures.slope(UNIT, 255 * UNIT + 3, 1e-3) == pytest.approx(255, rel=1e-4)
    assert pictures.slope(UNIT, UNIT ** 2, 1e-3) is None
