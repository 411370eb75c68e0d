"""`parity convert`: the converter of `weights_convert`, given the networks of a pair."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parity import asked
from parity.conversion.networks import Networks, networks
from parity.files import InputError
from weights_convert import ADAM, check_receipt, convert_to_paddle, convert_to_torch, read_receipt
from weights_convert.staging import recover


def convert(source: str | Path, destination: str | Path, *, to: str = "paddle", file_format: str | None = None,
            pair: str | None = None, without: Sequence[str] = (), decoder_norm: str | None = None,
            adam: Mapping[str, float] | None = None, **options: Any) -> dict:
    """Carry a checkpoint from PyTorch to Paddle or back, bit for bit; returns the receipt, which lies beside the files, too.

    source, destination: a .pt or .safetensors file and a folder; with to="torch" such a folder and a .pt file. file_format:
    "pdparams" or "safetensors". pair: a pair file, as `compare` takes it, or a module with SUBJECTS; without one the
    networks are those of an official U-GAT-IT checkpoint. without: patterns of tensors to leave out, by either side's name.
    decoder_norm: of U-GAT-IT's generators with "in", "ln" or "gn", whose tensors are the same.
    adam: of --to torch with an optimizer: lr, and beta1, beta2, eps, weight_decay. options: network, optimizer, verify
    ("full", "checksum", "none"), progress, and to Paddle prefix. Raises InputError, ConversionError.
    """
    asked.one("to", to, ("paddle", "torch"))
    known = networks(pair, without, decoder_norm)
    if to == "paddle":
        return to_paddle(source, destination, file_format or "pdparams", known=known, **options)[0]
    return to_torch(source, destination, file_format, known=known, adam=dict(adam or {}), **options)[0]


def to_paddle(source: str | Path, folder: str | Path, file_format: str = "pdparams", *, known: Networks,
              network: str | None = None, **options: Any) -> tuple[dict, Path]:
    """Returns the receipt and where it lies; options as of `convert_to_paddle`. Raises ConversionError."""
    network = known.single(network)
    receipt = convert_to_paddle(source, folder, known.build, file_format, infer=known.infer(network is not None),
                                table=known.layouts, pairing=known.pairing, without=known.leaves_out,
                                network=network, **options)
    return receipt, Path(folder) / "receipt.json"


def to_torch(folder: str | Path, destination: str | Path, file_format: str | None = None, *, known: Networks,
             network: str | None = None, **options: Any) -> tuple[dict, Path]:
    """Returns the receipt and where it lies; options as of `convert_to_torch`. Raises ConversionError."""
    destination = Path(destination)
    single = network is not None or Path(folder).is_file()
    receipt = convert_to_torch(folder, destination, known.build, file_format, infer=known.infer(single), table=known.layouts,
                               pairing=known.pairing, without=known.leaves_out,
                               networks=(network,) if network else known.names, **options)
    return receipt, destination.with_name(f"{destination.name}.receipt.json")


def adam(settings: tuple[str, ...]) -> dict[str, float]:
    """("lr=1e-4", ...) as a dict. Raises InputError."""
    result = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            result[name] = float(value)
        except ValueError:
            result[name] = math.nan
        if name not in ADAM or not 0 <= result[name] < (1 if "beta" in name else math.inf):
            raise InputError(f"--adam {setting}: expected {', '.join(ADAM)} and a number, as in lr=1e-4")
    return result


def checked(path: str | Path, known: Networks) -> dict:
    """The receipt, if source, files and tensors are still what it says; what a killed conversion has replaced in part is put back
    first. Raises ConversionError."""
    recover(Path(path).parent)
    receipt = read_receipt(path)
    infer = known.as_in(receipt).infer(some=len(receipt["sizes"]) < len(known.names))
    return check_receipt(path, known.build, infer=infer, table=known.layouts, pairing=known.pairing,
                         without=known.leaves_out)
