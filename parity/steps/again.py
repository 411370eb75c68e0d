"""The reference beside a recording of its steps: made again here, where a step of the twin's is asked about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace as with_changes
from typing import Any

from parity.blame import is_users
from parity.frameworks.lifting import Lifted
from parity.numbers.noise import M
from parity.steps.programs import Programs
from parity.steps.reference import ReferenceStep
from parity.steps.state import joined
from parity.verdict.findings import Report
from parity.verdict.judge import Judge
from parity.verdict.sinks import Against


class MadeAgain:
    """The recorded reference, run here once more, up to where something is asked.

    A recording does not hold all that a step started from (schedules, counters, the weights of a free run's later steps), nor can
    it be asked what known differences of the frameworks would make of it. What runs here has to be what was recorded: each step is
    held against its recording, and where they are apart nothing that is found here says anything of it.
    """

    def __init__(self, both: Programs, recorded: Iterable[ReferenceStep], mode: str) -> None:
        self._like, self._recorded, self._mode = both, iter(recorded), mode
        self._programs: Programs | None = None
        self._state: dict[str, Any] = {}
        self._is_what_was_recorded = True

    @property
    def programs(self) -> Programs:
        """Both sides once more; those that are being followed have let their reference go."""
        if self._programs is None:
            self._programs = Programs(self._like.subject, self._like.lane, self._like.lifted)
            self._state = self._programs.start
        return self._programs

    def step(self, number: int) -> ReferenceStep | None:
        """The recorded step with all that it started from; None where the reference here is not what was recorded. number: of none
        before the last one that was asked for."""
        both = self.programs
        while self._is_what_was_recorded and (step := next(self._recorded, None)) is not None:
            if step.lifted and both.lifted is None:
                both.lifted = Lifted()
            both.go_by(step.number, step.tape)
            before = joined(step.before, both.private_of(self._state)) if self._mode == "resync" else self._state
            both.load(0, before)
            self._is_what_was_recorded = self._runs(step)
            self._state = both.state(0)
            if step.number == number and self._is_what_was_recorded:
                return with_changes(step, before=before)
        return None

    def _runs(self, step: ReferenceStep) -> bool:
        both = self.programs
        against, report = Against(step.store, step.floors, M), Report(both.subject.name)
        try:
            both.step(0, step.number, step.batch, against, replayed=step.store.replayed() if self._mode == "resync" else None)
        except Exception as error:
            if not is_users(error, both.sources[0]):
                raise
            return False
        Judge(both.subject.name, both.subject.pair, both.lane, self._mode, step.store, step.floors, M).judge(against, None, report)
        return not report.diverged
