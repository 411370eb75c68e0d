"""One side of a subject, where the framework of the other cannot be imported: what the other would tell comes of a trace."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from parity.compare.ladder import Both
from parity.declare.pair import Subject
from parity.files import InputError
from parity.frameworks import Framework
from parity.pairing.by_value import Choice
from parity.pairing.census import Census
from parity.pairing.correspondence import correspond, naming
from weights_convert import DEFAULT, DROP, Entry, Plan, pair_up
from weights_convert.outline import standing_in


def importable(framework: Framework) -> bool:
    with suppress(ImportError):
        return bool(framework.version)
    return False


class Lone(Both):
    """side: 0, the reference, or 1, the twin. outline: of the reference's network (`weights_convert.outline`), for the twin.

    Raises InputError where the twin has no outline, or does not fit it: what is wrong then, a comparison with both says.
    """

    def __init__(self, subject: Subject, device: str, side: int, outline: Mapping[str, Any] | None = None) -> None:
        self._side, self._outline = side, outline
        super().__init__(subject, device)

    def _built(self) -> tuple[Any, Any]:
        with self.building(self._side):
            model = (self.subject.reference, self.subject.twin)[self._side]()
        return (None, model) if self._side else (model, None)

    def reference(self, *args: Any, **options: Any) -> None:
        if self._side:
            raise InputError(f"{self.subject.name}: the reference has to run for this, and {self.frameworks[0].name} cannot be "
                             f"imported here; give a trace of the reference with --from, recorded in the same lane and, for "
                             f"float32, with --keep all or layers")
        super().reference(*args, **options)

    def _paired(self, choice: Choice) -> Census:
        model, pair = self.models[self._side], self.pair
        if not self._side:
            return Census(self._kept_from_paddle(model), 0, ())
        if self._outline is None:
            raise InputError(f"{self.subject.name}: {self.frameworks[0].name} cannot be imported here, so names and layouts have "
                             f"to come of a trace of the reference: give one with --from")
        network = standing_in(self._outline)
        table = pair.layouts or DEFAULT
        if pair.names is None:
            plan, problems = pair_up(network, model, table)
            modules, guesses = None, ()
        else:
            with naming(self.subject.name):
                found = correspond(network, model, table, pair.names)
            plan, problems, modules, guesses = found.plan, found.problems, found.modules, found.guesses
        if problems:
            raise InputError(f"{self.subject.name}: the twin cannot take the reference's weights: "
                             f"{'; '.join(f'{problem.name}: {problem.message}' for problem in problems[:3])}; parity check, with "
                             f"both frameworks, says more")
        return Census(plan, len(plan.entries), (), modules, guesses)

    def _kept_from_paddle(self, model: Any) -> Plan:
        """Of the reference alone: what no Paddle layer has."""
        table = self.subject.pair.layouts or DEFAULT
        entries = {}
        for path, module in self.frameworks[0].modules(model):
            for name, tensor in module._buffers.items():
                if tensor is not None and table.drops(type(module), name):
                    full, shape = f"{path}.{name}".strip("."), tuple(tensor.shape)
                    entries[full] = Entry(full, None, shape, None, str(tensor.dtype).removeprefix("torch."), DROP.kind)
        return Plan(entries)
