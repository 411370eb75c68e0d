"""Mistakes of training loops as people write them: accumulation, clipping, warm-up, groups without decay, an average of weights.

One step of the loop is one small batch; every second one updates. Each mistake is a change of the right twin, found where it acts.
"""

import paddle
import pytest
import torch

from parity.declare.training import Training
from parity.differences import ALL
from parity.inputs import integers, normal
from parity.steps.follow import follow

RATES = (0.25, 0.5, 0.75, 1.0)  # of the warm-up, by update


class TorchLoop:
    def __init__(self):
        nn = torch.nn
        self.net = nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.ReLU(), nn.Linear(6, 3))
        self.net[0].bias.requires_grad_(False)
        decayed = [p for p in self.net.parameters() if p.ndim > 1]
        others = [p for p in self.net.parameters() if p.ndim < 2 and p.requires_grad]
        groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
        self.update = torch.optim.AdamW(groups, 1e-2)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.update, lambda n: RATES[min(n, 3)])
        self.average = {name: p.detach().clone() for name, p in self.net.named_parameters()}
        self.seen = 0

    def step(self, x, target):
        self.net.train()
        loss = torch.nn.functional.cross_entropy(self.net(x), target)
        (loss / 2).backward()
        self.seen += 1
        if self.seen % 2 == 0:
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), 0.05)
            self.update.step()
            self.update.zero_grad()
            self.schedule.step()
            for name, p in self.net.named_parameters():
                self.average[name] = 0.9 * self.average[name] + 0.1 * p.detach()
        return loss


class PaddleLoop:
    """The twin: every keyword is where a mistake can be made."""

    def __init__(self, rate=1e-2, decay=0.1, exempt=True, betas=(0.9, 0.999), epsilon=1e-8, kind="AdamW", rates=RATES, frozen=True,
                 clip="all", bound=0.05, share=2, every=2, clears=(0,), ema=0.9, ema_every=2, ema_first=False, scheduled=2,
                 schedule_first=False, missing=0, twice=False, smoothing=0.0, total="mean", penalty=0.0, slow=1.0,
                 norm_epsilon=1e-5, clip_late=False):
        nn = paddle.nn
        self.o = {name: value for name, value in locals().items() if name not in ("self", "nn")}
        self.net = nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6, norm_epsilon), nn.ReLU(), nn.Linear(6, 3))
        self.net[0].bias.stop_gradient = frozen
        plain = {p.name for p in self.net.parameters() if p.ndim < 2} if exempt else set()
        self.net[3].weight.optimize_attr["learning_rate"] = slow
        self.schedule = paddle.optimizer.lr.LambdaDecay(rate, lambda n: rates[min(n, len(rates) - 1)])
        held = [p for p in self.net.parameters() if not p.stop_gradient]
        self.held = held[:len(held) - missing]
        extra = {"apply_decay_param_fun": lambda name: name not in plain} if kind == "AdamW" else {}
        self.update = getattr(paddle.optimizer, kind)(self.schedule, *betas, epsilon, self.held, weight_decay=decay, **extra)
        self.average = {name: p.detach().clone() for name, p in self.net.named_parameters()}
        self.seen = 0

    def clip(self, parameters):
        held, utils, bound = [p for p in parameters if not p.stop_gradient], paddle.nn.utils, self.o["bound"]
        for group in {"all": [held], "each": [[p] for p in held], "first": [held[:2]], "value": [], "none": []}[self.o["clip"]]:
            utils.clip_grad_norm_(group, bound)
        if self.o["clip"] == "value":
            utils.clip_grad_value_(held, bound)

    def averaged(self):
        for name, p in self.net.named_parameters():
            self.average[name] = self.o["ema"] * self.average[name] + (1 - self.o["ema"]) * p.detach()

    def step(self, x, target):
        o = self.o
        self.net.train()
        loss = paddle.nn.functional.cross_entropy(self.net(x), target, reduction=o["total"], label_smoothing=o["smoothing"])
        if o["penalty"]:
            loss = loss + o["penalty"] * sum(p.square().sum() for p in self.net.parameters())
        (loss / o["share"]).backward()
        self.seen += 1
        if self.seen % o["every"] == 0:
            if not o["clip_late"]:
                self.clip(self.net.parameters())
            if o["ema_first"]:
                self.averaged()
            if o["schedule_first"]:
                self.schedule.step()
            self.update.step()
            if o["twice"]:
                self.update.step()
            if o["clip_late"]:
                self.clip(self.net.parameters())
        if self.seen % 2 in o["clears"]:
            self.update.clear_grad()
        if self.seen % o["scheduled"] == 0 and not o["schedule_first"]:
            self.schedule.step()
        if self.seen % o["ema_every"] == 0 and not o["ema_first"]:
            self.averaged()
        return loss


BATCH = [normal(5, 4), integers(5, high=3)]


def followed(mode="free", steps=6, twin_batch=None, batch=BATCH, **mistake):
    training = Training(TorchLoop, lambda: PaddleLoop(**mistake), batch, twin_batch=twin_batch)
    return follow(training.subject(), steps=steps, mode=mode, differences=ALL)


@pytest.mark.parametrize("mode", ["free", "resync"])
def test_the_right_twin(mode):
    found = followed(mode)
    assert found.verdict == "same" and found.steps == 6


MISTAKES = {  # the change, (stage, step, variable), of the cause or what the census says
    "learning rate": ({"rate": 2e-2}, ("census", 0, "lr"), "0.0025 in the reference, 0.005 in the twin"),
    "epsilon": ({"epsilon": 1e-6}, ("census", 0, "eps"), "1e-08 in the reference, 1e-06 in the twin"),
    "betas": ({"betas": (0.9, 0.99)}, ("census", 0, "beta2"), "0.999 in the reference, 0.99 in the twin"),
    "betas swapped": ({"betas": (0.999, 0.9)}, ("census", 0, "beta1"), "0.9 in the reference, 0.999 in the twin"),
    "decay of norms and biases": ({"exempt": False}, ("census", 0, "weight_decay"), "0.1 in the twin for 3 of"),
    "no decay": ({"decay": 0.0}, ("census", 0, "weight_decay"), "0.1 in the reference, 0.0 in the twin for 2 of"),
    "decay in the gradient": ({"kind": "Adam"}, ("census", 0, "kind"), "AdamW in the reference, Adam in the twin"),
    "a slow layer": ({"slow": 0.1}, ("census", 0, "lr"), "for 1 of"),
    "a layer that is not frozen": ({"frozen": False}, ("census", 0, "bias"), "trained"),
    "a parameter that nobody updates": ({"missing": 1}, ("census", 0, "parameters"), "in the reference only"),
    "epsilon of the norm": ({"norm_epsilon": 1e-6}, ("forward", 1, None), ""),
    "no clipping": ({"clip": "none"}, ("gradients", 2, "bias"), "by nothing that the framework offers in the twin"),
    "clipping of each": ({"clip": "each"}, ("gradients", 2, "bias"), "of each of 5 tensors"),
    "clipping of some": ({"clip": "first"}, ("gradients", 2, "bias"), "of 2 tensors together"),
    "clipping by value": ({"clip": "value"}, ("gradients", 2, "bias"), "by value"),
    "another bound": ({"bound": 0.1}, ("gradients", 2, "bias"), "to 0.1 in the twin"),
    "clipping after the step": ({"clip_late": True}, ("gradients", 2, "bias"), "by nothing that the framework offers"),
    "accumulation without division": ({"share": 1}, ("losses", 1, "backward"), ""),
    "accumulation over three": ({"every": 3}, ("gradients", 2, None), ""),
    "an update at each batch": ({"every": 1}, ("gradients", 1, None), ""),
    "cleared at each batch": ({"clears": (0, 1)}, ("gradients", 2, None), ""),
    "never cleared": ({"clears": ()}, ("gradients", 3, None), "in the twin only"),
    "warm-up off by one": ({"rates": (0.0, *RATES)}, ("census", 0, "lr"), "0.0 in the twin"),
    "warm-up that ends early": ({"rates": RATES[:3]}, ("state", 6, "lr"), ""),
    "a schedule per batch": ({"scheduled": 1}, ("state", 1, "lr"), ""),
    "a schedule per epoch": ({"scheduled": 4}, ("state", 2, "lr"), ""),
    "a schedule before the step": ({"schedule_first": True}, ("update", 2, "lr"), ""),
    "two steps": ({"twice": True}, ("gradients", 2, None), ""),
    "another decay of the average": ({"ema": 0.99}, ("state", 2, None), ""),
    "an average of each batch": ({"ema_every": 1}, ("state", 1, None), ""),
    "an average before the step": ({"ema_first": True}, ("state", 2, None), ""),
    "label smoothing": ({"smoothing": 0.1}, ("losses", 1, "loss"), ""),
    "a sum in place of a mean": ({"total": "sum"}, ("losses", 1, "loss"), ""),
    "decay as a penalty": ({"penalty": 1e-3}, ("losses", 1, None), ""),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_where_it_acts(name):
    change, place, said = MISTAKES[name]
    first = followed(steps=max(1, place[1]), **change).report.first
    assert first is not None
    assert (first.key.stage, first.key.step) == place[:2] and place[2] in (None, first.key.variable), str(first)
    assert said in (first.cause or first.deviation.trouble or ""), str(first)


def build(framework, slope, late):
    """A loop that updates at every second step, and clears before its backward, or (late) at the end of such a step."""
    def training():
        nn = framework.nn
        net = nn.Sequential(nn.Linear(4, 6), nn.LeakyReLU(slope), nn.Linear(6, 3))
        update = framework.optim.SGD(net.parameters(), 0.1) if framework is torch else paddle.optimizer.SGD(0.1, net.parameters())
        clear, seen = "zero_grad" if framework is torch else "clear_grad", [0]

        def step(x):
            if not late:
                getattr(update, clear)()
            loss = net(x).square().mean()
            loss.backward()
            seen[0] += 1
            if seen[0] % 2 == 0:
                update.step()
            if late:
                getattr(update, clear)()
            return loss

        return step

    return training


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize(("slope", "place"), [(0.1, None), (0.2, ("forward", 1, "net.1"))])
def test_a_step_that_does_not_update(slope, place, mode):
    """All that its user could see of a wrong module is a gradient, wherever the two clear it."""
    first = follow(Training(build(torch, 0.1, False), build(paddle, slope, True), [normal(5, 4)]).subject(), steps=1, mode=mode,
                   differences=ALL).report.first
    assert (first and (first.key.stage, first.key.step, first.key.module)) == place
