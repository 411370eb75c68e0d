"""What is part of which network: shared, repeated, unregistered, a plain tensor."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from parity.doctor.checks.case import Case
from parity.doctor.checks.source import assignments_of, binding_of
from parity.doctor.finding import Finding
from parity.doctor.program import HELD
from parity.doctor.record import Stranger
from parity.messages import say, several, some

# A table of positions may be computed, and codes may be kept up without a gradient: only a random one is meant to be learned.
_LIKE_AN_EMBEDDING = re.compile(r"(^|_)(pos|positions?|pos(ition)?_emb(ed)?(ding)?s?|cls|prompts?|latents?|query_tokens)$")
_RANDOM = re.compile(r"rand|normal|uniform|xavier|kaiming")
_LIKE_A_WEIGHT = re.compile(r"(^|_)(w|b|weights?|bias|scale|gamma|beta|alpha|kernel|embedding|token|query|table)$")


def shared(case: Case) -> Iterator[Finding]:
    """Networks, or layers of one network, that are one and the same."""
    program = case.program
    groups: dict[tuple[str, ...], list[str]] = {}
    for key, owners in program.owners.items():
        if len(set(owners)) > 1:
            groups.setdefault(tuple(dict.fromkeys(owners)), []).append(program.names[key])
    for owners, names in groups.items():
        sizes = [len(case.framework.parameters(program.models[owner])) for owner in owners]
        whole = len(names) == min(sizes)
        yield Finding("networks-shared" if whole else "weights-shared", owners[-1],
                      say("{networks} share all of their parameters", networks=", ".join(owners)) if whole else
                      say("{networks} share {count} of their parameters ({names}): on purpose?", networks=", ".join(owners),
                          count=len(names), names=some(names)),
                      site=assignments_of(case, owners[-1]) or binding_of(case, owners[-1]) or program.site_of(owners[-1]))
    for network, model in program.models.items():
        repeated = {path: first for path, first in _repeated(model, network) if case.framework.parameters(program.modules[first])}
        outer = [path for path in repeated if path.rpartition(".")[0] not in repeated]
        if outer:
            yield Finding(
                "module-repeated",
                network,
                say("{network}: {names} is the same layer as {first}: on purpose?", network=network, names=some(outer),
                    first=repeated[outer[0]]),
                site=program.site_of(repeated[outer[0]]),
            )


def _repeated(model: Any, network: str) -> Iterator[tuple[str, str]]:
    """(path, first path) of modules that are registered under several names."""
    first: dict[int, str] = {}
    pending = [(network, model)]
    while pending:
        path, module = pending.pop(0)
        if id(module) in first:
            yield path, first[id(module)]
            continue
        first[id(module)] = path
        pending += [(f"{path}.{name}", child) for name, child in _children(module).items() if child is not None]


def _children(module: Any) -> Mapping[str, Any]:
    return getattr(module, "_sub_layers", None) or getattr(module, "_modules", None) or {}


def unregistered(case: Case) -> Iterator[Finding]:
    """Layers that ran and whose parameters belong to no network; parameters and layers that forward makes."""
    found: dict[tuple, int] = {}
    counts: Counter = Counter()
    alone: dict[int, tuple[Stranger, int]] = {}
    lazily = _made_once(case)
    for iteration in case.iterations:
        for name, site in iteration.made:
            if site in lazily:
                continue
            if site is not None or iteration.number > 1:
                yield Finding(
                    "parameter-made-in-forward",
                    name,
                    say("{name} is made while the network runs: no optimizer knows it, and the next call makes another", name=name),
                    site=site,
                    iteration=iteration.number,
                )
                return
        for key, one in iteration.strangers.items():
            if key in case.program.paths:  # registered since
                continue
            if one.name and not _list_of(case, (one.kind, one.site)):
                alone.setdefault(key, (one, iteration.number))
                continue
            found.setdefault((one.kind, one.site), iteration.number)
            counts[(one.kind, one.site)] += 1
    named: dict[tuple, tuple[Stranger, int]] = {}
    for one, number in alone.values():
        named.setdefault((one.name, one.site), (one, number))
    for one, number in named.values():  # a network by itself, and no part that somebody forgot to register
        message = say("no optimizer holds any of the parameters of {name}, which runs in train mode", name=one.name)
        yield Finding("network-unheld", one.name, message, site=_second_holder(case) or one.site, iteration=number,
                      instead=say("hand its parameters to an optimizer; if it is to stay as it is: eval(), and no_grad or frozen "
                                  "parameters"))
    for key, number in found.items():
        kind, site = key
        each = counts[key] // len(case.iterations) or 1
        holder = _list_of(case, key)
        message = several("{count} {kind} layer ran and is part of no network: no optimizer holds what it should learn",
                          "{count} {kind} layers ran and are part of no network: no optimizer holds what they should learn",
                          each, kind=kind)
        yield Finding(
            "module-unregistered",
            kind,
            say("{message} ({holder} is a plain list)", message=message, holder=holder) if holder else message,
            say("called at {place}", place=site) if site else "",
            _list_site(case, holder) or site,
            number,
        )


def _second_holder(case: Case) -> Any:
    """The line that makes an optimizer of the very parameters that an earlier one holds: those of another network were meant."""
    program, seen = case.program, set()
    for optimizer, held in program.held.items():
        own = frozenset(map(id, held))
        if own and own in seen:
            return program.optimizer_site(optimizer, HELD)
        seen.add(own)
    return None


def _made_once(case: Case) -> set[Any]:
    """Lines that made a layer at the first forward alone: it is an ordinary layer since."""
    lines = Counter(site for iteration in case.iterations for site in {site for _, site in iteration.made})
    first = {site for iteration in case.iterations[:1] for _, site in iteration.made}
    return {site for site, count in lines.items() if count == 1 < len(case.iterations) and site in first} - {None}


def _list_of(case: Case, key: tuple) -> str | None:
    """The attribute that holds such layers in a plain list or dict."""
    for path, module in case.program.modules.items():
        for name, value in vars(module).items():
            items = value.values() if isinstance(value, dict) and not name.startswith("_") else value
            if isinstance(value, (list, tuple, dict)) and not name.startswith("_") and any(
                    case.framework.is_model(item) and type(item).__name__ == key[0] for item in items):
                return f"{path}.{name}"
    return None


def _list_site(case: Case, holder: str | None) -> Any:
    return case.program.site_of(holder) if holder else None


def attributes(case: Case) -> Iterator[Finding]:
    """Tensors that are attributes of a layer and no parameters, though they look meant to be trained."""
    framework, program = case.framework, case.program
    known = program.names.keys() | program.holders.keys()
    for path, module in program.modules.items():
        moving = framework.moving_state(module)
        for name, value in vars(module).items():
            items = list(value.values()) if isinstance(value, dict) else value
            loose = [item for item in items if framework.is_tensor(item) and framework.is_parameter(item)
                     and framework.requires_grad(item) and id(item) not in known] \
                if isinstance(items, (list, tuple)) and not name.startswith("_") else []
            if loose:
                yield Finding(
                    "tensor-attribute",
                    f"{path}.{name}",
                    say("{name} is a plain list or dict: parameters() does not list what is in it, and it is never trained",
                        name=f"{path}.{name}"),
                    site=program.site_of(f"{path}.{name}"),
                    instead=say("keep them in a ParameterList"),
                )
        for name, value in {**vars(module), **getattr(module, "_buffers", {})}.items():
            if not framework.is_tensor(value) or framework.is_parameter(value) or not value.is_leaf or name in moving:
                continue
            site = program.site_of(f"{path}.{name}")
            named_so = (_LIKE_A_WEIGHT.search(name) and framework.shape_dtype(value)[1].startswith("float")
                        and site is not None and "register_buffer" not in site.text and f".{name} " in site.text)
            named_so = named_so or (_LIKE_AN_EMBEDDING.search(name) and name not in getattr(module, "_buffers", {})
                                    and site is not None and _RANDOM.search(site.text))
            if framework.requires_grad(value) or named_so:
                yield Finding(
                    "tensor-attribute",
                    f"{path}.{name}",
                    say("{name} is a plain tensor and no parameter: parameters() does not list it, and it is never trained",
                        name=f"{path}.{name}"),
                    site=site,
                )


MOST = 0.8  # dropped: what is left of a value beside its own noise is (1 - p) / p, here a quarter


def dropouts(case: Case) -> Iterator[Finding]:
    """Dropout that leaves next to nothing."""
    heavy = {path: module.p for path, module in case.program.modules.items() if "Dropout" in type(module).__name__
             and isinstance(getattr(module, "p", None), float) and MOST < module.p < 1 and case.ran(path)}
    if heavy:
        first = next(iter(heavy))
        yield Finding("dropout-heavy", first, say(
            "{names} drops {share:.0%} of what it is given: is it the share to be kept that was meant?", names=some(list(heavy)),
            share=heavy[first]), site=case.program.site_of(first))


CHECKS = (shared, unregistered, attributes, dropouts)
