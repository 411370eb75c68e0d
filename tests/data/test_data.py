"""Two data pipelines: each fault of `pipelines.FAULTS` is found and placed, and each healthy twin passes."""

import json
from pathlib import Path

import numpy as np
import paddle
import pipelines
import pytest
import torch
from pipelines import FAULTS, HEALTHY, TorchFixed, TorchSet, reference

import parity
from parity.cli import main
from parity.data.orders import difference
from parity.data.show import picture
from parity.files import InputError

PAGE = Path(__file__).parents[2] / "docs" / "data-and-metrics.md"


def row(name, found):
    """Of the page's table."""
    return f"| {name} | {found.kind} | {found.step or ''} | {found.cause or ''} |"


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_placed(name):
    twin, kind, step, cause = FAULTS[name]
    first = reference
    if name == "not shuffled anew":  # the reference draws in each epoch what the twin draws once
        def first():
            return torch.utils.data.DataLoader(TorchSet(), batch_size=3, sampler=TorchFixed())
    summary = parity.compare_data(parity.Data(first, twin), samples=4)
    found = next(one for one in summary.findings if one.kind == kind)
    if name == "not shuffled anew":  # which shows in the second epoch
        found = next(one for one in summary.findings if one.kind == kind and one.epoch == 2)
    assert summary.verdict == "diverged" and found.kind == kind
    assert step in (found.step or "") and cause in (found.cause or "")
    assert row(name, found) in PAGE.read_text()
    if kind in ("sample", "batch"):
        assert any(site is not None and site.file == pipelines.__file__ for site in found.sites)


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_twin_is_the_same(name):
    summary = parity.compare_data(parity.Data(reference, HEALTHY[name]), samples=7)
    assert summary.verdict == "same", summary.sentence()
    assert summary.compared == {"orders": 2, "samples": 14, "batches": 6, "items": 0}


def test_the_order_is_compared_whole_beyond_the_samples():
    """With two samples looked at, the batch that is dropped at the end is seen."""
    summary = parity.compare_data(parity.Data(reference, FAULTS["last batch dropped"][0]), samples=2)
    assert summary.first.kind == "order" and summary.compared["samples"] == 4


def test_what_is_no_order_of_the_other():
    assert difference([[0, 1], [2]], [[0, 1], [2]], None) is None
    said, cause = difference([[1, 0], [2]], [[0, 1], [2]], None)
    assert "number 1 in the reference, number 0 in the twin" in said and "the reference is shuffled" in cause
    assert "another sampler" in difference([[1, 0, 2]], [[2, 0, 1]], None)[1]
    assert "ends early" in difference([[0, 1]], [[0, 1, 2]], None)[1]
    assert "the reference repeats" in difference([[1, 0]], [[0, 1]], ([[1, 0]], [[1, 0]]))[1]


# --- streams, texts, lengths -----------------------------------------------------------------------------------------


def words(*texts, pad=0):
    """Tokens of texts, padded: what a pipeline of texts hands out, as a reader of Paddle 1.x."""
    known = {}

    def reader():
        for text in texts:
            tokens = [known.setdefault(word, len(known) + 1) for word in text.split()]
            yield {"text": text, "tokens": np.array(tokens + [pad] * (5 - len(tokens)))}

    return lambda: reader


def test_a_stream_of_texts():
    same = parity.compare_data(parity.Data(words("a b", "b c a"), words("a b", "b c a")))
    assert same.verdict == "same" and same.compared["items"] == 4
    padded = parity.compare_data(parity.Data(words("a b"), words("a b", pad=-1)))
    assert padded.first.place == "epoch 1, item 1" and "'tokens'" in padded.first.what
    cased = parity.compare_data(parity.Data(words("A b"), words("a b")))
    assert "'A b' in the reference, 'a b' in the twin" in cased.first.what
    short = parity.compare_data(parity.Data(words("a", "b"), words("a")))
    assert short.first.kind == "length" and "the twin ends after 1 items" in short.first.what


class Numbers(torch.utils.data.IterableDataset):
    def __iter__(self):
        return iter(torch.rand(5))


class PaddleNumbers(paddle.io.IterableDataset):
    def __iter__(self):
        return iter(paddle.rand([5]))


def test_iterable_datasets_are_batched_as_their_loaders_do():
    def first():
        return torch.utils.data.DataLoader(Numbers(), batch_size=2)

    def twin(**options):
        return parity.Data(first, lambda: paddle.io.DataLoader(PaddleNumbers(), batch_size=2, **options))

    same = parity.compare_data(twin())
    assert same.verdict == "same" and same.compared["items"] == 6
    dropped = parity.compare_data(twin(drop_last=True))
    assert dropped.first.kind == "length" and "the twin ends after 2 items" in dropped.first.what


def test_datasets_of_other_lengths_and_an_iterator_that_is_read_once():
    short = parity.compare_data(parity.Data(lambda: [1.0, 2.0, 3.0], lambda: [1.0, 2.0]))
    assert short.first.kind == "length" and "3 samples in the reference, 2 in the twin" in short.first.what
    once = parity.compare_data(parity.Data(lambda: iter([1.0]), lambda: iter([1.0])))
    assert once.verdict == "same" and "one epoch" in once.remarks[0]


def test_rounding_is_no_difference_and_a_grey_level_is():
    values = np.linspace(0, 1, 40, dtype=np.float32).reshape(5, 8)
    assert parity.compare_data(parity.Data(lambda: [values], lambda: [values * np.float32(1 + 2e-7)])).verdict == "same"
    assert parity.compare_data(parity.Data(lambda: [values], lambda: [values + np.float32(1 / 255)])).verdict == "diverged"


# --- what cannot be used ---------------------------------------------------------------------------------------------


def test_what_is_no_pipeline_is_refused():
    with pytest.raises(parity.NothingCompared, match="no sample"):
        parity.compare_data(parity.Data(list, list))
    with pytest.raises(InputError, match="twin: expected a DataLoader"):
        parity.compare_data(parity.Data(lambda: [1], lambda: 3))
    with pytest.raises(InputError, match="write lambda"):
        parity.Data([1], list)
    with pytest.raises(InputError, match="epochs"):
        parity.Data(list, list, epochs=0)
    with pytest.raises(InputError, match="it cannot be read"):
        parity.compare_data(parity.Data(FAULTS["it raises"][0], reference))


# --- the command -----------------------------------------------------------------------------------------------------

PAIR = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from parity import Data
from pipelines import FAULTS, HEALTHY, reference

same = Data(reference, HEALTHY["the same"])
wrong = Data(reference, FAULTS["BGR"][0])
nothing = Data(list, list)
"""


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("my_data.py").write_text(PAIR)
    assert main(["data", "my_data.py:same", "--samples", "2"]) == 0
    assert capsys.readouterr().out.startswith("same: data: 2 orders, 4 samples compared")
    assert main(["data", "my_data.py:wrong", "--samples", "2", "--json", "-", "--picture", "odd.png"]) == 1
    shown = capsys.readouterr()
    assert "def bgr(image)" in shown.err and json.loads(shown.out)["first"]["twin"]["text"] == "def bgr(image):"
    assert Path("odd.png").read_bytes().startswith(b"\x89PNG")
    assert main(["data", "my_data.py:nothing"]) == 2
    assert main(["data", "my_data.py"]) == 2
    assert "name one" in capsys.readouterr().err


def test_no_picture_of_what_is_none():
    assert picture(parity.compare_data(parity.Data(lambda: [1.0], lambda: [2.0]))) is None
