"""U-GAT-IT, the first pair: declared to the harness the way a user declares theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as with_changes
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from parity.declare.pair import Pair, Subject, TrainingSubject
from parity.numbers.noise import generator
from parity.trace.source import SourceTree
from parity.ugatit.pictures import picture
from weights_convert.absent import framework

# Where one framework cannot be imported, the other side still can be built.
paddle, torch, paddle_impl, torch_ref = map(framework, ("paddle", "torch", "paddle_impl", "torch_ref"))
_TORCH, _PADDLE = (Path(find_spec(package).origin).parent for package in ("torch_ref", "paddle_impl"))
_HERE = Path(__file__)

PAIR = Pair(
    "U-GAT-IT",
    reference_source=SourceTree(_TORCH, _HERE, helpers=[_TORCH / "spectral.py", _TORCH / "optimizer.py"]),
    twin_source=SourceTree(_PADDLE, _HERE, helpers=[_PADDLE / name for name in ("functional.py", "layers.py", "optimizer.py",
                                                                              "spectral.py")]),
    # In the reference these locals *are* the parameters, in the twin transposed copies.
    one_sided=frozenset({"gradients class_activation_map: gap_weight", "gradients class_activation_map: gmp_weight"}),
)


@dataclass(frozen=True)
class Sizes:
    """What the six networks are built with. Defaults: the ordinary inputs of the issue's figures."""

    ngf: int = 8
    n_blocks: int = 4
    img_size: int = 96
    light: bool = True
    ndf: int = 4
    input_nc: int = 3
    decoder_norm: str = "adalin"
    cam: bool = True

    def generator(self, package: Any) -> Any:
        return package.ResnetGenerator(self.input_nc, self.input_nc, self.ngf, self.n_blocks, self.img_size, self.light,
                                       self.decoder_norm, self.cam)

    def discriminator(self, package: Any, n_layers: int) -> Any:
        return package.Discriminator(self.input_nc, self.ndf, n_layers, self.cam)

    def network(self, package: Any, name: str) -> Any:
        """One of the six networks of the official checkpoint."""
        if name.startswith("gen"):
            return self.generator(package)
        return self.discriminator(package, 7 if name.startswith("disG") else 5)


NETWORKS = ("genA2B", "genB2A", "disGA", "disGB", "disLA", "disLB")


def seeded_state(model: torch.nn.Module, name: str, seed: int) -> dict[str, np.ndarray]:
    """Weights from named random generators, float32, at the scale that training has them.

    rho uniform in [0, 1]; gamma about 1; biases and beta small; u and v of norm 1; the rest normal with variance 1/fan-in.
    """
    state = {key: _seeded(key, tuple(value.shape), generator(seed, name, key)) for key, value in model.state_dict().items()}
    _converge(state)
    return {key: value.astype(np.float32) for key, value in state.items()}


def _converge(state: dict[str, np.ndarray]) -> None:
    """u and v as training has them, near the largest singular value: in eval a random pair divides by almost nothing."""
    for key in state:
        layer, _, last = key.rpartition(".")
        if last == "weight_u":
            prefix = f"{layer}." if layer else ""
            matrix = state[f"{prefix}weight_orig"].reshape(state[key].size, -1)
            for _ in range(3):
                v = matrix.T @ state[key]
                state[f"{prefix}weight_v"] = v / np.linalg.norm(v)
                u = matrix @ v
                state[key] = u / np.linalg.norm(u)


def _seeded(key: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    last = key.rpartition(".")[2]
    if last == "rho":
        return rng.uniform(0, 1, shape)
    if last == "gamma":
        return 1 + 0.1 * rng.standard_normal(shape)
    if last in ("beta", "bias"):
        return 0.1 * rng.standard_normal(shape)
    draw = rng.standard_normal(shape)
    if last in ("weight_u", "weight_v"):
        return draw / np.linalg.norm(draw)
    return draw / np.sqrt(np.prod(shape[1:]))


class TorchCAM(torch.nn.Module):
    """The attention alone: `class_activation_map` with layers of its own, spectral-normed as in a discriminator."""

    def __init__(self, channels: int, spectral: bool) -> None:
        super().__init__()
        wrap = torch_ref.spectral_norm if spectral else (lambda layer: layer)
        self.gap_fc = wrap(torch.nn.Linear(channels, 1, bias=False))
        self.gmp_fc = wrap(torch.nn.Linear(channels, 1, bias=False))
        self.conv1x1 = torch.nn.Conv2d(2 * channels, channels, 1)
        self.activation = torch.nn.LeakyReLU(0.2, True)

    def forward(self, input):
        return torch_ref.class_activation_map(input, self.gap_fc, self.gmp_fc, self.conv1x1, self.activation)


class PaddleCAM(paddle.nn.Layer):
    """The twin of `TorchCAM`."""

    def __init__(self, channels: int, spectral: bool) -> None:
        super().__init__()
        wrap = paddle_impl.spectral_norm if spectral else (lambda layer: layer)
        self.gap_fc = wrap(paddle.nn.Linear(channels, 1, bias_attr=False))
        self.gmp_fc = wrap(paddle.nn.Linear(channels, 1, bias_attr=False))
        self.conv1x1 = paddle.nn.Conv2D(2 * channels, channels, 1)
        self.activation = paddle_impl.layers.LeakyReLU(0.2)

    def forward(self, input):
        return paddle_impl.class_activation_map(input, self.gap_fc, self.gmp_fc, self.conv1x1, self.activation)


class TorchLosses(torch.nn.Module):
    """The four losses as one subject."""

    def forward(self, logit, cam_logit, reconstruction, image):
        real = torch_ref.adversarial_loss(logit, True)
        fake = torch_ref.adversarial_loss(logit, False)
        cycle = torch_ref.cycle_loss(reconstruction, image)
        identity = torch_ref.identity_loss(reconstruction, image)
        cam_positive = torch_ref.cam_loss(cam_logit, True)
        cam_negative = torch_ref.cam_loss(cam_logit, False)
        return real, fake, cycle, identity, cam_positive, cam_negative


class PaddleLosses(paddle.nn.Layer):
    """The twin of `TorchLosses`."""

    def forward(self, logit, cam_logit, reconstruction, image):
        real = paddle_impl.adversarial_loss(logit, True)
        fake = paddle_impl.adversarial_loss(logit, False)
        cycle = paddle_impl.cycle_loss(reconstruction, image)
        identity = paddle_impl.identity_loss(reconstruction, image)
        cam_positive = paddle_impl.cam_loss(cam_logit, True)
        cam_negative = paddle_impl.cam_loss(cam_logit, False)
        return real, fake, cycle, identity, cam_positive, cam_negative


def module_subject(name: str, reference: Callable[[], Any], twin: Callable[[], Any],
                   inputs: Mapping[str, np.ndarray], *, seed: int = 0, state: Mapping[str, np.ndarray] | None = None,
                   **options: Any) -> Subject:
    """A subject of this pair; without a state its weights come from the seed."""
    if state is None:
        state = seeded_state(reference(), name, seed)
    return Subject(name, PAIR, reference, twin, state, inputs, seed=seed, **options)


def modules(seed: int = 0, *, channels: int = 6, size: int = 12, batch: int = 2,
            training: bool = True, weights: bool = True, decoder_norm: str = "adalin") -> Iterator[Subject]:
    """Every module of the networks alone, on random feature maps. weights: False where they are to come from elsewhere.
    decoder_norm: of the ablation, whose norms and block come after the official ones."""
    rng = generator(seed, "modules")

    def maps(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    x = maps(batch, channels, size, size)
    scale, shift = 1 + 0.3 * maps(batch, channels), maps(batch, channels)
    common = {"seed": seed, "training": training, "state": None if weights else {}}
    yield module_subject("AdaLIN", lambda: torch_ref.AdaLIN(channels), lambda: paddle_impl.AdaLIN(channels),
                         {"input": x, "gamma": scale, "beta": shift}, **common)
    yield module_subject("LIN", lambda: torch_ref.LIN(channels), lambda: paddle_impl.LIN(channels), {"input": x}, **common)
    yield module_subject("InstanceNorm2d", lambda: torch_ref.InstanceNorm2d(channels),
                         lambda: paddle_impl.InstanceNorm2D(channels), {"input": x}, **common)
    for spectral in (False, True):
        yield module_subject("CAM_spectral" if spectral else "CAM", lambda spectral=spectral: TorchCAM(channels, spectral),
                             lambda spectral=spectral: PaddleCAM(channels, spectral), {"input": x},
                             calls=5 if spectral else 1, **common)
    yield module_subject("spectral_conv",
                         lambda: torch_ref.spectral_norm(torch.nn.Conv2d(channels, channels + 2, 4, stride=2)),
                         lambda: paddle_impl.spectral_norm(paddle.nn.Conv2D(channels, channels + 2, 4, stride=2)),
                         {"input": x}, calls=5, **common)
    yield module_subject("spectral_linear",
                         lambda: torch_ref.spectral_norm(torch.nn.Linear(channels, channels)),
                         lambda: paddle_impl.spectral_norm(paddle.nn.Linear(channels, channels)),
                         {"input": maps(batch, channels)}, calls=5, **common)
    yield module_subject("ResnetBlock", lambda: torch_ref.ResnetBlock(channels, use_bias=False),
                         lambda: paddle_impl.ResnetBlock(channels, use_bias=False), {"x": x}, **common)
    yield module_subject("ResnetAdaILNBlock", lambda: torch_ref.ResnetAdaILNBlock(channels, use_bias=False),
                         lambda: paddle_impl.ResnetAdaILNBlock(channels, use_bias=False),
                         {"x": x, "gamma": scale, "beta": shift}, **common)
    if decoder_norm != "adalin":
        yield from _ablation(decoder_norm, channels, x, scale, shift, common)
    yield module_subject("losses", TorchLosses, PaddleLosses,
                         {"logit": maps(batch, 1, 5, 5), "cam_logit": maps(batch, 2), "reconstruction": x,
                          "image": maps(*x.shape)}, stage="losses", **common)


def _ablation(decoder_norm: str, channels: int, x: np.ndarray, scale: np.ndarray, shift: np.ndarray,
              common: Mapping[str, Any]) -> Iterator[Subject]:
    """The norms of this decoder, and its residual block."""
    ours, theirs = (package.norms.decoder_norms(decoder_norm) for package in (torch_ref, paddle_impl))
    adaptive = ours[0] in torch_ref.norms.ADAPTIVE
    affine = {"gamma": scale, "beta": shift} if adaptive else {}
    for norm, twin in dict(zip(ours, theirs, strict=True)).items():
        yield module_subject(norm.__name__, lambda norm=norm: norm(channels), lambda twin=twin: twin(channels),
                             {"input": x, **(affine if norm is ours[0] else {})}, **common)
    block = "ResnetAdaILNBlock" if adaptive else "ResnetBlock"
    yield module_subject(f"{block} {ours[0].__name__}", lambda: getattr(torch_ref, block)(channels, False, ours[0]),
                         lambda: getattr(paddle_impl, block)(channels, False, theirs[0]), {"x": x, **affine}, **common)


def networks(sizes: Sizes, images: Mapping[str, np.ndarray], states: Mapping[str, Mapping[str, np.ndarray]] | None = None,
             *, names: tuple[str, ...] = NETWORKS, seed: int = 0, training: bool = True,
             calls: int = 1, weights: bool = True) -> Iterator[Subject]:
    """Whole networks, on the picture of the domain that each of them sees: "A" or "B".

    states: network name -> weights in torch's layout (a checkpoint's); without them the weights come from the seed.
    weights: False where they are to come from elsewhere.
    """
    for name in names:
        domain = "B" if name in ("genB2A", "disGB", "disLB") else "A"

        def build(package: Any, name: str = name) -> Any:
            return sizes.network(package, name)

        if states is not None:
            state = states[name]
        elif weights:
            with torch.device("meta"):
                state = seeded_state(build(torch_ref), name, seed)
        else:
            state = {}
        yield Subject(name, PAIR, lambda build=build: build(torch_ref), lambda build=build: build(paddle_impl), state,
                      {"input": images[domain]}, seed=seed, training=training, calls=calls)


EXAM_SIZES = Sizes(ngf=4, n_blocks=2, img_size=32, light=True, ndf=4)


def exam_subject(name: str, seed: int = 0, **sizes: Any) -> Subject:
    """A small subject by name, for faults and their healthy twins: a module ("LIN"), a network ("disLA"), with a suffix, or a part
    of the measurement ("evaluation_whole").

    "_eval": in eval mode. "_bounds": rho at, between and beyond its bounds. "_initial": rho at 0, where LIN starts.
    Discriminators run five times, as spectral norm moves on with every forward. sizes: of a network (see `Sizes`), other than
    the usual ones. Raises KeyError.
    """
    base, _, suffix = name.partition("_")
    if base == "evaluation":
        from parity.ugatit.evaluation.pairs import subject
        return subject(name, seed)
    training = suffix != "eval"
    if base in NETWORKS:
        usual = with_changes(EXAM_SIZES, img_size=96) if base.startswith("disG") else EXAM_SIZES
        built = with_changes(usual, **sizes)
        images = {domain: picture(domain, seed, built.img_size, batch=2) for domain in "AB"}
        subject = next(networks(built, images, names=(base,), seed=seed, training=training,
                                calls=5 if base.startswith("dis") else 1))
        return with_changes(subject, name=name)
    known = {subject.name: subject for subject in modules(seed, training=training)}
    if name in known:
        return known[name]
    subject = known[base]
    if suffix in ("bounds", "initial"):
        rho = subject.state["rho"]
        spread = np.resize([-0.5, 0.0, 0.3, 1.0, 1.5], rho.shape) if suffix == "bounds" else np.zeros_like(rho)
        return with_changes(subject, name=name, state={**subject.state, "rho": spread.astype(rho.dtype)})
    return with_changes(subject, name=name)


PHASES = {"decay_lr": (None, "update"), "discriminator_step": ("D", "forward"), "generator_step": ("G", "forward"),
          "clip_rho": (None, "state")}


def fresh_states(sizes: Sizes, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Network -> what PyTorch's initialisers make of it, from the seed: what a new training starts from.

    (From `seeded_state`, of larger gamma and beta, the light training is chaotic: rounding grows by 1.45 a step, from 1e-15
    to 8e-8 in 50 steps, and from here not at all, 1e-14.)
    """
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        built = {name: sizes.network(torch_ref, name) for name in NETWORKS}
    return {name: {key: value.numpy() for key, value in network.state_dict().items()} for name, network in built.items()}


def training(sizes: Sizes, *, seed: int = 0, iteration: int = 1_000_000, batch: int = 1,
             images: Callable[[int], Mapping[str, np.ndarray]] | None = None,
             states: Mapping[str, Mapping[str, np.ndarray]] | None = None, device: str = "cpu", **options: Any) -> TrainingSubject:
    """The whole training. images: step -> {"real_A", "real_B"}, generated ones by default; states: network -> weights, by
    default those that a new training starts from."""
    arguments = {"ngf": sizes.ngf, "n_blocks": sizes.n_blocks, "img_size": sizes.img_size, "light": sizes.light,
                 "ndf": sizes.ndf, "input_nc": sizes.input_nc, "decoder_norm": sizes.decoder_norm, "cam": sizes.cam,
                 "iteration": iteration, "device": device, **options}
    if states is None:
        states = fresh_states(sizes, seed)

    def generated(step: int) -> dict[str, np.ndarray]:
        return {f"real_{domain}": picture(f"{domain}{step}", seed, sizes.img_size, batch) for domain in "AB"}

    return TrainingSubject("training", PAIR, lambda dtype: torch_ref.Training(**arguments, dtype=dtype),
                           lambda dtype: paddle_impl.Training(**arguments, dtype=dtype), {"networks": states},
                           images or generated, PHASES, seed, device=device)


def exam_training(name: str, seed: int = 0, **changes: Any) -> TrainingSubject:
    """A training small enough for an exam: "training"; "training_decay": lr falls from step 3 on; "training_initial": rho
    at the bounds, where an unclipped update leaves [0, 1] at once; "training_resumed": in the middle of a run, with moments;
    "training_start": with the weights that each side draws; "training_files": with pictures from files. changes: of its sizes
    (see `Sizes`). Raises KeyError."""
    sizes = with_changes(Sizes(ngf=2, n_blocks=1, img_size=96, light=True, ndf=1), **changes)
    with torch.device("meta"):
        shapes = {name: sizes.network(torch_ref, name) for name in NETWORKS}
    states = {name: seeded_state(network, name, seed) for name, network in shapes.items()}
    if name == "training_decay":
        return training(sizes, seed=seed, iteration=4, states=states)
    subject = training(sizes, seed=seed, states=states)
    if name == "training":
        return subject
    if name == "training_resumed":
        return with_changes(subject, state={**subject.state, "moments": _moments(subject, seed), "lr": {"G": 6e-5, "D": 6e-5}})
    if name == "training_start":
        return with_changes(training(with_changes(sizes, **{"ngf": 8, "ndf": 4, **changes}), seed=seed), own_start=True)
    if name == "training_files":
        from parity.ugatit.data import from_files
        return from_files(subject, sizes.img_size, seed)
    if name != "training_initial":
        raise KeyError(name)
    states = {network: {entry: np.round(values) if entry.endswith("rho") else values for entry, values in state.items()}
              for network, state in subject.state["networks"].items()}
    return with_changes(subject, state={"networks": states})


def _moments(subject: TrainingSubject, seed: int) -> dict[str, dict[str, dict[str, Any]]]:
    """What Adam might remember after five updates: gradients of about the size that training has."""
    moments: dict[str, dict[str, dict[str, Any]]] = {}
    for network, state in subject.state["networks"].items():
        for name, values in state.items():
            if not name.endswith(("weight_u", "weight_v")):
                rng = generator(seed, "moments", network, name)
                moments.setdefault(network, {})[name] = {
                    "updates": 5, "exp_avg": (0.01 * rng.standard_normal(values.shape)).astype(np.float32),
                    "exp_avg_sq": (1e-6 * rng.standard_normal(values.shape) ** 2).astype(np.float32)}
    return moments
