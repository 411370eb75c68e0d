"""What a report says of its own making, so that it can be held to it: what was typed, when, and the hashes of what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone


@dataclass(frozen=True)
class Circumstances:
    """command: as typed, None where it was called from Python. files: path as given -> SHA-256, of checkpoints that were read."""

    command: str | None = None
    date: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    files: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict:
        return {"command": self.command, "date": self.date.isoformat(timespec="seconds"), "files": dict(self.files)}
