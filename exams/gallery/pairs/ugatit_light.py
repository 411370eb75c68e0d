"""U-GAT-IT's light generator, at its official size: torch_ref against paddle_impl."""
import paddle_impl as p
import torch_ref as t
from parity import Port, uniform

official = {"img_size": 256, "light": True}
pair = Port(lambda: t.ResnetGenerator(3, 3, **official), lambda: p.ResnetGenerator(3, 3, **official),
            inputs=[uniform(1, 3, 256, 256, low=-1, high=1)])
