"""The doctor changes nothing of a training, and gives everything back; also where it fails itself."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import paddle
import pytest
import torch

import parity
from exams.doctor.healthy import HEALTHY
from exams.doctor.sitting import Sitting, builder
from parity.doctor.examine import examine
from tests.doctor.trainings import train, trained

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


def test_parity_stays_light():
    code = "import sys, parity; parity.__doc__; assert not {'torch', 'paddle', 'numpy'} & set(sys.modules), 'heavy'"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_framework_is_enough():
    code = ("import sys, torch, parity; net = torch.nn.Linear(1, 1)\n"
            "with parity.doctor(net, torch.optim.SGD(net.parameters(), 1.)): pass\n"
            "assert 'paddle' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True)
