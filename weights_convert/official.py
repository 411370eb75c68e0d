"""The official U-GAT-IT checkpoint: its six networks, and their sizes read off the tensors."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise

from .errors import CheckpointError, listed

GENERATORS = ("genA2B", "genB2A")
DISCRIMINATORS = ("disGA", "disGB", "disLA", "disLB")
NETWORKS = GENERATORS + DISCRIMINATORS

ADAPTIVE_NORMS = ("adalin", "adain")
OWN_NORMS = ("in", "ln", "gn")
"""Norms of the generator's decoder, the official one and the ablation's; of the latter three the tensors are the same."""
DECODER_NORMS = ADAPTIVE_NORMS + OWN_NORMS

Shape = tuple[int, ...]
Shapes = dict[str, Shape]


@dataclass(frozen=True)
class GeneratorSizes:
    """The arguments of a generator. `img_size` is None where `light`: it is not stored, any will do; so is a generator with a
    decoder norm that is not adaptive, which has no FC."""

    input_nc: int
    output_nc: int
    ngf: int
    n_blocks: int
    img_size: int | None
    light: bool
    decoder_norm: str = "adalin"
    cam: bool = True

    def arguments(self) -> dict:
        """Keyword arguments for `ResnetGenerator`; an unknown `img_size` is left to its default."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class DiscriminatorSizes:
    """The arguments of a discriminator."""

    input_nc: int
    ndf: int
    n_layers: int
    cam: bool = True

    def arguments(self) -> dict:
        """Keyword arguments for `Discriminator`."""
        return asdict(self)


Sizes = GeneratorSizes | DiscriminatorSizes

_CAM = ("gap_fc.", "gmp_fc.", "conv1x1.")


def infer_some_sizes(checkpoint: Mapping[str, Mapping], decoder_norm: str | None = None) -> dict[str, Sizes]:
    """As `infer_sizes`, for one or some of the six networks."""
    wrong = [name for name in checkpoint if name not in NETWORKS]
    if wrong or not checkpoint:
        raise CheckpointError(f"expected some of the networks {', '.join(NETWORKS)}, found {listed(wrong) or 'none'}")
    return {
        network: _generator(network, checkpoint[network], decoder_norm) if network in GENERATORS
        else _discriminator(network, checkpoint[network])
        for network in checkpoint
    }


def infer_sizes(checkpoint: Mapping[str, Mapping], decoder_norm: str | None = None) -> dict[str, Sizes]:
    """The sizes of each of the six networks.

    Args:
        checkpoint: network -> (tensor name -> anything with a `shape`), in torch's layout or in Paddle's:
            `gap_fc` maps all channels to one number, so its weight has one row in torch and one column in
            Paddle; without CAM, `FC.0` has more columns than rows in torch.
        decoder_norm: of both generators, one of `DECODER_NORMS`; needed for "in", "ln" and "gn", whose tensors are the same.
    Returns:
        network name -> GeneratorSizes or DiscriminatorSizes, in the order of `NETWORKS`.
    Raises:
        CheckpointError: other networks than the six, or a tensor that is missing, extra, or of a shape that
            contradicts the others; all are named. Or another decoder_norm than the tensors', or one that is needed and missing.

    A full generator made for 4 x 4 pictures has the same shapes as a light one, and is taken for light.
    """
    wrong = [f"missing {name}" for name in NETWORKS if name not in checkpoint]
    wrong += [f"unexpected {name}" for name in checkpoint if name not in NETWORKS]
    if wrong:
        raise CheckpointError(
            f"expected the networks {', '.join(NETWORKS)} of an official checkpoint: {listed(wrong)}"
        )
    return infer_some_sizes({network: checkpoint[network] for network in NETWORKS}, decoder_norm)


def _generator(network: str, state: Mapping, decoder_norm: str | None) -> GeneratorSizes:
    found = _shapes(network, state)
    norm = _decoder_norm(network, found, decoder_norm)
    ngf, input_nc = _need(network, found, "DownBlock.1.weight", 4)[:2]
    output_nc = _need(network, found, "UpBlock2.11.weight", 4)[0]
    columns = 4 * ngf if norm in OWN_NORMS else _need(network, found, "FC.0.weight", 2)[1]
    light = columns == 4 * ngf
    side = math.isqrt(columns // (4 * ngf)) if ngf else 0
    if not light and side**2 * 4 * ngf != columns:
        raise CheckpointError(
            f"{network}.FC.0.weight: expected {4 * ngf} columns (light) or {4 * ngf} times a square "
            f"(ngf is {ngf} by DownBlock.1.weight), found {columns}"
        )
    first = ".conv_block.1.weight" if norm in OWN_NORMS else ".conv1.weight"
    n_blocks = sum(name.startswith("UpBlock1_") and name.endswith(first) for name in found)
    cam = any(name.startswith(_CAM) for name in found)
    sizes = GeneratorSizes(input_nc, output_nc, ngf, n_blocks, None if light else 4 * side, light, norm, cam)
    _compare(network, found, _generator_shapes(sizes, columns), sizes)
    return sizes


def _decoder_norm(network: str, found: Shapes, said: str | None) -> str:
    """Only AdaLIN has rho, only adaptive norms have FC; which of the others it is, only `said` tells."""
    if said not in (None, *DECODER_NORMS):
        raise CheckpointError(f"decoder norm: expected one of {', '.join(DECODER_NORMS)}, found {said!r}")
    if any(name.endswith(".rho") for name in found) or "UpBlock2.3.gamma" not in found:
        fit = ("adalin",)
    else:
        fit = ("adain",) if any(name.startswith("FC.") for name in found) else OWN_NORMS
    if said is None and len(fit) > 1:
        raise CheckpointError(f"{network}: the tensors are the same for the decoder norms {', '.join(fit)}: expected to be told "
                              f"which it is (--decoder-norm), found nothing")
    if said is not None and said not in fit:
        raise CheckpointError(f"{network}: expected a generator with the decoder norm {said}, found the tensors of "
                              f"{' or '.join(fit)}")
    return said or fit[0]


def _discriminator(network: str, state: Mapping) -> DiscriminatorSizes:
    found = _shapes(network, state)
    ndf, input_nc = _need(network, found, "model.1.weight_orig", 4)[:2]
    n_layers = 1 + sum(name.startswith("model.") and name.endswith(".weight_orig") for name in found)
    sizes = DiscriminatorSizes(input_nc, ndf, n_layers, any(name.startswith(_CAM) for name in found))
    _compare(network, found, _discriminator_shapes(sizes), sizes)
    return sizes


def _generator_shapes(sizes: GeneratorSizes, fc_columns: int) -> Shapes:
    """Every tensor of the official generator, or of the ablation's."""
    ngf, n = sizes.ngf, sizes.n_blocks
    c = 4 * ngf
    cam = {"gap_fc.weight": (1, c), "gmp_fc.weight": (1, c), "conv1x1.weight": (c, 2 * c, 1, 1), "conv1x1.bias": (c,)}
    affine = {"gamma.weight": (c, c), "beta.weight": (c, c), "FC.0.weight": (c, fc_columns), "FC.2.weight": (c, c)}
    adaptive = sizes.decoder_norm in ADAPTIVE_NORMS
    shapes = {
        **(cam if sizes.cam else {}),
        **(affine if adaptive else {}),
        "DownBlock.1.weight": (ngf, sizes.input_nc, 7, 7),
        "DownBlock.5.weight": (2 * ngf, ngf, 3, 3),
        "DownBlock.9.weight": (c, 2 * ngf, 3, 3),
        "UpBlock2.2.weight": (2 * ngf, c, 3, 3),
        "UpBlock2.7.weight": (ngf, 2 * ngf, 3, 3),
        "UpBlock2.11.weight": (sizes.output_nc, ngf, 7, 7),
    }
    for i in range(n):
        shapes |= {f"DownBlock.{12 + i}.conv_block.{j}.weight": (c, c, 3, 3) for j in (1, 5)}
        if adaptive:
            shapes |= {f"UpBlock1_{i + 1}.conv{j}.weight": (c, c, 3, 3) for j in (1, 2)}
        else:
            shapes |= {f"UpBlock1_{i + 1}.conv_block.{j}.weight": (c, c, 3, 3) for j in (1, 5)}
            shapes |= {f"UpBlock1_{i + 1}.conv_block.{j}.{name}": (1, c, 1, 1) for j in (2, 6) for name in ("gamma", "beta")}
        if sizes.decoder_norm == "adalin":
            shapes |= {f"UpBlock1_{i + 1}.norm{j}.rho": (1, c, 1, 1) for j in (1, 2)}
    of_norm = ("rho", "gamma", "beta") if sizes.decoder_norm == "adalin" else ("gamma", "beta")
    for layer, channels in ((3, 2 * ngf), (8, ngf)):
        shapes |= {f"UpBlock2.{layer}.{name}": (1, channels, 1, 1) for name in of_norm}
    return shapes


def _discriminator_shapes(sizes: DiscriminatorSizes) -> Shapes:
    """Every tensor of the official discriminator, or of the ablation's."""
    widths = [sizes.input_nc, *(sizes.ndf * 2**i for i in range(sizes.n_layers - 1))]
    c = widths[-1]
    shapes = {}
    if sizes.cam:
        shapes |= {"conv1x1.weight": (c, 2 * c, 1, 1), "conv1x1.bias": (c,)}
        for fc in ("gap_fc", "gmp_fc"):
            shapes |= _spectral(fc, (1, c))
    shapes |= _spectral("conv", (1, c, 4, 4))
    for i, (incoming, outgoing) in enumerate(pairwise(widths)):
        shapes |= _spectral(f"model.{1 + 3 * i}", (outgoing, incoming, 4, 4))
        shapes[f"model.{1 + 3 * i}.bias"] = (outgoing,)
    return shapes


def _spectral(layer: str, weight: Shape) -> Shapes:
    return {
        f"{layer}.weight_orig": weight,
        f"{layer}.weight_u": weight[:1],
        f"{layer}.weight_v": (math.prod(weight[1:]),),
    }


def _shapes(network: str, state: Mapping) -> Shapes:
    """Shapes in torch's layout, without the `weight` that Paddle may keep beside `weight_orig`."""
    if not isinstance(state, Mapping):
        raise CheckpointError(f"{network}: expected a state_dict, found of type {type(state).__name__}")
    for name, tensor in state.items():
        if not hasattr(tensor, "shape"):
            raise CheckpointError(
                f"{network}.{name}: expected a tensor, found of type {type(tensor).__name__}"
            )
    shapes = {
        name: tuple(int(n) for n in t.shape) for name, t in state.items() if f"{name}_orig" not in state
    }
    cam = shapes.get("gap_fc.weight") or shapes.get("gap_fc.weight_orig") or ()
    fc = shapes.get("FC.0.weight") or ()  # as wide as it is high, or wider
    if (len(cam) == 2 and cam[1] == 1 != cam[0]) or (not cam and len(fc) == 2 and fc[0] > fc[1]):
        shapes = {
            name: s[::-1] if len(s) == 2 else s for name, s in shapes.items()
        }  # every matrix is a Linear's
    return shapes


def _need(network: str, found: Shapes, name: str, dimensions: int) -> Shape:
    if name not in found:
        some = ", ".join(list(found)[:3])
        raise CheckpointError(
            f"{network}: missing {name}: not an official U-GAT-IT network (it holds {some}, ...)"
        )
    shape = found[name]
    if len(shape) != dimensions or 0 in shape:
        raise CheckpointError(
            f"{network}.{name}: expected {dimensions} dimensions, none of them 0, found shape {shape}"
        )
    return shape


def _compare(network: str, found: Shapes, expected: Shapes, sizes: Sizes) -> None:
    problems = [f"missing {name} {shape}" for name, shape in expected.items() if name not in found]
    problems += [f"unexpected {name} {shape}" for name, shape in found.items() if name not in expected]
    problems += [f"{name} should be {shape}, is {found[name]}"
                 for name, shape in expected.items() if found.get(name, shape) != shape]  # fmt: skip
    if problems:
        raise CheckpointError(
            f"{network}: the tensors contradict each other; taken for {sizes}: {listed(problems)}"
        )
