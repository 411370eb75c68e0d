"""UNIT: auto-encoder and training step, small; its discriminator is MUNIT's.

    parity compare exams/systems/unit.py:generator
    parity steps exams/systems/unit.py:training --mode resync
"""

from paddle_impl.systems import unit as twin
from parity import Port, Training, uniform
from torch_ref.systems import unit as reference

PICTURES = uniform(2, 3, 32, 32, low=-1, high=1)
SIZES = {"dim": 4, "n_downsample": 1, "n_res": 1}
TRAINING = {**SIZES, "dis_dim": 4, "n_layer": 2, "num_scales": 2, "step_size": 2}

generator = Port(lambda: reference.VAEGen(3, **SIZES), lambda: twin.VAEGen(3, **SIZES), inputs=[PICTURES], name="UNIT generator")
training = Training(lambda: reference.Training(**TRAINING), lambda: twin.Training(**TRAINING), batch=[PICTURES, PICTURES],
                    phases={"gen_update": "G", "dis_update": "D"}, own_start=True)
OFFICIAL = {"generator": lambda: reference.VAEGen(3)}
