"""Official U-GAT-IT checkpoints between PyTorch and Paddle, both ways, bit for bit, with a receipt.

`convert_to_paddle` and `convert_to_torch` do whole checkpoints. `plan` pairs any two networks by layer type;
its `to_paddle` and `to_torch` carry states over. Everything raises a `ConversionError` on bad input.
"""

from . import optimizer_state
from .convert import check_receipt, convert_to_paddle, convert_to_torch
from .errors import CheckpointError, ConversionError, LayoutError, StateError, VerificationError
from .layouts import DEFAULT, DROP, IDENTITY, TRANSPOSE, LayoutTable, Rule
from .official import (
    ADAPTIVE_NORMS,
    DECODER_NORMS,
    NETWORKS,
    DiscriminatorSizes,
    GeneratorSizes,
    infer_sizes,
    infer_some_sizes,
)
from .optimizer_files import ADAM
from .paddle_files import read_paddle, write_paddle
from .plan import Entry, Plan, Problem, pair_up, plan, settled
from .receipt import read_receipt
from .selection import paddle_networks, torch_networks
from .staging import Staging
from .torch_files import read_torch
from .torch_writer import write_torch
from .verification import LEVELS, paddle_array, torch_array

__all__ = [
    "ADAM",
    "ADAPTIVE_NORMS",
    "DECODER_NORMS",
    "DEFAULT",
    "DROP",
    "IDENTITY",
    "LEVELS",
    "NETWORKS",
    "TRANSPOSE",
    "CheckpointError",
    "ConversionError",
    "DiscriminatorSizes",
    "Entry",
    "GeneratorSizes",
    "LayoutError",
    "LayoutTable",
    "Plan",
    "Problem",
    "Rule",
    "Staging",
    "StateError",
    "VerificationError",
    "check_receipt",
    "convert_to_paddle",
    "convert_to_torch",
    "infer_sizes",
    "infer_some_sizes",
    "optimizer_state",
    "paddle_array",
    "paddle_networks",
    "paddle_skeleton",
    "pair_up",
    "plan",
    "read_paddle",
    "read_receipt",
    "read_torch",
    "settled",
    "torch_array",
    "torch_networks",
    "torch_skeleton",
    "write_paddle",
    "write_torch",
]


def __getattr__(name: str):
    """The skeletons need both frameworks; all else can be imported with one of them missing."""
    if name in ("paddle_skeleton", "torch_skeleton"):
        from . import skeletons
        return getattr(skeletons, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
