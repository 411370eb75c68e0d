"""CycleGAN: a second image-translation system; three outputs, a network called twice, in-place activations on one side."""

from pairs import cyclegan_paddle, cyclegan_torch
from parity.declare.inputs import uniform
from parity.declare.port import Port
from parity.fixes.edit import Edit

pair = Port(cyclegan_torch.CycleGAN, cyclegan_paddle.CycleGAN, inputs={"picture": uniform(1, 3, 32, 32, low=-1, high=1)})

_FILE = "pairs.cyclegan_paddle"
FAULTS = {
    "zero for reflection padding": (Edit(f"{_FILE}:ResnetBlock.__init__", 'mode="reflect"', 'mode="constant"'),
                                    "variable 'pad' in operation()", "self.conv1(self.pad(x))"),
    "residual dropped": Edit(f"{_FILE}:ResnetBlock.forward", "return x + self", "return self"),
    "slope of the leaky ReLU": Edit(f"{_FILE}:Discriminator.__init__", "nn.LeakyReLU(0.2)]\n        for",
                                      "nn.LeakyReLU(0.1)]\n        for"),
    "a norm without its epsilon": Edit(f"{_FILE}:Generator.forward", "F.instance_norm(down(h))",
                                      "F.instance_norm(down(h), eps=1e-6)"),
    "the real picture judged as the fake": Edit(f"{_FILE}:CycleGAN.forward", "self.discriminator(picture)",
                                                "self.discriminator(fake)"),
}
