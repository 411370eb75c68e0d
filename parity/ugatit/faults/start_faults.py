"""Faults of the start of a training: initial weights, and what a resume brings back."""

from __future__ import annotations

from parity.fixes.edit import Edit
from parity.ugatit.faults import fluid
from parity.ugatit.faults.fault import Answer, Fault

_CONV = "paddle_impl.layers:conv2d"
_LOAD = "paddle_impl.training:Training.load_state"

START_FAULTS = (
    Fault(
        "conv_initialiser", "port2020; miraiwk/UGATIT-paddle; Paddle issue 79706: the default to this day",
        "convolutions start 2.45 times as large: G loss at step 1 is 7.9k-25k instead of 5.2k-9.0k",
        "uniform, bound 1 / sqrt(fan_in)",
        Answer("training_start", "census", "genA2B.conv1x1", "weight", "self.conv1x1 = nn.Conv2d("),
        edits=(Edit(_CONV, "weight_attr=_like_torch(fan_in)", "weight_attr=conv_weights(fan_in)",
                    {"conv_weights": fluid.conv_weights}),),
    ),
    Fault(
        "linear_initialiser", "port2020; PaddlePaddle/models pull request 5495: the default to this day",
        "Linear layers start 1.73 to 2.47 times as large",
        "uniform, bound 1 / sqrt(fan_in)",
        Answer("training_start", "census", "genA2B.gamma", "weight", "self.gamma = nn.Linear("),
        edits=(Edit("paddle_impl.layers:linear", "weight_attr=_like_torch(fan_in)", "weight_attr=linear_weights()",
                    {"linear_weights": fluid.linear_weights}),),
    ),
    Fault(
        "bias_initialiser", "port2020; PaddleScience pull request 1018: the default to this day",
        "biases start at 0, torch's do not",
        "uniform, bound 1 / sqrt(fan_in)",
        Answer("training_start", "census", "disGA.*", "bias", None),
        edits=(Edit(_CONV, "bias_attr=_like_torch(fan_in) if bias else False", "bias_attr=None if bias else False"),),
    ),
    Fault(
        "moments_lost_on_resume", "ports that save weights only, as the official code does; stylegan2-ada-pytorch issue 108",
        "after a resume Adam starts anew: its first update is as large for every weight",
        "save and load the optimizers' state",
        Answer("training_resumed", "update", "dis*", None, "self.D_optim.step()", 1, "D"),
        edits=(Edit(_LOAD, "set_moments(self.G_optim, G_parameters, G_moments)", "set_moments(self.G_optim, G_parameters, {})"),
               Edit(_LOAD, "set_moments(self.D_optim, D_parameters, D_moments)", "set_moments(self.D_optim, D_parameters, {})")),
    ),
    Fault(
        "updates_counted_from_1", "ports by hand",
        "moments come back, but not how many updates made them: the bias correction begins anew, updates are too small",
        "restore beta1_pow and beta2_pow with the moments",
        Answer("training_resumed", "update", "dis*", None, "self.D_optim.step()", 1, "D"),
        edits=(Edit("paddle_impl.optimizer:set_moments", 'held["updates"] if held else 0', "0"),),
    ),
    Fault(
        "lr_lost_on_resume", "port2020 (a resume counts from 1); PaddleGAN issue 350",
        "after a resume the learning rate is the initial one again",
        "restore the learning rate",
        Answer("training_resumed", "update", "*_optim", "lr", "self.D_optim.step()", 1, "D"),
        edits=(Edit(_LOAD, 'if "lr" in state:', "if False:"),),
    ),
    Fault(
        "discriminators_not_restored", "ports by hand",
        "only the generators are loaded: after a resume the discriminators are new",
        "load all six networks",
        Answer("training_resumed", "forward", "dis*", "output", "spectral_norm(nn.Conv2d(input_nc", 1, "D"),
        edits=(Edit(_LOAD, 'load_network(network, state["networks"][name])',
                    'name.startswith("gen") and load_network(network, state["networks"][name])'),),
    ),
)
