"""CycleGAN's discriminator, at its official size: torch_ref against paddle_impl."""
from paddle_impl.systems import cyclegan as p
from parity import Port, uniform
from torch_ref.systems import cyclegan as t

pair = Port(lambda: t.NLayerDiscriminator(3), lambda: p.NLayerDiscriminator(3), inputs=[uniform(1, 3, 256, 256, low=-1, high=1)])
