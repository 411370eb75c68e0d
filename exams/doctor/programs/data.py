"""Made-up data sets that can be learned: pictures of four classes, and sequences of tokens."""

import numpy as np

PICTURES, SEQUENCES = 64, 96


def pictures(dtype="float32"):
    """(64, 3, 12, 12) in about [-1, 1], and their classes (64,): a bright square in one of four corners, over noise."""
    rng = np.random.default_rng(1)
    labels = np.arange(PICTURES) % 4
    images = 0.3 * rng.standard_normal((PICTURES, 3, 12, 12))
    for image, label in zip(images, labels, strict=True):
        row, column = 6 * (label // 2), 6 * (label % 2)
        image[label % 3, row:row + 6, column:column + 6] += 1.0
    return np.clip(images, -1, 1).astype(dtype), labels.astype("int64")


def sequences(dtype="float32"):
    """Tokens (96, 5) of 0 to 8, the mean of each row about 0 (96,), and whether its last token is odd (96,)."""
    rng = np.random.default_rng(2)
    tokens = rng.integers(0, 9, (SEQUENCES, 5))
    return tokens.astype("int64"), (tokens.mean(1) / 4 - 1).astype(dtype), (tokens[:, -1] % 2).astype("int64")


def order(count, epoch):
    """A permutation of range(count), another one at each epoch."""
    return np.random.default_rng([3, epoch]).permutation(count)
