"""Gradient scalers: followed as on a GPU, their state as state, unscaling as what is done to gradients before an update."""

import linecache

import numpy as np
import paddle
import pytest
import torch
from paddle.amp import grad_scaler

from parity.declare.training import Training
from parity.differences import ALL
from parity.inputs import normal
from parity.steps.follow import follow

RIGHT = ("unscale", "clip", "step", "update")
pytestmark = pytest.mark.filterwarnings("ignore:amp_guard can only be enabled", "ignore:User provided device_type")


def torch_training(device="cuda"):
    def build():
        net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
        optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
        scaler = torch.amp.GradScaler(device, init_scale=1024.0, growth_interval=2)

        def step(x):
            optimizer.zero_grad()
            with torch.autocast(device, dtype=torch.float16):
                loss = net(x).square().mean()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.1)
            scaler.step(optimizer)
            scaler.update()
            return loss

        return step

    return build


def paddle_training(order=RIGHT, scaled=True, interval=2, by_optimizer=False, scale=1024.0):
    def build():
        net = paddle.nn.Sequential(paddle.nn.Linear(4, 8), paddle.nn.Tanh(), paddle.nn.Linear(8, 3))
        clip = paddle.nn.ClipGradByGlobalNorm(0.1) if by_optimizer else None
        held = [{"params": net.parameters()}] if by_optimizer else net.parameters()  # whose gradients a scaler gathers in two ways
        optimizer = paddle.optimizer.AdamW(1e-2, parameters=held, grad_clip=clip)
        scaler = paddle.amp.GradScaler(init_loss_scaling=scale, incr_every_n_steps=interval)

        def step(x):
            optimizer.clear_grad()
            with paddle.amp.auto_cast(dtype="float16"):
                loss = net(x).square().mean()
            (scaler.scale(loss) if scaled else loss).backward()
            for what in order:
                if what == "unscale":
                    scaler.unscale_(optimizer)
                elif what == "clip":
                    paddle.nn.utils.clip_grad_norm_(net.parameters(), 0.1)
                elif what == "step":
                    scaler.step(optimizer)
                elif what == "minimize":
                    scaler.minimize(optimizer, loss)
                elif what == "alone":
                    optimizer.step()
                else:
                    scaler.update()
            return loss

        return step

    return build


def followed(twin, *, batch=None, steps=3, device="cuda", **options):
    subject = Training(torch_training(device), twin, [normal(6, 4)] if batch is None else batch).subject()
    return follow(subject, steps=steps, draws=2, differences=ALL, **options)


@pytest.mark.parametrize(("options", "run"), [
    ({}, {}), ({"order": ("step", "update"), "by_optimizer": True}, {"mode": "resync"}),
    pytest.param({"order": ("unscale", "clip", "minimize")}, {}, marks=pytest.mark.slow),
    pytest.param({}, {"lane": "float32"}, marks=pytest.mark.slow), pytest.param({}, {"device": "cpu"}, marks=pytest.mark.slow)])
def test_the_right_twin(options, run):
    """Its scale doubles after the second step, on both sides; Paddle's clip stands in the optimizer, behind the unscaling."""
    result = followed(paddle_training(**options), **run)
    assert result.verdict == "same" and result.steps == 3


FAULTS = [({"order": ("clip", "unscale", "step", "update")}, "gradients", "clip_grad_norm_"),  # by the norm of what is scaled
          ({"order": ("clip", "step", "update")}, "gradients", "clip_grad_norm_"),
          ({"order": ("unscale", "clip", "step")}, "state", "scaler.step(optimizer)"),  # never updated: its last call
          ({"interval": 1000}, "census", "paddle.amp.GradScaler"),
          ({"scaled": False}, "losses", "(scaler.scale(loss) if scaled else loss).backward()"),
          pytest.param({"order": ("clip", "alone")}, "gradients", "clip_grad_norm_", marks=pytest.mark.slow),
          pytest.param({"order": ("unscale", "clip", "alone")}, "state", "scaler.unscale_", marks=pytest.mark.slow),
          pytest.param({"scale": 2048.0}, "census", "paddle.amp.GradScaler", marks=pytest.mark.slow)]


@pytest.mark.parametrize(("options", "stage", "line"), FAULTS)
def test_a_wrong_twin_is_found_at_its_line(options, stage, line):
    report = followed(paddle_training(**options), steps=1).report
    assert report.verdict == "diverged" and report.first.key.stage == stage
    assert line in linecache.getline(report.first.twin.file, report.first.twin.line)


def with_infinity(step):
    x = np.random.default_rng(step).standard_normal((6, 4)).astype(np.float32)
    return (x * (np.inf if step == 2 else 1),)


@pytest.fixture
def as_with_an_older_numpy(monkeypatch):
    """A scaler that halves its scale prints it, as a float of an array of one dimension, which numpy 2.4 refuses (Paddle 3.3.1)."""
    monkeypatch.setattr(grad_scaler, "float", lambda value: value.item() if paddle.is_tensor(value) else value, raising=False)


@pytest.mark.usefixtures("as_with_an_older_numpy")
def test_a_step_that_is_skipped():
    """torch does not call the optimizer, Paddle calls it and it does nothing; the scale is halved by both, or it is a finding."""
    right = followed(paddle_training(("unscale", "step", "update"), by_optimizer=True), batch=with_infinity)
    assert right.report.diverged == [] and right.steps == 3


def test_a_skipped_step_whose_scale_stays():
    def patient():
        step = paddle_training(by_optimizer=True, order=("step", "update"))()
        scaler = next(cell.cell_contents for cell in step.__closure__ if isinstance(cell.cell_contents, paddle.amp.GradScaler))
        found = "_cache_found_inf" if hasattr(scaler, "_cache_found_inf") else "_cache_founf_inf"  # spelt so by Paddle 2.6
        scaler.update = lambda: None if bool(getattr(scaler, found)) else type(scaler).update(scaler)
        return step

    first = followed(patient, batch=with_infinity).report.first
    assert (first.key.stage, first.key.step, first.key.module) == ("state", 2, "scaler")
