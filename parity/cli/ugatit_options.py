"""Options of U-GAT-IT: what its networks are fed with, and how large they are. `steps` and `record` take them beside a pair's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import click

from parity.cli.options import SEED, given, grouped

DECODER_NORMS = ("adalin", "adain", "in", "ln", "gn")  # as in weights_convert, which takes seconds to import


@dataclass(frozen=True)
class Inputs:
    """What U-GAT-IT's networks are fed with."""

    checkpoint: str | None
    images: str | None
    size: int | None
    seed: int
    batch: int

    def cases(self, programs: Programs, modes: Sequence[str], *, weights: bool = True) -> list[Any]:
        """What `parity check` compares. weights: False where a trace will give them. Raises InputError, ConversionError."""
        from parity.ugatit.cases import cases
        if self.checkpoint and programs.cam is not None:
            raise click.UsageError("--cam: the checkpoint says it; leave this out, or leave --checkpoint out")
        return cases(**self._read(programs.decoder_norm), **asdict(programs), modes=modes, weights=weights)

    def recorded(self, programs: Programs, modes: Sequence[str], side: str, trace: Any) -> list[Any]:
        """What `parity record` records. trace: where names and weights come from, or None. Raises as `cases` does."""
        from parity.recordings.record import alone
        from parity.ugatit.cases import PAIR
        alone(PAIR, side, trace)  # before anything is built
        return self.cases(programs, modes, weights=trace is None)

    def training(self, sizes: Sizes, *, iteration: int, device: str) -> Any:
        """What `parity steps` follows. Raises UsageError, InputError, ConversionError."""
        from parity.ugatit.training import subject
        given = sizes.given(self.checkpoint)
        return subject(**self._read(sizes.decoder_norm), **given, iteration=iteration, device=device)

    def hashes(self) -> dict[str, str]:
        """The checkpoint's SHA-256, where there is one: a report says what it is of."""
        from weights_convert.bits import sha256_file
        return {self.checkpoint: sha256_file(self.checkpoint)} if self.checkpoint else {}

    def _read(self, decoder_norm: str | None) -> dict[str, Any]:
        from parity.ugatit.cases import Checkpoint
        return {**asdict(self), "checkpoint": Checkpoint.read(self.checkpoint, decoder_norm) if self.checkpoint else None}


def inputs(batch: str) -> Callable:
    """batch: what --batch means to the command."""
    return grouped(
        "inputs", Inputs,
        click.option("--checkpoint", metavar="FILE.pt",
                     help="Official checkpoint: compare its six networks, with its sizes and weights."),
        click.option("--images", metavar="DIR",
                     help="Folder of pictures; testA and testB (or trainA and trainB) in it are the two domains."),
        click.option("--size", type=click.IntRange(min=4), metavar="PIXELS",
                     help="Side of the pictures. Default: the checkpoint's own, else 96."),
        click.option("--seed", type=SEED, metavar="N", default=0, show_default=True,
                     help="Of the weights, generated pictures, probes and noise draws."),
        click.option("--batch", type=click.IntRange(min=1), metavar="N", default=1, show_default=True, help=batch),
    )


ABLATION = (
    click.option("--decoder-norm", type=click.Choice(DECODER_NORMS), metavar="NORM",
                 help="Of the decoder: adalin, or of the paper's ablation: adain, in, ln, gn.  [default: the checkpoint's, else "
                      "adalin]"),
    click.option("--cam/--no-cam", default=None, help="With attention or without.  [default: the checkpoint's, else cam]"),
)


@dataclass(frozen=True)
class Programs:
    """Which of U-GAT-IT's programs; decoder_norm, cam: None where it was not said."""

    modules: bool
    only: tuple[str, ...]
    decoder_norm: str | None
    cam: bool | None


PROGRAMS = grouped(
    "programs", Programs,
    click.option("--modules/--no-modules", default=True, help="Every module alone, before the networks."),
    click.option("--only", multiple=True, metavar="NAME", help="Only programs of this name; * and ? match. May be repeated."),
    *ABLATION,
)


@dataclass(frozen=True)
class Sizes:
    """Of U-GAT-IT's networks, where no checkpoint says them; None: the default."""

    ngf: int | None
    ndf: int | None
    n_blocks: int | None
    light: bool | None
    decoder_norm: str | None
    cam: bool | None

    def given(self, checkpoint: str | None) -> dict[str, Any]:
        """Those that were said, but for what helps to read a checkpoint. Raises UsageError where there is one, too."""
        said = {name: value for name, value in asdict(self).items()
                if value is not None and not (checkpoint and name == "decoder_norm")}
        if checkpoint and said:
            raise click.UsageError(f"{', '.join('--' + name.replace('_', '-') for name in said)}: the sizes are the checkpoint's; "
                                   f"leave this out, or leave --checkpoint out")
        return said


SIZES = grouped(
    "sizes", Sizes,
    click.option("--ngf", type=click.IntRange(min=1), metavar="N",
                 help="Width of the generators, without a checkpoint.  [default: 8]"),
    click.option("--ndf", type=click.IntRange(min=1), metavar="N",
                 help="Width of the discriminators, without a checkpoint.  [default: 4]"),
    click.option("--n-blocks", type=click.IntRange(min=1), metavar="N",
                 help="Residual blocks, without a checkpoint.  [default: 4]"),
    click.option("--light/--full", default=None, help="The light generator or the full one.  [default: light]"),
    *ABLATION,
)


def injected(names: Sequence[str]) -> AbstractContextManager[None]:
    """These known faults in the twin. Raises InputError with the names that are nearest to an unknown one."""
    from parity.ugatit.training import injected
    return injected(names)


def refuse_for_pair(context: click.Context, pair: str, names: Sequence[str]) -> None:
    """Raises UsageError where one of these options, which are U-GAT-IT's, was given beside a pair."""
    options = {option.name: option.opts[0] for option in context.command.params}
    refused = [options[name] for name in names if given(context, name)]
    if refused:
        raise click.UsageError(f"{', '.join(refused)}: for U-GAT-IT, not for {pair}, whose file says what "
                               f"it is fed with; leave it out")
