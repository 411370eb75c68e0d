"""MUNIT's discriminator, at its official size: torch_ref against paddle_impl."""
from paddle_impl.systems import multi_scale as p
from parity import Port, uniform
from torch_ref.systems import multi_scale as t

pair = Port(lambda: t.MsImageDis(3), lambda: p.MsImageDis(3), inputs=[uniform(1, 3, 256, 256, low=-1, high=1)])
