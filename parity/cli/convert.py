"""`parity convert`: a checkpoint from PyTorch to Paddle or back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from parity.cli import output
from parity.cli.exits import terminable

if TYPE_CHECKING:
    from parity.conversion.networks import Networks


@click.command()
@click.argument("source", metavar="SRC", required=False)
@click.argument("destination", metavar="OUT", required=False)
@click.option("--to", "direction", type=click.Choice(["paddle", "torch"]), default="paddle", show_default=True,
              help="paddle: SRC is a .pt or .safetensors file or a folder of them, OUT a folder. torch: SRC is such a folder, "
                   "OUT a .pt file.")
@click.option("--format", "file_format", type=click.Choice(["pdparams", "safetensors"]), default=None,
              help="Of the Paddle files. Default: pdparams; with --to torch: what SRC holds.")
@click.option("--verify", type=click.Choice(["full", "checksum", "none"]), default="full", show_default=True,
              help="full: reload every tensor with the target framework, compare it bit for bit. checksum: read the files back.")
@click.option("--forward/--no-forward", "try_forward", default=None,
              help="One forward of both networks on one input, compared in float32.  [default: with --verify full, up to 500 MB]")
@click.option("--prefix", metavar="NAME", help="Take only what lies under this name in SRC (model, ema.model).")
@click.option("--network", metavar="NAME", help="The one network to take; the name of a bare state_dict.")
@click.option("--optimizer", metavar="WHERE",
              help="Carry Adam's moments and steps over, too, for a single network: a key in SRC or a .pt file, to "
                   "OUT/NETWORK.pdopt; with --to torch a .pdopt, to OUT with the suffix .optimizer.pt.")
@click.option("--adam", metavar="NAME=VALUE", multiple=True,
              help="What a .pdopt does not hold, for --to torch: lr, and where they are not the defaults beta1, beta2, eps, "
                   "weight_decay. May be repeated.")
@click.option("--pair", metavar="FILE", help="Convert the networks of your own pair (a file of parity init, or file.py:name; or a "
                                              "module with SUBJECTS).")
@click.option("--without", metavar="PATTERN", multiple=True,
              help="Leave out tensors of such names, by either side's ('aux.*', '*.total_ops'). May be repeated.")
@click.option("--decoder-norm", type=click.Choice(["adalin", "adain", "in", "ln", "gn"]), metavar="NORM",
              help="Of U-GAT-IT's generators of the ablation: in, ln and gn have the same tensors.")
@click.option("--force", is_flag=True, help="Replace SRC itself, where OUT has it under the name of a result.")
@click.option("--check-against", "by_hand", metavar="FILE",
              help="Check a conversion made by hand: is this .pdparams (or a folder of them) what SRC says? Without OUT.")
@click.option("--check", "receipt_path", metavar="RECEIPT", help="Prove an earlier conversion anew; without SRC and OUT.")
def convert(source: str | None, destination: str | None, direction: str, file_format: str | None, verify: str,
            try_forward: bool | None, prefix: str | None, network: str | None, optimizer: str | None, adam: tuple[str, ...],
            pair: str | None, without: tuple[str, ...], decoder_norm: str | None, force: bool, by_hand: str | None,
            receipt_path: str | None) -> int:
    """Carry a checkpoint from PyTorch to Paddle or back, bit for bit, with a receipt.

    \b
    Examples:
      parity convert model.pt converted/
      parity convert --to torch converted/ model.pt
      parity convert --check converted/receipt.json
      parity convert --network genA2B --prefix ema generator.pt converted/
      parity convert --pair my_pair.py model.pt converted/
      parity convert --pair my_pair.py model.pt --check-against by_hand.pdparams
      parity convert --network genA2B --prefix model --optimizer optimizer training.pt converted/
      parity convert --to torch --optimizer genA2B.pdopt --adam lr=1e-4 --adam beta1=0.5 genA2B.pdparams generator.pt
    """
    if decoder_norm and (pair or receipt_path):
        raise click.UsageError("--decoder-norm is for U-GAT-IT's checkpoints; a pair and a receipt say themselves what they are")
    from parity.conversion.networks import networks
    known = networks(pair, without, decoder_norm)
    if by_hand is not None:
        if source is None or destination or receipt_path or direction == "torch":
            raise click.UsageError("--check-against FILE takes SRC, the torch checkpoint, and nothing else")
        return _checked_against(source, by_hand, known, network, prefix)
    if receipt_path is None and (source is None or destination is None):
        raise click.UsageError("expected SRC and OUT, or --check RECEIPT")
    if receipt_path is not None and (source or destination):
        raise click.UsageError("--check RECEIPT takes no SRC and no OUT: the receipt names the files")
    if prefix and direction == "torch":
        raise click.UsageError("--prefix is for torch checkpoints; with --to torch leave it out")
    if adam and (direction == "paddle" or not optimizer):
        raise click.UsageError("--adam is for --to torch with --optimizer; a torch checkpoint holds these numbers itself")
    from parity.conversion import convert as conversion
    from parity.conversion.forward import forward
    from parity.conversion.show import show, show_forward
    out = output.console(err=False)
    if receipt_path is not None:
        receipt, path = conversion.checked(receipt_path, known), Path(receipt_path)
    else:
        with terminable(), output.transfer(source) as progress:
            options = {"known": known, "network": network, "optimizer": optimizer, "verify": verify, "force": force,
                       "progress": progress}
            if direction == "paddle":
                receipt, path = conversion.to_paddle(source, destination, file_format or "pdparams", prefix=prefix, **options)
            else:
                receipt, path = conversion.to_torch(source, destination, file_format, adam=conversion.adam(adam), **options)
    show(out, receipt, path)
    if try_forward is None:
        try_forward = (verify == "full" and not receipt["non_finite"]
                       and sum(file["bytes"] for file in receipt["files"]) <= 500_000_000)
    if not try_forward:
        return 0
    with output.progress() as bar:
        task = bar.add_task("forward", total=len(receipt["sizes"]))
        results = forward(receipt, path, known, lambda name: bar.update(task, advance=1, description=f"forward: {name}"))
    show_forward(out, results)
    return 0 if all(result.same for result in results) else 1


def _checked_against(source: str, by_hand: str, known: Networks, network: str | None, prefix: str | None) -> int:
    from parity.conversion.against import against
    from parity.conversion.show import show_checked
    checked = against(source, by_hand, known, network=network, prefix=prefix)
    show_checked(output.console(err=False), checked, by_hand)
    return 1 if checked.misfits else 0
