"""One side of a subject, where the other cannot be run: what it would tell comes of a trace, or of its outline."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace as with_changes
from typing import Any

from parity.compare.ladder import Both
from parity.declare.pair import Subject
from parity.files import InputError
from parity.frameworks import Framework
from parity.messages import say, some
from parity.pairing.by_value import Choice
from parity.pairing.census import Census, each_once, take
from parity.pairing.correspondence import correspond, naming
from parity.pairing.outlined import Outlined
from parity.trace.source import ConstructionSites
from weights_convert import DEFAULT, DROP, Entry, Plan, pair_up
from weights_convert.outline import paddles_standing_in, standing_in


def importable(framework: Framework) -> bool:
    with suppress(ImportError):
        return bool(framework.version)
    return False


class Lone(Both):
    """side: 0, the reference, or 1, the twin. outline: of the other side's network (`weights_convert.outline`). The twin needs it;
    the reference may do without, and then says nothing to a twin of other names.

    Raises InputError where the twin has no outline, or does not fit it: what is wrong then, a comparison with both says.
    """

    def __init__(self, subject: Subject, device: str, side: int, outline: Mapping[str, Any] | None = None) -> None:
        self._side, self.outline = side, outline
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
            return self._with_outlined() if self.outline is not None else Census(self._kept_from_paddle(model), 0, ())
        if self.outline is None:
            raise InputError(f"{self.subject.name}: {self.frameworks[0].name} cannot be imported here, so names and layouts have "
                             f"to come of a trace of the reference: give one with --from")
        network = standing_in(self.outline)
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

    def _with_outlined(self) -> Census:
        """Of the reference and the outline of a twin. What only values could tell stays as the order of definition has it."""
        models, frameworks = (self.models[0], paddles_standing_in(self.outline)), (self.frameworks[0], Outlined())

        def taken(choice: Choice) -> Census:
            with naming(self.subject.name):
                return take(*models, frameworks, (self.sites[0], ConstructionSites()), self.pair.layouts, names=self.pair.names,
                            choice=choice)

        census = taken(Choice())
        turned, unsure = _as_others_lie(census, dict(frameworks[1].modules(models[1])))
        census = each_once(taken(Choice(turned=turned)) if turned else census, models, frameworks, lambda side, name: None)
        silent = [f"{one} = {other}" for group in census.silent for one, other in group]
        guesses = [say("neither names nor order tell which is which, so it is the order of definition: {pairs}",
                       pairs=some(silent))] if silent else []
        guesses += [say("{names}: square, and nothing tells which way they lie; taken to lie (inputs, outputs)",
                        names=some(unsure))] if unsure else []
        return with_changes(census, silent=(), doubtful=frozenset(), guesses=(*census.guesses, *guesses))

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


def _as_others_lie(census: Census, modules: Mapping[str, Any]) -> tuple[frozenset[str], list[str]]:
    """Of square matrices in classes of the user's own: those that lie as in torch, as others of their class do whose shapes tell;
    and those of which no other tells."""
    def kind(entry: Entry) -> tuple[str, str]:
        cls = type(modules[entry.target.rpartition(".")[0]])
        return cls.__module__, cls.__qualname__

    known: dict[tuple[str, str], set[str]] = {}
    for entry in census.plan.entries.values():
        if entry.target is not None and len(entry.source_shape) == 2 and entry.source_shape[0] != entry.source_shape[1]:
            known.setdefault(kind(entry), set()).add(entry.rule)
    rules = {name: known.get(kind(census.plan.entries[name])) for name in census.doubtful}
    return (frozenset(name for name, rule in rules.items() if rule == {"identity"}),
            sorted(name for name, rule in rules.items() if rule not in ({"identity"}, {"transpose"})))
