"""Faults of the training step: right networks, wrong training. None shows in a forward or a backward alone."""

from __future__ import annotations

from contextlib import contextmanager
from unittest import mock

import paddle

import paddle_impl.optimizer
import paddle_impl.training
from parity.fixes.edit import Edit
from parity.ugatit.faults.fault import Answer, Fault

_TRAINING = "paddle_impl.training:Training"
_D = _TRAINING + ".discriminator_step"
_G = _TRAINING + ".generator_step"


@contextmanager
def _adamw():
    """Weight decay that acts on the weight itself instead of on the gradient."""

    class AdamW(paddle.optimizer.AdamW):
        updates: dict = {}

    def adam(parameters, lr, betas, eps, weight_decay):
        return AdamW(lr, *betas, eps, list(parameters), weight_decay=weight_decay)

    with mock.patch.object(paddle_impl.training, "adam", adam):
        yield


def _copies(parameters):
    """What a deepcopy of the model, or its weights rebuilt after loading, hands to the optimizer."""
    return [paddle.create_parameter(p.shape, p.dtype) for p in parameters]


def _undecayed(attribute):
    """The parameter's own regularizer, of coefficient 0: it overrides the optimizer's weight_decay."""
    attribute.regularizer = paddle.regularizer.L2Decay(0.0)
    return attribute


def _replaced(parameters, weight):
    """The optimizer's list, with a weight that the network no longer has: loading replaced it."""
    return [paddle.create_parameter(p.shape, p.dtype) if p is weight else p for p in parameters]


TRAINING_FAULTS = (
    Fault(
        "fakes_detached", "ports by hand",
        "the D step detaches the fakes: same losses, but no gradient reaches the generators (the official code lets it)",
        "do not detach",
        Answer("training", "gradients", "dis*", None, None, 1, "D"),
        edits=(Edit(_D, "fake_A2B, _, _ = self.genA2B(real_A)",
                    "fake_A2B, _, _ = (value.detach() for value in self.genA2B(real_A))"),
               Edit(_D, "fake_B2A, _, _ = self.genB2A(real_B)",
                    "fake_B2A, _, _ = (value.detach() for value in self.genB2A(real_B))")),
    ),
    Fault(
        "G_gradients_not_cleared", "Paddle 3 accumulates where 1.8 overwrote",
        "the D step's gradients stay in the generators and are added to the G step's",
        "G_optim.clear_grad() before the G step",
        Answer("training", "gradients", "gen*", None, "clear_grad(self.G_optim)", 1, "G"),
        edits=(Edit(_G, "clear_grad(self.G_optim)", "pass"),),
    ),
    Fault(
        "D_gradients_not_cleared", "Paddle 3 accumulates where 1.8 overwrote; D loss 1.9e-2 off at step 10",
        "the G step's gradients stay in the discriminators",
        "D_optim.clear_grad() before the D step",
        Answer("training", "gradients", "dis*", None, "clear_grad(self.D_optim)", 1, "D"),
        edits=(Edit(_D, "clear_grad(self.D_optim)", "pass"),),
    ),
    Fault(
        "one_network_only", "port write-ups: the loss does not fall", "the optimizer holds the parameters of one generator only",
        "hand over the parameters of all its networks",
        Answer("training", "census", "G_optim", "parameters", "self.G_optim = adam(", 0),
        edits=(Edit(_TRAINING + ".__init__", "G_parameters = [*self.genA2B.parameters(), *self.genB2A.parameters()]",
                    "G_parameters = [*self.genA2B.parameters()]"),),
    ),
    Fault(
        "optimizer_holds_copies", "copy.deepcopy of a model, weights replaced after the optimizer was built",
        "the optimizer updates tensors that no network uses",
        "build the optimizer last, from the model's own parameters",
        Answer("training", "census", "G_optim", "parameters", "self.G_optim = adam(", 0),
        edits=(Edit(_TRAINING + ".__init__", "self.G_optim = adam(G_parameters,", "self.G_optim = adam(_copies(G_parameters),",
                    {"_copies": _copies}),),
    ),
    Fault(
        "buffers_trained", "Paddle issue 26721: 144 tensors instead of 60",
        "u and v of the spectral norm are handed to the optimizer as well",
        "hand over parameters() only",
        Answer("training", "census", "D_optim", "parameters", "self.D_optim = adam(", 0),
        edits=(Edit(_TRAINING + ".__init__", "*self.disLA.parameters(), *self.disLB.parameters()]",
                    "*self.disLA.parameters(), *self.disLB.parameters(), *self.disLA.buffers()]"),),
    ),
    Fault(
        "no_lr_decay", "port2020", "the learning rate stays",
        "subtract lr0 / (iteration // 2) before each step of the second half",
        Answer("training_decay", "update", "*_optim", "lr", "self.D_optim.step()", 3, "D"),
        edits=(Edit(_TRAINING + ".decay_lr", "if step > self.iteration // 2:", "if False:"),),
    ),
    Fault(
        "lr_decay_off_by_one", "ports by hand", "the decay begins a step early",
        "step > iteration // 2",
        Answer("training_decay", "update", "*_optim", "lr", "self.D_optim.step()", 2, "D"),
        edits=(Edit(_TRAINING + ".decay_lr", "if step > self.iteration // 2:", "if step >= self.iteration // 2:"),),
    ),
    Fault(
        "no_weight_decay", "ports by hand", "no weight decay",
        "weight_decay=1e-4",
        Answer("training", "census", "*_optim", "weight_decay", "_optim = adam(", 0),
        edits=(Edit("paddle_impl.optimizer:adam", "list(parameters), weight_decay)", "list(parameters))"),),
    ),
    Fault(
        "decoupled_weight_decay", "ports by hand", "AdamW for Adam with L2: the same coefficient, another update",
        "Adam(weight_decay=...), which Paddle couples as torch does",
        Answer("training", "census", "*_optim", "kind", "_optim = adam(", 0),
        patch=_adamw,
    ),
    Fault(
        "betas_swapped", "ports by hand", "beta1 and beta2 exchanged",
        "Adam(beta1=0.5, beta2=0.999)",
        Answer("training", "census", "*_optim", "beta1", "_optim = adam(", 0),
        edits=(Edit("paddle_impl.optimizer:adam", "Adam(lr, *betas,", "Adam(lr, *betas[::-1],"),),
    ),
    Fault(
        "no_rho_clip", "ports by hand", "rho leaves [0, 1]",
        "clip rho of both generators after the G step",
        Answer("training_initial", "state", "gen*", "rho", None, 1, None),
        edits=(Edit(_TRAINING + ".clip_rho", "paddle.assign(rho, parameter)", "pass"),),
    ),
    Fault(
        "steps_swapped", "ports by hand", "the G step comes before the D step",
        "D first, then G with the updated discriminators",
        Answer("training", "gradients", "dis*", None, None, 1, "D"),
        edits=(Edit(_TRAINING + ".step", "D_losses = self.discriminator_step(real_A, real_B)",
                    "G_losses = self.generator_step(real_A, real_B)"),
               Edit(_TRAINING + ".step", "        G_losses = self.generator_step(real_A, real_B)\n        self.clip_rho()",
                    "        D_losses = self.discriminator_step(real_A, real_B)\n        self.clip_rho()")),
    ),
    Fault(
        "wrong_label", "ports by hand", "one of sixteen labels is wrong: a real picture called fake",
        "adversarial_loss(real_GA_logit, True)",
        Answer("training", "forward", "", "target", "D_ad_loss_GA = ", 1, "D"),
        edits=(Edit(_D, "D_ad_loss_GA = adversarial_loss(real_GA_logit, True)",
                    "D_ad_loss_GA = adversarial_loss(real_GA_logit, False)"),),
    ),
    Fault(
        "wrong_loss_weight", "ports by hand", "the cycle weight of one direction is 1 instead of 10",
        "self.cycle_weight * G_cycle_loss_A",
        Answer("training", "losses", "", "G_loss_A", "self.cycle_weight * G_cycle_loss_A", 1, "G"),
        edits=(Edit(_G, "self.cycle_weight * G_cycle_loss_A", "G_cycle_loss_A"),),
    ),
    Fault(
        "l2_for_l1", "ports by hand", "squared instead of absolute differences in the cycle loss",
        "mean absolute difference",
        Answer("training", "losses", "", "loss", "loss = F.l1_loss(reconstruction, image)", 1, "G"),
        edits=(Edit("paddle_impl.losses:cycle_loss", "paddle.abs(", "paddle.square("),),
    ),
    Fault(
        "bce_without_logits", "ports by hand", "a sigmoid too many: the CAM logits enter BCE-with-logits as probabilities",
        "hand over the logits",
        Answer("training", "losses", "", "loss", "loss = F.binary_cross_entropy_with_logits", 1, "G"),
        edits=(Edit("paddle_impl.losses:cam_loss", "binary_cross_entropy_with_logits(logit,",
                    "binary_cross_entropy_with_logits(paddle.nn.functional.sigmoid(logit),"),),
    ),
    Fault(
        "eval_mode_left_on", "ports by hand", "after the test pictures the networks stay in eval mode: u and v stand still",
        "train() before each step",
        Answer("training", "forward", "dis*", "output", "spectral_norm(nn.Conv2d", 1, "D"),
        edits=(Edit(_TRAINING + ".step", "self.decay_lr(step)",
                    "self.decay_lr(step); [network.eval() for network in self.networks.values()]"),),
    ),
    Fault(
        "uv_advanced_twice", "ports by hand", "two power iterations per forward",
        "one iteration per training forward",
        Answer("training", "forward", "dis*", "output", "spectral_norm(nn.Conv2d", 1, "D"),
        edits=(Edit("paddle_impl.spectral:_divide_by_sigma", "u = normalize(paddle.matmul(matrix, v), EPS)",
                    "u = normalize(matrix @ normalize(matrix.t() @ normalize(matrix @ v, EPS), EPS), EPS)"),),
    ),
    Fault(
        "domains_swapped", "ports by hand", "batch A where B belongs",
        "genA2B gets pictures of A",
        Answer("training", "forward", "genA2B", "input[0]", "fake_A2B, _, _ = self.genA2B(real_A)", 1, "D"),
        edits=(Edit(_D, "fake_A2B, _, _ = self.genA2B(real_A)", "fake_A2B, _, _ = self.genA2B(real_B)"),
               Edit(_D, "fake_B2A, _, _ = self.genB2A(real_B)", "fake_B2A, _, _ = self.genB2A(real_A)")),
    ),
    Fault(
        "weight_replaced", "traps of Paddle 3.3.1: a weight assigned after the optimizer was built",
        "one weight of the network is another tensor than the optimizer's, and stands still (loss 5.32 -> 5.10 instead of 0.01)",
        "set_value, or build the optimizer last",
        Answer("training", "census", "G_optim", "parameters", "self.G_optim = adam(", 0),
        edits=(Edit(_TRAINING + ".__init__", "self.G_optim = adam(G_parameters,",
                    "self.G_optim = adam(_replaced(G_parameters, self.genB2A.conv1x1.weight),", {"_replaced": _replaced}),),
    ),
    Fault(
        "biases_not_decayed", "ports by hand; a ParamAttr regularizer overrides weight_decay",
        "no weight decay of biases: a recipe of other networks, not of this one",
        "no regularizer of their own",
        Answer("training", "census", "*_optim", "weight_decay", "_optim = adam(", 0),
        edits=(Edit("paddle_impl.layers:conv2d", "bias_attr=_like_torch(fan_in) if bias else False",
                    "bias_attr=_undecayed(_like_torch(fan_in)) if bias else False", {"_undecayed": _undecayed}),),
    ),
    Fault(
        "minimize_without_backward", "Paddle 3: minimize(loss) does no backward, in Paddle 1 it did",
        "the generators never get a gradient; only weight decay moves them",
        "loss.backward(); optimizer.step()",
        Answer("training", "gradients", "dis*.conv", "output", "self.conv = spectral_norm(", 1, "G"),
        edits=(Edit(_G, "Generator_loss.backward()", "self.G_optim.minimize(Generator_loss)"),
               Edit(_G, "self.G_optim.step()", "pass")),
    ),
    Fault(
        "graph_cut", "traps of Paddle 3.3.1: to_tensor(tensor), .numpy(), .detach()",
        "a tensor made anew of a tensor: the cycle loss is right, and nothing of it reaches the first generator",
        "pass the tensor itself",
        Answer("training", "gradients", "gen*", None, None, 1, "G"),
        edits=(Edit(_G, "self.genB2A(fake_A2B)", "self.genB2A(paddle.to_tensor(fake_A2B))"),),
    ),
    Fault(
        "silent_broadcast", "traps of Paddle 3.3.1: mse_loss([N, 1], [N])",
        "a picture of three channels held against one of them: shapes broadcast, the loss looks plausible",
        "compare shapes before subtracting",
        Answer("training", "losses", "", "loss", "loss = F.l1_loss(identity, image)", 1, "G"),
        edits=(Edit("paddle_impl.losses:identity_loss", "paddle.abs(identity - image)", "paddle.abs(identity - image[:, 0])"),),
    ),
    Fault(
        "rho_clipped_in_one", "ports by hand", "the rho of one generator only is clipped",
        "clip rho of both generators",
        Answer("training_initial", "state", "genB2A.*", "rho", None, 1, None),
        edits=(Edit(_TRAINING + ".clip_rho", "(self.genA2B, self.genB2A)", "(self.genA2B,)"),),
    ),
)
