"""What faults do to one network, forward and backward: at the place where they act, layer by layer, and at the output."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from parity.compare.ladder import Both
from parity.declare.pair import Subject
from parity.numbers.noise import M
from parity.trace.events import Event, Key
from parity.trace.source import Site, relative
from parity.ugatit import faults
from parity.ugatit.explain import start as starting
from parity.ugatit.explain.course import TWIN
from parity.ugatit.explain.start import Start
from parity.verdict.findings import Finding, Report
from parity.verdict.judge import Judge
from parity.verdict.sinks import Against, Store

NETWORKS = ("genA2B", "disGA", "disLA")
"""A generator, a global and a local discriminator: the three programs, of which training has two each."""

_WRONG = {"relative": 1.0, "floors": float("inf")}  # of a program that cannot be built


def run(start: Start, names: Sequence[str], network: str) -> dict:
    """One network with these faults in it, float64: forward (discriminators: five in a row) and backward.

    Returns "output": {"relative", "floors"}, the largest error of what the network returns; "gradient": {"parameter",
    "relative", "floors"}, of the parameter whose gradient is most wrong in the 2-norm, as far as it diverges. "place": where
    the error is made, as a finding's JSON with the source lines, "at_place": {"forward", "gradient"} with {"relative",
    "floors"}, the largest errors in that module when it is given the reference's values; None where nothing diverges.
    "layers": (module, relative error of its last output) in the order of execution. "failure": what was raised, or None.
    """
    truth, floors = _reference(start, network)
    subject = starting.network(start, network)
    with faults.inject(*names), TWIN.seeded(start.seed):
        report, errors = Report(network), _Errors(truth, floors["free"], M)
        try:
            both = Both(subject, "cpu")
        except Exception as error:  # a faulty program: anything may come
            return {"output": _WRONG, "gradient": {"parameter": None, **_WRONG}, "layers": [], "place": None, "at_place": None,
                    "failure": f"{type(error).__name__}: {error}"}
        failure = both.twin("float64", errors)
        _judge(subject, "free", truth, floors["free"], errors, failure, report)
        if report.diverged:
            replayed = Against(truth, floors["replay"], M)
            _judge(subject, "replay", truth, floors["replay"], replayed, both.twin("float64", replayed, replayed=truth), report)
        place = next((finding for finding in report.places if finding.run == "replay"), report.first)
        return {"output": errors.output(network), "gradient": errors.gradient(), "layers": errors.layers(),
                "place": located(place) if place else None, "at_place": _at(place, report) if place else None,
                "failure": f"{type(failure).__name__}: {failure}" if failure else None}


@functools.lru_cache(maxsize=len(NETWORKS))
def _reference(start: Start, network: str) -> tuple[Store, dict[str, dict[Key, float]]]:
    """The reference's values, and the noise floors of a free run and of a replay."""
    both, truth = Both(starting.network(start, network), "cpu"), Store()
    both.reference("float64", truth)
    return truth, {"free": both.floors("float64", truth), "replay": both.floors("float64", truth, replayed=truth)}


def _judge(subject: Subject, run_: str, truth: Store, floors: dict[Key, float], against: Against, failure: Exception | None,
           report: Report) -> None:
    Judge(subject.name, subject.pair, "float64", run_, truth, floors, M).judge(against, failure, report)


class _Errors(Against):
    """Sums up squares of parameter gradients as they come."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self._squares: dict[Key, float] = {}

    def receive(self, event: Event) -> None:
        partner = self._store.events.get(event.key)
        if _is_parameter_gradient(event.key) and partner is not None and partner.array is not None and event.array is not None \
                and event.array.shape == partner.array.shape:
            self._squares[event.key] = float(np.square(event.array - partner.array).sum())
        super().receive(event)

    def gradient(self) -> dict:
        """A gradient that the twin lacks is wholly wrong."""
        worst = {"parameter": None, "relative": 0.0, "floors": 0.0}
        for key, event in self._store.events.items():
            if not _is_parameter_gradient(key) or event.array is None:
                continue
            floors = self._floors_of([key]) if key in self.matched else float("inf")
            wrong = np.sqrt(self._squares[key]) / np.linalg.norm(event.array) if key in self._squares else 1.0
            if floors > self._limit and wrong > worst["relative"]:
                worst = {"parameter": f"{key.module}.{key.variable}", "relative": float(wrong), "floors": floors}
        return worst

    def output(self, network: str) -> dict[str, float]:
        """Of what the network itself returns, in its last call."""
        keys = self._outputs(network)
        return {"relative": max(self._relative(key) for key in keys), "floors": self._floors_of(keys)}

    def layers(self) -> list[tuple[str, float]]:
        modules = dict.fromkeys(event.key.module for event in self._store.in_order() if _is_output(event.key))
        return [(module, max(self._relative(key) for key in self._outputs(module))) for module in modules]

    def _outputs(self, module: str) -> list[Key]:
        keys = [key for key in self._store.events if _is_output(key) and key.module == module]
        last = max(key.call for key in keys)
        return [key for key in keys if key.call == last]

    def _relative(self, key: Key) -> float:
        """What the twin never computed is wholly wrong; so is what cannot be subtracted."""
        found = self.matched.get(key)
        return min(found[1].relative, 1e6) if found else 1.0

    def _floors_of(self, keys: Sequence[Key]) -> float:
        found = [(self.matched[key][1].distance, self._floors[key]) for key in keys if key in self.matched]
        return max((distance / floor for distance, floor in found if distance and floor), default=0.0)


def _is_output(key: Key) -> bool:
    return key.stage == "forward" and not key.is_local and key.variable.startswith("output")


def _is_parameter_gradient(key: Key) -> bool:
    return key.stage == "gradients" and not key.is_activation_gradient


def _at(place: Finding, report: Report) -> dict[str, dict[str, float]]:
    """The largest errors made in the place's module."""
    result = {}
    for name, stages in (("forward", ("forward", "state")), ("gradient", ("gradients",))):
        here = [finding for finding in report.diverged if finding.run == place.run and finding.key.module == place.key.module
                and finding.key.stage in stages and np.isfinite(finding.deviation.distance)]
        result[name] = {"relative": max((f.deviation.relative for f in here), default=0.0),
                        "floors": max((f.floor_multiple for f in here if np.isfinite(f.floor_multiple)), default=0.0)}
    return result


def located(finding: Finding) -> dict:
    """A finding's JSON, with the text of its source lines as they are now: with the faults in them."""
    def lines(site: Site | None) -> dict | None:
        return {"file": relative(site.file), "line": site.line, "text": site.text} if site else None

    return {**finding.to_json(), "lines": {"reference": lines(finding.reference), "twin": lines(finding.twin),
                                           "called": lines(finding.called)}}
