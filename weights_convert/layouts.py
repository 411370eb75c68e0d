"""How a torch layer's tensors are laid out in the Paddle layer: by the *types* of the two, never by shape.

Paddle's Linear keeps (in, out) where torch keeps (out, in): a square one fits either way, silently wrong if
guessed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from .absent import framework

paddle, torch = framework("paddle"), framework("torch")



@dataclass(frozen=True)
class Rule:
    """What happens to one tensor of a layer on its way from torch to Paddle.

    `identity`: same axes. `transpose`: a matrix, axes swapped. `flatten`: as a vector, on the way back in torch's
    shape. `row`: a vector as a matrix of one row. `split`: cut into equal parts along the first axis, one rule for
    each. `drop`: Paddle has no such tensor; on the way back it is zeros. `target` is the name in the Paddle layer
    (dotted: of a layer in it), None for the same name as in torch.
    """

    kind: Literal["identity", "transpose", "flatten", "row", "split", "drop"]
    target: str | None = None
    parts: tuple["Rule", ...] = ()


IDENTITY = Rule("identity")
TRANSPOSE = Rule("transpose")
FLATTEN = Rule("flatten")
ROW = Rule("row")
DROP = Rule("drop")

# Framework classes that only hold what a user puts into them: the user named what is in there.
_CONTAINERS = {
    torch.nn.Module, torch.nn.Sequential, torch.nn.ModuleList, torch.nn.ModuleDict,
    torch.nn.ParameterList, torch.nn.ParameterDict,
    paddle.nn.Layer, paddle.nn.Sequential, paddle.nn.LayerList, paddle.nn.LayerDict, paddle.nn.ParameterList,
}  # fmt: skip


# Gates lie in the same order in both (LSTM: i f g o; GRU: r z n).
_OF_A_CELL = dict.fromkeys(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), IDENTITY)
_PLACES = [f"_l{layer}{way}" for layer in range(64) for way in ("", "_reverse")]
_RECURRENT = {f"{kind}{place}": IDENTITY for kind in _OF_A_CELL for place in _PLACES}
_OF_AN_LSTM = _RECURRENT | {f"weight_hr{place}": TRANSPOSE for place in _PLACES}
_PROJECTION = "weight_hr_l0"  # that an LSTM with `proj_size` has

# What a spectral norm (orig, u, v) or a weight norm (g, v) makes of a weight, each with what it comes along with.
_NORMED = {"orig": ("u",), "u": ("orig",), "v": ("orig", "g"), "g": ("v",)}


class LayoutTable:
    """Layer type pair -> {torch tensor name: Rule}.

    Immutable: `register` returns a new table, `DEFAULT` never changes.
    """

    def __init__(self, pairs: Mapping[tuple[type, type], Mapping[str, Rule]] | None = None):
        self._pairs = {pair: MappingProxyType(dict(rules)) for pair, rules in (pairs or {}).items()}

    def register(self, torch_type: type, paddle_type: type, rules: Mapping[str, Rule]) -> "LayoutTable":
        """A new table that also knows this pair of types, and their subclasses.

        Args:
            rules: one Rule for each tensor that the torch layer may own (parameters and buffers, not its
                children's). Spectral norm (`name_orig`, `name_u`, `name_v`) and weight norm (`name_g`, `name_v`) on
                `name` need no rule of their own, in torch's old or new style.
        Raises:
            TypeError: not layer classes, or not Rules.
        """
        for found, base in ((torch_type, torch.nn.Module), (paddle_type, paddle.nn.Layer)):
            if not (isinstance(found, type) and issubclass(found, base)):
                raise TypeError(f"expected a subclass of {base.__module__}.{base.__name__}, found {found!r}")
        for name, rule in rules.items():
            if not isinstance(rule, Rule):
                raise TypeError(f"the rule for {name!r} must be a Rule, found {rule!r}")
        return LayoutTable({**self._pairs, (torch_type, paddle_type): rules})

    def rules(self, torch_type: type, paddle_type: type) -> Mapping[str, Rule] | None:
        """The rules of the most specific registered pair among the bases of the two, or None."""
        for t in torch_type.__mro__:
            for p in paddle_type.__mro__:
                if (t, p) in self._pairs:
                    return self._pairs[t, p]
        return None

    def drops(self, torch_type: type, name: str) -> bool:
        """Whether a tensor of such a torch layer has no partner in any Paddle layer."""
        rules = [known[name] for (one, _), known in self._pairs.items() if one in torch_type.__mro__ and name in known]
        return bool(rules) and all(rule.kind == "drop" for rule in rules)

    def rule(self, torch_type: type, paddle_type: type, name: str, siblings: Collection[str]) -> Rule | None:
        """The rule for one tensor that a torch layer owns, or None where nothing is known of it.

        Args:
            name: the tensor's name in its layer.
            siblings: the names of all tensors of that layer.
        """
        rules = self.rules(torch_type, paddle_type)
        known = rules or {}
        if name in known:
            return _in_cells(name, siblings) if _PROJECTION in siblings and known == _OF_AN_LSTM else known[name]
        stem, _, suffix = name.rpartition("_")
        if stem in known and (followed := _NORMED.get(suffix)):
            target = f"{known[stem].target or stem}_{suffix}"
            if suffix in ("orig", "v" if f"{stem}_g" in siblings else "orig"):  # the weight itself, or its direction
                return Rule(known[stem].kind, target)
            if any(f"{stem}_{other}" in siblings for other in followed):
                return Rule("flatten" if suffix == "g" else "identity", target)
        if _user_named(torch_type, rules is not None) and _user_named(paddle_type, rules is not None):
            return IDENTITY
        return None


def _in_cells(name: str, siblings: Collection[str]) -> Rule:
    """Of an LSTM with `proj_size`: its tensors as the cells in Paddle's call them.

    Paddle's LSTM names what its cells hold four by four; with the projection they hold five, and its names fall on the wrong ones.
    """
    kind, place = name.rsplit("_l", 1)
    layer, _, reverse = place.partition("_")
    cell = "cell" if f"{_PROJECTION}_reverse" not in siblings else "cell_bw" if reverse else "cell_fw"
    return Rule("transpose", f"{layer}.{cell}.weight_ho") if kind == "weight_hr" else Rule("identity", f"{layer}.{cell}.{kind}")


def _of_framework(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in ("torch", "paddle")


def _user_named(cls: type, known: bool) -> bool:
    """Whether what no rule names is the user's own: in their module, or their subclass of a known layer."""
    if known and not _of_framework(cls):
        return True
    return next(base for base in cls.__mro__ if _of_framework(base)) in _CONTAINERS


def _default() -> LayoutTable:
    t, p = torch.nn, paddle.nn
    same = {"weight": IDENTITY, "bias": IDENTITY}
    scale = {"weight": Rule("identity", "scale"), "bias": IDENTITY}
    statistics = same | {
        "running_mean": Rule("identity", "_mean"),
        "running_var": Rule("identity", "_variance"),
        "num_batches_tracked": DROP,
    }
    def projections(kind: str) -> tuple[Rule, ...]:
        layout = "transpose" if kind == "weight" else "identity"
        return tuple(Rule(layout, f"{letter}_proj.{kind}") for letter in "qkv")

    attention = {"in_proj_weight": Rule("split", parts=projections("weight")),
                 "in_proj_bias": Rule("split", parts=projections("bias")),
                 **{f"{letter}_proj_weight": Rule("transpose", f"{letter}_proj.weight") for letter in "qkv"}}  # fmt: skip
    pairs = {
        (t.MultiheadAttention, p.MultiHeadAttention): attention,
        (t.LSTM, p.LSTM): _OF_AN_LSTM,
        (t.GRU, p.GRU): _RECURRENT,
        (t.RNN, p.SimpleRNN): _RECURRENT,
        (t.LSTMCell, p.LSTMCell): _OF_A_CELL,
        (t.GRUCell, p.GRUCell): _OF_A_CELL,
        (t.RNNCell, p.SimpleRNNCell): _OF_A_CELL,
        (t.Linear, p.Linear): {"weight": TRANSPOSE, "bias": IDENTITY},
        (t.Embedding, p.Embedding): {"weight": IDENTITY},
        (t.Bilinear, p.Bilinear): {"weight": IDENTITY, "bias": ROW},
        (t.LayerNorm, p.LayerNorm): {"weight": FLATTEN, "bias": FLATTEN},  # Paddle flattens what it normalises
        (t.GroupNorm, p.GroupNorm): same,
        (t.Conv1d, p.Conv1D): same,
        (t.Conv2d, p.Conv2D): same,
        (t.Conv3d, p.Conv3D): same,
        (t.ConvTranspose1d, p.Conv1DTranspose): same,
        (t.ConvTranspose2d, p.Conv2DTranspose): same,
        (t.ConvTranspose3d, p.Conv3DTranspose): same,
        (t.PReLU, p.PReLU): {"weight": Rule("identity", "_weight")},
        (t.InstanceNorm1d, p.InstanceNorm1D): scale,
        (t.InstanceNorm2d, p.InstanceNorm2D): scale,
        (t.InstanceNorm3d, p.InstanceNorm3D): scale,
    }
    # Paddle's first BatchNorm takes any number of axes; what of torch's becomes which of Paddle's new ones is the port's affair.
    for norm in (t.BatchNorm1d, t.BatchNorm2d, t.BatchNorm3d, t.SyncBatchNorm):
        for twin in (p.BatchNorm, p.BatchNorm1D, p.BatchNorm2D, p.BatchNorm3D, p.SyncBatchNorm):
            pairs[norm, twin] = statistics
    if hasattr(paddle, "compat") and hasattr(
        paddle.compat, "nn"
    ):  # recent Paddle only: a Linear in torch's layout
        pairs[t.Linear, paddle.compat.nn.Linear] = same
    return LayoutTable(pairs)


DEFAULT = _default()
