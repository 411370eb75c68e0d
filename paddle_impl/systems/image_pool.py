"""A pool of earlier fakes, so that a discriminator sees more than the newest (Shrivastava et al. 2017)."""

import random

import paddle


class ImagePool:
    """The last pictures of a generator, up to ``pool_size``; ``images`` are (1, C, H, W). With 0 it keeps none."""

    def __init__(self, pool_size):
        self.pool_size = pool_size
        self.images = []

    def query(self, images):
        """Pictures for the discriminator, (N, C, H, W), detached, in the place of ``images`` of that shape.

        Until the pool is full each is kept and comes back. From then on each comes back by a chance of one half; else it takes
        the place of one from the pool, which comes back instead.
        """
        if self.pool_size == 0:
            return images.detach()
        chosen = []
        for image in images.detach().split(images.shape[0]):
            if len(self.images) < self.pool_size:
                self.images.append(image)
                chosen.append(image)
            elif random.uniform(0, 1) > 0.5:
                place = random.randint(0, self.pool_size - 1)
                chosen.append(self.images[place])
                self.images[place] = image
            else:
                chosen.append(image)
        return paddle.concat(chosen)
