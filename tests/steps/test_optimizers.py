"""Every optimizer that both frameworks have, as `parity steps` follows it, and others that only one has."""

import paddle
import pytest
import torch

from parity.declare.training import Training
from parity.differences import ALL
from parity.inputs import normal
from parity.steps.follow import follow

T, P = torch.optim, paddle.optimizer


def torch_training(optimizer, schedule=lambda: None):
    def build():
        net = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
        update = optimizer(net.parameters())
        scheduler = schedule()

        def step(x):
            loss = net(x).square().mean()
            update.zero_grad()
            loss.backward()
            update.step()
            if scheduler is not None:
                scheduler.step()
            return loss

        return step

    return build


def paddle_training(optimizer, schedule=lambda: None):
    def build():
        net = paddle.nn.Sequential(paddle.nn.Linear(4, 5), paddle.nn.Tanh(), paddle.nn.Linear(5, 2))
        update = optimizer(net.parameters())
        scheduler = schedule()

        def step(x):
            loss = net(x).square().mean()
            update.clear_grad()
            loss.backward()
            update.step()
            if scheduler is not None:
                scheduler.step()
            return loss

        return step

    return build


def followed(ours, theirs, mode="free", lane="float64", steps=3, differences=ALL):
    training = Training(torch_training(ours), paddle_training(theirs), [normal(6, 4)])
    return follow(training.subject(), steps=steps, mode=mode, lane=lane, differences=differences)


CASES = {
    "SGD": (lambda p: T.SGD(p, 0.1, weight_decay=0.01), lambda p: P.SGD(0.1, p, 0.01)),
    "Nesterov": (lambda p: T.SGD(p, 0.1, 0.5, nesterov=True), lambda p: P.Momentum(0.1, 0.5, p, True)),
    "Adam": (lambda p: T.Adam(p, 0.01), lambda p: P.Adam(0.01, parameters=p)),
    "AMSGrad": (lambda p: T.Adam(p, 0.01, amsgrad=True), lambda p: P.Adam(0.01, parameters=p, amsgrad=True)),
    "AdamW": (lambda p: T.AdamW(p, 0.01, weight_decay=0.1), lambda p: P.AdamW(0.01, parameters=p, weight_decay=0.1)),
    "Adagrad": (lambda p: T.Adagrad(p, 0.1, initial_accumulator_value=0.1, eps=1e-6),
                lambda p: P.Adagrad(0.1, 1e-6, p, initial_accumulator_value=0.1)),
    "Adadelta": (lambda p: T.Adadelta(p, 0.5, 0.9), lambda p: P.Adadelta(0.5, 1e-6, 0.9, p)),
    "RMSprop": (lambda p: T.RMSprop(p, 0.01, 0.9, 0, 0, 0.5, True), lambda p: P.RMSProp(0.01, 0.9, 0.0, 0.5, True, p)),
    "Adamax": (lambda p: T.Adamax(p, 0.01, eps=0), lambda p: P.Adamax(0.01, epsilon=0.0, parameters=p)),
    "NAdam": (lambda p: T.NAdam(p, 0.01), lambda p: P.NAdam(0.01, parameters=p)),
    "RAdam": (lambda p: T.RAdam(p, 0.01), lambda p: P.RAdam(0.01, parameters=p)),
    "ASGD": (lambda p: T.ASGD(p, 0.1, lambd=0), lambda p: P.ASGD(0.1, parameters=p)),
    "Rprop": (lambda p: T.Rprop(p, 0.01, step_sizes=(1e-5, 50)), lambda p: P.Rprop(0.01, parameters=p)),
}


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("name", CASES)
def test_a_right_twin(name, mode):
    assert followed(*CASES[name], mode).verdict == "same"


# --- where Paddle's rule is another ------------------------------------------------------------------------------------

OTHERWISE = {
    "rmsprop_epsilon": (lambda p: T.RMSprop(p, 0.01, 0.9, 1e-3), lambda p: P.RMSProp(0.01, 0.9, 1e-3, parameters=p)),
    "adamax_epsilon": (lambda p: T.Adamax(p, 0.01), lambda p: P.Adamax(0.01, parameters=p)),
    "asgd_algorithm": (lambda p: T.ASGD(p, 0.1), lambda p: P.ASGD(0.1, parameters=p)),
}


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("difference", OTHERWISE)
def test_another_rule_is_named(difference, mode):
    found = followed(*OTHERWISE[difference], mode, steps=2)
    assert found.verdict == "diverged"
    updates = [finding for finding in found.report.diverged if finding.key.stage == "update" and finding.key.step == 1]
    assert updates and all(difference in finding.cause for finding in updates)


@pytest.mark.parametrize("mode", ["free", "resync"])
def test_the_velocity_of_rmsprop_when_its_rate_changes(mode):
    """In Paddle what was gathered keeps the rate that it was gathered with."""
    schedule = {}

    def ours(parameters):
        optimizer = T.RMSprop(parameters, 0.01, 0.5, 0.0, momentum=0.5)
        schedule["torch"] = T.lr_scheduler.StepLR(optimizer, 2, 0.1)
        return optimizer

    def theirs(parameters):
        schedule["paddle"] = P.lr.StepDecay(0.01, 2, 0.1)
        return P.RMSProp(schedule["paddle"], 0.5, 0.0, 0.5, parameters=parameters)

    training = Training(torch_training(ours, lambda: schedule["torch"]), paddle_training(theirs, lambda: schedule["paddle"]),
                        [normal(6, 4)])
    first = follow(training.subject(), steps=4, mode=mode, differences=ALL).report.first
    assert (first.key.stage, first.key.step) == ("update", 3)


# --- mistakes ----------------------------------------------------------------------------------------------------------

MISTAKES = {  # of a twin: what the census says, and of which setting
    "RMSprop": ("rho", lambda p: P.RMSProp(0.01, 0.99, 0.0, 0.5, True, p)),
    "Adagrad": ("initial_accumulator_value", lambda p: P.Adagrad(0.1, 1e-6, p)),
    "Adadelta": ("eps", lambda p: P.Adadelta(0.5, 1e-5, 0.9, p)),
    "Adamax": ("beta2", lambda p: P.Adamax(0.01, beta2=0.99, epsilon=0.0, parameters=p)),
    "NAdam": ("momentum_decay", lambda p: P.NAdam(0.01, momentum_decay=0.04, parameters=p)),
    "RAdam": ("beta1", lambda p: P.RAdam(0.01, beta1=0.5, parameters=p)),
    "ASGD": ("batch_num", lambda p: P.ASGD(0.1, batch_num=2, parameters=p)),
    "Rprop": ("eta_max", lambda p: P.Rprop(0.01, parameters=p, etas=(0.5, 1.5))),
    "AMSGrad": ("amsgrad", lambda p: P.Adam(0.01, parameters=p)),
    "Nesterov": ("nesterov", lambda p: P.Momentum(0.1, 0.5, p)),
    "Adam": ("kind", lambda p: P.NAdam(0.01, parameters=p)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_another_setting_is_said_and_seen(name):
    setting, theirs = MISTAKES[name]
    found = followed(CASES[name][0], theirs, steps=4)
    assert [f.key.variable for f in found.report.diverged if f.key.stage == "census"][:1] == [setting], str(found.report.first)
    assert any(f.key.stage == "update" for f in found.report.diverged)
