"""Two metrics on the same predictions: each fault is found and named, and each healthy twin passes."""

import json
from pathlib import Path

import numpy as np
import paddle
import pytest

import parity
from parity.cli import main
from parity.files import InputError
from parity.metrics.causes import without

BATCH = [parity.normal(8, 5), parity.integers(8, high=5)]


class TorchAccuracy:
    """As torchmetrics has it."""

    def __init__(self):
        self.hits = self.seen = 0

    def update(self, scores, labels):
        self.hits += (scores.argmax(1) == labels).sum()
        self.seen += len(labels)

    def compute(self):
        return self.hits / self.seen


def paddle_accuracy(scores, labels):
    return float((scores.argmax(1) == labels).astype("float32").mean())


class Counted:
    """Paddle's side; what it does otherwise is told."""

    def __init__(self, ignored=None, means=False, forgets=False, percent=False, first=None):
        self.ignored, self.means, self.forgets, self.percent, self.first = ignored, means, forgets, percent, first
        self.hits = self.seen = self.updates = 0

    def update(self, scores, labels):
        self.updates += 1
        if self.first is not None and self.updates > self.first:
            return
        hits = (scores.argmax(1) == labels).numpy()
        kept = hits[labels.numpy() != self.ignored] if self.ignored is not None else hits
        if self.forgets:
            self.hits = self.seen = 0
        self.hits += float(kept.mean()) if self.means else float(kept.sum())
        self.seen += 1 if self.means else len(kept)

    def compute(self):
        return (100 if self.percent else 1) * self.hits / self.seen


def compared(twin, reference=TorchAccuracy, batch=BATCH, **options):
    return parity.compare_metrics(parity.Metric(reference, twin, batch=batch, **options))


@pytest.mark.parametrize(("twin", "cause"), [
    (lambda: Counted(ignored=0), "the twin leaves out what has the label 0"),
    (lambda: Counted(means=True), "the twin averages what each batch says"),
    (lambda: Counted(forgets=True), "the twin says what the last batch alone does"),
    (lambda: Counted(percent=True), "in percent"),
    (lambda: Counted(first=3), "the twin leaves out the last batch"),
    (lambda: lambda scores, labels: 1 - paddle_accuracy(scores, labels), "1 minus the other"),
])
def test_a_fault_is_found_and_named(twin, cause):
    summary = compared(twin)
    assert summary.verdict == "diverged" and cause in summary.cause


def test_it_is_said_after_which_update_they_part():
    """Batches of one size: the mean of the means is the mean, until the last one."""
    assert compared(lambda: Counted(means=True)).first == 4
    assert compared(lambda: Counted(first=2)).first == 3


@pytest.mark.parametrize("twin", [Counted, lambda: paddle_accuracy])
def test_a_healthy_twin_is_the_same(twin):
    summary = compared(twin)
    assert summary.verdict == "same" and len(summary.twin) == 4, summary.sentence()


def test_paddles_own_metric_against_functions():
    def torch_top2(scores, labels):
        return (scores.topk(2).indices == labels[:, None]).any(1).double().mean()

    assert compared(lambda: paddle.metric.Accuracy(topk=(2,)), lambda: torch_top2).verdict == "same"
    wrong = compared(lambda: paddle.metric.Accuracy(topk=(1,)), lambda: torch_top2)
    assert wrong.verdict == "diverged" and wrong.first == 1


def iou(ignored=None):
    """Mean IoU of classes that occur; labels (n, h, w), scores (n, classes, h, w)."""
    def metric(scores, labels):
        found, truth = np.asarray(scores.argmax(1)), np.asarray(labels)
        shares = []
        for number in range(3):
            kept = truth != ignored if ignored is not None else np.ones(truth.shape, bool)
            union = ((found == number) | (truth == number)) & kept
            if union.any():
                shares.append(((found == number) & (truth == number) & kept).sum() / union.sum())
        return float(np.mean(shares))

    return metric


def test_an_ignored_label_of_pictures_is_named():
    batch = [parity.normal(2, 3, 6, 7), parity.integers(2, 6, 7, high=4)]
    assert compared(lambda: iou(3), lambda: iou(3), batch).verdict == "same"
    assert "the twin leaves out what has the label 3" in compared(lambda: iou(3), lambda: iou(), batch).cause
    assert "the reference leaves out what has the label 3" in compared(lambda: iou(), lambda: iou(3), batch).cause


def test_what_does_not_go_with_the_labels_is_not_thinned_out():
    assert without((None, {"a": np.zeros((2, 3)), "b": np.zeros((4, 5), int)}), "b", 0) is None
    _, left = without((None, {"scores": np.zeros((2, 3)), "b": np.array([0, 1])}), "b", 0)
    assert left["scores"].shape == (1, 3) and left["b"].tolist() == [1]


def test_rounding_is_no_difference():
    def spread(values):  # a difference of large numbers: rounding shows in it
        return values.mean() - 1e3

    batch = [parity.uniform(64, low=999, high=1001)]
    summary = compared(lambda: lambda x: spread(x) + 1e-6, lambda: spread, batch)
    assert summary.verdict == "same", summary.sentence()
    assert compared(lambda: lambda x: spread(x) + 1e-2, lambda: spread, batch).verdict == "diverged"


def test_the_ends_of_two_models_are_told_apart():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, (4, 20))
    scores = rng.standard_normal((2, 4, 20, 5)).astype("float32")

    def predictions(model):
        return lambda number: [scores[model, number - 1], labels[number - 1]]

    def ends(twin, model):
        return compared(twin, batch=predictions(0), twin_batch=predictions(model))

    same, model, metric, both = ends(Counted, 0), ends(Counted, 1), ends(lambda: Counted(ignored=0), 0), ends(
        lambda: Counted(ignored=0), 1)
    assert same.verdict == "same" and "the ends are the same" in same.sentence()
    assert model.verdict == "diverged" and "by the model alone" in model.sentence() and model.first is None
    assert "by the metric alone" in metric.sentence() and "by the metric and by the model" in both.sentence()


def test_what_cannot_be_used():
    with pytest.raises(InputError, match="write lambda"):
        parity.Metric(1, Counted, batch=BATCH)
    with pytest.raises(InputError, match="neither `compute` nor"):
        compared(type("M", (), {"update": lambda self, *batch: None}))
    with pytest.raises(InputError, match="it cannot be read"):
        compared(Counted, lambda: lambda scores, labels: 1 / 0)
    with pytest.raises(InputError, match="expected numbers"):
        compared(Counted, lambda: lambda scores, labels: "much")
    with pytest.raises(parity.NothingCompared):
        compared(Counted, lambda: lambda scores, labels: np.zeros(0))
    raised = compared(lambda: lambda scores, labels: 1 / 0)
    assert raised.verdict == "diverged" and "ZeroDivisionError" in raised.sentence()


def test_words_are_handed_over_as_they_are():
    def overlap(found, truth):
        return sum(word in truth.split() for word in found.split()) / len(found.split())

    assert compared(lambda: overlap, lambda: overlap, batch=lambda number: ["a b c", "a b"]).verdict == "same"


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("my_metric.py").write_text(f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from parity import Metric
from test_metrics import BATCH, Counted, TorchAccuracy

same = Metric(TorchAccuracy, Counted, batch=BATCH)
wrong = Metric(TorchAccuracy, lambda: Counted(ignored=0), batch=BATCH)
""")
    assert main(["metric", "my_metric.py:same"]) == 0
    assert capsys.readouterr().out.startswith("same: metric: 4 updates compared")
    assert main(["metric", "my_metric.py:wrong", "--json", "-"]) == 1
    assert "label 0" in json.loads(capsys.readouterr().out)["cause"]
    assert main(["metric", "my_metric.py:none"]) == 2
