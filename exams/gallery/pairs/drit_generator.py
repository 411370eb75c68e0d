"""DRIT's generator, at its official size: torch_ref against paddle_impl."""
from paddle_impl.systems import drit as p
from parity import Port, normal
from torch_ref.systems import drit as t

pair = Port(lambda: t.G_concat(3, 3), lambda: p.G_concat(3, 3), inputs=[normal(1, 256, 54, 54), normal(1, 8)])
