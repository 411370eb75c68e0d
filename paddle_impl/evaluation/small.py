"""A small feature network that needs no file: its distances are its own, and not those that papers publish."""

import numpy as np
import paddle
from paddle import nn
from paddle.vision.transforms import functional

from .pictures import image_to_tensor


class SmallFeatures(nn.Layer):
    """Three random convolutions on pictures of 64 x 64; the features are the means of all their channels.

    Its weights are drawn here, from numpy's legacy generator (whose stream does not change with versions): the same numbers
    everywhere.
    """

    size = 64

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2D(3, 32, 3, 2, bias_attr=False)
        self.conv2 = nn.Conv2D(32, 64, 3, 2, bias_attr=False)
        self.conv3 = nn.Conv2D(64, 128, 3, 2, bias_attr=False)
        rng = np.random.RandomState(0)
        for conv in (self.conv1, self.conv2, self.conv3):
            weight = rng.standard_normal(conv.weight.shape) * np.sqrt(2 / (conv.weight.shape[1] * 9))
            conv.weight.set_value(weight.astype(np.float32))
            conv.weight.stop_gradient = True

    def prepare(self, image):
        """An RGB picture of any size -> (3, 64, 64), about -1 to 1, in the weights' precision; Pillow's bilinear resize averages
        where a picture shrinks (antialiased), and rounds to 8 bits."""
        image = functional.resize(image, (self.size, self.size), "bilinear")
        picture = image_to_tensor(image, self.conv1.weight)
        prepared = (picture - 128) / 128
        return prepared

    def forward(self, pictures):
        """Prepared pictures (N, 3, 64, 64) -> features (N, 224)."""
        out1 = nn.functional.relu(self.conv1(pictures))
        out2 = nn.functional.relu(self.conv2(out1))
        out3 = nn.functional.relu(self.conv3(out2))
        features = paddle.concat([paddle.mean(out1, [2, 3]), paddle.mean(out2, [2, 3]), paddle.mean(out3, [2, 3])], 1)
        return features
