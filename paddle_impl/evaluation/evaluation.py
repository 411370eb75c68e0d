"""The whole measurement: two lists of picture files, a feature network, KID and FID."""

import paddle
from paddle import nn

from .metrics import frechet_distance, kernel_distance
from .pictures import load_image


class Evaluation(nn.Layer):
    """network: ``InceptionV3`` or ``SmallFeatures``. batch: pictures in one forward."""

    def __init__(self, network, batch=16):
        super().__init__()
        self.network = network
        self.batch = batch

    def forward(self, real, fake, subsets, subset_size, seed):
        """real, fake: picture files. Returns KID's mean and standard deviation and FID, 0-d float64 tensors."""
        real_features = self.features(real)
        fake_features = self.features(fake)
        kid_mean, kid_deviation = kernel_distance(real_features, fake_features, subsets, subset_size, seed)
        fid = frechet_distance(real_features, fake_features)
        return kid_mean, kid_deviation, fid

    @paddle.no_grad()
    def features(self, files):
        """The features of picture files of any sizes, in their order: (N, d), float64 whatever the network's precision."""
        found, waiting = [], []
        for path in files:
            image = load_image(path)
            waiting.append(self.network.prepare(image))
            if len(waiting) == self.batch:
                found.append(self.network(paddle.stack(waiting)))
                waiting = []
        if waiting:
            found.append(self.network(paddle.stack(waiting)))
        features = paddle.concat(found).astype("float64")
        return features
