"""DRIT's discriminator, at its official size: torch_ref against paddle_impl."""
from paddle_impl.systems import drit as p
from parity import Port, uniform
from torch_ref.systems import drit as t

pair = Port(lambda: t.MultiScaleDis(3), lambda: p.MultiScaleDis(3), inputs=[uniform(1, 3, 216, 216, low=-1, high=1)])
