"""A trace: one side's run of programs, in a folder, so that what ran here can be compared there, or another day.

In the one format of recordings (`parity.recordings.format`). The index says side, lane, what was kept, versions, platform, and
how many of the planned programs are there; program-0001.json and .safetensors hold the first of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from parity.asked import SIDES
from parity.messages import say
from parity.recordings.format import (
    KEEP,
    RecordingError,
    Runs,
    StoredEvent,
    fingerprint,
    fitting,
    read_index,
    read_runs,
    read_start,
    write_index,
    write_start,
)
from parity.recordings.projections import apart
from parity.trace.randomness import Tape

KIND = "parity trace"
TraceError = RecordingError
_FIELDS = {"weights": str, "inputs": str, "start": str, "name": str, "stage": str, "seed": int, "calls": int, "training": bool,
           "named": bool, "one_sided": list, "kinds": dict, "arguments": list}


@dataclass
class Program(Runs):
    """One program of a trace, as read. runs: "free" (each feeds itself) or "replay" -> its values; floors alike."""

    @property
    def name(self) -> tuple[str, str]:
        return self.document["title"], self.document["mode"]


@dataclass
class Trace:
    """A folder that `parity record` wrote."""

    folder: Path
    index: dict[str, Any]
    programs: int = field(default=0)

    @classmethod
    def open(cls, folder: str | Path) -> Trace:
        """Raises TraceError."""
        folder = Path(folder)
        index = read_index(folder, KIND, "parity record", {"parity steps": "parity steps --against"})
        good = (index.get("side") in SIDES and index.get("lane") in ("float64", "float32") and index.get("keep") in KEEP
                and isinstance(index.get("versions"), dict) and isinstance(index.get("planned"), list)
                and isinstance(index.get("programs"), int) and not isinstance(index.get("programs"), bool)
                and 0 <= index["programs"] <= len(index["planned"])
                and all(isinstance(name, list) and len(name) == 2 and all(isinstance(part, str) for part in name)
                        for name in index["planned"]))
        if not good:
            raise TraceError(f"{folder}/index.json: expected side, lane, keep, versions, planned and programs, found {list(index)} "
                             f"with values that do not fit; record again")
        return cls(folder, index, index["programs"])

    @property
    def keep(self) -> str:
        return self.index["keep"]

    @property
    def lane(self) -> str:
        return self.index["lane"]

    @property
    def side(self) -> str:
        return self.index["side"]

    @property
    def complete(self) -> bool:
        return self.programs == len(self.index["planned"])

    @property
    def interrupted(self) -> str | None:
        """What to tell of a trace that breaks off."""
        if self.complete:
            return None
        return say("{folder}: the recording was interrupted after {done} of {planned} programs", folder=self.folder,
                   done=self.programs, planned=len(self.index["planned"]))

    @cached_property
    def names(self) -> dict[tuple[str, str], int]:
        return {tuple(name): number for number, name in enumerate(self.index["planned"][:self.programs], 1)}

    def program(self, name: tuple[str, str]) -> Program:
        """Raises TraceError."""
        number = self.names[name]
        stem = f"program-{number:04}"
        found = read_runs(self.folder, stem, self.index, summaries=self.keep == "summaries")
        with fitting(self.folder / f"{stem}.json"):
            return self._checked(number, found)

    def start(self, document: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """(weights, inputs) of a program, checked against their hashes. Raises TraceError."""
        state = read_start(self.folder, document["start"])
        with fitting(self.folder):
            weights, inputs = state.get("weights", {}), {key: state["inputs"][key] for key in document["arguments"]}
        if fingerprint(weights) != document["weights"] or fingerprint(inputs) != document["inputs"]:
            raise TraceError(f"{self.folder}: weights or inputs are not those that were recorded; record again")
        return weights, inputs

    def _checked(self, number: int, found: Runs) -> Program:
        document, expected = found.document, self.index["planned"][number - 1]
        if [document["title"], document["mode"]] != expected:
            raise ValueError(f"program {document['title']!r}, where {expected!r} was announced")
        for name, kind in _FIELDS.items():
            if type(document[name]) is not kind:
                raise ValueError(f"{name} is no {kind.__name__}")
        for texts in (document["one_sided"], document["kinds"].values(), document["arguments"]):
            if not all(isinstance(text, str) for text in texts):
                raise ValueError("a name is no text")
        if "free" not in found.runs:
            raise ValueError("no free run")
        Tape.of_json(document["random"])  # whether it is one
        if document["failure"] is not None:
            kind, text, site = document["failure"]
            document["failure"] = [str(kind), str(text), found.sites[site]]
        return Program(**vars(found))


def distance(one: Program, other: Program, left: StoredEvent, right: StoredEvent) -> Any:
    """A lower bound of how far apart two values are, of which at least one is there as a summary only. None: compare whole."""
    if left.place is None or right.place is None or one.values.kinds[left.place] != other.values.kinds[right.place]:
        return None
    dtype, shape = one.values.kinds[left.place]
    parts = (2,) if dtype.startswith("complex") else ()  # real and imaginary, sketched side by side
    found = apart(one.values.sketch(left.place), other.values.sketch(right.place), (*shape, *parts))
    return found if found.index is None else replace(found, index=found.index[:len(shape)])


def save_start(folder: Path, weights: Mapping[str, np.ndarray], inputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Writes weights and inputs, unless they are there; returns their hashes."""
    start = write_start(folder, {"weights": dict(weights), "inputs": dict(inputs)})
    return {"start": start, "weights": fingerprint(weights), "inputs": fingerprint(inputs), "arguments": list(inputs)}


def save_index(folder: Path, index: Mapping[str, Any], parts: Mapping[str, str]) -> None:
    """parts: file of each program -> its hash."""
    write_index(folder, KIND, parts, {**index, "programs": len(parts)})
