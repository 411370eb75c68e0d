"""What autocast lowers: torch's column measured, Paddle's read from its lists; and the page."""

from pathlib import Path

import paddle
import pytest
import torch
import torch.nn.functional as F
from paddle.amp import amp_lists
from torch._subclasses.fake_tensor import FakeTensorMode

from parity.frameworks.autocast_lists import GIVEN, HALF, OPERATIONS, WHOLE, page


def labels():
    return torch.zeros(4, dtype=torch.int64, device="cuda")


CALLS = {
    "matmul": lambda x: torch.matmul(x(4, 8), x(8, 8)),
    "linear": lambda x: F.linear(x(4, 8), x(8, 8), x(8)),
    "conv1d, conv2d": lambda x: F.conv2d(x(1, 2, 8, 8), x(3, 2, 3, 3)),
    "einsum": lambda x: torch.einsum("ij,jk->ik", x(4, 8), x(8, 8)),
    "attention": lambda x: F.scaled_dot_product_attention(x(1, 2, 4, 4), x(1, 2, 4, 4), x(1, 2, 4, 4)),
    "conv3d": lambda x: F.conv3d(x(1, 2, 8, 8, 8), x(3, 2, 3, 3, 3)),
    "depthwise conv2d": lambda x: F.conv2d(x(1, 2, 8, 8), x(2, 1, 3, 3), groups=2),
    "transposed convolutions": lambda x: F.conv_transpose2d(x(1, 2, 8, 8), x(2, 3, 3, 3)),
    "bmm": lambda x: torch.bmm(x(1, 4, 8), x(1, 8, 8)),
    "mv": lambda x: torch.mv(x(4, 8), x(8)),
    "addmm, baddbmm": lambda x: torch.addmm(x(8), x(4, 8), x(8, 8)),
    "prelu": lambda x: F.prelu(x(4, 8), x(8)),
    "softmax": lambda x: F.softmax(x(4, 8), -1),
    "log_softmax": lambda x: F.log_softmax(x(4, 8), -1),
    "layer_norm": lambda x: F.layer_norm(x(4, 8), [8], x(8), x(8)),
    "group_norm": lambda x: F.group_norm(x(4, 8), 2),
    "cross_entropy": lambda x: F.cross_entropy(x(4, 8), labels()),
    "nll_loss": lambda x: F.nll_loss(x(4, 8), labels()),
    "binary_cross_entropy_with_logits": lambda x: F.binary_cross_entropy_with_logits(x(4), x(4)),
    "smooth_l1_loss": lambda x: F.smooth_l1_loss(x(4), x(4)),
    "mse_loss": lambda x: F.mse_loss(x(4), x(4)),
    "square": lambda x: x(4).square(),
    "pow": lambda x: x(4) ** 2,
    "interpolate": lambda x: F.interpolate(x(1, 1, 4, 4), scale_factor=2, mode="bilinear"),
    "norm": lambda x: torch.linalg.vector_norm(x(4)),
    "l1_loss": lambda x: F.l1_loss(x(4), x(4)),
    "kl_div": lambda x: F.kl_div(x(4), x(4), reduction="sum"),
    "logsumexp": lambda x: torch.logsumexp(x(4, 8), 0),
    "cumsum": lambda x: torch.cumsum(x(4), 0),
    "embedding": lambda x: F.embedding(labels(), x(4, 8)),
    "batch_norm": lambda x: F.batch_norm(x(4, 8), None, None, training=True),
    "softplus": lambda x: F.softplus(x(4)),
    "gelu": lambda x: F.gelu(x(4)),
    "dropout": lambda x: F.dropout(x(4)),
}


def measured(call):
    """On a tensor that is on a GPU and has no memory."""
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        with FakeTensorMode():
            torch.set_autocast_enabled("cuda", True)
            torch.set_autocast_dtype("cuda", torch.bfloat16)
            try:
                found.append(call(lambda *shape, dtype=dtype: torch.empty(*shape, dtype=dtype, device="cuda")).dtype)
            finally:
                torch.set_autocast_enabled("cuda", False)
                torch.clear_autocast_cache()
    return {(torch.bfloat16, torch.bfloat16): HALF, (torch.float32, torch.float32): WHOLE,
            (torch.float32, torch.bfloat16): GIVEN}[tuple(found)]


@pytest.mark.skipif(paddle.__version__ < "3.3", reason="the table is of Paddle 3.3; earlier lists were shorter")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_row_is_what_the_frameworks_do(operation):
    call = CALLS.get(operation.name) or (lambda x: getattr(torch, operation.name)(x(4)))
    assert measured(call) == operation.torch
    lists = [listed()["bfloat16"]["O1"] for listed in (amp_lists.white_list, amp_lists.black_list)]
    for name in operation.listed:
        assert (HALF if name in lists[0] else WHOLE if name in lists[1] else GIVEN) == operation.paddle, name


def test_the_page_is_the_table():
    assert Path("docs/autocast.md").read_text(encoding="utf-8") == page()
