"""What PaConvert makes of a PyTorch file, as it comes. Its instance norms are affine, torch's are not: `pair` diverges at the
census. `healed` is the pair once that is put right."""

import paddle

from pairs import paconvert_paddle, paconvert_torch
from parity.declare.inputs import normal
from parity.declare.port import Port
from parity.fixes.edit import Edit


def healed_twin():
    net = paconvert_paddle.Network()
    for block in net.blocks:
        block.norm1, block.norm2 = (paddle.nn.InstanceNorm2D(8, weight_attr=False, bias_attr=False) for _ in range(2))
    return net


as_converted = Port(paconvert_torch.Network, paconvert_paddle.Network, inputs=[normal(2, 3, 16, 16)])
pair = Port(paconvert_torch.Network, healed_twin, inputs=[normal(2, 3, 16, 16)])

_FILE = "pairs.paconvert_paddle"
FAULTS = {
    "mean over other axes": Edit(f"{_FILE}:Network.forward", "dim=(2, 3)", "dim=(1, 3)"),
    "scale dropped": Edit(f"{_FILE}:Network.forward", " * self.scale", ""),
    "another activation": Edit(f"{_FILE}:Network.forward", "paddle.tanh(", "paddle.nn.functional.sigmoid("),
    "residual from the inner value": Edit(f"{_FILE}:Residual.forward", "return x + h", "return h + h"),
    "no padding": Edit(f"{_FILE}:Residual.__init__", "ReflectionPad2d(1)", "ReflectionPad2d(0)"),
}
