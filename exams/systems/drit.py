"""DRIT: encoders of content and of attributes, generator, discriminators, and a training step, small.

    parity compare exams/systems/drit.py:generator
    parity steps exams/systems/drit.py:training --mode resync
"""

from paddle_impl.systems import drit as twin
from parity import Port, Training, normal, uniform
from torch_ref.systems import drit as reference

PICTURE = uniform(1, 3, 44, 44, low=-1, high=1)
PICTURES = uniform(2, 3, 44, 44, low=-1, high=1)
SIZES = {"dim": 3, "nz": 2, "n_scale": 2, "n_layer": 2, "content_layer": 1, "max_norm": 0.01}

content = Port(lambda: reference.E_content(3, 3, 3), lambda: twin.E_content(3, 3, 3), inputs=[PICTURE, PICTURE],
               name="DRIT content")
attributes = Port(lambda: reference.E_attr_concat(3, 3, 2, 3), lambda: twin.E_attr_concat(3, 3, 2, 3), inputs=[PICTURE, PICTURE],
                  name="DRIT attributes")
generator = Port(lambda: reference.G_concat(3, 3, 2, 3), lambda: twin.G_concat(3, 3, 2, 3),
                 inputs=[normal(1, 12, 6, 6), normal(1, 2)], name="DRIT generator")
discriminator = Port(lambda: reference.MultiScaleDis(3, 4, 2, 2), lambda: twin.MultiScaleDis(3, 4, 2, 2), inputs=[PICTURES],
                     name="DRIT discriminator")
content_discriminator = Port(lambda: reference.Dis_content(12, 1), lambda: twin.Dis_content(12, 1), inputs=[normal(2, 12, 11, 11)],
                             name="DRIT content discriminator")
training = Training(lambda: reference.Training(**SIZES), lambda: twin.Training(**SIZES), batch=[PICTURES, PICTURES],
                    phases={"update_EG": "G", "update_D": "D", "update_D_content": "D content"}, own_start=True)
OFFICIAL = {
    "content": lambda: reference.E_content(3, 3), "attributes": lambda: reference.E_attr_concat(3, 3),
    "generator": lambda: reference.G_concat(3, 3), "discriminator": lambda: reference.MultiScaleDis(3),
    "content_discriminator": lambda: reference.Dis_content(),
}
