"""Every optimizer that both frameworks have, as `parity steps` follows it, and others that only one has."""

import inspect
from pathlib import Path

import paddle
import pytest
import torch

from parity.declare.training import Training
from parity.differences import ALL, by_name
from parity.frameworks.optimizers import KINDS
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
    "Nesterov": (lambda p: T.SGD(p, 0.1, 0.9, nesterov=True), lambda p: P.Momentum(0.1, 0.9, p, True)),
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

NEWER = {"AMSGrad": "amsgrad" in inspect.signature(P.Adam).parameters,  # which Paddle 2.6 does not have
         **{name: hasattr(P, name) for name in ("NAdam", "RAdam", "ASGD", "Rprop")}}


def skip_unless_offered(name):
    if not NEWER.get(name, True):
        pytest.skip(f"Paddle {paddle.__version__} has no {name}")


EXPLAINED = {**dict.fromkeys(CASES, ""), "AdamW": "decoupled_decay", "Nesterov": "momentum_factor",  # RMSprop, Adamax: epsilon 0
             **dict.fromkeys(("Adadelta", "RMSprop", "Adamax", "NAdam", "RAdam"), "optimizer_constants")}


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("name", CASES)
def test_a_right_twin(name, mode):
    skip_unless_offered(name)
    found = followed(*CASES[name], mode)
    assert found.verdict == "same"
    causes = {finding.cause for finding in found.report.findings if finding.verdict.value == "explained"}
    assert {cause for cause in causes if EXPLAINED[name] not in cause} == set() and bool(causes) == bool(EXPLAINED[name])


# --- where Paddle's rule is another ------------------------------------------------------------------------------------

OTHERWISE = {
    "rmsprop_epsilon": (lambda p: T.RMSprop(p, 0.01, 0.9, 1e-3), lambda p: P.RMSProp(0.01, 0.9, 1e-3, parameters=p)),
    "adamax_epsilon": (lambda p: T.Adamax(p, 0.01), lambda p: P.Adamax(0.01, parameters=p)),
    "asgd_algorithm": (lambda p: T.ASGD(p, 0.1), lambda p: P.ASGD(0.1, parameters=p)),
}


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("difference", OTHERWISE)
def test_another_rule_is_named(difference, mode):
    skip_unless_offered("ASGD" if difference == "asgd_algorithm" else difference)
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
    "Nesterov": ("nesterov", lambda p: P.Momentum(0.1, 0.9, p)),
    "Adam": ("kind", lambda p: P.NAdam(0.01, parameters=p)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_another_setting_is_said_and_seen(name):
    skip_unless_offered("NAdam" if name == "Adam" else name)
    setting, theirs = MISTAKES[name]
    found = followed(CASES[name][0], theirs, steps=4)
    assert [f.key.variable for f in found.report.diverged if f.key.stage == "census"][:1] == [setting], str(found.report.first)
    assert any(f.key.stage == "update" for f in found.report.diverged)


# --- optimizers that are in no table -----------------------------------------------------------------------------------

class TorchOwn(T.Optimizer):
    """RMSProp as torch has it, of a user's; it counts in its group, and keeps a mean of gradients of all parameters. Its epsilon is
    a number that no Paddle rounds."""

    def __init__(self, parameters, lr=0.01, rho=0.9, eps=2**-10):
        super().__init__(parameters, {"lr": lr, "rho": rho, "eps": eps, "done": 0})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            group["done"] += 1
            for parameter in group["params"]:
                state = self.state[parameter]
                if not state:
                    state["square"] = torch.zeros_like(parameter)
                state["square"].mul_(group["rho"]).addcmul_(parameter.grad, parameter.grad, value=1 - group["rho"])
                parameter.sub_(group["lr"] / group["done"] * parameter.grad / (state["square"].sqrt() + group["eps"]))


class PaddleOwn(P.Optimizer):
    def __init__(self, parameters, rate=0.01, rho=0.9, eps=2**-10, forgets=False):
        super().__init__(rate, parameters)
        self._rho, self._epsilon, self.forgets, self.done, self.squares = rho, eps, forgets, 0, {}

    @paddle.no_grad()
    def step(self):
        self.done += 1
        for parameter in self._parameter_list:
            old = None if self.forgets and self.done == 3 else self.squares.get(parameter.name)
            old = paddle.zeros_like(parameter) if old is None else old
            square = self.squares[parameter.name] = self._rho * old + (1 - self._rho) * parameter.grad * parameter.grad
            parameter.set_value(parameter - self.get_lr() / self.done * parameter.grad / (paddle.sqrt(square) + self._epsilon))


class OwnSGD(P.Optimizer):
    @paddle.no_grad()
    def step(self):
        for parameter in self._parameter_list:
            parameter.set_value(parameter - self.get_lr() * parameter.grad)


OWN = {
    "both": (TorchOwn, PaddleOwn),
    "the twin's": (lambda p: T.SGD(p, 0.1), lambda p: OwnSGD(0.1, p)),
}


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("which", ["both", "the twin's"])
def test_an_optimizer_of_the_users_is_followed(which, mode):
    found = followed(*OWN[which], mode, steps=4)
    assert found.verdict == "same" and found.steps == 4
    assert any("each side keeps its own" in remark for remark in found.report.remarks)


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize(("twin", "stage", "step", "variable"), [
    (lambda p: PaddleOwn(p, rho=0.99), "census", 0, "rho"),  # of the same name on both sides
    (lambda p: PaddleOwn(p, rate=0.02), "census", 0, "lr"),
    (lambda p: PaddleOwn(p, forgets=True), "forward", 3, "parameter"),  # at the user's line
    (lambda p: OwnSGD(0.1, p), "census", 0, "lr"),
])
def test_a_mistake_in_an_optimizer_of_the_users(twin, stage, step, variable, mode):
    first = followed(TorchOwn, twin, mode, steps=4).report.first
    assert (first.key.stage, first.key.step, first.key.variable) == (stage, step, variable)


class TorchLamb(T.Optimizer):
    """As in the paper, and in Paddle."""

    def __init__(self, parameters, lr=0.01, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01):
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                self.update(self.state[parameter], parameter, group["betas"], group)

    def update(self, state, parameter, betas, group):
        if not state:
            state.update(step=0, mean=torch.zeros_like(parameter), square=torch.zeros_like(parameter))
        state["step"] += 1
        mean = state["mean"].lerp_(parameter.grad, 1 - betas[0]) / (1 - betas[0] ** state["step"])
        square = state["square"].mul_(betas[1]).addcmul_(parameter.grad, parameter.grad, value=1 - betas[1])
        root = (square / (1 - betas[1] ** state["step"])).sqrt() + group["eps"]
        change = mean / root + group["weight_decay"] * parameter
        ratio = parameter.norm() / change.norm() if parameter.any() else 1.0
        parameter.sub_(group["lr"] * ratio * change)


@pytest.mark.parametrize(("decay", "lane", "stage"), [
    (0.01, "float32", None), (0.01, "float64", "update"), (0.02, "float32", "census")])
def test_lamb_of_paddle_beside_one_of_a_user(decay, lane, stage):
    """Paddle's makes its norms in float32, whatever the weights are."""
    first = followed(TorchLamb, lambda p: P.Lamb(0.01, decay, parameters=p), lane=lane).report.first
    assert (first and first.key.stage) == stage


@pytest.mark.parametrize(("iterations", "verdict"), [(4, "same"), (3, "diverged")])
def test_an_optimizer_that_calls_the_loss_by_itself(iterations, verdict):
    def build(layer, optimizer, clear):
        def training():
            net = layer(4, 2)
            update = optimizer(net.parameters())

            def step(x):
                def closure():
                    getattr(update, clear)()
                    loss = (net(x) - 1).square().mean()
                    loss.backward()
                    return loss

                return update.step(closure)

            return step

        return training

    training = Training(build(torch.nn.Linear, lambda p: T.LBFGS(p, 0.5, max_iter=4), "zero_grad"),
                        build(paddle.nn.Linear, lambda p: P.LBFGS(0.5, iterations, parameters=p), "clear_grad"), [normal(6, 4)])
    for mode in ("free", "resync"):
        assert follow(training.subject(), steps=2, mode=mode, differences=ALL).verdict == verdict


# --- the table ---------------------------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "docs" / "optimizers.md"
VARIANTS = {"Nesterov": "SGD", "AMSGrad": "Adam"}
RULES = {"RMSprop": ("rmsprop_epsilon", "rmsprop_velocity"), "Adamax": ("adamax_epsilon",), "ASGD": ("asgd_algorithm",)}
FAULTS = {name: setting for name, (setting, _) in MISTAKES.items()} | {"SGD": "lr", "AdamW": "weight_decay"}  # in test_own_training


def page():
    """The page, of what the tests above hold true."""
    lines = []
    for kind in KINDS:
        names = [name for name in CASES if VARIANTS.get(name, name) == kind.name]
        differences = list(dict.fromkeys([*filter(None, (EXPLAINED[name] for name in names)), *RULES.get(kind.name, ())]))
        carried = ", ".join(f"`{name}`" for name in kind.moments) or "nothing"
        own = "nothing" if kind.whole else "all of it" if not kind.moments else "counters of steps"
        same = "with " + {"RMSprop": "epsilon 0, at a constant rate", "Adamax": "epsilon 0", "ASGD": "`lambd=0`, `batch_num=1`"}[
            kind.name] if kind.name in RULES else "yes"
        links = "; ".join(f"[{by_name(name).title}](differences.md#{name})" for name in differences) or "none"
        lines.append(f"| {kind.name} | {', '.join(kind.paddle)} | {carried}{' and the count of updates' if kind.counts else ''} | "
                     f"{own} | {same} | {links} | {', '.join(f'`{FAULTS[name]}`' for name in names)} |")
    return "\n".join(["# Optimizers in `parity steps`", "",
                      "Written by `python -m tests.steps.test_optimizers`; the tests in that file hold each cell true.", "",
                      "| torch.optim | paddle.optimizer | goes over between the sides | stays on its side | the same update | "
                      "known difference | another setting, found |", "|---" * 7 + "|", *lines, "",
                      "Any other optimizer (Lamb and LBFGS, Muon, Adafactor, one of the user's own) is followed as well: gradients "
                      "before its step are compared, then what it makes of the weights, and those settings that both sides call "
                      "alike. What it remembers stays on each side; the report says so. Paddle's Lamb makes its norms in float32: "
                      "in the float64 lane a right twin is 1e-8 off.", ""])


def test_the_page():
    assert PAGE.read_text() == page()


if __name__ == "__main__":
    PAGE.write_text(page())
