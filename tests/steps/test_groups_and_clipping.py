"""What an optimizer does with groups of parameters and with their gradients: rates of their own, and clipping in its step."""

import paddle
import pytest
import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from parity.declare.training import Training
from parity.differences import ALL
from parity.inputs import normal
from parity.steps.follow import follow


def torch_training(optimizer, clip=None):
    """clip: of the norm of all, or a function of the parameters."""
    by = clip if callable(clip) else lambda parameters: torch.nn.utils.clip_grad_norm_(parameters, clip)

    def build():
        first, last = torch.nn.Linear(4, 8), torch.nn.Linear(8, 3)
        update = optimizer(first, last)

        def step(x):
            loss = last(torch.tanh(first(x))).square().mean()
            update.zero_grad()
            loss.backward()
            if clip is not None:
                by([*first.parameters(), *last.parameters()])
            update.step()
            return loss

        return step

    return build


def paddle_training(optimizer, clip=None):
    def build():
        first, last = paddle.nn.Linear(4, 8), paddle.nn.Linear(8, 3)
        update = optimizer(first, last)

        def step(x):
            loss = last(paddle.tanh(first(x))).square().mean()
            update.clear_grad()
            loss.backward()
            if clip is not None:
                clip([*first.parameters(), *last.parameters()])
            update.step()
            return loss

        return step

    return build


def torch_sgd(first, last):
    return torch.optim.SGD([*first.parameters(), *last.parameters()], 0.5)


def paddle_sgd(**options):
    return lambda first, last: paddle.optimizer.SGD(0.5, [*first.parameters(), *last.parameters()], **options)


def torch_rates(first, last):
    return torch.optim.SGD([{"params": first.parameters(), "lr": 0.01}, {"params": last.parameters()}], 0.1)


def paddle_rates(slow, of=0):
    def build(*layers):
        groups = [{"params": layer.parameters(), "learning_rate": slow if number == of else 1.0}
                  for number, layer in enumerate(layers)]
        return paddle.optimizer.SGD(0.1, groups)

    return build


def found(reference, twin, mode="free"):
    return follow(Training(reference, twin, [normal(6, 4)]).subject(), steps=2, mode=mode, differences=ALL)


@pytest.mark.parametrize("mode", ["free", "resync"])
def test_groups_with_rates_of_their_own(mode):
    assert found(torch_training(torch_rates), paddle_training(paddle_rates(0.1)), mode).verdict == "same"


@pytest.mark.parametrize("twin", [paddle_rates(0.01), paddle_rates(0.1, of=1)])  # another rate; another layer
def test_a_group_with_another_rate(twin):
    report = found(torch_training(torch_rates), paddle_training(twin)).report
    assert (report.first.key.stage, report.first.key.variable) == ("census", "lr")
    assert any(finding.key.stage == "update" for finding in report.diverged)


def test_rates_that_part_in_the_course_of_a_training():
    """The census saw nothing: the first step is where the twin's second group falls behind."""
    def late(*layers):
        optimizer = paddle_rates(0.1)(*layers)
        step = optimizer.step

        def and_then():
            step()
            for parameter in layers[1].parameters():
                parameter.optimize_attr["learning_rate"] = 0.5

        optimizer.step = and_then
        return optimizer

    first = found(torch_training(torch_rates), paddle_training(late)).report.first
    # After the step, or, as the step is made alone a second time, when Paddle's parameters have the new rate already, in it.
    assert first.key.stage in ("state", "update") and (first.key.step, first.key.variable) == (1, "lr")


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize("groups", [False, True])
def test_clipping_by_the_optimizer_is_clipping_before_it(mode, groups):
    clip = paddle.nn.ClipGradByGlobalNorm(0.2)
    of_all = paddle_sgd(grad_clip=clip)

    def of_groups(*layers):
        return paddle.optimizer.SGD(0.5, [{"params": [*layers[0].parameters(), *layers[1].parameters()], "grad_clip": clip}])

    twin = paddle_training(of_groups if groups else of_all)
    assert found(torch_training(torch_sgd, clip=0.2), twin, mode).verdict == "same"


def each(parameters):
    for parameter in parameters:
        clip_grad_norm_(parameter, 0.05)


def by_hand(parameters):
    with torch.no_grad():
        norm = torch.sqrt(sum(parameter.grad.square().sum() for parameter in parameters))
        for parameter in parameters:
            parameter.grad.mul_(torch.clamp(0.2 / norm, max=1.0))


UTILS = paddle.nn.utils
OF_ALL = paddle.nn.ClipGradByGlobalNorm(0.2)


@pytest.mark.parametrize(("ours", "theirs", "options"), [
    (lambda p: clip_grad_value_(p, 0.02), None, {"grad_clip": paddle.nn.ClipGradByValue(0.02)}),
    (lambda p: clip_grad_value_(p, 0.02), lambda p: UTILS.clip_grad_value_(p, 0.02), {}),
    (each, None, {"grad_clip": paddle.nn.ClipGradByNorm(0.05)}),
    (0.2, lambda p: UTILS.clip_grad_norm_(p, 0.2), {}),
    (lambda p: clip_grad_norm_(p, 0.2, float("inf")), lambda p: UTILS.clip_grad_norm_(p, 0.2, float("inf")), {}),
    (by_hand, None, {"grad_clip": OF_ALL}),  # the same, though only one side's is seen to be called
    (100.0, None, {}),  # nothing to clip
], ids=["value", "value, called", "each", "all, called", "largest", "by hand", "far away"])
def test_the_same_clipping(ours, theirs, options):
    assert found(torch_training(torch_sgd, clip=ours), paddle_training(paddle_sgd(**options), theirs)).verdict == "same"


@pytest.mark.parametrize("mode", ["free", "resync"])
@pytest.mark.parametrize(("ours", "theirs", "options", "said"), [
    (0.2, None, {}, "by the norm of 4 tensors together, to 0.2 in the reference, by nothing that the framework offers in the twin"),
    (0.2, None, {"grad_clip": paddle.nn.ClipGradByGlobalNorm(0.3)}, "to 0.2 in the reference, by the norm of 4 tensors together, "
     "to 0.3 in the twin"),
    (0.2, None, {"grad_clip": paddle.nn.ClipGradByValue(0.2)}, "by value, to [-0.2, 0.2] in the twin"),
    (0.2, None, {"grad_clip": paddle.nn.ClipGradByNorm(0.2)}, "by the norm of each of 4 tensors, to 0.2 in the twin"),
    (0.2, lambda p: UTILS.clip_grad_norm_(p, 0.2, 1.0), {}, "by the norm 1 of 4 tensors together"),
    (0.2, lambda p: UTILS.clip_grad_norm_(p[:2], 0.2), {}, "by the norm of 2 tensors together, to 0.2 in the twin"),
    (None, None, {"grad_clip": OF_ALL}, "by nothing that the framework offers in the reference"),
], ids=["none", "another bound", "by value", "each", "another norm", "half of them", "twin only"])
def test_clipping_by_something_else_is_the_cause(ours, theirs, options, said, mode):
    first = found(torch_training(torch_sgd, clip=ours), paddle_training(paddle_sgd(**options), theirs), mode).report.first
    assert (first.key.stage, first.key.step) == ("gradients", 1) and said in first.cause


def test_another_gradient_is_not_laid_to_a_clipping_alike():
    def twice(first, last):
        optimizer = paddle_sgd(grad_clip=OF_ALL)(first, last)
        last.weight.register_hook(lambda gradient: 2 * gradient)
        return optimizer

    first = found(torch_training(torch_sgd, clip=0.2), paddle_training(twice)).report.first
    assert first.key.stage == "gradients" and "clipped" not in (first.cause or "")
