"""AttentionGAN's generator, at its official size: torch_ref against paddle_impl."""
from paddle_impl.systems import attentiongan as p
from parity import Port, uniform
from torch_ref.systems import attentiongan as t

pair = Port(lambda: t.ResnetGenerator(3, 3), lambda: p.ResnetGenerator(3, 3), inputs=[uniform(1, 3, 256, 256, low=-1, high=1)])
