"""`parity convert`: the converter of `weights_convert`, given this project's networks or a user's pair."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

import paddle_impl
import torch_ref
from parity import asked
from parity.declare import declared
from parity.files import InputError, write
from parity.ugatit import cases, forward_check
from parity.ugatit import subjects as ugatit
from weights_convert import (
    ADAM,
    DEFAULT,
    LayoutTable,
    check_receipt,
    convert_to_paddle,
    convert_to_torch,
    infer_sizes,
    infer_some_sizes,
    paddle_skeleton,
    read_paddle,
    torch_networks,
    torch_skeleton,
)


@dataclass(frozen=True)
class Networks:
    """What the converter needs to know of some networks. reference, twin: (name, sizes) -> the network with its weights' memory.

    inputs: (name, sizes) -> what a forward is tried on. names: of a declared pair; None for the official checkpoint.
    """

    reference: Callable[[str, Any], Any]
    twin: Callable[[str, Any], Any]
    inputs: Callable[[str, Any], Mapping[str, np.ndarray]]
    layouts: LayoutTable = DEFAULT
    names: tuple[str, ...] | None = None

    def build(self, network: str, sizes: Any) -> tuple[Any, Any]:
        """Both sides of one network, without memory for weights: only names, types and shapes are read."""
        return torch_skeleton(lambda: self.reference(network, sizes)), self._skeleton(network, sizes)

    def _skeleton(self, network: str, sizes: Any) -> Any:
        return paddle_skeleton(lambda: self.twin(network, sizes))

    def infer(self, network: str | None = None) -> Callable:
        """How the sizes are found: read off an official checkpoint's tensors; a declared pair is of one size."""
        if self.names is None:
            return infer_some_sizes if network else infer_sizes
        return self._known

    def _known(self, states: Mapping[str, Any]) -> dict[str, None]:
        if unknown := [name for name in states if name not in self.names]:
            raise InputError(f"expected the networks {', '.join(self.names)} of the declared pair, found {', '.join(unknown)}; "
                             "--network NAME takes one, --prefix NAME what lies under a name")
        return dict.fromkeys(states)


class _Official(Networks):
    def _skeleton(self, network: str, sizes: Any) -> Any:
        return _skeleton(network.startswith("gen"), sizes)  # two generators, two pairs of discriminators: built once


@lru_cache(maxsize=4)
def _skeleton(generator: bool, sizes: Any) -> Any:
    return paddle_skeleton(lambda: cases.build(paddle_impl, "gen" if generator else "dis", sizes))


def _picture(network: str, sizes: Any) -> dict[str, np.ndarray]:
    size = getattr(sizes, "img_size", None) or 256
    domain = "B" if network in ("genB2A", "disGB", "disLB") else "A"
    return {"input": ugatit.picture(domain, 0, size, channels=sizes.input_nc)}


OFFICIAL = _Official(lambda network, sizes: cases.build(torch_ref, network, sizes),
                     lambda network, sizes: cases.build(paddle_impl, network, sizes), _picture)


def networks(pair: str | None) -> Networks:
    """The official ones, or those of a user's module. Raises InputError."""
    if pair is None:
        return OFFICIAL
    found = declared.subjects(pair)
    return Networks(lambda name, _: found[name].reference(), lambda name, _: found[name].twin(), lambda name, _: found[name].inputs,
                    next(iter(found.values())).pair.layouts, tuple(found))


def convert(source: str | Path, destination: str | Path, *, to: str = "paddle", file_format: str | None = None,
            pair: str | None = None, adam: Mapping[str, float] | None = None, **options: Any) -> dict:
    """Carry a checkpoint from PyTorch to Paddle or back, bit for bit; returns the receipt, which lies beside the files, too.

    source, destination: a .pt or .safetensors file and a folder; with to="torch" such a folder and a .pt file. file_format:
    "pdparams" or "safetensors". pair: a module, or a .py file, that declares the networks; without one they are those of an
    official U-GAT-IT checkpoint. adam: of --to torch with an optimizer: lr, and beta1, beta2, eps, weight_decay. options: network,
    optimizer, verify ("full", "checksum", "none"), progress, and to Paddle prefix. Raises InputError, ConversionError.
    """
    asked.one("to", to, ("paddle", "torch"))
    known = networks(pair)
    if to == "paddle":
        return to_paddle(source, destination, file_format or "pdparams", known=known, **options)[0]
    return to_torch(source, destination, file_format, known=known, adam=dict(adam or {}), **options)[0]


def to_paddle(source: str | Path, folder: str | Path, file_format: str = "pdparams", *, known: Networks = OFFICIAL,
              network: str | None = None, **options: Any) -> tuple[dict, Path]:
    """Returns the receipt and where it lies; options as of `convert_to_paddle`. Raises ConversionError."""
    if network is None and known.names and len(known.names) == 1:
        network = known.names[0]
    receipt = convert_to_paddle(source, folder, known.build, file_format, infer=known.infer(network), table=known.layouts,
                                network=network, **options)
    return receipt, Path(folder) / "receipt.json"


def to_torch(folder: str | Path, destination: str | Path, file_format: str | None = None, *, known: Networks = OFFICIAL,
             network: str | None = None, **options: Any) -> tuple[dict, Path]:
    """Returns the receipt and where it lies; options as of `convert_to_torch`. Raises ConversionError."""
    destination = Path(destination)
    names = (network,) if network else known.names
    single = network or Path(folder).is_file()
    receipt = convert_to_torch(folder, destination, known.build, file_format, infer=known.infer(single), table=known.layouts,
                               networks=names, **options)
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


def checked(path: str | Path, known: Networks = OFFICIAL) -> dict:
    """The receipt, if source, files and tensors are still what it says. Raises ConversionError."""
    receipt = json.loads(Path(path).read_text()) if Path(path).is_file() else {}
    some = known.names is not None or len(receipt.get("sizes", ())) < len(ugatit.NETWORKS)
    return check_receipt(path, known.build, infer=known.infer("some" if some else None), table=known.layouts)


def forward(receipt: dict, path: Path, known: Networks = OFFICIAL, progress: Callable[[str], None] = lambda name: None,
            ) -> list[forward_check.Forward]:
    """One forward of each network, from the two files that the receipt names. The result is written into the receipt.

    Raises ConversionError, InputError.
    """
    written = [path.parent / file["path"] for file in receipt["files"]]
    sources = [Path(file["path"]) for file in receipt["source"]]
    chosen = receipt["selection"]
    if receipt["to"] == "paddle":
        source = sources[0] if len(sources) == 1 else sources[0].parent
        states, twins = torch_networks(source, chosen["prefix"], chosen["network"]), written
    else:
        states, twins = torch_networks(written[0], network=None if len(sources) > 1 else sources[0].stem), sources
    sizes = known.infer("some")(states)
    results = []
    for twin in twins:
        name = twin.stem
        progress(name)
        results.append(forward_check.check(name, lambda name=name: known.reference(name, sizes[name]),
                                           lambda name=name: known.twin(name, sizes[name]), states[name], read_paddle(twin),
                                           known.inputs(name, sizes[name])))
    receipt["forward"] = [{"network": result.network, "outputs": result.outputs, "same": result.same,
                           "error": result.error if math.isfinite(result.error) else "infinite"} for result in results]
    write(path, json.dumps(receipt, indent=1) + "\n")
    return results


def show(console: Console, receipt: dict, path: Path) -> None:
    """The receipt in a table: one row a network."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("network", no_wrap=True)
    for header in ("tensors", "transposed", "numbers"):
        table.add_column(header, justify="right")
    table.add_column("sizes")
    for network, sizes in receipt["sizes"].items():
        tensors = [tensor for tensor in receipt["tensors"] if tensor["network"] == network]
        numbers = sum(math.prod(tensor["source_shape"]) for tensor in tensors)
        table.add_row(network, str(len(tensors)), str(sum(tensor["rule"] == "transpose" for tensor in tensors)), f"{numbers:,}",
                      ", ".join(f"{name} {value}" for name, value in (sizes or {}).items() if value is not None))
    console.print(table)
    how = {"full": "written, reloaded and compared bit for bit", "checksum": "written; the files were read back and hashed",
           "none": "written, not verified"}[receipt["verified"]]
    console.print(Text(f"{len(receipt['tensors'])} tensors {how}; receipt: {path}"), soft_wrap=True)
    if carried := receipt.get("optimizer"):
        first, last = carried["steps"]
        text = f"Adam's moments of {carried['parameters']} parameters at step {first if first == last else f'{first} to {last}'}: "
        console.print(Text(text + carried["path"]), soft_wrap=True)
    for odd in receipt["non_finite"] or ():
        console.print(Text(f"{odd['network']}.{odd['source']} holds {odd['count']} values that are NaN or infinite; "
                           f"carried over as they are", style="yellow"), soft_wrap=True)


def show_forward(console: Console, results: list[forward_check.Forward]) -> None:
    """One line: the worst network."""
    worst = max(results, key=lambda result: result.error)
    verdict = "within" if worst.same else "BEYOND"
    text = (f"One forward of each, float32: {verdict} the noise floor; the twin's error is at most {worst.error:.2g} times what "
            f"rounding does to the reference ({worst.network}; limit {forward_check.ACCURACY:g})")
    console.print(Text(text, style="" if worst.same else "bold red"), soft_wrap=True)
