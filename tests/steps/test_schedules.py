"""Schedules of the learning rate over a declared horizon, and in the steps that are run."""

import math

import paddle
import pytest
import torch

from parity.declare.training import Training
from parity.files import InputError
from parity.inputs import normal
from parity.steps.follow import follow

T, P = torch.optim.lr_scheduler, paddle.optimizer.lr
HORIZON = 200


def warm(lr):
    return T.SequentialLR(lr, [T.LinearLR(lr, 1e-9, 1.0, 5), T.CosineAnnealingLR(lr, 45)], [5])


PAIRS = {  # torch's, Paddle's with the same curve, Paddle's with a mistake, the call after which that parts
    "step": (lambda o: T.StepLR(o, 7, 0.5), lambda: P.StepDecay(0.1, 7, 0.5), lambda: P.StepDecay(0.1, 8, 0.5), 7),
    "milestones": (lambda o: T.MultiStepLR(o, [3, 10]), lambda: P.MultiStepDecay(0.1, [3, 10]),
                   lambda: P.MultiStepDecay(0.1, [3, 11]), 10),
    "exponential": (lambda o: T.ExponentialLR(o, 0.97), lambda: P.ExponentialDecay(0.1, 0.97),
                    lambda: P.ExponentialDecay(0.1, 0.97 - 1e-9), 1),
    "cosine": (lambda o: T.CosineAnnealingLR(o, 50, 1e-3), lambda: P.CosineAnnealingDecay(0.1, 50, 1e-3),
               lambda: P.CosineAnnealingDecay(0.1, 50), 1),
    "restarts": (lambda o: T.CosineAnnealingWarmRestarts(o, 10, 2, 1e-3),
                 lambda: P.CosineAnnealingWarmRestarts(0.1, 10, 2, 1e-3),
                 lambda: P.CosineAnnealingWarmRestarts(0.1, 10, 1, 1e-3), 11),
    "linear": (lambda o: T.LinearLR(o, 1 / 3, 1.0, 10), lambda: P.LinearLR(0.1, 10, 1 / 3, 1.0), lambda: P.LinearLR(0.1, 11), 1),
    "polynomial": (lambda o: T.PolynomialLR(o, 50, 2.0), lambda: P.PolynomialDecay(0.1, 50, 0.0, 2.0),
                   lambda: P.PolynomialDecay(0.1, 50, 1e-4, 2.0), 1),
    "lambda": (lambda o: T.LambdaLR(o, lambda n: 0.9 ** n), lambda: P.LambdaDecay(0.1, lambda n: 0.9 ** n),
               lambda: P.LambdaDecay(0.1, lambda n: 0.9 ** (n // 2)), 1),
    "factors": (lambda o: T.MultiplicativeLR(o, lambda n: 0.95), lambda: P.MultiplicativeDecay(0.1, lambda n: 0.95),
                lambda: P.MultiplicativeDecay(0.1, lambda n: 0.95 if n < 150 else 1.0), 150),
    "cycles": (lambda o: T.CyclicLR(o, 0.01, 0.1, 5, 7, cycle_momentum=False), lambda: P.CyclicLR(0.01, 0.1, 5, 7),
               lambda: P.CyclicLR(0.01, 0.1, 5), 6),
    "one cycle": (lambda o: T.OneCycleLR(o, 0.1, 60, cycle_momentum=False), lambda: P.OneCycleLR(0.1, 60, 25.0, 0.1 / 25 / 1e4),
                  lambda: P.OneCycleLR(0.1, 60, 25.0, 0.1 / 25 / 1e3), 18),
    "plateau": (lambda o: T.ReduceLROnPlateau(o, "min", 0.5, 3), lambda: P.ReduceOnPlateau(0.1, "min", 0.5, 3),
                lambda: P.ReduceOnPlateau(0.1, "min", 0.5, 4), 5),
    "pieces": (lambda o: T.ConstantLR(o, 0.5, 4), lambda: P.PiecewiseDecay([4], [0.05, 0.1]),
               lambda: P.PiecewiseDecay([5], [0.05, 0.1]), 4),
    "warm-up": (warm, lambda: P.LinearWarmup(P.CosineAnnealingDecay(0.1, 45), 5, 1e-10, 0.1),
                lambda: P.LinearWarmup(P.CosineAnnealingDecay(0.1, 45), 6, 1e-10, 0.1), 1),
    "noam": (lambda o: T.LambdaLR(o, lambda n: 64 ** -0.5 * min(n ** -0.5, n * 10 ** -1.5) if n else 0.0),
             lambda: P.NoamDecay(64, 10, 0.1), lambda: P.NoamDecay(64, 11, 0.1), 1),
    "inverse": (lambda o: T.LambdaLR(o, lambda n: 1 / (1 + 0.5 * n)), lambda: P.InverseTimeDecay(0.1, 0.5),
                lambda: P.InverseTimeDecay(0.1, 0.4), 1),
    "natural": (lambda o: T.LambdaLR(o, lambda n: math.exp(-0.1 * n)), lambda: P.NaturalExpDecay(0.1, 0.1),
                lambda: P.NaturalExpDecay(0.1, 0.2), 1),
}


def torch_training(schedule, every=1):
    def build():
        net, seen = torch.nn.Linear(2, 1), [0]
        update = torch.optim.SGD(net.parameters(), 0.1)
        scheduler = schedule(update)

        def step(x):
            loss = net(x).square().mean()
            update.zero_grad()
            loss.backward()
            update.step()
            seen[0] += 1
            if scheduler is not None and seen[0] % every == 0:
                scheduler.step(*((1.0,) if isinstance(scheduler, T.ReduceLROnPlateau) else ()))
            return loss

        return step

    return build


def paddle_training(schedule, every=1):
    def build():
        net, seen = paddle.nn.Linear(2, 1), [0]
        scheduler = schedule()
        update = paddle.optimizer.SGD(scheduler, net.parameters())

        def step(x):
            loss = net(x).square().mean()
            update.clear_grad()
            loss.backward()
            update.step()
            seen[0] += 1
            if not isinstance(scheduler, float) and seen[0] % every == 0:
                scheduler.step(*((1.0,) if isinstance(scheduler, P.ReduceOnPlateau) else ()))
            return loss

        return step

    return build


def followed(ours, theirs, horizon=HORIZON, steps=1, **options):
    training = Training(torch_training(ours), paddle_training(theirs, **options), [normal(3, 2)], horizon=horizon)
    return follow(training.subject(), steps=steps)


@pytest.mark.parametrize("name", PAIRS)
def test_the_same_curve(name):
    ours, theirs, _, _ = PAIRS[name]
    assert followed(ours, theirs).verdict == "same"


@pytest.mark.parametrize("name", PAIRS)
def test_where_curves_part(name):
    ours, _, mistaken, call = PAIRS[name]
    first = followed(ours, mistaken).report.first
    assert (first.key.stage, first.key.variable) == ("census", "schedule")
    assert f"after call {call} of " in first.deviation.trouble


def test_without_a_horizon_nothing_is_looked_ahead():
    ours, _, mistaken, _ = PAIRS["step"]
    assert followed(ours, mistaken, horizon=0).verdict == "same"


def test_a_scheduler_that_ends_earlier():
    def until_20(calls):
        if calls > 20:
            raise ValueError("past the end")
        return 1.0

    first = followed(lambda o: T.LambdaLR(o, lambda calls: 1.0), lambda: P.LambdaDecay(0.1, until_20), horizon=100).report.first
    assert first.key.variable == "schedule" and "ends after 100 calls, that of the twin after 20" in first.deviation.trouble
    short = followed(lambda o: T.OneCycleLR(o, 0.1, 60, cycle_momentum=False), PAIRS["one cycle"][1], horizon=100)
    assert short.verdict == "same"  # both end there


def test_a_scheduler_on_one_side_is_said():
    found = followed(lambda o: T.ConstantLR(o, 1.0, 1), lambda: 0.1)
    assert found.verdict == "same" and any("only the reference has a scheduler" in remark for remark in found.report.remarks)


def test_per_epoch_in_place_of_per_batch():
    """The curves are the same; that it is called at another time, the first steps show."""
    ours, theirs, _, _ = PAIRS["exponential"]
    first = followed(ours, theirs, steps=2, every=2).report.first
    assert (first.key.stage, first.key.step, first.key.variable) == ("state", 1, "lr")


def test_a_horizon_must_be_a_number():
    with pytest.raises(InputError, match="horizon"):
        followed(*PAIRS["step"][:2], horizon=-1)
