"""Both programs of a pair, built: what the reference calls the modules and tensors of each, and in which layout it has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from parity.declare.pair import Pair
from parity.frameworks import itself
from parity.frameworks.host_random import Held
from parity.pairing.census import Census, LoneBuffers, first_names
from parity.pairing.parts import Parts
from parity.trace.results import Results
from parity.trace.side import Side, View
from parity.trace.source import ConstructionSites
from parity.verdict.settings import Settings
from weights_convert import Entry, Plan


class Sides:
    """What lives under everything that runs the programs of a pair. unlowered: whether autocast was left out of a run.

    frameworks, sources, sites: of the reference, 0, and of the twin, 1. networks: of each, name -> model, of those that are built
    and have not been let go. censuses: network -> how its entries are paired. plans: of these, how they are laid out.
    """

    def __init__(self, pair: Pair) -> None:
        self.results = Results()
        self.unlowered = False
        self.pair = pair
        self._held = Held()
        self.frameworks = (pair.reference_framework, pair.twin_framework)
        self.sources = (pair.reference_source, pair.twin_source)
        self.sites = (ConstructionSites(), ConstructionSites())
        self.networks: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})
        self.censuses: dict[str, Census] = {}
        self.plans: dict[str, Plan] = {}

    @contextmanager
    def building(self, side: int, *, optimizers: bool = False) -> Iterator[None]:
        """Notes where the modules (and optimizers and scalers) of a side are built meanwhile."""
        framework, source, sites = self.frameworks[side], self.sources[side], self.sites[side]
        with sites.watch(framework.module_class, source):
            if not optimizers:
                yield
                return
            with sites.watch(framework.optimizer_class, source), sites.watch(framework.scaler_class, source):
                yield

    def pair_up(self, networks: tuple[Mapping[str, Any], Mapping[str, Any]], censuses: dict[str, Census]) -> None:
        """From now on the entries of these networks are known by the reference's names and layouts."""
        self.networks, self.censuses = networks, censuses
        self.plans = {network: census.plan for network, census in censuses.items()}
        # A tensor of several names goes by the first.
        first = {network: first_names(self.frameworks[0], networks[0][network]) if network in networks[0] else {}
                 for network in censuses}
        self._names: dict[str, tuple[str, Entry]] = {
            f"{network}.{entry.target}": (f"{network}.{first[network].get(entry.source, entry.source)}", entry)
            for network, plan in self.plans.items() for entry in plan.entries.values() if entry.target}
        self._dropped = {f"{network}.{entry.source}" for network, plan in self.plans.items() for entry in plan.entries.values()
                         if entry.target is None}
        self._apart = {f"{network}.{name}" for network, census in censuses.items() for name in census.apart}
        self._aside = tuple({f"{network}.{name}" for network, census in censuses.items() for name in census.aside[side]}
                            for side in (0, 1))
        self._kept = tuple(frozenset(name for network in self.plans if network in networks[0] and network in networks[1]
                                     for name in self._of_another_kind(side, network)) for side in (0, 1))
        self._lone = tuple({f"{network}.{name}": (buffers, name) for network, census in censuses.items() if network in models
                            for buffers in [LoneBuffers(framework, models[network], census.lone[side])]
                            for name in census.lone[side]}
                           for side, (framework, models) in enumerate(zip(self.frameworks, networks, strict=True)))
        self._plain = dict(self._tensors_that_are_buffers(networks))

    def _tensors_that_are_buffers(self, networks: tuple[Mapping[str, Any], Mapping[str, Any]]) -> Iterator[
            tuple[str, tuple[dict[str, Any], str, np.ndarray]]]:
        """Of the reference: tensors that are mere attributes, where the twin has a buffer without a partner. Paddle makes one of
        each tensor that is assigned to a layer."""
        framework = self.frameworks[0]
        for network, census in self.censuses.items():
            modules = dict(framework.modules(networks[0][network])) if network in networks[0] else {}
            for name in census.lone[1]:
                owner, _, attribute = name.rpartition(".")
                attributes = vars(modules[owner]) if owner in modules else {}
                if framework.is_tensor(attributes.get(attribute)):
                    yield f"{network}.{name}", (attributes, attribute, framework.array(attributes[attribute], copy=True))

    def side(self, number: int, **options: Any) -> Side:
        """One of the two for one recorded run. options: fields of `Side`."""
        turned = {"layout": self._layout, "back": self._back} if number else {"plain": self._plain}
        return Side(itself(self.frameworks[number]), self.sources[number], self.sites[number], view=self._view(number),
                    held=self._held, kept=self._kept[number], **turned, **options)

    def _of_another_kind(self, side: int, network: str) -> Iterator[str]:
        """The parameters of a side whose partners are buffers, by their full names."""
        buffers = [framework.buffers(models[network]) for framework, models in zip(self.frameworks, self.networks, strict=True)]
        for entry in self.plans[network].entries.values():
            names = entry.source, entry.target
            if names[1] is not None and names[1 - side] in buffers[1 - side] and names[side] not in buffers[side]:
                yield f"{network}.{names[side]}"

    def parameters(self, side: int) -> dict[str, Any]:
        """Full name -> parameter, of all networks of a side."""
        return {f"{network}.{name}": parameter for network, model in self.networks[side].items()
                for name, parameter in self.frameworks[side].parameters(model).items()}

    def reference_name(self, side: int, name: str) -> str:
        """What the reference calls this entry of a side."""
        return self._names[name][0] if side and name in self._names else name

    @property
    def settings(self) -> Settings:
        """What the paired modules of the two were told."""
        return Settings(self._modules, self.sites[1])

    def _modules(self) -> dict[str, tuple[Any, Any]]:
        """The reference's path of each module that has a partner, its network's name before it -> the two."""
        paired = {}
        for network in self.networks[0].keys() & self.networks[1].keys():
            ours, theirs = (dict(framework.modules(models[network]))
                            for framework, models in zip(self.frameworks, self.networks, strict=True))
            paths = self.paths(1, network)
            paired |= {f"{network}.{name}".rstrip("."): (ours[name], module) for path, module in theirs.items()
                       if (name := path if paths is None else paths.get(path)) in ours}
        return paired

    def paths(self, side: int, network: str) -> Mapping[str, str] | None:
        """Own module path -> the reference's, of a network whose modules may have other names; None where they have the same."""
        if self.pair.names is None:
            return None
        modules = self.censuses[network].modules if network in self.censuses else {}
        return modules if side or modules is None else {path: path for path in modules.values()}

    def _rests(self, side: int, name: str, array: np.ndarray | None) -> bool:
        """Whether it is a buffer that one side has alone, and has not changed."""
        buffers, entry = self._lone[side].get(name, (None, ""))
        return buffers is not None and buffers.rests(entry, array)

    def _view(self, side: int) -> View:
        """An entry of a side as the reference knows it, for one run; None for what the twin has none of by design, and for the
        parts of a tensor that is split, until the last of them. Scalars kept per parameter have no layout."""
        if not side:
            hidden = self._dropped | self._apart | self._aside[0]
            return lambda name, array: None if name in hidden or self._rests(0, name, array) else (name, array)
        parts: dict[tuple[str, int], Parts] = {}

        def view(name: str, array: np.ndarray | None) -> tuple[str, np.ndarray | None] | None:
            if name not in self._names:
                return None if name in self._aside[1] or self._rests(1, name, array) else (name, array)
            source, entry = self._names[name]
            if source in self._apart:
                return None
            if not entry.rows:
                return source, array if array is None or array.ndim == 0 else np.asarray(entry.to_torch(array), order="C")
            # What is emitted of each part comes in one order: the first of each with the first of the others.
            number = sum(part.has(entry) for (known, _), part in parts.items() if known == source)
            held = parts.setdefault((source, number), Parts(entry.whole, entry.axis))
            held.add(entry, array)
            return (source, held.joined()) if held.whole else None

        return view

    def _layout(self, name: str, array: np.ndarray) -> np.ndarray:
        if name not in self._names or array.ndim == 0:
            return array
        return np.asarray(self._names[name][1].to_torch(array), order="C")

    def _back(self, name: str, array: np.ndarray) -> np.ndarray:
        """The reference's gradient of a twin's entry, in the twin's layout; the other parts of a split one are given theirs."""
        if name not in self._names:
            return array
        source, entry = self._names[name]
        if entry.rows:
            framework, parameters = self.frameworks[1], self.parameters(1)
            for other, (whole, part) in self._names.items():
                if whole == source and other != name and framework.gradient(parameters[other]) is not None:
                    framework.set_gradient(parameters[other], np.asarray(part.to_paddle(array), order="C"))
        return np.asarray(entry.to_paddle(array), order="C")
