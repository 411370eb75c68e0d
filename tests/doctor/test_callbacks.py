"""The doctor as a callback: of paddle.Model.fit itself; of the other trainers by stand-ins that call back as those do."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import paddle
import pytest
import torch

from parity.doctor import callbacks
from parity.files import InputError


@pytest.mark.parametrize(("lr", "expected"), [(1e-2, []), (0.0, ["lr-zero"])])
def test_model_fit(lr, expected):
    paddle.seed(0)
    net, said = paddle.nn.Linear(4, 2), []
    model = paddle.Model(net)
    model.prepare(paddle.optimizer.Adam(lr, parameters=net.parameters()), paddle.nn.MSELoss())
    data = paddle.io.TensorDataset([paddle.randn([32, 4]), paddle.rand([32, 2])])
    doctor = callbacks.hapi(iterations=4, tell=said.append)
    before = net.forward
    model.fit(data, batch_size=4, epochs=1, shuffle=True, verbose=0, callbacks=[doctor])
    assert [found.id for found in doctor.diagnosis.errors] == expected and doctor.diagnosis.iterations == 4
    assert len(said) == 1 and ("lr-zero" in said[0]) is bool(expected)
    assert net.forward == before and "__call__" in vars(paddle.nn.Layer)


class Standing:
    """The base class of a library's callbacks."""


def library(monkeypatch, path, name):
    """A stand-in for a library that is not installed."""
    parts = path.split(".")
    for count in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:count]), ModuleType(".".join(parts[:count])))
    setattr(sys.modules[path], name, Standing)


def train(clears, begin, iteration, end):
    """What a trainer does, calling back."""
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(net.parameters(), 1e-2)
    begin(net, optimizer)
    for number in range(6):
        iteration(net, number)
        net(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()
        if clears:
            optimizer.zero_grad()
    end(net)


@pytest.mark.parametrize("clears", [True, False])
@pytest.mark.parametrize("path", ["lightning.pytorch.callbacks", "pytorch_lightning.callbacks"])
def test_lightning(monkeypatch, path, clears):
    monkeypatch.setitem(sys.modules, "lightning", None)  # not to be imported
    library(monkeypatch, path, "Callback")
    doctor, trainer = callbacks.lightning(iterations=3, tell=lambda text: None), SimpleNamespace()

    def begin(net, optimizer):
        trainer.optimizers = [optimizer]
        doctor.on_train_start(trainer, net)

    train(clears, begin, lambda net, number: doctor.on_train_batch_start(trainer, net, None, number),
          lambda net: doctor.on_train_end(trainer, net))
    assert isinstance(doctor, Standing) and doctor.diagnosis.iterations == 3
    assert [found.id for found in doctor.diagnosis.errors] == ([] if clears else ["leftover-gradient"])


@pytest.mark.parametrize("clears", [True, False])
@pytest.mark.parametrize(("path", "make"), [("transformers", callbacks.transformers), ("paddlenlp.trainer", callbacks.paddlenlp)])
def test_a_trainer(monkeypatch, path, make, clears):
    library(monkeypatch, path, "TrainerCallback")
    doctor = make(iterations=20, tell=lambda text: None)
    train(clears, lambda net, optimizer: doctor.on_train_begin(None, None, None, model=net, optimizer=SimpleNamespace(
        optimizer=optimizer)), lambda net, number: doctor.on_step_begin(None, None, None, model=net),
          lambda net: doctor.on_train_end(None, None, None))
    assert doctor.diagnosis.iterations == 6  # the training ended first
    assert [found.id for found in doctor.diagnosis.errors] == ([] if clears else ["leftover-gradient"])


def test_a_library_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError, match="expected transformers to be installed"):
        callbacks.transformers()
