"""Faults of the networks and of conversion: a forward or a backward alone shows them. "Paddle issue N" is PaddlePaddle/Paddle's."""

from __future__ import annotations

from contextlib import contextmanager
from unittest import mock

import paddle

from parity.fixes.edit import Edit
from parity.ugatit.faults import fluid
from parity.ugatit.faults.fault import Answer, Fault
from weights_convert import Entry

_CAM = "paddle_impl.attention:class_activation_map"
_ADALIN = "paddle_impl.norms:AdaLIN"
_GENERATOR = "paddle_impl.generator:ResnetGenerator"


@contextmanager
def _square_matrices_not_transposed():
    """A converter that transposes a Linear only where the shapes force it to."""
    convert = Entry.to_paddle

    def guess(entry, array):
        square = array.ndim == 2 and array.shape[0] == array.shape[1]
        return array if square else convert(entry, array)

    with mock.patch.object(Entry, "to_paddle", guess):
        yield


def _to_tensor(layer):
    """Weights put back through `paddle.to_tensor`, whose tensors have stop_gradient=True."""
    for parameter in layer.parameters():
        parameter.stop_gradient = True
    return layer


class _PythonList:
    """Layers in a plain list: they run, and no parent knows of them."""

    def __init__(self, layers):
        self.layers = layers

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


MODEL_FAULTS = (
    Fault(
        "biased_variance", "miraiwk/UGATIT-paddle", "variance divided by n instead of n - 1",
        "multiply by n / (n - 1)",
        Answer("AdaLIN", "forward", "AdaLIN", "in_var", "in_var = torch.var"),
        edits=(Edit("paddle_impl.functional:var", "* (count / (count - 1))", "* 1.0"),),
    ),
    Fault(
        "var_of_var", "miraiwk/UGATIT-paddle", "layer variance taken of the instance variances",
        "variance over all values of the sample",
        Answer("AdaLIN", "forward", "AdaLIN", "ln_var", "ln_var = torch.var"),
        edits=(Edit(_ADALIN + ".forward", "ln_var = var(input, ln_mean, axis=[1, 2, 3])",
                    "ln_var = var(in_var, mean(in_var, axis=[1, 2, 3]), axis=[1, 2, 3])"),),
    ),
    Fault(
        "no_residual", "miraiwk/UGATIT-paddle", "AdaLIN block without its residual sum",
        "return out + x",
        Answer("ResnetAdaILNBlock", "forward", "ResnetAdaILNBlock", "out", "out = out + x"),
        edits=(Edit("paddle_impl.blocks:ResnetAdaILNBlock.forward", "out = out + x", "out = out * 1"),),
    ),
    Fault(
        "residual_relu", "ports of other ResNet generators", "a ReLU after the residual sum, as in ResNet",
        "no activation after the sum",
        Answer("ResnetBlock", "forward", "ResnetBlock", "out", "out = x + out"),
        edits=(Edit("paddle_impl.blocks:ResnetBlock.forward", "out = x + out", 'out = nn.functional.relu(x + out)'),),
    ),
    Fault(
        "cam_normalised_weight", "ports by automatic conversion", "features multiplied by the normalised weight",
        "multiply by weight_orig, as the official code does",
        Answer("disLA", "forward", "disLA", "gap_weight", "gap_weight = raw_weight(gap_fc)"),
        edits=(Edit(_CAM, "gap_weight = raw_weight(gap_fc).t()", "gap_weight = gap_fc.weight.t()"),),
    ),
    Fault(
        "square_linear", "Paddle issues; PaDiff", "a square Linear not transposed: the shapes fit, the outputs are wrong",
        "transpose by layer type, never by shape",
        Answer("genA2B", "census", "genA2B.FC.[02]", "weight", "nn.Linear("),  # in the full generator FC.0 is not square
        patch=_square_matrices_not_transposed,
    ),
    Fault(
        "gamma_beta_swapped", "PaDiff", "gamma and beta exchanged: same shapes, other order",
        "gamma = self.gamma(x_); beta = self.beta(x_)",
        Answer("genA2B", "forward", "genA2B", "gamma", "gamma = self.gamma(x_)"),
        edits=(Edit(_GENERATOR + ".forward", "gamma = self.gamma(x_)", "gamma = self.beta(x_)"),
               Edit(_GENERATOR + ".forward", "beta = self.beta(x_)", "beta = self.gamma(x_)")),
    ),
    Fault(
        "affine_instance_norm", "PaConvert; Paddle issue 26721",
        "InstanceNorm2D is affine by default: 66 trained tensors instead of 44, forward identical, 7.5e-3 off after a step",
        "weight_attr=False, bias_attr=False",
        Answer("genA2B", "census", "genA2B.DownBlock.2", "scale", "InstanceNorm2d(ngf)"),
        edits=(Edit("paddle_impl.norms:InstanceNorm2D.__init__", "self.eps = eps",
                    "self.eps = eps; self.scale = self.create_parameter([num_features], "
                    "default_initializer=Constant(1.0))"),),
    ),
    Fault(
        "mirrored_output", "PaDiff (compares means)", "the picture comes out mirrored: every mean agrees",
        "do not flip",
        Answer("genA2B", "forward", "genA2B", "out", "out = self.UpBlock2(x)"),
        edits=(Edit(_GENERATOR + ".forward", "out = self.UpBlock2(x)", "out = self.UpBlock2(x).flip([3])"),),
    ),
    Fault(
        "nan_heatmap", "PaDiff (NaN equals anything)", "NaN on one side only",
        "find the operation that makes it",
        Answer("disLA", "forward", "disLA", "heatmap", "heatmap = torch.sum"),
        edits=(Edit("paddle_impl.discriminator:Discriminator.forward", "heatmap = channel_sum(x)",
                    'heatmap = channel_sum(x) * float("nan")'),),
    ),
    Fault(
        "broadcast_weight", "PaDiff ((2, 1) against (2, 5))", "a shape that broadcasts silently",
        "use the whole weight",
        Answer("CAM", "forward", "CAM", "gap_weight", "gap_weight = raw_weight(gap_fc)"),
        edits=(Edit(_CAM, "gap_weight = raw_weight(gap_fc).t()", "gap_weight = raw_weight(gap_fc).t()[:, :1]"),),
    ),
    Fault(
        "block_never_run", "ports by hand", "the last AdaLIN block is built and never called",
        "loop over all blocks",
        Answer("genA2B", "forward", "genA2B.UpBlock1_2", None, "(x, gamma, beta)"),
        edits=(Edit(_GENERATOR + ".forward", "for i in range(self.n_blocks):", "for i in range(self.n_blocks - 1):"),),
    ),
    Fault(
        "extra_bias", "ports by hand", "a convolution before a norm keeps its default bias",
        "bias_attr=False",
        Answer("ResnetBlock", "census", "ResnetBlock.conv_block.1", "bias", "nn.Conv2d(dim, dim, 3, bias=use_bias)"),
        edits=(Edit("paddle_impl.blocks:ResnetBlock.__init__",
                    "conv2d(dim, dim, 3, bias=use_bias),\n                       norm(dim),",
                    "conv2d(dim, dim, 3, bias=True),\n                       norm(dim),"),),
    ),
    Fault(
        "zero_padding", "ports by hand", "Pad2D without mode: zeros instead of reflection, visible at the borders only",
        'mode="reflect"',
        Answer("ResnetBlock", "forward", "ResnetBlock.conv_block.0", "output", "nn.ReflectionPad2d(1)"),
        edits=(Edit("paddle_impl.blocks:ResnetBlock.__init__",
                    'conv_block += [nn.Pad2D(1, mode="reflect"),\n                       conv2d(dim, dim, 3, bias=use_bias),'
                    "\n                       norm(dim),",
                    'conv_block += [nn.Pad2D(1),\n                       conv2d(dim, dim, 3, bias=use_bias),'
                    "\n                       norm(dim),"),),
    ),
    Fault(
        "bilinear_upsampling", "ports by hand", "smooth upsampling where the official one is nearest",
        'mode="nearest"',
        Answer("genA2B", "forward", "genA2B.UpBlock2.0", "output", "nn.Upsample"),
        edits=(Edit(_GENERATOR + ".__init__", 'mode="nearest"', 'mode="bilinear"'),),
    ),
    Fault(
        "leaky_slope", "ports by hand", "Paddle's default slope .01 where the official one is .2",
        "negative_slope=0.2",
        Answer("disLA", "forward", "disLA.model.2", "output", "nn.LeakyReLU(0.2, True)"),
        edits=(Edit("paddle_impl.discriminator:Discriminator.__init__",
                    "spectral_norm(conv2d(input_nc, ndf, 4, stride=2, bias=True)),\n                 LeakyReLU(0.2)",
                    "spectral_norm(conv2d(input_nc, ndf, 4, stride=2, bias=True)),\n                 LeakyReLU(0.01)"),),
    ),
    Fault(
        "detached_attention", "ports by hand",
        "the attention weight is taken by value: right pictures, no gradient through it",
        "use the parameter itself",
        Answer("CAM", "gradients", "CAM.gap_fc", "weight", None),
        edits=(Edit(_CAM, "gap_weight = raw_weight(gap_fc).t()", "gap_weight = raw_weight(gap_fc).detach().t()"),),
    ),
    Fault(
        "spectral_norm_layer", "Paddle 3.3.1 (paddle.nn.SpectralNorm); Paddle issues 26084, 27243",
        "the layer that is called SpectralNorm: u and v stand still, and its gradient is 26 to 127 % off",
        "paddle.nn.utils.spectral_norm, or compose it",
        Answer("disLA", "forward", "disLA.model.1", "output", "spectral_norm(nn.Conv2d(input_nc, ndf"),  # by its epsilon
        edits=(Edit("paddle_impl.spectral:spectral_norm", "register_forward_pre_hook(_divide_by_sigma)",
                    "register_forward_pre_hook(operator)", {"operator": fluid.spectral_norm_operator}),),
    ),
    Fault(
        "eps_outside_sqrt", "ports by hand",
        "sqrt(var) + eps instead of sqrt(var + eps): it shows where the variance is small",
        "add eps inside the square root",
        Answer("AdaLIN", "forward", "AdaLIN", "out_in", "out_in = "),
        edits=(Edit("paddle_impl.functional:standardize", "rows(paddle.sqrt(add_eps(x_var, eps)), x)",
                    "rows(paddle.sqrt(x_var) + eps, x)"),),
    ),
    Fault(
        "concat_swapped", "ports by hand", "maximum before average: same shapes, and conv1x1 gets the other's features",
        "concat([gap, gmp])",
        Answer("CAM", "forward", "CAM", "cam_logit", "cam_logit = torch.cat([gap_logit, gmp_logit], 1)"),
        edits=(Edit(_CAM, "[gap_logit, gmp_logit]", "[gmp_logit, gap_logit]"), Edit(_CAM, "[gap, gmp]", "[gmp, gap]")),
    ),
    Fault(
        "frozen_by_to_tensor", "traps of Paddle 3.3.1: to_tensor has stop_gradient=True",
        "a layer whose weights were put back through to_tensor is never trained",
        "parameter.set_value(array), or stop_gradient=False",
        Answer("genA2B", "census", "genA2B.gamma", "weight", "self.gamma = nn.Linear("),
        edits=(Edit(_GENERATOR + ".__init__", "self.gamma = linear(ngf * mult, ngf * mult, bias=False)",
                    "self.gamma = _to_tensor(linear(ngf * mult, ngf * mult, bias=False))", {"_to_tensor": _to_tensor}),),
    ),
    Fault(
        "layers_in_a_list", "traps of Paddle 3.3.1; PyTorch issue 715",
        "layers kept in a Python list: not in the state dict, never trained",
        "nn.LayerList or nn.Sequential",
        Answer("genA2B", "census", "genA2B.FC.0", "weight", "FC = [nn.Linear("),
        edits=(Edit(_GENERATOR + ".__init__", "self.FC = nn.Sequential(*FC)", "self.FC = _PythonList(FC)",
                    {"_PythonList": _PythonList}),),
    ),
    Fault(
        "parameter_made_in_forward", "traps of Paddle 3.3.1: create_parameter in forward",
        "gamma is made anew at each forward: always 1, never trained",
        "create parameters in __init__",
        Answer("LIN", "forward", "LIN", "out", "out = out * self.gamma"),
        edits=(Edit("paddle_impl.norms:LIN.forward", "rows(self.gamma, input)",
                    "rows(paddle.create_parameter(self.gamma.shape, self.gamma.dtype, default_initializer=Constant(1.0)), input)",
                    {"paddle": paddle}),),
    ),
)
