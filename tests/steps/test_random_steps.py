"""Training steps that draw: dropout, latent noise, augmentation, a pool of earlier fakes."""

import random

import numpy as np
import paddle
import paddle.nn.functional as PF
import pytest
import torch
from torch import nn
from torch.nn import functional as TF

from parity.declare.inputs import normal
from parity.declare.reach import kept_by
from parity.declare.training import Training
from parity.recordings.format import read_json
from parity.steps.follow import follow
from parity.steps.reference import record_reference
from parity.steps.stored import record_to, recorded_in


# A slope that float32 holds: Paddle before 3.3.1 keeps it there (`leaky_relu_slope` in the registry).
class TorchGAN:
    def __init__(self):
        self.G = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 6))
        self.D = nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.25), nn.Linear(8, 1))
        self.adam_G = torch.optim.Adam(self.G.parameters(), lr=1e-3)
        self.adam_D = torch.optim.Adam(self.D.parameters(), lr=1e-3)
        self.pool = []

    def older(self, fake):
        self.pool.append(fake)
        if len(self.pool) > 1 and random.random() > 0.5:
            return self.pool.pop(random.randrange(len(self.pool)))
        return fake

    def step(self, real):
        real = real + 0.1 * torch.randn_like(real)
        real = real * float(np.random.uniform(0.9, 1.1))
        z = torch.randn(real.shape[0], 4)
        fake = self.G(z)
        loss_G = TF.softplus(-self.D(fake)).mean()
        self.adam_G.zero_grad()
        loss_G.backward()
        self.adam_G.step()
        old = self.older(fake.detach())
        loss_D = TF.softplus(-self.D(real)).mean() + TF.softplus(self.D(old)).mean()
        self.adam_D.zero_grad()
        loss_D.backward()
        self.adam_D.step()
        return {"G": loss_G, "D": loss_D}


class PaddleGAN:
    rate, blur, spread, share = 0.3, 0.1, 1.0, 0.5

    def __init__(self):
        self.G = paddle.nn.Sequential(paddle.nn.Linear(4, 8), paddle.nn.Tanh(), paddle.nn.Dropout(self.rate),
                                      paddle.nn.Linear(8, 6))
        self.D = paddle.nn.Sequential(paddle.nn.Linear(6, 8), paddle.nn.LeakyReLU(0.25), paddle.nn.Linear(8, 1))
        self.adam_G = paddle.optimizer.Adam(1e-3, parameters=self.G.parameters())
        self.adam_D = paddle.optimizer.Adam(1e-3, parameters=self.D.parameters())
        self.pool = []

    def older(self, fake):
        self.pool.append(fake)
        if len(self.pool) > 1 and random.random() > self.share:
            return self.pool.pop(random.randrange(len(self.pool)))
        return fake

    def step(self, real):
        real = real + self.blur * paddle.randn(real.shape)
        real = real * float(np.random.uniform(0.9, 1.1))
        z = self.latent(real.shape[0])
        fake = self.G(z)
        loss_G = PF.softplus(-self.D(fake)).mean()
        self.adam_G.clear_grad()
        loss_G.backward()
        self.adam_G.step()
        old = self.older(fake.detach())
        loss_D = PF.softplus(-self.D(real)).mean() + PF.softplus(self.D(old)).mean()
        self.adam_D.clear_grad()
        loss_D.backward()
        self.adam_D.step()
        return {"G": loss_G, "D": loss_D}

    def latent(self, count):
        return paddle.normal(0.0, self.spread, [count, 4])


class Uniform(PaddleGAN):
    def latent(self, count):
        return paddle.rand([count, 4])


class Newest(PaddleGAN):
    def older(self, fake):
        return fake


def subject(twin=PaddleGAN):
    return Training(TorchGAN, twin, [normal(5, 6)]).subject()


def wrong(**settings):
    return type("Wrong", (PaddleGAN,), settings)


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("lane", ["float64", "float32"])
def test_a_right_twin_is_the_same(mode, lane):
    found = follow(subject(), steps=3, mode=mode, lane=lane)
    assert found.report.verdict == "same" and found.steps == 3, found.report.first
    assert not found.report.remarks


WRONG = {  # name -> (twin, step of the first divergence, what it is in)
    "rate": (wrong(rate=0.1), 1, "random bernoulli"),
    "augmentation": (wrong(blur=0.2), 1, ""),
    "spread of the noise": (wrong(spread=2.0), 1, ""),
    "distribution of the noise": (Uniform, 1, "random normal"),
    "share of the pool": (wrong(share=-1.0), 3, ""),  # where the number drawn was below a half
    "the newest of the pool": (Newest, 1, "pool[0]"),  # before a number is drawn for it, or a loss shows it
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_twin_is_placed(name):
    twin, step, variable = WRONG[name]
    found = follow(subject(twin), steps=3)
    assert found.report.verdict == "diverged"
    first = found.report.first
    assert first.key.step == step and first.key.variable.startswith(variable)
    assert (first.reference or first.twin) is not None


def test_a_recorded_reference_hands_out_its_numbers(tmp_path):
    record_to(tmp_path / "steps", subject(), steps=2)
    for recorded in (lambda: recorded_in(tmp_path / "steps", subject())[1], lambda: record_reference(subject(), steps=2)):
        assert follow(subject(), steps=2, recorded=recorded()).report.verdict == "same"
        found = follow(subject(wrong(rate=0.1)), steps=2, recorded=recorded()).report
        assert found.verdict == "diverged" and "the reference draws bernoulli(0.7)" in found.first.deviation.trouble
    assert len(read_json(tmp_path / "steps" / "step-0001.json")["random"]["entries"]) == 4


# --- what a step keeps in an object of its own class -----------------------------------------------------------------


class Pool:
    """As CycleGAN's `ImagePool`: full after two steps, it draws from the third on."""

    def __init__(self, share=0.5):
        self.share, self.images = share, []

    def older(self, fake):
        if len(self.images) < 2:
            self.images.append(fake)
        elif random.random() > self.share:
            place = random.randrange(2)
            fake, self.images[place] = self.images[place], fake
        return fake


class TorchPooled(TorchGAN):
    def __init__(self):
        super().__init__()
        self.pools = {"fakes": Pool()}

    def older(self, fake):
        return self.pools["fakes"].older(fake)


class PaddlePooled(PaddleGAN):
    def __init__(self):
        super().__init__()
        self.pools = {"fakes": Pool(self.share)}

    def older(self, fake):
        return self.pools["fakes"].older(fake)


@pytest.mark.parametrize("mode", ["free", "resync"])
def test_a_pool_in_an_object_starts_each_run_of_a_step_alike(mode):
    """Else the noise draws of the first step fill it, and the second draws other random numbers than the twin."""
    found = follow(Training(TorchPooled, PaddlePooled, [normal(5, 6)]).subject(), steps=4, mode=mode)
    assert found.report.verdict == "same" and found.steps == 4, found.report.first


def test_a_wrong_pool_in_an_object_is_found():
    twin = type("Wrong", (PaddlePooled,), {"share": 2.0})  # never gives back
    found = follow(Training(TorchPooled, twin, [normal(5, 6)]).subject(), steps=8, mode="resync")
    assert found.report.verdict == "diverged" and found.report.first.key.step > 2


class Forgetful(Pool):
    """Gives back what it has, and keeps nothing new."""

    def older(self, fake):
        kept = list(self.images)
        fake = super().older(fake)
        self.images = kept if len(kept) == 2 else self.images
        return fake


@pytest.mark.parametrize("mode", ["free", "resync"])
def test_what_a_pool_keeps_is_compared(mode):
    """A resync gives the twin the reference's pool, so of a wrong one no loss would ever tell."""
    class Wrong(PaddlePooled):
        def __init__(self):
            super().__init__()
            self.pools = {"fakes": Forgetful()}

    found = follow(Training(TorchPooled, Wrong, [normal(5, 6)]).subject(), steps=8, mode=mode)
    first = found.report.first
    assert found.report.verdict == "diverged" and first.key.stage == "state" and first.key.module == "pools.fakes", first


def test_what_a_step_keeps_in_the_users_objects_alone():
    training = TorchPooled()
    kept = {name: (value, put) for name, value, put in kept_by(training.step)}
    assert "pools.fakes.images" in kept and not any(name.startswith(("G.", "adam_G.")) for name in kept)
    kept["pools.fakes.images"][1]([7])
    assert training.pools["fakes"].images == [7]
