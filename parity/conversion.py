"""`parity convert`: the converter of `weights_convert`, given this project's networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

import paddle_impl
import torch_ref
from parity import check
from weights_convert import convert_to_paddle, convert_to_torch, paddle_skeleton, torch_skeleton


def build(network: str, sizes: Any) -> tuple[Any, Any]:
    """Both sides of one network, without memory for weights: only names, types and shapes are read."""
    return (torch_skeleton(lambda: check.build(torch_ref, network, sizes)),
            paddle_skeleton(lambda: check.build(paddle_impl, network, sizes)))


def to_paddle(source: str | Path, folder: str | Path, file_format: str = "pdparams", **options: Any) -> tuple[dict, Path]:
    """Returns the receipt and where it lies; options as of `convert_to_paddle`. Raises ConversionError."""
    return convert_to_paddle(source, folder, build, file_format, **options), Path(folder) / "receipt.json"


def to_torch(folder: str | Path, destination: str | Path, file_format: str | None = None, **options: Any) -> tuple[dict, Path]:
    """Returns the receipt and where it lies; options as of `convert_to_torch`. Raises ConversionError."""
    destination = Path(destination)
    return (convert_to_torch(folder, destination, build, file_format, **options),
            destination.with_name(f"{destination.name}.receipt.json"))


def show(console: Console, receipt: dict, path: Path) -> None:
    """The receipt in a table: one row a network."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("network", no_wrap=True)
    for header in ("tensors", "transposed", "numbers"):
        table.add_column(header, justify="right")
    table.add_column("sizes")
    for network, sizes in receipt["sizes"].items():
        tensors = [tensor for tensor in receipt["tensors"] if tensor["network"] == network]
        numbers = sum(_product(tensor["source_shape"]) for tensor in tensors)
        table.add_row(network, str(len(tensors)), str(sum(tensor["rule"] == "transpose" for tensor in tensors)), f"{numbers:,}",
                      ", ".join(f"{name} {value}" for name, value in sizes.items() if value is not None))
    console.print(table)
    console.print(Text(f"{len(receipt['tensors'])} tensors written, reloaded and compared bit for bit; receipt: {path}"),
                  soft_wrap=True)
    for odd in receipt["non_finite"] or ():
        console.print(Text(f"{odd['network']}.{odd['source']} holds {odd['count']} values that are NaN or infinite; "
                           f"carried over as they are", style="yellow"), soft_wrap=True)


def _product(shape: list[int]) -> int:
    product = 1
    for n in shape:
        product *= n
    return product
