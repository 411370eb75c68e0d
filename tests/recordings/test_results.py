"""Recorded is what a program returns, of whatever kind; and a forged floor is no pass."""

import json
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
import torch

import parity
from parity.inputs import normal
from parity.port import Port
from parity.recordings.format import read_json, read_start, write_index, write_json, write_start


class Torch(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(6, 5)

    def forward(self, x):
        y = self.fc(x)
        return (SimpleNamespace(logits=y, label="cat"), (y > 0).to(torch.uint8), (y > 0).to(torch.bfloat16), 1 + 2j,
                y.masked_fill(y > 0.5, -3.4e38), {"b": y * 2, "a": y})


class Paddle(paddle.nn.Layer):
    factor, label, shift, number = 1.0, "cat", 0.0, 1 + 2j

    def __init__(self):
        super().__init__()
        self.fc = paddle.nn.Linear(6, 5)

    def forward(self, x):
        y = self.fc(x)
        return (SimpleNamespace(logits=y * self.factor, label=self.label), (y > 0).astype("uint8"), (y > 0).astype("bfloat16"),
                self.number, (y + self.shift).masked_fill(y > 0.5, -3.4e38), {"a": y, "b": y * 2})


class AnotherText(Paddle):
    label = "dog"


class AnotherImaginaryPart(Paddle):
    number = 1 + 3j


class BesideTheMask(Paddle):
    shift = 1e-9


class TimesAThousand(Paddle):
    factor = 1e3


def pair(twin):
    return Port(Torch, twin, inputs=[normal(4, 6)], modes=["eval"])


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "there"
    parity.record(pair(Paddle), folder)
    return folder


def verdict(there, twin, folder):
    parity.record(pair(twin), folder, side="twin", source=there)
    return parity.diff(there, folder).verdict


@pytest.mark.parametrize(("twin", "expected"), [(Paddle, "same"), (AnotherText, "diverged"), (AnotherImaginaryPart, "diverged"),
                                                (BesideTheMask, "diverged")])
def test_results_of_all_kinds_are_recorded_and_compared(there, tmp_path, twin, expected):
    assert verdict(there, twin, tmp_path / "here") == expected


@pytest.mark.parametrize(("twin", "expected"), [(Paddle, "same up to summary"), (AnotherText, "diverged"),
                                                (AnotherImaginaryPart, "diverged")])
def test_texts_and_complex_numbers_are_compared_by_their_summaries_too(tmp_path, twin, expected):
    parity.record(pair(Paddle), tmp_path / "there", keep="summaries")
    parity.record(pair(twin), tmp_path / "here", side="twin", keep="summaries", source=tmp_path / "there")
    assert parity.diff(tmp_path / "there", tmp_path / "here").verdict == expected


def test_complex_numbers_to_start_from_come_back(tmp_path):
    state = {"inputs": {"z": np.array([1 + 2j, np.nan - 0j]), "one": np.array(3j, np.complex64), "x": np.ones(2)}, "lr": 0.1}
    back = read_start(tmp_path, write_start(tmp_path, state))
    assert {name: array.dtype for name, array in back["inputs"].items()} == {
        name: array.dtype for name, array in state["inputs"].items()}
    assert back["lr"] == 0.1 and back["inputs"]["one"] == 3j and back["inputs"]["one"].shape == ()


@pytest.mark.parametrize(("twin", "expected"), [(Paddle, "same"), (TimesAThousand, "undecided")])
def test_floors_that_allow_anything_are_no_pass(there, tmp_path, twin, expected):
    """Floors of 1e300, sealed again by who forged them: what they allow was not seen; what agrees, agrees."""
    here = tmp_path / "here"
    parity.record(pair(twin), here, side="twin", source=there)
    index = read_json(there / "index.json")
    for folder in (there, here):
        index = read_json(folder / "index.json")
        part, = index["parts"]
        document = read_json(folder / part)
        document["floors"] = {run: [[key, [1e300] * len(floor) if isinstance(floor, list) else 1e300] for key, floor in floors]
                              for run, floors in document["floors"].items()}
        forged = tmp_path / folder.name if folder == there else folder
        if folder == there:
            forged.mkdir()
            for file in there.iterdir():
                (forged / file.name).write_bytes(file.read_bytes())
        seal = write_json(forged / part, document)
        rest = {name: value for name, value in index.items() if name not in ("parts", "kind", "format")}
        write_index(forged, index["kind"], {part: seal}, rest)
    assert json.loads((tmp_path / there.name / part).read_text())["floors"]
    assert parity.diff(tmp_path / there.name, here).verdict == expected
