"""What a finding says of its cause, as far as a change can be made of it: settings that differ, operations that stand for others.

A cause is a `Message`, which knows what was put into it; in a trial's process that is read off, and comes back as plain texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parity.messages import Message


@dataclass(frozen=True)
class Hints:
    """settings: (name, the twin's value, the reference's), as they are shown. operations: by the reference's and the twin's common
    names, what each has where the other has something else."""

    settings: tuple[tuple[str, str, str], ...] = ()
    reference: tuple[str, ...] = ()
    twin: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> Hints:
        """Of what `told` returned."""
        told = told or {}
        return cls(tuple(map(tuple, told.get("settings", ()))), tuple(told.get("reference", ())), tuple(told.get("twin", ())))


NONE = Hints()


def told(cause: str | None) -> dict[str, Sequence[Any]]:
    """What `Hints` is made of, in plain texts."""
    found: dict[str, Any] = {"settings": []}
    for message in _parts(cause):
        values = message.values
        if values.keys() == {"name", "twin", "reference"}:
            found["settings"].append([str(values["name"]), str(values["twin"]), str(values["reference"])])
        elif {"side", "operations"} <= values.keys():
            side = "twin" if str(values["side"]) == "the twin" else "reference"
            found[side] = str(values["operations"]).split(", ")
    return found


def _parts(said: Any) -> Iterator[Message]:
    if isinstance(said, Message):
        yield said
        for value in said.values.values():
            yield from _parts(value)
