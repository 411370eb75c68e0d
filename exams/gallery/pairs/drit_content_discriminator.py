"""DRIT's discriminator of contents, at its official size: torch_ref against paddle_impl."""
from paddle_impl.systems import drit as p
from parity import Port, normal
from torch_ref.systems import drit as t

pair = Port(lambda: t.Dis_content(), lambda: p.Dis_content(), inputs=[normal(1, 256, 54, 54)])
