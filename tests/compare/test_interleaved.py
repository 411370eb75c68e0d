"""One pass with both programs in turns: what is the same passes, what is not is seen, nothing is kept, nothing is left behind."""

import gc
import itertools
import threading
import tracemalloc

import numpy as np
import paddle
import pytest
import torch
import toys
from toys import between, numbers, subject

from parity.compare import runner as check
from parity.compare.ladder import compare, glance
from parity.compare.one_pass import Interleaved, _Copies
from parity.compare.results import Case
from parity.declare.pair import Pair
from parity.fixes.edit import Edit, applied
from parity.frameworks.torch_side import TorchFramework
from parity.trace.events import Event, Key
from parity.trace.source import SourceTree
from parity.verdict.findings import NothingCompared
from tests.compare import test_ladder
from tests.compare.test_ladder import HEALTHY, MUTANTS

HERE = Pair("here", SourceTree(__file__), SourceTree(__file__))


def simple(reference, twin, **options):
    return between(lambda: test_ladder.Torch(reference), lambda: test_ladder.Paddle(twin), pair=HERE, **options)


# --- the answers are those of `compare`, where there is one -----------------------------------------------------------


@pytest.mark.parametrize("words", HEALTHY)
def test_a_healthy_twin_passes(words):
    whole, once = (run(subject(**HEALTHY[words])) for run in (lambda s: compare(s, lanes=("float64",)), glance))
    assert once.verdict == "same" and not once.uncompared and once.compared == whole.compared > 80


@pytest.mark.parametrize("name", ["Words", "Image", "Attention"])
def test_other_healthy_twins_pass(name):
    assert glance(subject(name)).verdict == "same"


@pytest.mark.parametrize("words", MUTANTS)
def test_a_mutant_is_seen_where_compare_sees_it(words):
    where, good, bad, *_ = MUTANTS[words]
    with applied((Edit(f"toys:Paddle{where}", good, bad),)):
        once, whole = glance(subject()), compare(subject(), lanes=("float64",))
    assert once.verdict == "diverged"
    assert once.first.key == whole.first.key


def test_no_floor_is_above_that_of_compare():
    """So what a glance calls the same, compare does. On a mutant, as only what is not the same has its floor in the report."""
    with applied((Edit("toys:PaddleNorm.forward", "var + 2**-16", "var + 2**-13"),)):
        once, whole = glance(subject()), compare(subject(), lanes=("float64",))
    floors = {f.key: f.floor for f in whole.findings if f.run == "free"}
    shared = [f for f in once.findings if f.key in floors]
    assert len(shared) > 20 and all(f.floor <= floors[f.key] for f in shared)


def test_what_a_glance_does_not_settle_is_compared_as_ever():
    def result(**options):
        (found,) = check.run([Case("net", "train", subject())], lanes=("float64",), **options)
        return found.report

    assert result(quick=True).to_json() == glance(subject()).to_json()
    with applied((Edit("toys:PaddleNorm.forward", "var + 2**-16", "var + 2**-13"),)):
        once, whole = result(quick=True).to_json(), result().to_json()
        assert once.pop("counterfactual") is None and whole.pop("counterfactual")  # which is one more run: not in one pass
        assert once == whole


def test_a_local_of_another_name_is_listed_on_both_sides():
    edit = Edit("toys:PaddleNet.mix", "both = a * a - b\n        return both.mean(1)",
                "all = a * a - b\n        return all.mean(1)")
    with applied((edit,)):
        once, whole = glance(subject()), compare(subject(), lanes=("float64",))
    assert once.verdict == whole.verdict == "same"
    assert {(f.key, f.deviation.trouble) for f in once.uncompared} == {(f.key, f.deviation.trouble) for f in whole.uncompared}
    assert {f.order for f in once.uncompared} == {f.order for f in whole.uncompared}


def test_nothing_compared_is_no_pass():
    for nothing in (lambda x: None, lambda x: x * float("nan")):
        with pytest.raises(NothingCompared):
            glance(simple(nothing, nothing)).verdict  # noqa: B018


# --- whatever happens, both runs end ----------------------------------------------------------------------------------


def fails(x):
    h = x * 2
    raise ZeroDivisionError(h)


def test_a_twin_that_raises_is_a_finding_and_the_reference_that_does_is_heard_of():
    threads = threading.active_count()
    assert "the twin raised ZeroDivisionError" in str(glance(simple(lambda x: x * 2, fails)).diverged)
    with pytest.raises(ZeroDivisionError):
        glance(simple(fails, lambda x: x * 2))
    assert threading.active_count() == threads


@pytest.mark.parametrize("extra", [0, 1])
def test_a_side_that_has_far_more_to_show_is_waited_for(extra):
    def many(x):
        for _ in range(50):
            x = x * 1.01
        return x

    def few(x):
        for _ in range(48):
            x = x * 1.01
        y = x * 1.01
        return y * 1.01

    report = glance(simple(*((many, few) if extra else (few, many))))
    assert report.verdict == "same" and report.uncompared


# --- memory that is written again -------------------------------------------------------------------------------------


def key(variable):
    return Key("forward", 0, None, "net", 0, "f", 0, variable, 0)


def two_programs():
    """The reference computes a, writes over its memory, computes b; the twin computes b first. -> distance of a."""
    memory = np.arange(4.0)
    meeting = Interleaved("net", "float64")
    meeting.AHEAD = 0

    def reference(sink):
        sink.receive(Event(key("a"), 1, None, memory))
        memory[:] = -1
        sink.receive(Event(key("b"), 2, None, np.ones(4)))

    def twin(sink):
        for order, (name, array) in enumerate([("b", np.ones(4)), ("a", np.arange(4.0))]):
            sink.receive(Event(key(name), order, None, array))

    assert meeting.run(reference, twin) is None
    return meeting.against.matched[key("a")][1].distance


def test_a_value_that_waits_while_its_program_goes_on_is_copied(monkeypatch):
    assert two_programs() == 0
    monkeypatch.setattr(_Copies, "of", lambda self, array: array)
    assert two_programs() == 4


def in_place(side):
    """The twin is later with its h, when the reference has written over its own."""
    def run(x):
        if side == 1:
            before = x * 3
            after = before * 2
        h = x * 2
        if side == 0:
            torch.relu_(h)
        else:
            paddle.nn.functional.relu_(h)
        g = h + 1
        return g if side == 0 else g + 0 * after

    return run


@pytest.mark.parametrize("ahead", [0, Interleaved.AHEAD])
def test_a_write_in_place_does_not_reach_back(monkeypatch, ahead):
    monkeypatch.setattr(Interleaved, "AHEAD", ahead)
    subject = simple(in_place(0), in_place(1))
    assert glance(subject).verdict == "same"
    monkeypatch.setattr(_Copies, "of", lambda self, array: array)
    assert glance(subject).first.key.variable == "h"


# --- what is held -----------------------------------------------------------------------------------------------------


def layered(base, depth):
    """Layers in a row, each a module with a local that the other side has under another name."""
    class Layer(base):
        if base is torch.nn.Module:
            def forward(self, x):
                ours = x * 1.01
                h = ours + 0.5
                return h
        else:
            def forward(self, x):
                theirs = x * 1.01
                h = theirs + 0.5
                return h

    class Net(base):
        def __init__(self):
            super().__init__()
            for number in range(depth):
                setattr(self, f"layer{number}", Layer())

        def forward(self, x):
            for number in range(depth):
                x = getattr(self, f"layer{number}")(x)
            return x

    return Net


def most_waiting(depth, monkeypatch):
    """Bytes that wait at most while a net of that depth is compared, in units of one value."""
    most = []

    class Watched(Interleaved):
        AHEAD = 0

        def receive(self, side, event):
            super().receive(side, event)
            most.append(sum(e.array.nbytes for waiting in self._waiting for e in waiting.values() if e.array is not None))

    monkeypatch.setattr("parity.compare.ladder.Interleaved", Watched)
    report = glance(between(layered(torch.nn.Module, depth), layered(paddle.nn.Layer, depth), pair=HERE,
                            inputs={"x": numbers(4, 8)}))
    assert report.verdict == "same" and len(report.uncompared) == 4 * depth  # a local and its gradient on each side
    return max(most) / (8 * 32)


def test_a_deeper_program_has_no_more_values_waiting(monkeypatch):
    assert most_waiting(20, monkeypatch) == most_waiting(5, monkeypatch) <= 8


def test_values_that_can_find_no_partner_any_more_would_be_seen_to_wait(monkeypatch):
    monkeypatch.setattr(Interleaved, "_close", lambda self, key: None)
    assert most_waiting(20, monkeypatch) > most_waiting(5, monkeypatch)


def held():
    """(tensors, bytes of arrays and objects) alive."""
    gc.collect()
    return (sum(isinstance(thing, (torch.Tensor, paddle.Tensor)) for thing in gc.get_objects()), tracemalloc.get_traced_memory()[0])


def growth(run):
    """(tensors, bytes) that two more calls hold after a first one: twice over, the least of it. A leak is there each time; a table
    of the interpreter's that grows, once."""
    subject = toys.subject("Image", inputs={"x": numbers(1, 1, 64, 64)})  # 32 kB a value in float64, a hundred values
    tracemalloc.start()
    try:
        run(subject)
        run(subject)  # what is set up once has been
        seen = [held()]
        for _ in range(2):
            run(subject)
            run(subject)
            seen.append(held())
    finally:
        tracemalloc.stop()
    return tuple(min(after - before for before, after in itertools.pairwise(one)) for one in zip(*seen, strict=True))


RUNS = {"glance": glance, "compare": compare}


LITTLE = 32_000  # less than a single value; caches of the interpreter come and go by some kilobytes


@pytest.mark.parametrize("run", RUNS)
def test_four_calls_hold_no_more_than_one(run):
    tensors, size = growth(RUNS[run])
    assert tensors <= 0 and size < LITTLE


@pytest.mark.parametrize("run", RUNS)
def test_a_leak_would_be_seen(run, monkeypatch):
    """One array kept of each call, and one tensor."""
    kept = []

    def leaking(subject):
        kept.append((np.ones((64, 64)), torch.ones(1)))
        return RUNS[run](subject)

    tensors, size = growth(leaking)
    assert tensors == 2 and size > LITTLE


def test_choices_are_noted_where_noise_draws_follow_and_there_alone(monkeypatch):
    """Noting them means to see every operation of the reference, which one pass has no use for."""
    noted = []
    original = TorchFramework.choosing
    monkeypatch.setattr(TorchFramework, "choosing", lambda framework: noted.append(1) or original(framework))
    assert glance(subject()).verdict == "same" and not noted
    assert compare(subject(), lanes=("float64",)).verdict == "same" and len(noted) == 1
