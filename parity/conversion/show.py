"""A conversion in tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.conversion.against import Checked
from parity.conversion.forward import Forward
from parity.numbers.noise import ACCURACY


def show(console: Console, receipt: dict, path: Path) -> None:
    """The receipt in a table: one row a network; below it, once for networks that have the same, the sizes."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("network", no_wrap=True)
    for header in ("tensors", "transposed", "numbers"):
        table.add_column(header, justify="right")
    alike: dict[str, list[str]] = {}
    for network, sizes in receipt["sizes"].items():
        tensors = [tensor for tensor in receipt["tensors"] if tensor["network"] == network]
        numbers = sum(math.prod(tensor["source_shape"]) for tensor in tensors)
        table.add_row(network, str(len(tensors)), str(sum(tensor["rule"] == "transpose" for tensor in tensors)), f"{numbers:,}")
        said = ", ".join(f"{name} {value}" for name, value in (sizes or {}).items() if value is not None)
        alike.setdefault(said, []).append(network)
    console.print(table)
    for said, names in alike.items():
        if said:
            console.print(Text(f"{', '.join(names)}: {said}"), soft_wrap=True)
    how = {"full": "written, reloaded and compared bit for bit", "checksum": "written; the files were read back and hashed",
           "none": "written, not verified"}[receipt["verified"]]
    console.print(Text(f"{len(receipt['tensors'])} tensors {how}; receipt: {path}"), soft_wrap=True)
    if carried := receipt.get("optimizer"):
        first, last = carried["steps"]
        text = f"Adam's moments of {carried['parameters']} parameters at step {first if first == last else f'{first} to {last}'}: "
        console.print(Text(text + carried["path"]), soft_wrap=True)
    _say_guesses(console, receipt.get("guesses", {}))
    for odd in receipt["non_finite"] or ():
        console.print(Text(f"{odd['network']}.{odd['source']} holds {odd['count']} values that are NaN or infinite; "
                           f"carried over as they are", style="yellow"), soft_wrap=True)


def show_forward(console: Console, results: list[Forward]) -> None:
    """One line: the worst network."""
    worst = max(results, key=lambda result: result.error)
    verdict = "within" if worst.same else "BEYOND"
    text = (f"One forward of each, float32: {verdict} the noise floor; the twin's error is at most {worst.error:.2g} times what "
            f"rounding does to the reference ({worst.network}; limit {ACCURACY:g})")
    console.print(Text(text, style="" if worst.same else "bold red"), soft_wrap=True)


def show_checked(console: Console, checked: Checked, by_hand: str) -> None:
    """A line a misfit, then the count."""
    for misfit in checked.misfits:
        names = " = ".join(name for name in (misfit.source, misfit.target) if name)
        console.print(Text.assemble((f"{misfit.network}: {names}", "bold red"), f": {misfit.what}"), soft_wrap=True)
    _say_guesses(console, checked.guesses)
    total = sum(checked.tensors.values())
    verdict = (f"all {total} tensors are what the checkpoint says" if not checked.misfits else
               f"{len(checked.misfits)} of {total} tensors are not what the checkpoint says")
    console.print(Text(f"{by_hand}: {verdict}", style="" if not checked.misfits else "bold red"), soft_wrap=True)


def _say_guesses(console: Console, guesses: Mapping[str, Sequence[str]]) -> None:
    for network, remarks in guesses.items():
        for remark in remarks:
            console.print(Text(f"{network}: {remark}", style="yellow"), soft_wrap=True)
