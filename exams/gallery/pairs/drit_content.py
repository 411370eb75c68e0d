"""DRIT's encoder of content, at its official size: torch_ref against paddle_impl."""
from paddle_impl.systems import drit as p
from parity import Port, uniform
from torch_ref.systems import drit as t

picture = uniform(1, 3, 216, 216, low=-1, high=1)
pair = Port(lambda: t.E_content(3, 3), lambda: p.E_content(3, 3), inputs=[picture, picture])
