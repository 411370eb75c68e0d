"""Real pairs: healthy in float64 at 1e-9, and each of five faults a pair is found on its line, or at its operation."""

import importlib
from contextlib import ExitStack

import paddle
import pytest

from parity.compare.ladder import compare
from parity.compare.runner import compare_placing
from parity.differences import by_name, explain
from parity.fixes.edit import Edit, applied

NAMES = ["attention", "cyclegan", "mobilenet", "paconvert", "resnet", "tagger", "transformer", "vgg"]
if not hasattr(paddle.nn, "Module"):  # what PaConvert writes calls Paddle by torch's names, which came after 3.0
    NAMES.remove("paconvert")
# What Paddle's own layers do otherwise; in `differences` each has its reproduction.
KNOWN = ["norm_epsilon", "pool_gradient", "running_variance", "batch_norm_momentum", "hardsigmoid_slope", "leaky_relu_slope"]
# A bias before a norm has gradient zero but for rounding; relative to itself rounding is as large as you like.
CANCELLING = {"cyclegan", "paconvert", "vgg"}
CEILING = 1e-9

def pair_of(name):
    return importlib.import_module(f"pairs.{name}")


def paddles_way():
    stack = ExitStack()
    for name in KNOWN:
        if by_name(name).present:
            stack.enter_context(by_name(name).imitate())
    return stack


CASES = [(name, mode) for name in NAMES for mode in pair_of(name).pair.modes]
FAULTS = [(name, words) for name in NAMES for words in pair_of(name).FAULTS]


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_a_healthy_pair_is_the_same(name, mode):
    with paddles_way():
        report = compare(pair_of(name).pair.subject(mode), lanes=("float64",))
    assert report.verdict == "same" and not report.diverged, str(report.first)
    assert report.compared > 50
    found = report.largest["float64 free"]
    for stage in ("forward", "state"):
        assert found.get(stage, 0.0) <= CEILING
    assert name in CANCELLING or found["gradients"] <= CEILING


@pytest.mark.parametrize("name", ["mobilenet", "cyclegan", "vgg"])
def test_what_the_frameworks_do_otherwise_is_explained(name):
    pair = pair_of(name).pair
    subject = pair.subject(pair.modes[-1])
    report = compare(subject, lanes=("float64",))
    assert report.verdict == "diverged"
    explained = explain(report, lambda lanes: compare(subject, lanes=lanes), [by_name(known) for known in KNOWN])
    assert explained.verdict == "same", str(explained.first)
    assert explained.counts["explained"]


def of_a_fault(name, words):
    """Of the large networks' faults, all but the first are for the night: they are found alike."""
    first = next(iter(pair_of(name).FAULTS)) == words
    return [pytest.mark.slow] if name in ("resnet", "mobilenet") and not first else []


@pytest.mark.parametrize(("name", "words"), [pytest.param(*fault, marks=of_a_fault(*fault))
                                             for fault in FAULTS])
def test_a_fault_is_found_on_its_line_or_at_its_operation(name, words):
    module = pair_of(name)
    fault = module.FAULTS[words]
    edit, *expected = (fault,) if isinstance(fault, Edit) else fault
    file, line = edit.site()
    with applied((edit,)), paddles_way():
        report = compare_placing(module.pair.subject(module.pair.modes[0]), lanes=("float64",))
        first = report.first
        told = str(first)  # while the fault's lines are still what is shown
    assert report.verdict == "diverged"
    if not expected:
        assert (first.twin.file, first.twin.line) == (file, line), told
    # What is gone has no line in the twin, and a library's insides none of the user's: its operation, and the lines around it.
    assert all(words in told for words in expected), told
