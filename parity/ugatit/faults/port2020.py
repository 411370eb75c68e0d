"""The nine faults that explain the 2020 port of U-GAT-IT to Paddle 1.8, and two that are part of them.

Seen on the real port, run on paddlepaddle 1.8.5 beside the official code: with these nine its figures are reproduced
(tests/ugatit/test_port2020.py), without them those of the official code.
"""

from __future__ import annotations

from parity.fixes.edit import Edit
from parity.ugatit.faults import fluid
from parity.ugatit.faults.fault import Answer, Fault

_CAM = "paddle_impl.attention:class_activation_map"
_ADALIN = "paddle_impl.norms:AdaLIN"
_LIN = "paddle_impl.norms:LIN"
_SPECTRAL = "paddle_impl.spectral:_divide_by_sigma"

PORT2020_FAULTS = (
    Fault(
        "gmp_G", "port2020",
        "generator CAM loss stays at chance (4 ln 2 = 2.773), and with its weight of 1000 the G loss does not go down",
        "pool the maximum: F.adaptive_max_pool2d(x, 1)",
        Answer("genA2B", "forward", "genA2B", "gmp", "gmp = F.adaptive_max_pool2d(x, 1)"),
        edits=(Edit(_CAM, "F.adaptive_max_pool2d(x, 1)",
                    'F.adaptive_max_pool2d(x, 1) if hasattr(gmp_fc, "weight_orig") else mean(x, axis=[2, 3])'),),
    ),
    Fault(
        "gmp_D", "port2020", "D loss 5e-3 off by step 10; update cosines .61-.66",
        "pool the maximum: F.adaptive_max_pool2d(x, 1)",
        Answer("disLA", "forward", "disLA", "gmp", "gmp = F.adaptive_max_pool2d(x, 1)"),
        edits=(Edit(_CAM, "F.adaptive_max_pool2d(x, 1)",
                    'mean(x, axis=[2, 3]) if hasattr(gmp_fc, "weight_orig") else F.adaptive_max_pool2d(x, 1)'),),
    ),
    Fault(
        "gmp_fc", "port2020", "D loss .10 off at step 1; gmp_fc of the discriminators is never trained by the logit",
        "gmp_logit = gmp_fc(...)",
        Answer("disLA", "forward", "disLA.gmp_fc", None, "gmp_logit = gmp_fc"),
        edits=(Edit(_CAM, "gmp_logit = gmp_fc(", 'gmp_logit = (gap_fc if hasattr(gmp_fc, "weight_orig") else gmp_fc)('),),
    ),
    Fault(
        "iln_eps", "port2020", "out 6e-4 off: the epsilon was passed as the operation's `name`",
        "add eps inside the square root",
        Answer("LIN", "forward", "LIN", "out_ln", "out_ln = "),
        edits=(Edit(_LIN + ".forward", "standardize(input, ln_mean, ln_var, self.eps)",
                    "standardize(input, ln_mean, ln_var, 0.0)"),),
    ),
    Fault(
        "rho", "port2020", "rho never moves from 0 in 100 steps: a clip in forward has no gradient at its bounds",
        "clip the parameter after the G step, not its value in forward",
        Answer("LIN_bounds", "forward", "LIN_bounds", "rho", "rho = self.rho.expand"),
        edits=(Edit(_LIN + ".forward", "rho = self.rho.expand(", "rho = clip_1_8(self.rho).expand(", {"clip_1_8": fluid.clip}),
               Edit(_ADALIN + ".forward", "rho = self.rho.expand(", "rho = clip_1_8(self.rho).expand(", {"clip_1_8": fluid.clip}),
               Edit("paddle_impl.training:Training.clip_rho", "paddle.assign(rho, parameter)", "pass")),
    ),
    Fault(
        "sn_dim", "port2020; Paddle issue 26229 (UGATIT)",
        "spectral norm of convolutions over the input channels: D loss .037 off by step 10",
        "spectral norm over dim 0 of a convolution's weight",
        Answer("disLA", "census", "disLA.model.1", "weight_u", "spectral_norm(nn.Conv2d(input_nc, ndf"),
        edits=(Edit("paddle_impl.spectral:_matrix", "weight.reshape([weight.shape[0], -1])",
                    "weight.transpose([1, 0, 2, 3]).reshape([weight.shape[1], -1])"),),
    ),
    Fault(
        "sn_update", "port2020; miraiwk/UGATIT-paddle",
        "u and v never written back, and the iteration runs in eval as well: right at step 1, D loss .11 off by step 10",
        "assign u and v after the power iteration; iterate in training only",
        Answer("disLA", "state", "disLA.model.1", None, "spectral_norm(nn.Conv2d(input_nc, ndf"),
        edits=(Edit(_SPECTRAL, "if layer.training:", "if True:"),
               Edit(_SPECTRAL, "paddle.assign(v, layer.weight_v)", "pass"),
               Edit(_SPECTRAL, "paddle.assign(u, layer.weight_u)", "pass")),
    ),
    Fault(
        "sn_grad", "port2020; the operator of paddle.nn.SpectralNorm to this day",
        "the spectral norm's backward is wrong: outputs right, D gradients .08 to .19 off, D loss 7e-3 off by step 10",
        "let autograd differentiate weight_orig / sigma",
        Answer("disLA", "gradients", "disLA.conv", "weight_orig", "self.conv = spectral_norm("),
        edits=(Edit(_SPECTRAL, "layer.weight = layer.weight_orig / sigma", "layer.weight = divide_by_sigma(layer, u, v, sigma)",
                    {"divide_by_sigma": fluid.divide_by_sigma}),),
    ),
    Fault(
        "adam_eps", "port2020 (Paddle 1.8.5)", "eps not bias-corrected: it acts 31.6 times larger at step 1",
        "none needed in Paddle 2 and 3",
        Answer("training", "update", "dis*", None, "self.D_optim.step()", 1, "D"),
        edits=(Edit("paddle_impl.optimizer:Adam.step", "        super().step()",
                    "        n = max(self.updates.values()); eps, self._epsilon = self._epsilon, "
                    "self._epsilon / (1 - self._beta2 ** n) ** 0.5; super().step(); self._epsilon = eps"),),
    ),
)

PORT2020 = tuple(fault.name for fault in PORT2020_FAULTS)
"""The nine names, in the order of the measurements."""

PARTS = (
    Fault(
        "rho_at_bounds", "port2020 (rho), at the initial value of LIN",
        "same outputs, but rho of LIN has gradient zero and stays 0",
        "clip the parameter after the G step, not its value in forward",
        Answer("LIN_initial", "gradients", "LIN_initial", "rho", None),
        edits=(Edit(_LIN + ".forward", "rho = self.rho.expand(", "rho = clip_1_8(self.rho).expand(", {"clip_1_8": fluid.clip}),),
    ),
    Fault(
        "sn_eval", "port2020 (sn_update)", "the power iteration runs in eval as well: test pictures change from call to call",
        "iterate in training mode only",
        Answer("disLA_eval", "forward", "disLA_eval.model.1", "output", "spectral_norm(nn.Conv2d(input_nc, ndf"),
        edits=(Edit(_SPECTRAL, "if layer.training:", "if True:"),),
    ),
)
"""What one of the nine does in another situation."""
