"""What a run is made with, whatever the framework; kept in its checkpoints."""

from dataclasses import asdict, dataclass, fields

from weights_convert import ADAPTIVE_NORMS, DECODER_NORMS, DiscriminatorSizes, GeneratorSizes

from .errors import TrainerError

NETWORKS = ("genA2B", "genB2A", "disGA", "disGB", "disLA", "disLB")


@dataclass(frozen=True)
class Options:
    """Defaults are those of the official command line. ``iteration``: the run over whose second half lr falls to 0.
    ``decoder_norm``, ``cam``: the ablation of the paper."""

    ngf: int = 64
    n_blocks: int = 4
    img_size: int = 256
    light: bool = False
    ndf: int = 64
    lr: float = 1e-4
    weight_decay: float = 1e-4
    iteration: int = 1_000_000
    adv_weight: float = 1.0
    cycle_weight: float = 10.0
    identity_weight: float = 10.0
    cam_weight: float = 1000.0
    batch_size: int = 1
    seed: int = 0
    dtype: str = "float32"
    decoder_norm: str = "adalin"
    cam: bool = True

    def __post_init__(self):
        if self.img_size % 32 or self.img_size < 96:
            raise TrainerError(f"expected pictures of 96 pixels or more, a multiple of 32 (the global discriminator "
                               f"halves them five times and needs 3 in the end), found {self.img_size}")
        if self.iteration < 2:
            raise TrainerError(f"expected a run of 2 steps or more, found {self.iteration}")
        if self.decoder_norm not in DECODER_NORMS:
            raise TrainerError(f"expected a decoder norm of {', '.join(DECODER_NORMS)}, found {self.decoder_norm!r}")

    @classmethod
    def from_json(cls, content):
        """The inverse of ``asdict``; runs from before the ablation are official ones. Raises ValueError where names or types are
        others."""
        known = {field.name: type(field.default) for field in fields(cls)}
        if isinstance(content, dict) and content:
            content = {"decoder_norm": "adalin", "cam": True, **content}
        if not isinstance(content, dict) or content.keys() != known.keys() or any(
                not isinstance(content[name], (int, float) if kind is float else kind) for name, kind in known.items()):
            raise ValueError("the options are not those of this version")
        return cls(**content)

    def training(self, twin, device=None):
        """The twin's ``Training`` of these options."""
        own = {name: value for name, value in asdict(self).items() if name not in ("batch_size", "seed")}
        return twin.Training(**own, device=device)

    def sizes(self):
        """network -> its sizes."""
        light = self.light or self.decoder_norm not in ADAPTIVE_NORMS
        generator = GeneratorSizes(3, 3, self.ngf, self.n_blocks, None if light else self.img_size, light, self.decoder_norm,
                                   self.cam)
        return {name: generator if name.startswith("gen") else
                DiscriminatorSizes(3, self.ndf, 7 if name.startswith("disG") else 5, self.cam) for name in NETWORKS}
