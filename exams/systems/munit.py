"""MUNIT: auto-encoder, its norms, the discriminator of several scales, and a training step, small.

    parity compare exams/systems/munit.py:generator
    parity steps exams/systems/munit.py:training --mode resync
"""

import paddle_impl.systems.multi_scale
import paddle_impl.systems.norms
import torch_ref.systems.multi_scale
import torch_ref.systems.norms
from paddle_impl.systems import munit as twin
from parity import Port, Training, normal, uniform
from torch_ref.systems import munit as reference

PICTURES = uniform(2, 3, 32, 32, low=-1, high=1)
SIZES = {"dim": 4, "style_dim": 3, "n_downsample": 1, "n_res": 1, "mlp_dim": 8}
DISCRIMINATORS = {"dim": 4, "n_layer": 2, "num_scales": 2}
TRAINING = {**SIZES, "dis_dim": 4, "n_layer": 2, "num_scales": 2, "step_size": 2}

layer_norm = Port(lambda: torch_ref.systems.norms.LayerNorm(5), lambda: paddle_impl.systems.norms.LayerNorm(5),
                  inputs=[normal(2, 5, 6, 7)], name="MUNIT layer norm")
generator = Port(lambda: reference.AdaINGen(3, **SIZES), lambda: twin.AdaINGen(3, **SIZES), inputs=[PICTURES],
                 name="MUNIT generator")
discriminator = Port(lambda: torch_ref.systems.multi_scale.MsImageDis(3, **DISCRIMINATORS),
                     lambda: paddle_impl.systems.multi_scale.MsImageDis(3, **DISCRIMINATORS), inputs=[PICTURES],
                     name="MUNIT discriminator")
training = Training(lambda: reference.Training(**TRAINING), lambda: twin.Training(**TRAINING), batch=[PICTURES, PICTURES],
                    phases={"gen_update": "G", "dis_update": "D"}, own_start=True)
OFFICIAL = {"generator": lambda: reference.AdaINGen(3), "discriminator": lambda: torch_ref.systems.multi_scale.MsImageDis(3)}
