"""Steps judged alone and in replay: rounding that has grown is forgiven, a fault inside it is not."""

import dataclasses
import functools
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch
from pairs import trainings

from parity.declare.training import Program
from parity.fixes.edit import Edit, applied
from parity.frameworks import PaddleFramework, TorchFramework
from parity.steps import follow as lockstep
from parity.steps.alone import Asked
from parity.steps.follow import follow
from parity.steps.programs import Programs
from parity.steps.reference import record_reference
from parity.steps.state import carry, carry_back
from parity.trace.recorder import Recorder
from parity.trace.side import Run, Side
from parity.trace.source import SourceTree
from parity.ugatit import faults
from parity.ugatit import subjects as ugatit
from parity.ugatit.faults.exam import misplacements
from parity.verdict.sinks import Store

pytestmark = pytest.mark.xdist_group("lockstep")  # of what `recorded` makes

FRAMEWORKS = [TorchFramework(), PaddleFramework()]


# A step in replay


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_spliced_value_is_exact_and_its_gradient_goes_on(framework, dtype):
    x = framework.tensor(np.array([1.0, 2.0, 3.0], dtype), requires_grad=True)
    values = np.array([np.inf, np.nan, -0.0], dtype)
    spliced = framework.spliced(x * 2, values)
    np.testing.assert_array_equal(framework.array(spliced, copy=True), values)
    framework.backward([spliced], [framework.tensor(np.array([1.0, 10.0, 100.0], dtype))])
    np.testing.assert_array_equal(framework.array(framework.gradient(x), copy=True), [2, 20, 200])


@pytest.mark.parametrize("cleared", ["by the harness", "by the program", "not"])
@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.name)
def test_a_gradient_that_is_put_back_is_added_to(framework, cleared):
    """As it must be where a program accumulates over steps. Paddle drops what is plainly assigned after `clear_grad()`."""
    x = framework.tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    twos = [framework.tensor(np.array([2.0, 2.0], np.float32))]
    framework.backward([x * 1], twos)
    if cleared == "by the harness":
        framework.clear_gradient(x)
    elif cleared == "by the program":
        x.clear_grad() if framework.name == "paddle" else x.grad.zero_()
    framework.set_gradient(x, np.array([10.0, 20.0], np.float32))
    framework.backward([x * 1], twos)
    np.testing.assert_array_equal(framework.array(framework.gradient(x), copy=True), [12, 22])


@functools.cache
def recorded(name, mode, lane, steps):
    subject = ugatit.exam_training(name)
    return subject, record_reference(subject, steps=steps, mode=mode, lane=lane)


@pytest.mark.parametrize("name", ["training", pytest.param("training_initial", marks=pytest.mark.slow)])
def test_each_float32_step_of_the_healthy_twin_is_the_references(name):
    subject, steps = recorded(name, "resync", "float32", 2)
    found = follow(subject, steps=2, mode="resync", lane="float32", recorded=steps)
    assert found.verdict == "same" and found.report.compared > 5000 and not found.report.uncompared
    # Not by floors as wide as a barn door: where kinks cannot turn over, two float32 programs are this near.
    assert max(found.report.multiples["float32 resync"].values()) < 4


@pytest.mark.parametrize("name", ["G_gradients_not_cleared", pytest.param("adam_eps", marks=pytest.mark.slow), "wrong_loss_weight",
                                  "uv_advanced_twice", "betas_swapped", pytest.param("no_rho_clip", marks=pytest.mark.slow)])
def test_a_fault_in_a_float32_step_is_placed_as_its_catalogue_says(name):
    answer = faults.CATALOGUE[name].answer
    subject, steps = recorded(answer.subject, "resync", "float32", 2)
    with faults.inject(name):
        found = follow(subject, steps=2, mode="resync", lane="float32", recorded=steps)
        assert found.verdict == "diverged" and not misplacements(found.report.first, answer)


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.name)
def test_in_replay_a_rectifier_takes_the_references_side(framework):
    """The layer's output is 1e-9 where the reference's was -1e-9: without replay its weight gets a gradient, in replay none."""
    nn = {"torch": torch.nn, "paddle": paddle.nn}[framework.name]
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    source = SourceTree(Path(__file__).parent)

    def run(bias, sink, replayed=None):
        framework.load_state(model, {"0.weight": np.ones((1, 1), np.float32), "0.bias": np.array([bias], np.float32)})
        framework.clear_gradients(list(framework.parameters(model).values()))
        recorder = Recorder(Side(framework, source), sink, Run(replay=replayed, splice=True))
        recorder.watch(model)
        with recorder.recording():
            model(framework.tensor(np.zeros((1, 1), np.float32))).sum().backward()
            recorder.snapshot_gradients()
        return framework.array(framework.gradient(framework.parameters(model)["0.bias"]), copy=True).item()

    truth = Store()
    assert run(-1e-9, truth) == 0
    assert run(1e-9, Store()) == 1
    own = Store()
    assert run(1e-9, own, truth.replayed()) == 0
    output = next(key for key in truth.events if key.module == "0" and key.variable == "output" and key.stage == "forward")
    assert own.events[output].array == np.float32(1e-9)  # what is compared is the program's own value


# A step that left the envelope


def narrow(*args, original=lockstep.reference_steps, **options):
    """Draws in which, by luck, chaos broke out a little later than in the twin."""
    for step in original(*args, **options):
        yield dataclasses.replace(step, floors={key: floor * 1e-4 for key, floor in step.floors.items()})


@pytest.fixture
def narrow_envelope(monkeypatch):
    monkeypatch.setattr(lockstep, "reference_steps", narrow)


def in_two_steps(*edits):
    with applied(edits):
        return follow(trainings.regression.subject(), steps=2)


def test_what_chaos_has_made_of_rounding_is_forgiven(narrow_envelope):
    judged = in_two_steps()
    assert judged.verdict == "same" and judged.judged_alone == {1: "same", 2: "same"}
    assert max(judged.report.multiples["float64 free"].values()) > 16
    assert any("rounding, grown by chaos" in (finding.cause or "") for finding in judged.report.findings)


@pytest.mark.parametrize(("original", "mistaken", "step", "stage"), [
    ("loss = F.mse_loss(self.model(x), target)", "loss = F.l1_loss(self.model(x), target)", 1, "losses"),
    ("self.sgd.clear_grad()", "pass", 2, "gradients"),
])
def test_a_fault_is_not_forgiven_as_chaos(narrow_envelope, original, mistaken, step, stage):
    found = in_two_steps(Edit("pairs.training_paddle:RegressionTraining.step", original, mistaken))
    assert found.verdict == "diverged" and found.judged_alone == {1: "same", step: "diverged"}
    assert (found.report.first.key.step, found.report.first.key.stage) == (step, stage)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["no_lr_decay", "wrong_label"])
def test_a_fault_of_u_gat_it_is_not_forgiven_as_chaos(narrow_envelope, name):
    answer = faults.CATALOGUE[name].answer
    with faults.inject(name):
        found = follow(ugatit.exam_training(answer.subject), steps=answer.step)
        assert found.verdict == "diverged" and found.judged_alone[answer.step] == "diverged"
        assert all(verdict == "same" for step, verdict in found.judged_alone.items() if step < answer.step)
        assert not misplacements(found.report.first, answer)


def test_judging_a_step_alone_does_not_touch_the_run(narrow_envelope, monkeypatch):
    judged = in_two_steps()
    monkeypatch.setattr(Asked, "about", lambda asked, step, start, found: found)
    plain = in_two_steps()
    assert judged.judged_alone and plain.verdict == "diverged"
    assert judged.curves == plain.curves


def test_a_step_is_not_judged_alone_from_half_a_state(narrow_envelope, monkeypatch):
    state = Program.state
    monkeypatch.setattr(Program, "state", lambda self: {**state(self), "networks": {}} if self._side else state(self))
    found = in_two_steps()
    assert found.verdict == "diverged" and not found.judged_alone


def test_a_state_goes_over_and_comes_back_bit_for_bit():
    both = Programs(ugatit.exam_training("training"), "float64")
    both.load(0, both.start)
    both.step(0, 1, both.batch(1), Store())
    state = both.state(0)
    again = carry_back(carry(state, both.plans), both.plans)

    def flat(value, path=()):
        if isinstance(value, dict):
            for key, item in value.items():
                yield from flat(item, (*path, key))
        else:
            yield path, value

    ours, theirs = dict(flat(state)), dict(flat(again))
    assert ours.keys() == theirs.keys() and len(ours) > 500
    assert all(np.array_equal(value, theirs[path]) for path, value in ours.items())
    assert any(path[0] == "gradients" for path in ours)


# A whole course


@pytest.mark.slow
def test_fifty_free_light_steps_agree_to_1e_9_in_every_loss():
    subject = ugatit.training(ugatit.Sizes(ngf=2, n_blocks=1, img_size=96, light=True, ndf=2))
    both = Programs(subject, "float64")
    both.load(0, both.start)
    both.load(1, carry(both.start, both.plans))
    for step in range(1, 51):
        losses = []
        for framework, program in zip(both.frameworks, both.programs, strict=True):
            tensors = [framework.tensor(array) for array in both.batch(step).values()]
            losses.append({name: float(framework.array(loss, copy=True)) for name, loss in program.step(*tensors, step).items()})
        assert losses[0].keys() == losses[1].keys() and len(losses[0]) == 24
        for name, loss in losses[0].items():
            assert abs(losses[1][name] - loss) <= 1e-9 * abs(loss), (step, name)
