"""UNIT's auto-encoder, at its official size: torch_ref against paddle_impl."""
from paddle_impl.systems import unit as p
from parity import Port, uniform
from torch_ref.systems import unit as t

pair = Port(lambda: t.VAEGen(3), lambda: p.VAEGen(3), inputs=[uniform(1, 3, 256, 256, low=-1, high=1)])
