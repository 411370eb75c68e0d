"""Healthy runs, the plain ones and those that are odd but correct."""

from __future__ import annotations

import copy
import itertools

from exams.doctor.sitting import PROGRAMS, Sitting

_INIT, _STEP = "Training.__init__", "Training.step"
_FRAMEWORKS = ("paddle", "torch")


def _both(name: str, program: str, edits: dict[str, tuple[tuple[str, str, str], ...]], **options) -> list[Sitting]:
    return [Sitting(name, program, framework, edits[framework], **options) for framework in edits]


PLAIN = [Sitting("plain", program, framework) for program in PROGRAMS for framework in ("paddle", "torch")]

ODD = list(
    itertools.chain(
        _both(
            "frozen layers",
            "classifier",
            {
                "paddle": (
                    (
                        _INIT,
                        "self.net.to(dtype=dtype)",
                        "self.net.to(dtype=dtype); [setattr(p, 'stop_gradient', True) for p in self.net.conv1.parameters()]",
                    ),
                ),
                "torch": (
                    (
                        _INIT,
                        "self.net.to(dtype=getattr(torch, dtype))",
                        "self.net.to(dtype=getattr(torch, dtype)); self.net.conv1.requires_grad_(False)",
                    ),
                ),
            },
        ),
        _both(
            "frozen layers left out of the optimizer",
            "series",
            {
                "paddle": (
                    (
                        _INIT,
                        "parameters = self.net.parameters()",
                        "[setattr(p, 'stop_gradient', True) for p in "
                        "self.net.table.parameters()]; parameters = [p for p in self.net.parameters() if not p.stop_gradient]",
                    ),
                ),
                "torch": (
                    (
                        _INIT,
                        "parameters = self.net.parameters()",
                        "self.net.table.requires_grad_(False); "
                        "parameters = [p for p in self.net.parameters() if p.requires_grad]",
                    ),
                ),
            },
        ),
        _both(
            "shared layers",
            "series",
            dict.fromkeys(_FRAMEWORKS, (("Cell.__init__", "self.candidate = nn.Linear(width + size, size)",
                                                  "self.candidate = self.gate"),)),
            declared=("module-repeated",),
        ),
        _both(
            "a tied weight",
            "series",
            {
                "paddle": (
                    (
                        "Net.__init__",
                        "self.cell = Cell(6, 16)",
                        "self.cell = Cell(6, 16); self.cell.gate.weight = self.cell.candidate.weight",
                    ),
                ),
                "torch": (
                    (
                        "Net.__init__",
                        "self.cell = Cell(6, 16)",
                        "self.cell = Cell(6, 16); self.cell.gate.weight = self.cell.candidate.weight",
                    ),
                ),
            },
        ),
        _both(
            "gradients accumulated over two backwards",
            "classifier",
            dict.fromkeys(_FRAMEWORKS, ((_STEP, "loss.backward()",
                "(loss / 2).backward(); (F.cross_entropy(self.net(x), y) / 2).backward()"),)),
        ),
        _both(
            "gradients accumulated over two iterations",
            "series",
            {
                "paddle": (
                    (_STEP, "self.optim.clear_grad()", "number % 2 and self.optim.clear_grad()"),
                    (_STEP, "self.optim.step()", "number % 2 or self.optim.step()"),
                ),
                "torch": (
                    (_STEP, "self.optim.zero_grad(set_to_none=False)", "number % 2 and self.optim.zero_grad()"),
                    (_STEP, "self.optim.step()", "number % 2 or self.optim.step()"),
                ),
            },
        ),
        _both(
            "cleared after the step",
            "classifier",
            {
                "paddle": (
                    (_STEP, "self.optim.clear_grad()", "pass"),
                    (_STEP, "self.optim.step()", "self.optim.step(); self.optim.clear_grad()"),
                ),
                "torch": (
                    (_STEP, "self.optim.zero_grad(set_to_none=False)", "pass"),
                    (_STEP, "self.optim.step()", "self.optim.step(); self.optim.zero_grad()"),
                ),
            },
        ),
        _both(
            "two optimizers",
            "series",
            {
                "paddle": (
                    (
                        _INIT,
                        "parameters = self.net.parameters()",
                        "parameters = self.net.cell.parameters() + self.net.table.parameters(); "
                        "self.second = paddle.optimizer.SGD(0.1, parameters="
                        "self.net.head.parameters() + self.net.side.parameters())",
                    ),
                    (_STEP, "self.optim.clear_grad()", "self.optim.clear_grad(); self.second.clear_grad()"),
                    (_STEP, "self.optim.step()", "self.optim.step(); self.second.step()"),
                ),
                "torch": (
                    (
                        _INIT,
                        "parameters = self.net.parameters()",
                        "parameters = [*self.net.cell.parameters(), *self.net.table.parameters()]; "
                        "self.second = torch.optim.SGD([*self.net.head.parameters(), *self.net.side.parameters()], 0.1)",
                    ),
                    (_STEP, "self.optim.zero_grad(set_to_none=False)", "self.optim.zero_grad(); self.second.zero_grad()"),
                    (_STEP, "self.optim.step()", "self.optim.step(); self.second.step()"),
                ),
            },
        ),
        _both(
            "lr warm-up from 0",
            "classifier",
            {
                "paddle": (
                    (
                        _INIT,
                        "paddle.optimizer.lr.StepDecay(0.01, step_size=10, gamma=0.5)",
                        "paddle.optimizer.lr.LambdaDecay(0.01, lambda step: min(1.0, step / 5))",
                    ),
                ),
                "torch": (
                    (
                        _INIT,
                        "torch.optim.lr_scheduler.StepLR(self.optim, step_size=10, gamma=0.5)",
                        "torch.optim.lr_scheduler.LambdaLR(self.optim, lambda step: min(1.0, step / 5))",
                    ),
                ),
            },
        ),
        _both(
            "a scheduler stepped once an epoch",
            "classifier",
            dict.fromkeys(_FRAMEWORKS, ((_STEP, "self.scheduler.step()", "number % 8 or self.scheduler.step()"),)),
        ),
        _both(
            "a scheduler stepped once in a long epoch",
            "classifier",
            dict.fromkeys(_FRAMEWORKS, ((_STEP, "self.scheduler.step()", "number % 500 or self.scheduler.step()"),)),
            declared=("scheduler-idle",),
        ),
        _both(
            "the loss logged as a number",
            "series",
            dict.fromkeys(_FRAMEWORKS, ((_STEP, 'return {"loss": loss.detach()}',
                "shown = float(loss) + loss.item(); return {'loss': loss.detach() * shown / shown}"),)),
        ),
        _both(
            "a teacher in eval mode",
            "classifier",
            {
                "paddle": (
                    (_INIT, "self.images, self.labels", "self.teacher = Net(); self.teacher.eval(); self.images, self.labels"),
                    (
                        _STEP,
                        "loss = F.cross_entropy(logits, y)",
                        "loss = F.cross_entropy(logits, y) + 0.01 * F.mse_loss(logits, self.teacher(x).detach())",
                    ),
                ),
                "torch": (
                    (_INIT, "self.images, self.labels", "self.teacher = Net(); self.teacher.eval(); self.images, self.labels"),
                    (
                        _STEP,
                        "loss = F.cross_entropy(logits, y)",
                        "loss = F.cross_entropy(logits, y) + 0.01 * F.mse_loss(logits, self.teacher(x).detach())",
                    ),
                ),
            },
            declared=("frozen-network",),
        ),
        _both(
            "batch norm frozen on purpose",
            "classifier",
            dict.fromkeys(_FRAMEWORKS, ((_STEP, "self.net.train()", "self.net.train(); self.net.norm1.eval()"),)),
            declared=("frozen-statistics",),
        ),
        _both(
            "clipped gradients",
            "series",
            {
                "paddle": ((_INIT, "Adam(0.02, parameters", "Adam(0.02, grad_clip=nn.ClipGradByGlobalNorm(0.1), parameters"),),
                "torch": (
                    (_STEP, "loss.backward()", "loss.backward(); torch.nn.utils.clip_grad_norm_(self.net.parameters(), 0.1)"),
                ),
            },
        ),
        _both(
            "a validation pass between the steps",
            "classifier",
            {
                "paddle": ((_STEP, "self.net.train()",
                            "self.net.eval(); paddle.no_grad()(lambda x: self.net(x))(x); self.net.train()"),),
                "torch": ((_STEP, "self.net.train()", "self.net.eval(); torch.no_grad()(self.net)(x); self.net.train()"),),
            },
        ),
        _both(
            "one batch learned by heart, declared",
            "classifier",
            dict.fromkeys(_FRAMEWORKS, (("Training.batch", "divmod(number - 1,", "divmod(0,"),)),
            expect=("batch-constant",),
        ),
        _both(
            "dropout",
            "series",
            {
                "paddle": (("Net.forward", "logits = self.side(h)", "logits = self.side(F.dropout(h, 0.2))"),),
                "torch": (("Net.forward", "logits = self.side(h)", "logits = self.side(F.dropout(h, 0.2))"),),
            },
        ),
        _both(
            "an average of the weights beside",
            "series",
            {
                "paddle": (
                    (_STEP, "self.optim.step()", "self.optim.step(); self.average = copy.deepcopy(self.net.state_dict())"),
                ),
                "torch": (
                    (_STEP, "self.optim.step()", "self.optim.step(); self.average = copy.deepcopy(self.net.state_dict())"),
                ),
            },
            names={"copy": copy},
        ),
        _both(
            "plain SGD",
            "series",
            {
                "paddle": ((_INIT, "paddle.optimizer.Adam(0.02,", "paddle.optimizer.SGD(0.2,"),),
                "torch": ((_INIT, "torch.optim.Adam(parameters, 0.02)", "torch.optim.SGD(parameters, 0.2)"),),
            },
        ),
        _both(
            "fakes detached in the D step",
            "ugatit",
            {
                "paddle": (
                    ("Training.discriminator_step", "self.disGA(fake_B2A)", "self.disGA(fake_B2A.detach())"),
                    ("Training.discriminator_step", "self.disLA(fake_B2A)", "self.disLA(fake_B2A.detach())"),
                    ("Training.discriminator_step", "self.disGB(fake_A2B)", "self.disGB(fake_A2B.detach())"),
                    ("Training.discriminator_step", "self.disLB(fake_A2B)", "self.disLB(fake_A2B.detach())"),
                )
            },
        ),
        _both(
            "generators frozen for a phase, declared",
            "ugatit",
            {
                "torch": (
                    (
                        _INIT,
                        "G_parameters = [*self.genA2B.parameters(), *self.genB2A.parameters()]",
                        "G_parameters = [*self.genA2B.parameters()]",
                    ),
                )
            },
            expect=("network-unheld:genB2A",),
        ),
    )
)

HEALTHY: tuple[Sitting, ...] = (*PLAIN, *ODD)
