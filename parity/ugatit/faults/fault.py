"""A fault: one real port bug, as a small patch on the twin, with what the harness must answer to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from parity.fixes.edit import Edit, applied


@dataclass(frozen=True)
class Answer:
    """Where the harness must place a fault. A field that is None is not asked for.

    subject: a subject of the U-GAT-IT pair in which the fault acts. stage, module, variable, phase, step: of the headline
    (`module` is a pattern: "dis*"). line: a piece of the reference's source line that the headline names.
    """

    subject: str
    stage: str
    module: str
    variable: str | None = None
    line: str | None = None
    step: int = 0
    phase: str | None = None


@dataclass(frozen=True)
class Fault:
    """name; seen_in: issue or repository; what: what people saw; fix: what repairs it.

    edits: lines of the twin that change. patch: another context manager, where no line of the twin's says it.
    cause: the harness's words for it once it is recognised.
    """

    name: str
    seen_in: str
    what: str
    fix: str
    answer: Answer
    edits: tuple[Edit, ...] = ()
    patch: Callable[[], AbstractContextManager[Any]] | None = None

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "seen_in": self.seen_in, "what": self.what, "stage": self.answer.stage,
                "fix": self.fix}


@contextmanager
def injected(faults: tuple[Fault, ...]):
    """The twin with all these faults, for the duration of the block."""
    with ExitStack() as stack:
        stack.enter_context(applied(tuple(edit for fault in faults for edit in fault.edits)))
        for fault in faults:
            if fault.patch is not None:
                stack.enter_context(fault.patch())
        yield
