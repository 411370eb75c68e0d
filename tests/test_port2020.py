"""The 2020 port, rebuilt from its nine faults."""

import itertools

import numpy as np
import paddle
import pytest

import paddle_impl
from parity import faults


@pytest.mark.parametrize(("layer", "dim"), [(lambda: paddle.nn.Conv2D(3, 4, 2), 0), (lambda: paddle.nn.Conv2D(3, 4, 2), 1),
                                            (lambda: paddle.nn.Linear(5, 3), 1)], ids=["conv", "conv, dim 1", "linear"])
def test_spectral_norm_with_its_faults_is_the_operator_of_paddle(layer, dim):
    """`paddle.nn.SpectralNorm` still stands on that operator: u, v never written back, and the wrong gradient."""
    rng = np.random.default_rng(0)
    with faults.inject("sn_update", "sn_grad", *(["sn_dim"] if dim and isinstance(layer(), paddle.nn.Conv2D) else [])):
        normed = paddle_impl.spectral_norm(layer().to(dtype="float64"))
        weight = paddle.to_tensor(normed.weight_orig.numpy(), stop_gradient=False)
        upstream = paddle.to_tensor(rng.standard_normal(weight.shape))
        operator = paddle.nn.SpectralNorm(weight.shape, dim, power_iters=1, eps=1e-12, dtype="float64")
        operator.weight_u.set_value(normed.weight_u)
        for training in (True, False, True):
            normed.training = training
            paddle_impl.spectral._divide_by_sigma(normed, None)
            expected = operator(weight)
            # 1e-11: the operator keeps its epsilon in float32 and adds it to the norms.
            assert np.abs(expected.numpy() - normed.weight.numpy()).max() < 1e-11
    for output in (expected, normed.weight):
        output.backward(upstream)
    largest = np.abs(weight.grad.numpy()).max()
    assert np.abs(weight.grad.numpy() - normed.weight_orig.grad.numpy()).max() < 1e-11 * largest


def test_the_nine_compose_in_any_order():
    assert len(faults.PORT2020) == 9 and faults.members("port2020") == faults.PORT2020
    for names in itertools.pairwise((*faults.PORT2020, *reversed(faults.PORT2020))):
        with faults.inject(*names):
            pass
    with faults.inject(*reversed(faults.PORT2020)):
        backwards = paddle_impl.class_activation_map.__code__
    with faults.inject("port2020"):
        assert paddle_impl.class_activation_map.__code__.co_names == backwards.co_names
