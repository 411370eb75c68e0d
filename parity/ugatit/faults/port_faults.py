"""What the public Paddle ports of U-GAT-IT do otherwise: each was seen in a port that ran on Paddle 1.8.5 beside the official code.

`seen_in` names the repository; docs/ports-of-2020.md lists them.
"""

from __future__ import annotations

import paddle
from paddle.nn import functional

from parity.fixes.edit import Edit
from parity.ugatit.faults.fault import Answer, Fault

_CAM = "paddle_impl.attention:class_activation_map"
_GENERATOR = "paddle_impl.generator:ResnetGenerator"
_DISCRIMINATOR = "paddle_impl.discriminator:Discriminator"
_ADALIN = "paddle_impl.norms:AdaLIN"
_LIN = "paddle_impl.norms:LIN"
_BLOCK = "paddle_impl.blocks:ResnetAdaILNBlock"
_SPECTRAL = "paddle_impl.spectral:_divide_by_sigma"
_TRAINING = "paddle_impl.training:Training"

_NAMES = {"paddle": paddle, "functional": functional}


def _small_normal(fan_in):
    """N(0, 0.02), as DCGAN starts."""
    return paddle.ParamAttr(initializer=paddle.nn.initializer.Normal(0.0, 0.02))


def _anew(vector):
    """Another vector of length 1, at each call."""
    drawn = paddle.randn(vector.shape, vector.dtype)
    return drawn / drawn.norm()


PORT_FAULTS = (
    Fault(
        "attention_unused", "suishicity/ugatit_paddle",
        "the decoder is given the features from before the attention",
        "go on with what the attention returns",
        Answer("genA2B", "forward", "genA2B.UpBlock1_1", "input[0]", "(x, gamma, beta)"),
        edits=(Edit(_GENERATOR + ".forward", "x, cam_logit = class_activation_map(",
                    "encoded = x; x, cam_logit = class_activation_map("),
               Edit(_GENERATOR + ".forward", "x = block(x, gamma, beta)", "x = encoded = block(encoded, gamma, beta)")),
    ),
    Fault(
        "light_pools_to_4x4", "suishicity/ugatit_paddle",
        "the light generator pools to 4 x 4 before its FC: sixteen times the weights",
        "pool to one value of each channel",
        Answer("genA2B", "census", "genA2B.FC.0", "weight", "nn.Linear("),
        edits=(Edit(_GENERATOR + ".__init__", "fc_in = ngf * mult if light", "fc_in = 16 * ngf * mult if light"),
               Edit(_GENERATOR + ".forward", "x_ = mean(x, axis=[2, 3])", "x_ = functional.adaptive_avg_pool2d(x, 4)", _NAMES)),
    ),
    Fault(
        "light_pools_maximum", "Costwen/-Paddle-UGATIT-",
        "the light generator pools the maximum before its FC",
        "pool the average",
        Answer("genA2B", "forward", "genA2B", "x_", "adaptive_avg_pool2d"),
        edits=(Edit(_GENERATOR + ".forward", "x_ = mean(x, axis=[2, 3])", "x_ = functional.adaptive_max_pool2d(x, 1)", _NAMES),),
    ),
    Fault(
        "second_conv_of_the_input", "suishicity/ugatit_paddle",
        "the block's second convolution takes the block's input again: the first half of the block is for nothing",
        "conv2 of what conv1 made",
        Answer("ResnetAdaILNBlock", "forward", "ResnetAdaILNBlock.pad2", "input[0]", "out = self.pad2(out)"),
        edits=(Edit(_BLOCK + ".forward", "self.pad2(out)", "self.pad2(x)"),),
    ),
    Fault(
        "one_weight_for_both", "GuoQuanhao/UGATIT-Paddle",
        "the features of the maximum are multiplied by the weight of the average's classifier",
        "gmp_weight of gmp_fc",
        Answer("CAM", "forward", "CAM", "gmp_weight", "gmp_weight = raw_weight(gmp_fc)"),
        edits=(Edit(_CAM, "gmp_weight = raw_weight(gmp_fc).t()", "gmp_weight = raw_weight(gap_fc).t()"),),
    ),
    Fault(
        "relu_before_norm", "GuoQuanhao/UGATIT-Paddle; na-gi/UGATIT-Paddle",
        "the activation comes before the norm instead of after it",
        "norm, then ReLU",
        Answer("LIN", "forward", "LIN", "in_mean", "in_mean = torch.mean"),
        edits=(Edit(_LIN + ".forward", "in_mean = mean(input, axis=[2, 3])",
                    "input = functional.relu(input); in_mean = mean(input, axis=[2, 3])", _NAMES),),
    ),
    Fault(
        "small_kernels", "Costwen/-Paddle-UGATIT-",
        "3 x 3 convolutions in the discriminators, where the official ones are 4 x 4",
        "kernel size 4",
        Answer("disLA", "census", "disLA.model.4", "weight_orig", "spectral_norm(nn.Conv2d(ndf * mult"),
        edits=(Edit(_DISCRIMINATOR + ".__init__", "conv2d(ndf * mult, ndf * mult * 2, 4, stride=2, bias=True)",
                    "conv2d(ndf * mult, ndf * mult * 2, 3, stride=2, bias=True)"),),
    ),
    Fault(
        "prelu_for_relu", "na-gi/UGATIT-Paddle", "PReLU in the encoder: a slope that is trained",
        "nn.ReLU()",
        Answer("ResnetBlock", "census", "ResnetBlock.conv_block.3", None, None),
        edits=(Edit("paddle_impl.blocks:ResnetBlock.__init__", "nn.ReLU()", "nn.PReLU()"),),
    ),
    Fault(
        "padded_by_two", "na-gi/UGATIT-Paddle", "the first convolution of the discriminators is padded by 2: another size",
        "nn.ReflectionPad2d(1)",
        Answer("disLA", "forward", "disLA.model.0", "output", "nn.ReflectionPad2d(1)"),
        edits=(Edit(_DISCRIMINATOR + ".__init__", "model = [nn.Pad2D(1,", "model = [nn.Pad2D(2,"),),
    ),
    Fault(
        "small_slope", "na-gi/UGATIT-Paddle", "slope .02 behind the attention where the official one is .2",
        "negative_slope=0.2",
        Answer("disLA", "forward", "disLA.leaky_relu", "output", "self.leaky_relu = nn.LeakyReLU"),
        edits=(Edit(_DISCRIMINATOR + ".__init__", "self.leaky_relu = LeakyReLU(0.2)", "self.leaky_relu = LeakyReLU(0.02)"),),
    ),
    Fault(
        "gradient_passes_relu", "oytang/UGATIT-Paddle",
        "a ReLU that writes in place (x.set_value(relu(x))): right values, and gradients come back as if it were not there",
        "return relu(x)",
        Answer("ResnetAdaILNBlock", "gradients", "ResnetAdaILNBlock.relu1", "output", "out = self.relu1(out)"),
        edits=(Edit(_BLOCK + ".forward", "out = self.relu1(out)", "out = out + (self.relu1(out) - out).detach()"),),
    ),
    Fault(
        "norm_in_numpy", "na-gi/UGATIT-Paddle", "the norm's statistics are made in numpy: no gradient comes back through them",
        "compute with tensors",
        Answer("LIN", "gradients", "LIN", None, None),
        edits=(Edit(_LIN + ".forward", "in_var = var(input, in_mean, axis=[2, 3])",
                    "in_var = paddle.to_tensor(var(input, in_mean, axis=[2, 3]).numpy())", _NAMES),),
    ),
    Fault(
        "rho_no_parameter", "na-gi/UGATIT-Paddle", "rho is a plain tensor: it is in no optimizer, and stays where it starts",
        "self.create_parameter",
        Answer("LIN", "census", "LIN", "rho"),
        edits=(Edit(_LIN + ".__init__",
                    "self.rho = self.create_parameter([1, num_features, 1, 1], default_initializer=Constant(0.0))",
                    "self.rho = paddle.zeros([1, num_features, 1, 1])", _NAMES),),
    ),
    Fault(
        "variance_about_another_mean", "ports by hand", "the layer variance is taken about the means of the channels",
        "about the mean of the sample",
        Answer("AdaLIN", "forward", "AdaLIN", "ln_var", "ln_var = torch.var"),
        edits=(Edit(_ADALIN + ".forward", "var(input, ln_mean, axis=[1, 2, 3])", "var(input, in_mean, axis=[1, 2, 3])"),),
    ),
    Fault(
        "variance_over_other_axes", "Costwen/-Paddle-UGATIT-", "the instance variance is taken over one axis of the two",
        "over height and width",
        Answer("AdaLIN", "forward", "AdaLIN", "in_var", "in_var = torch.var"),
        edits=(Edit(_ADALIN + ".forward", "var(input, in_mean, axis=[2, 3])", "mean(var(input, in_mean, axis=[3]), axis=[2])"),),
    ),
    Fault(
        "another_norm_epsilon", "ports by hand", "epsilon 1e-6 in AdaLIN, where the official one is 1e-5",
        "eps=1e-5",
        Answer("AdaLIN", "forward", "AdaLIN", "out_in", "out_in = "),
        edits=(Edit(_ADALIN + ".__init__", "self.eps = eps", "self.eps = 1e-6"),),
    ),
    Fault(
        "rho_written_in_forward", "deep-practice/UGATIT-paddle",
        "each forward writes the clipped rho back into the parameter: a picture in eval mode changes the network",
        "clip after the G step",
        Answer("LIN_bounds", "forward", "LIN_bounds", "rho", "rho = self.rho.expand"),
        edits=(Edit(_LIN + ".forward", "rho = self.rho.expand(",
                    "self.rho.set_value(self.rho.clip(0, 1)); rho = self.rho.expand("),),
    ),
    Fault(
        "rho_starts_at_1", "ports by hand", "rho of AdaLIN starts at 1 instead of .9: instance norm alone",
        "Constant(0.9)",
        Answer("training_start", "census", "genA2B.UpBlock1_1.norm1", "rho", "self.norm1 = norm(dim)"),
        edits=(Edit(_ADALIN + ".__init__", "Constant(0.9)", "Constant(1.0)"),),
    ),
    Fault(
        "small_normal_initialiser", "kafaichan/paddleugatit; PaddleGAN", "convolutions start from N(0, .02), as in DCGAN",
        "uniform, bound 1 / sqrt(fan_in)",
        Answer("training_start", "census", "genA2B.*", "weight", "nn.Conv2d("),
        edits=(Edit("paddle_impl.layers:conv2d", "weight_attr=_like_torch(fan_in)", "weight_attr=_small_normal(fan_in)",
                    {"_small_normal": _small_normal}),),
    ),
    Fault(
        "sigmoid_of_the_logits", "ports by hand", "the discriminators return probabilities, and least squares are taken of logits",
        "return the logits",
        Answer("disLA", "forward", "disLA", "out", "out = self.conv(x)"),
        edits=(Edit(_DISCRIMINATOR + ".forward", "out = self.conv(x)", "out = functional.sigmoid(self.conv(x))", _NAMES),),
    ),
    Fault(
        "no_spectral_norm", "ports by hand", "the first convolution of the discriminators has no spectral norm",
        "spectral_norm(conv)",
        Answer("disLA", "census", "disLA.model.1", "weight_orig", "spectral_norm(nn.Conv2d(input_nc"),
        edits=(Edit(_DISCRIMINATOR + ".__init__", "spectral_norm(conv2d(input_nc, ndf, 4, stride=2, bias=True))",
                    "conv2d(input_nc, ndf, 4, stride=2, bias=True)"),),
    ),
    Fault(
        "sn_begins_anew", "suishicity/ugatit_paddle",
        "each forward begins the power iteration from another random vector: the same picture, another answer",
        "keep u and v",
        Answer("disLA", "forward", "disLA.*", None, None),
        edits=(Edit(_SPECTRAL, "u, v = layer.weight_u, layer.weight_v", "u, v = _anew(layer.weight_u), layer.weight_v",
                    {"_anew": _anew}),),
    ),
    Fault(
        "bias_in_downsampling", "deep-practice/UGATIT-paddle",
        "the downsampling convolutions have a bias, which the norm takes away",
        "bias_attr=False",
        Answer("genA2B", "census", "genA2B.DownBlock.5", "bias", "nn.Conv2d(ngf * mult"),
        edits=(Edit(_GENERATOR + ".__init__", "3, stride=2, bias=False)", "3, stride=2, bias=True)"),),
    ),
    Fault(
        "one_block_for_all", "ports by hand", "the first AdaLIN block is called in the place of each",
        "call each block",
        Answer("genA2B", "forward", "genA2B.UpBlock1_[12]", None, None),
        edits=(Edit(_GENERATOR + ".forward", 'getattr(self, f"UpBlock1_{i + 1}")', "self.UpBlock1_1"),),
    ),
    Fault(
        "half_the_discriminators", "ports by hand", "the optimizer holds the global discriminators alone",
        "hand over the parameters of all four",
        Answer("training", "census", "D_optim", "parameters", "self.D_optim = adam(", 0),
        edits=(Edit(_TRAINING + ".__init__", "*self.disLA.parameters(), *self.disLB.parameters()]", "]"),),
    ),
    Fault(
        "generators_updated_twice", "na-gi/UGATIT-Paddle", "a second step of the G optimizer with the same gradients",
        "one step",
        Answer("training", "gradients", "gen*", None, None, 1, "G"),
        edits=(Edit(_TRAINING + ".generator_step", "self.G_optim.step()", "self.G_optim.step(); self.G_optim.step()"),),
    ),
    Fault(
        "lr_grows", "oytang/UGATIT-Paddle", "the decay of the learning rate has the wrong sign",
        "subtract",
        Answer("training_decay", "update", "*_optim", "lr", "self.D_optim.step()", 3, "D"),
        edits=(Edit(_TRAINING + ".decay_lr", "lr -= self.lr", "lr += self.lr"),),
    ),
    Fault(
        "lr_hardly_falls", "ports by hand",
        "the learning rate falls by its share of the whole run, not of the second half",
        "lr0 / (iteration // 2)",
        Answer("training_decay", "update", "*_optim", "lr", "self.D_optim.step()", 3, "D"),
        edits=(Edit(_TRAINING + ".decay_lr", "self.lr / (self.iteration // 2)", "self.lr / self.iteration"),),
    ),
    Fault(
        "cleared_before_the_step", "ports by hand", "gradients are cleared between backward and step: nothing is ever updated",
        "clear, backward, step",
        Answer("training", "gradients", "gen*", None, None, 1, "G"),
        edits=(Edit(_TRAINING + ".generator_step", "self.G_optim.step()", "clear_grad(self.G_optim); self.G_optim.step()"),),
    ),
)
