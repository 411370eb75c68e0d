"""The catalogue of faults, for readers: a table, or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.ugatit.faults.catalogue import GROUPS
from parity.ugatit.faults.fault import Fault


def show(console: Console, faults: Iterable[Fault]) -> None:
    """One row a fault: its name and stage; what people see, the fix, where it was seen."""
    faults = list(faults)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 2, 1, 0), header_style="bold")
    table.add_column("name, stage", no_wrap=True)
    table.add_column("what is seen")
    for fault in faults:
        table.add_row(Text.assemble((fault.name, "bold"), f"\n{fault.answer.stage}"),
                      Text.assemble(fault.what, (f"\nfix: {fault.fix}\nseen in: {fault.seen_in}", "dim")))
    console.print(table)
    console.print(Text(f"{len(faults)} faults. See one at work: parity steps --steps 3 --fault NAME"))
    for group, members in GROUPS.items():
        console.print(Text(f"--fault {group} stands for {len(members)} of them together: {', '.join(members)}"))


def to_json(faults: Iterable[Fault]) -> str:
    """A list of name, seen_in, what, stage, fix."""
    return json.dumps([fault.to_json() for fault in faults], indent=1, ensure_ascii=False) + "\n"
