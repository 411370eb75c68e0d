"""docs/transforms.md: it has every transform that is measured, what it rests on can tell a difference, and it is measured again
where torchvision is."""

import re
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch
from paddle.vision import transforms as P

from benchmarks import transforms
from parity.data.draws import Draws

PAGE = Path(__file__).parents[2] / "docs" / "transforms.md"
_, _, *FOUND = (re.findall(r"^\| (.+?) \| (.*) \|$", PAGE.read_text(), re.MULTILINE))
ROWS = dict(FOUND)
PIXELS = np.asarray(transforms.picture())
UNIT = (PIXELS / np.float32(255)).astype(np.float32)


def test_the_page_has_every_transform():
    assert [operation.name for operation in transforms.OPERATIONS] == list(ROWS) and len(ROWS) > 40
    said = [cell for row in ROWS.values() for cell in row.split(" | ") if cell.strip()]
    assert 50 < said.count("same") < len(said)


def test_what_is_said_of_tensors_holds_without_torchvision():
    """torchvision's resize of a tensor is `interpolate` with antialias=True."""
    given = paddle.to_tensor(UNIT.transpose(2, 0, 1))
    theirs = transforms.made(lambda: P.Resize((15, 21)), given, 1, Draws(0), 0)
    ours = [torch.nn.functional.interpolate(torch.from_numpy(UNIT).permute(2, 0, 1)[None], (15, 21), mode="bilinear",
                                            antialias=antialias)[0].permute(1, 2, 0).numpy() for antialias in (False, True)]
    assert transforms.compared(ours[0], theirs, UNIT) == "same"
    assert transforms.compared(ours[1], theirs, UNIT).partition(", ")[2] in ROWS["Resize, bilinear"]


def test_what_a_cell_says():
    assert transforms.compared(PIXELS, PIXELS.copy(), PIXELS) == "same"
    assert transforms.compared(PIXELS, PIXELS ^ 1, PIXELS) == f"1, in {PIXELS[..., 0].size} of {PIXELS[..., 0].size} pixels"
    assert transforms.compared(UNIT, UNIT + np.float32(1e-7), UNIT) == "same"
    assert transforms.compared(PIXELS, PIXELS[1:], PIXELS) == "sizes (37, 49) and (36, 49)"
    assert transforms.compared(PIXELS, "raises ValueError", PIXELS) == "Paddle raises ValueError"


def test_torchvision_measured_again():
    torchvision = pytest.importorskip("torchvision", exc_type=Exception)
    for operation in transforms.OPERATIONS[:3]:
        assert transforms.measured(operation, torchvision.transforms, True) in ROWS[operation.name]
