"""How far two sets of features lie apart, in float64: the kernel (KID) and the Fréchet inception distance (FID).

They are for features without gradients: nothing is trained with them.
"""

import math

import numpy as np
import torch


def polynomial_kernel(x, y):
    """(x . y / d + 1) cubed, of every row with every row (Binkowski et al. 2018, section 4): (m, d), (n, d) -> (m, n)."""
    product = torch.matmul(x, y.T) / x.shape[1] + 1
    kernel = product * product * product
    return kernel


def squared_mmd(x, y):
    """The unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, lemma 6): no row meets itself.

    x, y (m, d), m > 1. Returns a 0-d tensor, which may be less than 0.
    """
    m = x.shape[0]
    kernel_xx = polynomial_kernel(x, x)
    kernel_yy = polynomial_kernel(y, y)
    kernel_xy = polynomial_kernel(x, y)
    within_x = (kernel_xx.sum() - kernel_xx.trace()) / (m * (m - 1))
    within_y = (kernel_yy.sum() - kernel_yy.trace()) / (m * (m - 1))
    between = kernel_xy.sum() / (m * m)
    mmd = within_x + within_y - 2 * between
    return mmd


def kernel_distance(real, fake, subsets, subset_size, seed):
    """KID: mean and (population) standard deviation of ``squared_mmd`` over random subsets, drawn without replacement.

    real (n, d), fake (k, d), float64; subset_size rows of each at a time, of 2 to min(n, k). The draws are those of
    torch-fidelity: numpy's legacy generator, whose stream does not change with versions. Returns two 0-d tensors.
    """
    rng = np.random.RandomState(seed)
    found = []
    for _ in range(subsets):
        real_rows = torch.tensor(rng.choice(real.shape[0], subset_size, replace=False))
        fake_rows = torch.tensor(rng.choice(fake.shape[0], subset_size, replace=False))
        found.append(squared_mmd(real[real_rows], fake[fake_rows]))
    distances = torch.stack(found)
    mean = distances.mean()
    deviation = ((distances - mean) * (distances - mean)).mean().sqrt()
    return mean, deviation


def frechet_distance(real, fake):
    """FID: the Fréchet distance of two normal distributions with the means and (unbiased) covariances of the features.

    real (n, d), fake (k, d), float64, n and k > 1. Returns a 0-d tensor: |m1 - m2|^2 + tr(S1 + S2 - 2 sqrt(S1 S2)).

    The last term is the sum of the singular values of F1 F2' where S = F'F. No square root of an eigenvalue is taken: where
    there are fewer pictures than features, most are 0 but for rounding, of which a root would make 1e-8 each.
    """
    real_mean = real.mean(0)
    fake_mean = fake.mean(0)
    real_factor = (real - real_mean) / math.sqrt(real.shape[0] - 1)
    fake_factor = (fake - fake_mean) / math.sqrt(fake.shape[0] - 1)
    difference = real_mean - fake_mean
    means = (difference * difference).sum()
    traces = (real_factor * real_factor).sum() + (fake_factor * fake_factor).sum()
    root = torch.linalg.svdvals(torch.matmul(shortened(real_factor), shortened(fake_factor).T)).sum()
    distance = means + traces - 2 * root
    return distance


def shortened(factor):
    """A factor of the same covariance with at most d rows: (n, d) -> (min(n, d), d)."""
    if factor.shape[0] > factor.shape[1]:
        factor = torch.linalg.qr(factor, mode="r")[1]
    return factor
