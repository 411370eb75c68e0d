"""AttentionGAN: generator and training step, small; its discriminator is CycleGAN's.

    parity compare exams/systems/attentiongan.py:generator
    parity steps exams/systems/attentiongan.py:training --mode resync
"""

from paddle_impl.systems import attentiongan as twin
from parity import Port, Training, uniform
from torch_ref.systems import attentiongan as reference

PICTURES = uniform(2, 3, 16, 16, low=-1, high=1)
SIZES = {"ngf": 4, "n_blocks": 1, "ndf": 2, "n_layers": 2, "pool_size": 3}

generator = Port(lambda: reference.ResnetGenerator(3, 3, 4, 1), lambda: twin.ResnetGenerator(3, 3, 4, 1), inputs=[PICTURES],
                 name="AttentionGAN generator")
training = Training(lambda: reference.Training(**SIZES), lambda: twin.Training(**SIZES), batch=[PICTURES, PICTURES],
                    phases={"generator_step": "G", "discriminator_step": "D"}, own_start=True)
OFFICIAL = {"generator": lambda: reference.ResnetGenerator(3, 3)}
