"""Gradients of embeddings with sparse=True, of which Paddle keeps rows."""

import numpy as np
import paddle
import pytest

from parity.frameworks import PaddleFramework


@pytest.mark.parametrize("sparse", [True, False])
def test_a_gradient_is_put_in_place_of_one_of_rows(sparse):
    framework, layer = PaddleFramework(), paddle.nn.Embedding(4, 3, sparse=sparse)
    layer(paddle.to_tensor([1, 1])).sum().backward()
    assert layer.weight.grad.is_selected_rows() == sparse
    expected = np.zeros((4, 3), np.float32)
    expected[1] = 2
    assert np.array_equal(framework.array(framework.gradient(layer.weight), copy=True), expected)
    given = np.arange(12, dtype=np.float32).reshape(4, 3)
    framework.set_gradient(layer.weight, given)
    assert np.array_equal(framework.array(framework.gradient(layer.weight), copy=True), given)
    framework.clear_gradient(layer.weight)
    layer(paddle.to_tensor([1, 1])).sum().backward()  # the next one is its own again
    assert np.array_equal(framework.array(framework.gradient(layer.weight), copy=True), expected)
