"""The doctor changes nothing, finds what it should, and is silent where all is well."""

from __future__ import annotations

import gc
import importlib
import json
import random
import subprocess
import sys
import weakref
from contextlib import nullcontext, suppress
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch

import parity
from exams.doctor import blind
from exams.doctor.faulty import FAULTY, SIX
from exams.doctor.healthy import HEALTHY
from exams.doctor.run import alone
from exams.doctor.sitting import Sitting, builder
from parity.cli import main
from parity.doctor import places
from parity.doctor.arrays import checksum
from parity.doctor.examine import examine
from parity.files import InputError
from parity.trace.source import SourceTree

SMALL = [sitting for sitting in FAULTY if sitting.program != "ugatit"]
MISSED = {"the wrong token asked for"}  # no run without a reference can know it
ODD = [sitting for sitting in HEALTHY if sitting.program != "ugatit"]


def diagnosis(sitting: Sitting, iterations: int = 20, seed: int = 0):
    with sitting.in_place():
        return examine(builder(sitting, seed), iterations=iterations, source=sitting.source, expect=sitting.expect)


# --- nothing is changed ----------------------------------------------------------------------------------------------


def train(sitting: Sitting, steps: int, watched: bool) -> list[bytes]:
    """Weights, buffers, gradients and losses, as bytes, of a training with or without the doctor."""
    taken, d = trained(sitting, steps, watched)
    assert not watched or len(d._watch.iterations) == steps
    return taken


def trained(sitting: Sitting, steps: int, watched: bool) -> tuple[list[bytes], object]:
    """The same, and the doctor, if there is one."""
    with sitting.in_place():
        step = builder(sitting)()
        training = next(cell.cell_contents for cell in step.__closure__ if hasattr(cell.cell_contents, "networks"))
        optimizers = {name: value for name, value in vars(training).items() if name.endswith(("optim", "second"))}
        taken = []

        def run():
            for _ in range(steps):
                taken.extend(np.asarray(loss.numpy()).tobytes() for loss in step().values())

        d = parity.doctor(training.networks, optimizers, source=sitting.source) if watched else nullcontext()
        with d:
            run()
        for network in training.networks.values():
            taken += [value.numpy().tobytes() for _, value in sorted(network.state_dict().items())]
            taken += [p.grad.numpy().tobytes() for p in network.parameters() if p.grad is not None]
    return taken, d


DROPOUT = [sitting for sitting in HEALTHY if sitting.name == "dropout"]


@pytest.mark.parametrize("sitting", [Sitting("plain", program, framework) for program in ("classifier", "series", "ugatit")
                                     for framework in ("paddle", "torch")] + DROPOUT,
                         ids=lambda sitting: f"{sitting.name}-{sitting.program}-{sitting.framework}")
def test_the_same_numbers_to_the_bit(sitting):
    steps = 3 if sitting.program == "ugatit" else 6
    with_doctor, without = train(sitting, steps, True), train(sitting, steps, False)
    assert with_doctor == without and len(without) > 10


def test_a_change_of_the_training_would_be_seen():
    """The comparison above can fail: another seed is another training."""
    one, other = (train(Sitting("x", "series", "paddle", edits=edits), 3, False) for edits in
                  ((), (("Training.__init__", "Adam(0.02,", "Adam(0.021,"),)))
    assert one != other


FAILING = ["watching.modules.Modules._note_use", "watching.losses.Losses.note_shapes",
           "watching.gradients.Gradients.look_for_clearing",
           "watching.updates.Updates._by_hand", "watching.state.State._sums", "watching.layers.Layers.note_batch",
           "watching.layers.Layers._note_outputs", "lines._Frame._bound", "lines._Frame._returned", "lines.Lines._follower"]


@pytest.mark.parametrize("framework", ["paddle", "torch"])
@pytest.mark.parametrize("where", FAILING)
def test_where_the_doctor_itself_fails_the_training_goes_on(where, framework, monkeypatch):
    """To the bit; and it is said that nothing was seen since."""
    def fail(*args, **kwargs):
        raise LookupError("no such thing")

    sitting = Sitting("plain", "series", framework)
    expected = train(sitting, 4, False)
    monkeypatch.setattr(f"parity.doctor.{where}", fail)
    taken, d = trained(sitting, 4, True)
    assert taken == expected
    with sitting.in_place():
        assert d.findings[0].id == "watch-failed" and "LookupError('no such thing')" in d.findings[0].message
        with pytest.raises(LookupError, match="no such thing"):  # the command: exit code 2, no verdict
            examine(builder(sitting), iterations=2, source=sitting.source)


@pytest.mark.parametrize("framework", ["paddle", "torch"])
def test_everything_is_given_back(framework):
    package = paddle if framework == "paddle" else torch
    module = package.nn.Layer if framework == "paddle" else package.nn.Module
    before = module.__call__, module.__init__, package.Tensor.backward, package.nn.functional.mse_loss, sys.gettrace()
    net = package.nn.Linear(3, 2)
    optimizer = (paddle.optimizer.SGD(0.1, parameters=net.parameters()) if framework == "paddle"
                 else torch.optim.SGD(net.parameters(), 0.1))
    own = set(vars(optimizer))
    with pytest.raises(ZeroDivisionError), parity.doctor(net, optimizer):
        assert (module.__call__ is not before[0]) and package.Tensor.backward is not before[2]
        _ = 1 / 0
    assert before == (module.__call__, module.__init__, package.Tensor.backward, package.nn.functional.mse_loss, sys.gettrace())
    assert set(vars(optimizer)) == own


def test_no_tensor_outlives_its_use():
    """A graph that something holds on to would change the memory of the user's program."""
    net = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    with parity.doctor(net, optimizer):
        def step():
            out = net(torch.ones(4, 3))
            seen.append(weakref.ref(out))
            loss = out.square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        seen: list = []
        step()
        gc.collect()
        assert seen[0]() is None


# --- faults are found, healthy runs are not ---------------------------------------------------------------------------


@pytest.mark.parametrize("sitting", SMALL, ids=lambda sitting: sitting.name)
def test_a_fault_is_found_named_and_placed(sitting):
    edited = sitting.edited_lines()
    with sitting.in_place():
        found = diagnose_in_place(sitting)
        if sitting.name in MISSED:
            assert found is None
            return
        assert found is not None and found.id in sitting.ids, found
        assert found.site is not None
        assert sitting.line in found.site.text or tuple(found.site) in edited


def diagnose_in_place(sitting):
    return examine(builder(sitting), source=sitting.source, expect=sitting.expect).first


@pytest.mark.parametrize("sitting", ODD, ids=lambda sitting: f"{sitting.name}-{sitting.program}-{sitting.framework}")
def test_a_healthy_run_has_no_finding(sitting):
    said = diagnosis(sitting)
    assert said.iterations == 20 and not said.errors
    assert {found.id for found in said.warnings} == set(sitting.declared)
    assert not sitting.expect or {found.id for found in said.expected} == {name.partition(":")[0] for name in sitting.expect}


@pytest.mark.parametrize("sitting", [sitting for sitting in SIX if sitting.program == "ugatit"], ids=lambda sitting: sitting.name)
def test_the_six_say_it_first(sitting):
    said = diagnosis(sitting, iterations=2)
    assert said.first.id in sitting.ids


def test_ugatit_is_healthy():
    said = diagnosis(Sitting("plain", "ugatit"), iterations=3)
    assert said.iterations == 3 and not said.findings


def test_every_trap_of_the_field_is_in_the_exam():
    traps = " ".join(sitting.trap for sitting in FAULTY)
    for trap in (
        "stop_gradient=True",
        "backward without graph",
        "without with",
        "to_tensor(tensor)",
        ".numpy()",
        "detach()",
        "between forward and backward",
        "plain Tensor attribute",
        "create_parameter in forward",
        "Python list",
        "ReLU(True)",
        "broadcasts",
        "leaves zeros",
        "minimize(loss)",
        "created after the optimizer",
        "regularizer overrides",
        "_learning_rate",
        "set_lr with a scheduler",
        "accumulate",
        "iterators given to Adam",
        "26721",
    ):
        assert trap in traps, trap


# --- single checks that no program of the exam reaches -----------------------------------------------------------------


@pytest.mark.parametrize(("scale", "ids"), [(1e-9, {"fp16-underflow"}), (1.0, set())])
def test_float16_underflow(scale, ids):
    torch.manual_seed(0)
    net = torch.nn.Linear(16, 4).half()
    optimizer = torch.optim.SGD(net.parameters(), 0.01)
    with parity.doctor(net, optimizer) as d:
        for _ in range(2):
            x = torch.randn(8, 16).half()
            loss = net(x).float().square().mean() * scale
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert {found.id for found in d.findings} & {"fp16-underflow"} == ids


@pytest.mark.parametrize("moving", [True, False])
def test_running_statistics_of_the_stock_batch_norm(moving):
    paddle.seed(0)
    net = paddle.nn.Sequential(paddle.nn.Conv2D(3, 4, 3), paddle.nn.BatchNorm2D(4, momentum=0.9 if moving else 1.0))
    optimizer = paddle.optimizer.Adam(1e-3, parameters=net.parameters())
    with parity.doctor(net, optimizer) as d:
        for _ in range(2):
            loss = net(paddle.randn([2, 3, 6, 6])).square().mean(axis=[2, 3]).sum()
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()
    assert ("state-frozen" in {found.id for found in d.findings}) is not moving


@pytest.mark.parametrize("moved", [True, False])
@pytest.mark.parametrize("framework", ["paddle", "torch"])
def test_a_step_that_moves_as_much_up_as_down_is_a_change(framework, moved):
    """Adam's first step from a constant, as AdaLIN's rho is: the sum of the parameter's words is the same before and after."""
    signs = np.repeat([1, -1], 4).astype(np.float32)
    if framework == "paddle":
        net = paddle.nn.Layer()
        net.rho = net.create_parameter([8], default_initializer=paddle.nn.initializer.Constant(0.9))
        optimizer, signs = paddle.optimizer.Adam(1e-4, parameters=net.parameters()), paddle.to_tensor(signs)
        net.forward, clear = lambda signs: (net.rho * signs).sum(), optimizer.clear_grad
    else:
        net = torch.nn.Module()
        net.rho = torch.nn.Parameter(torch.full([8], 0.9))
        optimizer, signs = torch.optim.Adam(net.parameters(), 1e-4), torch.from_numpy(signs)
        net.forward, clear = lambda signs: (net.rho * signs).sum(), optimizer.zero_grad
    if not moved:
        optimizer.step = lambda: None
    with parity.doctor(net, optimizer) as d:
        net(signs).backward()
        optimizer.step()
        clear()
    rho, words = np.asarray(net.rho.detach()), np.full(8, 0.9, np.float32).view(np.uint64)
    assert (rho != np.float32(0.9)).all() == moved and rho.view(np.uint64).sum() == words.sum()  # it is such a step
    assert {found.id for found in d.findings} == (set() if moved else {"unchanged"})


@pytest.mark.parametrize("size", [1, 7, 8, 1023, 1024, 1025, 5000])
def test_the_checksum_sees_each_element(size):
    values = np.full(size, 0.9, np.float32)
    before = checksum(values)
    for place in range(size):
        one, two = values.copy(), values.copy()
        one[place] += np.float32(1e-4)
        two[place], two[(place + size // 2) % size] = two[place] + np.float32(1e-4), two[place] - np.float32(1e-4)
        assert checksum(one) != before and (size == 1 or checksum(two) != before)
    assert checksum(values.copy()) == before


@pytest.mark.parametrize(("batches", "ids"), [(3, set()), (0, {"no-data"})])
def test_a_loader_that_gives_nothing(batches, ids):
    net = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    with parity.doctor(net, optimizer) as d:
        for batch in d.watch(torch.randn(4, 3) for _ in range(batches)):
            loss = net(batch).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert {found.id for found in d.findings} == ids


@pytest.mark.parametrize(("slope", "bad"), [(0.0, True), (1.0, False)])
def test_a_backward_that_is_not_finite(slope, bad):
    net = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    with parity.doctor(net, optimizer) as d:
        out = net(torch.ones(2, 3))
        loss = (out * slope).square().sum().sqrt()
        loss.backward()
        optimizer.step()
    assert ("nonfinite" in {found.id for found in d.findings}) is bad


def test_what_is_no_model_is_refused():
    with pytest.raises(InputError, match="expected a torch.nn.Module"), parity.doctor(3, None):
        pass
    with pytest.raises(InputError, match="there is no finding"):
        parity.doctor(torch.nn.Linear(1, 1), None, expect=["no-such-thing"])


def test_libraries_below_the_users_folder_are_libraries(tmp_path, monkeypatch):
    """A project with its environment inside; and a model that comes from an installed package."""
    installed = tmp_path / ".venv" / "site-packages"
    monkeypatch.setattr(places, "_LIBRARIES", (str(installed.resolve()),))
    train, torch_file, zoo = tmp_path / "train.py", installed / "torch" / "nn.py", installed / "zoo" / "vit.py"
    source = places.user_source([str(train)], [])
    assert str(train) in source and str(tmp_path / "nets" / "net.py") in source
    assert str(torch_file) not in source and places.__file__ not in source and "/elsewhere/util.py" not in source
    source = places.user_source([str(train), str(zoo)], [])
    assert str(zoo) in source and str(train) in source and str(torch_file) not in source
    assert "/elsewhere/util.py" in places.user_source([], []) and str(torch_file) not in places.user_source([], [])


# --- a NaN that comes late -----------------------------------------------------------------------------------------------

LATE = """
import random
import numpy as np
{imports}

class Net(Module):
    def __init__(self):
        super().__init__()
        self.first, self.norm, self.drop, self.last = nn.Linear(8, 8), nn.{norm}(8), nn.Dropout(0.3), nn.Linear(8, 1)

    def forward(self, x):
        h = self.norm(self.first(x))
        scale = log(x[:, :1] + 6)
        h = self.drop(h * scale)
        return self.last(h)


def batches():
    rng = np.random.default_rng(0)
    for number in range(1, 99):
        x = rng.uniform(-1, 1, (16, 8)).astype("float32")
        if number == {bad}:
            x[3, 0] = -9
        yield tensor(x)


net, data, rng, count, taken = Net(), batches(), np.random.default_rng(1), 0, []
optimizer = adam(net.parameters())


def step():
    global count
    count += 1
    x = next(data)
    out = net(x)
    loss = (out - x.sum(1).reshape([-1, 1])).square().mean() * (1 + rng.random() + random.random())
    if count % 2:  # gradients of two iterations together
        clear(optimizer)
    loss.backward()
    if not count % 2 or count == {bad}:
        optimizer.step()
    taken.append(float(loss.detach()))
"""
IMPORTS = {
    "torch": """
import torch
from torch import log, nn, tensor
Module = nn.Module
adam = lambda parameters: torch.optim.Adam(parameters, 1e-3)
clear = lambda optimizer: optimizer.zero_grad()
""",
    "paddle": """
import paddle
from paddle import log, nn, to_tensor as tensor
Module = nn.Layer
adam = lambda parameters: paddle.optimizer.Adam(1e-3, parameters=parameters)
clear = lambda optimizer: optimizer.clear_grad()
""",
}
NORM = {"torch": "BatchNorm1d", "paddle": "BatchNorm1D"}


@pytest.fixture
def late(tmp_path, monkeypatch):
    """Writes and loads a training whose iteration `bad` makes a NaN, always with the same random numbers."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def load(name, framework, bad=7):
        (tmp_path / f"{name}.py").write_text(LATE.format(imports=IMPORTS[framework], norm=NORM[framework], bad=bad))
        importlib.invalidate_caches()
        random.seed(0)
        (torch.manual_seed if framework == "torch" else paddle.seed)(0)
        return importlib.import_module(name)

    return load


def state_of(module):
    """All that a training has come to, as bytes."""
    tensors = [value for _, value in sorted(module.net.state_dict().items())]
    tensors += [p.grad for p in module.net.parameters() if p.grad is not None]
    if hasattr(module, "torch"):
        tensors += [value for held in module.optimizer.state.values() for value in held.values()]
    else:
        tensors += [value for held in module.optimizer._accumulators.values() for value in held.values()]
    assert len(tensors) > 12
    return [*(tensor.detach().numpy().tobytes() for tensor in tensors), module.count, np.array(module.taken).tobytes(),
            module.rng.random(), random.random(), next(module.data).numpy().tobytes(),
            module.nn.functional.dropout(module.tensor(np.ones(99, "float32"))).numpy().tobytes()]


@pytest.mark.parametrize("framework", ["torch", "paddle"])
def test_a_nan_that_comes_late_is_placed_and_nothing_is_changed(late, framework):
    plain = late(f"late_plain_{framework}", framework)
    for _ in range(7):
        plain.step()
    expected = state_of(plain)
    watched = late(f"late_watched_{framework}", framework)
    data = watched.data
    said = examine(watched.step)
    assert (said.first.id, said.first.iteration, said.iterations) == ("nonfinite", 7, 7)
    assert said.first.site.text == "scale = log(x[:, :1] + 6)"
    assert watched.data is data
    assert state_of(watched) == expected and np.isnan(watched.taken[-1])


@pytest.mark.parametrize("framework", ["torch", "paddle"])
def test_where_no_nan_comes_nothing_is_repeated(late, framework, monkeypatch):
    def repeat(*args):
        raise AssertionError("repeated")
    monkeypatch.setattr("parity.doctor.alone._repeat", repeat)
    plain = late(f"healthy_plain_{framework}", framework, bad=0)
    for _ in range(20):
        plain.step()
    expected = state_of(plain)
    watched = late(f"healthy_watched_{framework}", framework, bad=0)
    said = examine(watched.step)
    assert not said.findings and said.iterations == 20
    assert state_of(watched) == expected


def test_a_nan_that_comes_late_in_a_loop(late):
    """The iteration cannot be run again: it is said that its line is not known, and how to get it."""
    said = {}
    for close in (2, 7):
        module = late(f"late_loop_{close}", "torch")
        with parity.doctor(module.net, module.optimizer, close=close) as d:
            for _ in range(9):
                d.mark()
                module.step()
        said[close] = d.diagnose().first
    assert said[2].id == said[7].id == "nonfinite" and said[2].iteration == said[7].iteration == 7
    assert "not known" in said[2].message and "close=7" in said[2].remedy
    assert said[7].site.text == "scale = log(x[:, :1] + 6)"


def test_without_the_memory_for_a_copy_nothing_is_repeated(late, monkeypatch):
    def copied(self, tensor):
        raise MemoryError
    module = late("late_without_memory", "torch")
    monkeypatch.setattr(type(parity.frameworks.of_model(module.net)), "copied", copied)
    said = examine(module.step)
    assert said.first.id == "nonfinite" and "not known" in said.first.message


@pytest.mark.parametrize(("value", "odd"), [("-inf", False), ("nan", True)])
def test_a_mask_is_no_reason_to_watch_closely(value, odd):
    net = torch.nn.Linear(4, 3)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    with parity.doctor(net, optimizer) as d:
        for _ in range(4):
            d.mark()
            mask = torch.tensor([0, 0, float(value)])
            out = (net(torch.randn(5, 4)) + mask).softmax(-1).square().mean()
            optimizer.zero_grad()
            out.backward()
            optimizer.step()
    assert d._watch.iterations[-1].close is odd


# --- beside a reference ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["the wrong token asked for", "layers in a Python list", None])
def test_beside_the_reference(name):
    from exams.doctor.run import subject_of
    from parity.doctor.beside import diagnose_beside
    sitting = next((one for one in FAULTY if one.name == name), Sitting("plain", "series"))
    subject = subject_of(sitting.program)
    with sitting.in_place():
        said = diagnose_beside(subject, steps=2)
        if name is None:
            assert not said.findings and said.iterations == 2
        else:
            assert said.first.id == ("differs-from-reference" if name in MISSED else "module-unregistered")
            assert said.first.site is not None


@pytest.mark.parametrize("name", ["wrong_label", None])
def test_beside_the_reference_the_likely_cause_is_named(name):
    """Of a bug that no run without a reference can show: its line, the known bug that it looks like, and that bug's fix."""
    from parity.doctor.beside import diagnose_beside
    from parity.ugatit import subjects as ugatit
    from parity.ugatit.faults import CATALOGUE, inject
    subject = ugatit.training(ugatit.Sizes(ngf=4, n_blocks=1, img_size=96, light=True, ndf=2))
    with inject(name) if name else nullcontext():
        said = diagnose_beside(subject, steps=1, known=CATALOGUE.values())
    if name is None:
        assert not said.findings and said.iterations == 1
        return
    (found,) = said.findings
    assert found.id == "differs-from-reference"
    assert found.site.file.endswith("paddle_impl/losses.py")
    assert f"looks like: {CATALOGUE[name].what} ({name})" in found.evidence and found.remedy == CATALOGUE[name].fix


def test_a_known_bug_is_recognised_by_its_fingerprint():
    from parity.doctor.known import likely_causes
    from parity.ugatit.faults import CATALOGUE
    from parity.ugatit.faults.exam import sit
    grade, _ = sit(CATALOGUE["G_gradients_not_cleared"])
    likely = [fault.name for fault in likely_causes(grade.headline, CATALOGUE.values())]
    assert likely[0] == "G_gradients_not_cleared" and "wrong_label" not in likely


# --- the command ---------------------------------------------------------------------------------------------------------

SCRIPT = """
import numpy as np
import torch

net = torch.nn.Linear(4, 1)
optimizer = torch.optim.Adam({held}, 1e-2)
rng = np.random.default_rng(0)


def step():
    x = torch.tensor(rng.standard_normal((8, 4)), dtype=torch.float32)
    loss = net(x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


nothing = 3
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def write(name, held="net.parameters()"):
        (tmp_path / f"{name}.py").write_text(SCRIPT.format(held=held))
        importlib.invalidate_caches()
        return name

    return write


def test_the_command(script, tmp_path, capsys):
    good, bad = script("good_script"), script("bad_script", "[net.weight]")
    assert main(["doctor", f"{good}:step", "--iterations", "4"]) == 0
    assert "no finding in 4 iterations" in capsys.readouterr().out
    assert main(["doctor", f"{bad}:step", "--json", "doctor.json", "--html", "doctor.html"]) == 1
    document = json.loads((tmp_path / "doctor.json").read_text())
    first = document["findings"][0]
    assert first.keys() >= {"id", "severity", "message", "file", "line", "remedy"}
    assert (first["id"], first["severity"], first["file"], first["line"]) == ("parameters-unheld", "error", "bad_script.py", 6)
    assert "bad_script.py:6" in (tmp_path / "doctor.html").read_text()
    capsys.readouterr()
    assert main(["doctor", f"{bad}:step", "--expect", "parameters-unheld", "--iterations", "3"]) == 0
    assert "declared" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("nowhere:step", "there is no module"),
        ("refused:no", "has no no"),
        ("refused", "expected module:function"),
        ("refused:nothing", "expected a function"),
    ],
)
def test_bad_input(script, capsys, target, message):
    script("refused")
    assert main(["doctor", target]) == 2
    assert message in capsys.readouterr().err


def test_the_page_shows_what_the_command_says(tmp_path, monkeypatch, capsys):
    """The walk through of docs/my-loss-does-not-go-down.md, from its script to its outputs."""
    page = (Path(__file__).parents[2] / "docs" / "my-loss-does-not-go-down.md").read_text()
    script = page.split("```python\n")[1].split("```")[0]
    shown = [part.split("```")[0].strip() for part in page.split("```text\n")[1:]]
    better = script
    for old, new in (("[nn.Linear(8, 8) for _ in range(2)]", "nn.LayerList([nn.Linear(8, 8) for _ in range(2)])"),
                     ("parameters=encoder.parameters()", "parameters=[*encoder.parameters(), *head.parameters()]"),
                     ("head(encoder(x))", "head(encoder(x)).reshape([-1])")):
        assert better.count(old) == 1
        better = better.replace(old, new)
    good = better.replace("    optimizer.step()\n", "    optimizer.step()\n    optimizer.clear_grad()\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.chdir(tmp_path)
    for number, (text, expected) in enumerate(zip((script, better, good), shown, strict=True)):
        (tmp_path / f"page{number}.py").write_text(text)
        importlib.invalidate_caches()
        assert main(["doctor", f"page{number}:step"]) == (1 if number < 2 else 0)
        assert capsys.readouterr().out.strip().replace(f"page{number}.py", "train.py") == expected


def test_parity_stays_light():
    code = "import sys, parity; parity.__doc__; assert not {'torch', 'paddle', 'numpy'} & set(sys.modules), 'heavy'"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_framework_is_enough():
    code = ("import sys, torch, parity; net = torch.nn.Linear(1, 1)\n"
            "with parity.doctor(net, torch.optim.SGD(net.parameters(), 1.)): pass\n"
            "assert 'paddle' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True)


# --- kinds that the exam does not ask for, each with its healthy twin --------------------------------------------------------


def ids(models, optimizers, step, iterations=3, **options):
    """What is said of a torch training of so many steps."""
    with parity.doctor(models, optimizers, **options) as d:
        for _ in range(iterations):
            d.mark()
            step()
    return {found.id for found in d.findings}


def training_of(net, optimizer, loss=lambda out: out.square().mean(), width=4):
    rng = np.random.default_rng(0)

    def step():
        x = torch.tensor(rng.standard_normal((8, width)), dtype=torch.float32)
        optimizer.zero_grad()
        loss(net(x)).backward()
        optimizer.step()

    return step


@pytest.mark.parametrize("foreign", [True, False])
def test_foreign_parameters(foreign):
    net, extra = torch.nn.Linear(4, 2), torch.nn.Parameter(torch.zeros(7))
    optimizer = torch.optim.Adam([*net.parameters(), *([extra] if foreign else [])], 1e-3)
    assert ids(net, optimizer, training_of(net, optimizer)) == ({"foreign-parameters"} if foreign else set())


@pytest.mark.parametrize("used", [True, False])
def test_a_parameter_that_the_loss_does_not_depend_on(used):
    net = torch.nn.Linear(4, 2)
    net.register_parameter("gain", torch.nn.Parameter(torch.ones(1)))
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    step = training_of(net, optimizer, lambda out: (out * net.gain if used else out).square().mean())
    assert ids(net, optimizer, step) == (set() if used else {"parameters-without-gradient"})


@pytest.mark.parametrize("share", [True, False])
def test_two_networks_that_share_a_part(share):
    one, other = (torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)) for _ in range(2))
    if share:
        other[0] = one[0]
    optimizer = torch.optim.Adam(dict.fromkeys([*one.parameters(), *other.parameters()]), 1e-3)
    step = training_of(lambda x: one(x) + other(x), optimizer)
    assert ids({"one": one, "other": other}, optimizer, step) == ({"weights-shared"} if share else set())


@pytest.mark.parametrize("always", [True, False])
def test_state_that_moves_in_eval(always):
    class Counts(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(4, 2)
            self.register_buffer("running_mean", torch.zeros(4))

        def forward(self, x):
            if self.training or always:
                self.running_mean.mul_(0.9).add_(0.1 * x.mean(0))
            return self.linear(x - self.running_mean)

    teacher, net = Counts().eval(), torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    with_teacher = training_of(lambda x: net(teacher(x).detach()), optimizer)
    said = ids({"net": net, "teacher": teacher}, optimizer, with_teacher, expect=["frozen-network"])
    assert said == {"frozen-network"} | ({"state-moves-in-eval"} if always else set())


@pytest.mark.parametrize(("decay", "expected"), [(0.05, {"decay-on-norms"}), (1e-6, set())])
def test_decay_that_is_stronger_than_the_loss_on_a_norm(decay, expected):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2))
    with torch.no_grad():
        net[2].weight.mul_(0.1)  # what comes after makes the norm's gradient small
    optimizer = torch.optim.SGD(net.parameters(), 1e-3, weight_decay=decay)
    assert ids(net, optimizer, training_of(net, optimizer, lambda out: (out - 1).square().mean() * 0.5)) == expected


@pytest.mark.parametrize(("lr", "expected"), [(1e-30, {"unchanged"}), (1e-3, set())])
def test_a_gradient_that_changes_nothing(lr, expected):
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr)
    assert ids(net, optimizer, training_of(net, optimizer)) == expected


@pytest.mark.parametrize("constant", [True, False])
def test_a_loss_that_is_the_same_to_the_bit(constant):
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    step = training_of(net, optimizer, lambda out: out.sign().abs().mean() + 0 * out.sum() if constant else out.square().mean())
    assert ("loss-constant" in ids(net, optimizer, step, iterations=5)) is constant


@pytest.mark.parametrize("clipped", [True, False])
def test_a_gradient_of_zero(clipped):
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    step = training_of(net, optimizer, lambda out: (out.clamp(50, 60) if clipped else out).square().mean())
    assert ("gradient-zero" in ids(net, optimizer, step)) is clipped


@pytest.mark.parametrize("momentum", [True, False])
def test_a_change_without_gradient(momentum):
    """A part that is used at the first step only, and moved on by what Adam remembers."""
    net = torch.nn.ModuleDict({"a": torch.nn.Linear(4, 2), "b": torch.nn.Linear(4, 2)})
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    turn = iter(range(9))

    def step():
        optimizer.zero_grad(set_to_none=not momentum)
        x = torch.ones(3, 4)
        out = net["a"](x) + (net["b"](x) if next(turn) == 0 else 0)
        out.square().mean().backward()
        optimizer.step()

    assert ("change-without-gradient" in ids(net, optimizer, step)) is momentum


@pytest.mark.parametrize(("device", "lent"), [("meta", True), ("cpu", True), ("cpu", False)])
def test_a_network_that_lives_on_lent_weights(device, lent):
    """A hypernetwork makes the weights of `target`; on its own ones it would be a network that no optimizer holds."""
    made, target = torch.nn.Linear(3, 10), torch.nn.Linear(4, 2, device=device)
    optimizer = torch.optim.Adam(made.parameters(), 1e-3)
    with parity.doctor({"made": made, "target": target}, optimizer) as d:
        for _ in range(2):
            weights = made(torch.ones(3))
            values = {"weight": weights[:8].reshape(2, 4), "bias": weights[8:]}
            x = torch.randn(5, 4)
            out = torch.func.functional_call(target, values, (x,)) if lent else target(x) + values["bias"]
            optimizer.zero_grad()
            out.square().mean().backward()
            optimizer.step()
    assert ("network-unheld" in {found.id for found in d.findings}) is not lent
    assert lent is not any(found.severity == "error" for found in d.findings)


def test_a_lazy_layer_has_its_weights_after_the_first_iteration():
    net = torch.nn.Sequential(torch.nn.LazyLinear(4), torch.nn.Linear(4, 1))
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    with parity.doctor(net, optimizer) as d:
        for _ in range(3):
            loss = net(torch.randn(8, 3)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert not d.findings and "net.0.weight" in d.program.parameters


@pytest.mark.parametrize("converted", [True, False])
def test_pictures_read_by_cv2(script, tmp_path, converted):
    name = f"cv2_{converted}"
    script(name)
    file = tmp_path / f"{name}.py"
    read = "cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)" if converted else "cv2.imread(path)"
    file.write_text(file.read_text() + f"\n\ndef load(path):\n    import cv2\n    return {read}\n")
    said = examine(f"{name}:step", iterations=3)
    assert [found.id for found in said.findings] == ([] if converted else ["bgr-images"])


def test_what_a_step_raises_is_said_with_its_place(script, tmp_path):
    script("raises")
    file = tmp_path / "raises.py"
    file.write_text(file.read_text().replace("loss.backward()", "1 / 0"))
    said = examine("raises:step", iterations=3)
    assert (said.first.id, said.first.site.text) == ("raised", "1 / 0")


# --- scripts as users write them ----------------------------------------------------------------------------------------------

MISSED_IN_SCRIPTS = {
    "distill_torch: labels of another permutation",
    "siamese_paddle: the same sentence as anchor and negative",
    "vqvae_torch: straight-through forgotten",
    "moco_torch: T_max in epochs, step per batch",
    "tbptt_torch: target not shifted",
    "wgangp_torch: penalty without create_graph",
    "lora_torch: frozen after LoRA was put in",
    "multitask_torch: uncertainties are plain tensors",
    "multitask_torch: ReLU at the end of a regression",
    "pinn_torch: closure without zero_grad",
    "crnn_paddle: reshape for transpose",
    "mlm_paddle: labels 0 for the rest",
    "mlm_paddle: mask the wrong way",
    "det_paddle: boundaries in epochs",
    "seg_paddle: plateau mode max",
    "lstm_lm_paddle: state not detached",
    "lstm_lm_paddle: targets not shifted",
    "lstm_lm_paddle: time first against batch first",
    "distill_paddle: wrong keys loaded",
    "distill_paddle: teacher in train mode",
    "pinn_paddle: create_graph forgotten",
    "ppo_paddle: ratio through numpy",
    "mixup_torch: one cycle scheduler stepped once an epoch",
    "a2c_torch: returns not detached",
    "ode_paddle: all weights start at zero",
    "ranking_paddle: total keeps the graphs",
    "sam_torch: forgets to clear between passes and after",
    "sam_torch: scheduler stepped before the optimizer with T_max of epochs",
    "td3_torch: target keeps its graph through the critic",
    "pgd_torch: gradients of the attack are not cleared",
    "bbb_torch: sample instead of rsample",
    "audio_torch: plateau scheduler on the optimizer never stepped",
    "vaegan_paddle: generator loss on a detached sample",
    "tree_paddle: label for another tree",
}
MISPLACED_IN_SCRIPTS = {
    "moco_torch: deepcopy forgotten",
    "tbptt_torch: state not detached",
    "ppo_torch: old log-probabilities computed anew",
    "wgangp_torch: generator trained on detached fakes",
    "wgangp_torch: critic's optimizer holds the generator",
    "gnn_torch: softmax over the nodes",
    "maml_torch: fast weights detached",
    "cyclegan_paddle: fake not detached",
    "det_paddle: box loss through float",
    "det_paddle: head replaced late",
    "distill_paddle: no_grad on features",
    "nerf_torch: fine network never rendered",
    "tabular_paddle: sampler not told the epoch",
    "ranking_paddle: margin under no_grad",
    "gumbel_torch: argmax instead of gumbel",
    "gumbel_torch: optimizer over the encoder only",
    "td3_torch: actor loss of the actions in memory",
    "audio_torch: filter read through data",
    "audio_torch: hook zeroes one-column gradients",
    "vaegan_paddle: fake not detached in the discriminator's loss, decoder steps on it",
    "stn_paddle: no shuffling of classes",
    "tcn_paddle: learning rate of 10",
    "tcn_paddle: the same seed in every window",
    "kfold_paddle: variance without softplus",
    "binary_paddle: backward of the sign forgets the gradient",
    "binary_paddle: sign of paddle without straight-through",
    "fit_paddle: softmax in the network",
}


@pytest.mark.parametrize("case", blind.FAULTS, ids=lambda case: f"{case.script}-{case.name}")
def test_a_faulty_script(case):
    answer = blind.sit(case)
    known = f"{case.script}: {case.name}"
    assert answer.named is (known not in MISSED_IN_SCRIPTS)
    assert answer.placed is (known not in MISSED_IN_SCRIPTS | MISPLACED_IN_SCRIPTS)


@pytest.mark.parametrize("case", blind.HEALTHY, ids=lambda case: f"{case.script}-{case.name}")
def test_a_healthy_script(case):
    answer = blind.sit(case)
    assert not answer.false_alarms
    assert {found.id for found in answer.said.warnings} <= {*case.declared, *case.later}


@pytest.mark.parametrize(("shuffled", "expected"), [(True, set()), (False, {"never-shuffled"})])
def test_an_order_that_repeats(shuffled, expected):
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), 1e-3)
    data, numbers = torch.randn(3, 8, 4, generator=torch.Generator().manual_seed(0)), iter(range(99))

    def step():
        number = next(numbers)
        optimizer.zero_grad()
        net(data[number % 3] + (number * 0.01 if shuffled else 0)).square().mean().backward()
        optimizer.step()

    said = ids(net, optimizer, step, iterations=9, source=SourceTree(REGULAR))
    assert said == expected


REGULAR = Path(__file__).parent / "conftest.py"  # no user's file that would speak of shuffling


@pytest.mark.parametrize(("kind", "expected"), [
    ("healthy", set()), ("unscaled, then clipped", set()), ("overflows at first", set()), ("bfloat16", set()),
    ("steps by itself", {"scaler-bypassed"}), ("clipped while scaled", {"clip-before-unscale"}), ("never finite", {"scaler-skips"}),
    ("no update", {"scaler-skips"}), ("underflow", {"fp16-underflow"}),
])
def test_mixed_precision(kind, expected):
    """float16 and bfloat16 autocast with torch's scaler on the CPU. (Paddle's scaler and autocast do nothing there.)"""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
    optimizer = torch.optim.SGD(net.parameters(), 0.05)
    scaler = torch.amp.GradScaler("cpu", enabled=kind not in ("underflow", "bfloat16"))
    factor = {"overflows at first": 1e3, "never finite": float("inf"), "underflow": 1e-7}.get(kind, 1.0)
    with suppress(RuntimeError), parity.doctor(net, optimizer) as d:
        for _ in range(12):
            d.mark()
            x = torch.randn(16, 8)
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16 if kind == "bfloat16" else torch.float16):
                out = net(x)
            loss = (out.float() - x.sum(1, keepdim=True)).square().mean() * factor
            scaler.scale(loss).backward()
            if kind == "steps by itself":
                optimizer.step()
                continue
            if kind == "unscaled, then clipped":
                scaler.unscale_(optimizer)
            if kind in ("unscaled, then clipped", "clipped while scaled"):
                torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            scaler.step(optimizer)
            if kind != "no update":
                scaler.update()
    said = d.findings
    assert {found.id for found in said[:1]} == expected


def test_the_counts_of_paddle_issue_26721():
    """At the released depth: 88 tensors in the generators, 22 instance norms; 60 in the discriminators, u and v of 32 layers."""
    messages = [alone(sitting).said.first.message for sitting in FAULTY if sitting.trap == "Paddle issue 26721"]
    assert "44 of the 132 parameters that G_optim holds" in messages[0] and "expected 88" in messages[0]
    assert "D_optim holds 124 tensors, and 64 of them" in messages[1] and "60 would be right" in messages[1]


def test_every_kind_is_tested():
    from parity.doctor import KINDS
    asked = {kind for sitting in (*FAULTY, *HEALTHY) for kind in (*sitting.ids, *sitting.declared, *sitting.expect)}
    asked |= {kind for case in (*blind.FAULTS, *blind.HEALTHY) for kind in (*case.ids, *case.later)}
    asked = {kind.partition(":")[0] for kind in asked}
    here = Path(__file__).read_text()
    assert [kind for kind in KINDS if kind not in asked and f'"{kind}"' not in here] == []
