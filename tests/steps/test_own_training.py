"""`parity steps` on training steps that users declare: healthy stock twins pass, and each mistake is found where it was made."""

import json
from dataclasses import replace

import numpy as np
import paddle
import pytest
import torch
from pairs import trainings

from parity.cli import main
from parity.declare import inputs
from parity.declare.training import Training
from parity.differences import ALL
from parity.doctor.beside import diagnose_beside
from parity.files import InputError
from parity.fixes.edit import Edit, applied
from parity.pairing.parts import Parts
from parity.steps.follow import follow
from parity.steps.programs import Programs
from parity.steps.state import carry, carry_back
from parity.steps.stored import record_to, recorded_in
from weights_convert import Entry

TWIN = "pairs.training_paddle"


def followed(training, *edits, steps=3, mode="free", lane="float64", differences=ALL, **options):
    with applied(edits):
        return follow(training.subject(), steps=steps, mode=mode, lane=lane, differences=differences, **options)


# --- healthy twins, of Paddle's own layers and optimizers --------------------------------------------------------------

@pytest.mark.parametrize(("name", "mode", "lane"), [
    ("classifier", "free", "float64"), ("classifier", "resync", "float64"), ("classifier", "free", "float32"),
    ("tagger", "free", "float64"), ("tagger", "resync", "float32"), ("encoder", "free", "float64"),
    ("encoder", "resync", "float32"), ("cyclegan", "free", "float64"),
])
def test_a_healthy_twin_trains_the_same(name, mode, lane):
    found = followed(getattr(trainings, name), mode=mode, lane=lane)
    assert found.verdict == "same" and found.steps == 3
    assert found.report.compared > 100 and len(found.curves) == (2 if name == "cyclegan" else 1)
    stages = {finding.key.stage for finding in found.report.findings if finding.verdict.value == "explained"}
    assert lane == "float32" or stages  # what Paddle is known to do otherwise is not hidden


def test_without_the_registry_its_differences_diverge():
    found = followed(trainings.classifier, differences=(), steps=1)
    assert found.verdict == "diverged" and {f.key.stage for f in found.report.diverged} >= {"forward", "update", "state"}


def test_each_explanation_names_its_difference():
    found = followed(trainings.classifier, steps=1)
    causes = {(f.key.stage, f.key.variable): f.cause for f in found.report.findings if f.verdict.value == "explained"}
    assert "norm_epsilon" in causes["forward", "output"] and "momentum_factor" in causes["update", "weight"]
    assert "batch_norm_momentum" in causes["state", "running_mean"] and "running_variance" in causes["state", "running_var"]


# --- mistakes ----------------------------------------------------------------------------------------------------------

CLASSIFIER = {
    "a parameter missing from the optimizer": (
        Edit(f"{TWIN}:ClassifierTraining.__init__", "parameters=self.model.parameters()", "parameters=self.model.fc.parameters()"),
        "census", 0, "parameters", "held by the optimizer in the reference only"),
    "weight decay": (Edit(f"{TWIN}:ClassifierTraining.__init__", "weight_decay=1e-3", "weight_decay=1e-2"),
                     "census", 0, "weight_decay", "0.001 in the reference, 0.01 in the twin"),
    "momentum": (Edit(f"{TWIN}:ClassifierTraining.__init__", "0.9, parameters", "0.8, parameters"),
                 "census", 0, "momentum", "0.9 in the reference, 0.8 in the twin"),
    "no momentum": (Edit(f"{TWIN}:ClassifierTraining.__init__", "Momentum(self.schedule, 0.9, ", "SGD(self.schedule, "),
                    "census", 0, "momentum", "0.9 in the reference, 0.0 in the twin"),
    "another loss": (Edit(f"{TWIN}:ClassifierTraining.step", "self.model(images), target)", "self.model(images), target, "
                          "label_smoothing=0.1)"), "losses", 1, "backward", None),
    "gradients not cleared": (Edit(f"{TWIN}:ClassifierTraining.step", "self.momentum.clear_grad()", "pass"),
                              "gradients", 2, "weight (before backward)", "exists in the twin only"),
    "a schedule one step ahead": (
        Edit(f"{TWIN}:ClassifierTraining.step", "self.momentum.step()", "self.schedule.step(); self.momentum.step()"),
        "update", 1, "lr", None),
    "batch norm with torch's momentum": (Edit(f"{TWIN}:Classifier.__init__", "momentum=0.9", "momentum=0.1"),
                                         "state", 1, "running_mean", None),
    "batch norm that does not move": (Edit(f"{TWIN}:Classifier.__init__", "momentum=0.9", "momentum=1.0"),
                                      "state", 1, "running_mean", None),
    "a frozen layer": (Edit(f"{TWIN}:Classifier.__init__", "self.fc = nn.Linear(width, classes)",
                            "self.fc = nn.Linear(width, classes); self.fc.weight.stop_gradient = True"),
                       "census", 0, "weight", "a frozen parameter in the twin"),
}


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("name", CLASSIFIER)
def test_a_mistake_is_found_where_it_was_made(name, mode):
    edit, stage, step, variable, said = CLASSIFIER[name]
    if name == "a schedule one step ahead":  # the schedule of 2 steps falls a step early
        edit, step = (edit, Edit(f"{TWIN}:ClassifierTraining.step", "self.schedule.step()\n        return",
                                 "pass\n        return")), 2
    edits = edit if isinstance(edit, tuple) else (edit,)
    first = followed(trainings.classifier, *edits, mode=mode, steps=max(step, 1)).report.first
    assert first is not None
    assert (first.key.stage, first.key.step, first.key.variable) == (stage, step, variable), str(first)
    assert said is None or said in first.deviation.trouble
    assert ("1 - momentum" in (first.cause or "")) == (name == "batch norm with torch's momentum")


@pytest.mark.parametrize(("training", "edit", "variable", "said"), [
    ("encoder", Edit(f"{TWIN}:EncoderTraining.__init__", "1e-9", "1e-8"), "eps", "1e-09 in the reference, 1e-08 in the twin"),
    ("encoder", Edit(f"{TWIN}:EncoderTraining.__init__", "0.98", "0.999"), "beta2", "0.98 in the reference, 0.999 in the twin"),
    ("encoder", Edit(f"{TWIN}:EncoderTraining.__init__", "Adam(1e-3", "Adam(1e-2"), "lr", "0.001 in the reference, 0.01 in the"),
    ("tagger", Edit(f"{TWIN}:tagger_training", "lambda name: name not in biases", "None"), "weight_decay",
     "0.0 in the reference, 0.1 in the twin for 11 of 23 parameters"),
    ("tagger", Edit(f"{TWIN}:tagger_training", "paddle.optimizer.AdamW(1e-2, parameters=tagger.parameters(), weight_decay=0.1,",
                    "(lambda rate, apply_decay_param_fun, **o: paddle.optimizer.Adam(rate, **o))(1e-2, weight_decay=0.1, "
                    "parameters=tagger.parameters(),"), "kind", "AdamW in the reference, Adam in the twin"),
    ("cyclegan", Edit(f"{TWIN}:CycleGANTraining.__init__", "self.netD_A, self.netD_B = Discriminator(), Discriminator()",
                      "self.netD_A = self.netD_B = Discriminator()"), "", "a network in the reference only"),
])
def test_the_census_sees_settings_and_sharing(training, edit, variable, said):
    found = followed(getattr(trainings, training), edit, steps=1).report.diverged
    census = [f for f in found if f.key.stage == "census"]
    assert any(f.key.variable == variable and said in f.deviation.trouble for f in census), [str(f) for f in census]


@pytest.mark.parametrize(("edit", "steps"), [
    (Edit(f"{TWIN}:Classifier.__init__", "nn.Linear(width, classes)", "nn.Linear(width, classes, bias_attr=False)"), 0),
    (Edit(f"{TWIN}:ClassifierTraining.__init__", "1e-3", "1e-2"), 1),  # all have partners
])
def test_where_a_tensor_has_no_partner_nothing_is_run(edit, steps):
    found = followed(trainings.classifier, edit, steps=1)
    assert (found.verdict, found.steps, found.report.first.key.stage) == ("diverged", steps, "census")
    assert any("nothing was run" in remark for remark in found.report.remarks) == (steps == 0)


def test_the_pool_of_fakes_goes_over():
    """CycleGAN judges the fakes of the step before; a twin that forgets to is found at its line."""
    edit = Edit(f"{TWIN}:CycleGANTraining.discriminators", "self.pool or (fake_A.detach(), fake_B.detach())",
                "(fake_A.detach(), fake_B.detach())")
    first = followed(trainings.cyclegan, edit, steps=2).report.first
    assert first.key.step == 2 and first.key.phase == "D" and first.twin.file.endswith("training_paddle.py")


# --- small programs written for one question ---------------------------------------------------------------------------

class TorchTied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.other = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
        self.other.weight = self.one.weight

    def forward(self, x):
        return self.other(torch.tanh(self.one(x)))


class PaddleTied(paddle.nn.Layer):
    tied = True

    def __init__(self):
        super().__init__()
        self.one, self.other = paddle.nn.Linear(3, 3), paddle.nn.Linear(3, 3)
        if self.tied:
            self.other.weight = self.one.weight

    def forward(self, x):
        return self.other(paddle.tanh(self.one(x)))


def torch_step(net=TorchTied, optimizer=lambda p: torch.optim.SGD(p, 0.1)):
    def build():
        model = net()
        update = optimizer(model.parameters())

        def step(x):
            loss = model(x).square().mean()
            update.zero_grad()
            loss.backward()
            update.step()
            return loss

        return step

    return build


def paddle_step(net=PaddleTied, optimizer=lambda p: paddle.optimizer.SGD(0.1, p)):
    def build():
        model = net()
        update = optimizer(model.parameters())

        def step(x):
            loss = model(x).square().mean()
            loss.backward()
            update.step()
            update.clear_grad()
            return loss

        return step

    return build


X = [inputs.normal(4, 3)]


def test_tied_weights_and_their_copies(monkeypatch):
    training = Training(torch_step(), paddle_step(), X)
    assert followed(training).verdict == "same"
    monkeypatch.setattr(PaddleTied, "tied", False)
    census = [f for f in followed(training).report.diverged if f.key.stage == "census"]
    assert any("one tensor with model.other.weight in the reference" in f.deviation.trouble or
               "trained parameter in the twin" in f.deviation.trouble for f in census), [str(f) for f in census]


class PaddleWithoutHead(paddle.nn.Layer):
    """As many write tied layers: the second one is a product with the first one's weight."""

    right = True

    def __init__(self):
        super().__init__()
        self.one = paddle.nn.Linear(3, 3)

    def forward(self, x):
        h = paddle.tanh(self.one(x))
        return h @ (self.one.weight if self.right else self.one.weight.detach())


class TorchTiedHead(TorchTied):
    def __init__(self):
        super().__init__()
        self.other = torch.nn.Linear(3, 3, bias=False)
        self.other.weight = self.one.weight


@pytest.mark.parametrize("right", [True, False])
def test_a_step_is_made_from_the_twins_state_under_all_names_of_a_tied_tensor(monkeypatch, right):
    """What a known difference has left in the weight (AdamW's decay, kept in float32) is in the reference's second step, too."""
    monkeypatch.setattr(PaddleWithoutHead, "right", right)
    reference = torch_step(TorchTiedHead, lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1))
    twin = paddle_step(PaddleWithoutHead, lambda p: paddle.optimizer.AdamW(0.01, parameters=p, weight_decay=0.1))
    found = followed(Training(reference, twin, X))
    assert found.verdict == ("same" if right else "diverged"), found.report.first
    assert right or found.report.first.key.step == 1


def test_the_batch_of_the_twins_own_data_code():
    def batch(step):
        return [np.full((4, 3), step, np.float32)]

    healthy = Training(torch_step(), paddle_step(), batch, twin_batch=batch)
    assert followed(healthy).verdict == "same"
    late = replace(healthy, twin_batch=lambda step: batch(min(step, 2)))
    first = followed(late).report.first
    assert (first.key.stage, first.key.step, first.key.variable) == ("data", 3, "x")


@pytest.mark.parametrize(("training", "said"), [
    (Training(paddle_step(), torch_step(), X), "found no torch network"),
    (Training(lambda: (lambda x: None), paddle_step(), X), "found no torch network"),
    (Training(3, paddle_step(), X), "expected a class or a function"),
])
def test_what_cannot_be_followed_is_said(training, said):
    with pytest.raises(InputError, match=said):
        followed(training)


def test_a_step_without_a_loss_is_said():
    def build():
        step = torch_step()()

        def silent(x):
            step(x)

        return silent

    with pytest.raises(InputError, match="expected the step to return its loss"):
        followed(Training(build, paddle_step(), X))


def test_counters_of_the_reference_are_not_moved_by_noise_draws():
    """The reference runs four times a step (once, and three draws); a warm-up that it counts by itself must not."""
    class Warm:
        def __init__(self):
            self.model, self.seen = TorchTied(), 0
            self.update = torch.optim.SGD(self.model.parameters(), 0.1)

        def step(self, x):
            self.seen += 1
            self.update.param_groups[0]["lr"] = 0.1 * self.seen
            return run(self, x)

    class TwinWarm(Warm):
        def __init__(self):
            self.model, self.seen = PaddleTied(), 0
            self.update = paddle.optimizer.SGD(0.1, self.model.parameters())

        def step(self, x):
            self.seen += 1
            self.update.set_lr(0.1 * self.seen)
            return run(self, x)

    def run(self, x):
        loss = self.model(x).square().mean()
        (self.update.zero_grad if isinstance(x, torch.Tensor) else self.update.clear_grad)()
        loss.backward()
        self.update.step()
        return loss

    for mode in ("free", "resync"):
        found = followed(Training(Warm, TwinWarm, X), mode=mode)
        assert found.verdict == "same", str(found.report.first)


def test_a_state_of_split_weights_goes_over_and_comes_back():
    both = Programs(trainings.encoder.subject(), "float64")
    from parity.verdict.sinks import Store
    both.load(0, both.start)
    both.step(0, 1, both.batch(1), Store())
    state = both.state(0)
    again = carry_back(carry(state, both.plans), both.plans)
    name = "encoder.layers.0.self_attn.in_proj_weight"
    for kind in ("exp_avg", "exp_avg_sq"):
        assert np.array_equal(state["moments"]["encoder"][name][kind], again["moments"]["encoder"][name][kind])
    assert again["moments"]["encoder"][name]["updates"] == 1
    back = again["networks"]["encoder"]
    assert all(np.array_equal(values, back[entry]) for entry, values in state["networks"]["encoder"].items())


def test_parts_wait_for_all():
    entries = [Entry("w", f"t{n}", (4, 2), (2, 2), "float32", "identity", rows) for n, rows in enumerate(((0, 2), (2, 4)))]
    parts = Parts(4)
    parts.add(entries[1], np.ones((2, 2)))
    assert not parts.whole and parts.has(entries[1]) and not parts.has(entries[0])
    parts.add(entries[0], np.zeros((2, 2)))
    assert parts.whole and parts.joined()[:, 0].tolist() == [0, 0, 1, 1]


# --- the commands ------------------------------------------------------------------------------------------------------

def test_record_and_against(tmp_path):
    subject = trainings.tagger.subject()
    record_to(tmp_path, subject, steps=2, mode="resync", lane="float32")
    index, steps = recorded_in(tmp_path, subject)
    assert index["steps"] == 2
    found = follow(subject, steps=2, mode="resync", lane="float32", recorded=steps)
    assert found.verdict == "same" and found.steps == 2
    with applied((Edit(f"{TWIN}:tagger_training", "F.nll_loss(", "2 * F.nll_loss("),)):
        _, steps = recorded_in(tmp_path, subject)
        assert follow(subject, steps=2, mode="resync", lane="float32", recorded=steps).report.first.key.stage == "losses"


def test_the_doctor_beside_a_declared_reference():
    assert not diagnose_beside(trainings.classifier.subject()).errors
    with applied((CLASSIFIER["batch norm with torch's momentum"][0],)):
        found = diagnose_beside(trainings.classifier.subject())
    assert any(finding.id == "differs-from-reference" and "running_mean" in finding.message for finding in found.errors)


def test_the_command_on_a_pair_file(tmp_path, capsys, monkeypatch, forget):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "."]) == 0
    paths = [tmp_path / name for name in ("steps.json", "steps.html", "steps.png")]
    assert main(["steps", "my_pair.py", "--steps", "2", "--lane", "both", "--json", str(paths[0]), "--html", str(paths[1]),
                 "--plot", str(paths[2])]) == 0
    document = json.loads(paths[0].read_text())
    assert document["verdict"] == "same" and list(document["lanes"]) == ["float64", "float32"]
    assert "loss" in document["lanes"]["float64"]["losses"] and all(path.stat().st_size > 1000 for path in paths)
    assert main(["steps", "my_pair.py", "--ngf", "3"]) == 2
    assert main(["doctor", "my_pair.py:pair"]) == 0
    port = tmp_path / "my_paddle.py"
    port.write_text(port.read_text().replace("Adam(1e-3,", "Adam(2e-3,"))
    forget()
    capsys.readouterr()
    assert main(["steps", "my_pair.py", "--steps", "1", "--json", "-"]) == 1
    first = json.loads(capsys.readouterr().out)["first"]
    assert (first["stage"], first["variable"]) == ("census", "lr")
    assert main(["doctor", "my_pair.py:pair"]) == 1


@pytest.fixture(autouse=True)
def forget():
    """The modules that a test has written."""
    import sys
    path = list(sys.path)

    def now():
        for name in [name for name in sys.modules if name.startswith("my_")]:
            del sys.modules[name]

    yield now
    now()
    sys.path[:] = path
