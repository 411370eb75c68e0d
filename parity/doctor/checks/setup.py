"""Who holds which parameter: known from the objects themselves, at the latest after one iteration."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from parity.doctor.checks.case import Case, plural
from parity.doctor.checks.source import assignments_of, binding_of
from parity.doctor.finding import Finding
from parity.messages import say, several, some

# A table of positions may be computed, and codes may be kept up without a gradient: only a random one is meant to be learned.
_LIKE_AN_EMBEDDING = re.compile(r"(^|_)(pos|positions?|pos(ition)?_emb(ed)?(ding)?s?|cls|prompts?|latents?|query_tokens)$")
_RANDOM = re.compile(r"rand|normal|uniform|xavier|kaiming")
_LIKE_A_WEIGHT = re.compile(r"(^|_)(w|b|weights?|bias|scale|gamma|beta|alpha|kernel|embedding|token|query|table)$")


def held(case: Case) -> Iterator[Finding]:
    """Parameters that no optimizer holds, and what optimizers hold instead."""
    program, framework = case.program, case.framework
    # What nobody holds and moves all the same is updated by hand; of a network that only lends its output it is an average.
    lent = set().union(*(iteration.lent for iteration in case.iterations))
    loose = {name: p for name, p in program.trainable().items()
             if id(p) not in program.holders and program.network_of(name) not in lent
             and not (name in case.moved_by_hand and not _passive(case, program.network_of(name)))}
    by_network: dict[str, list[str]] = {}
    for name in loose:
        by_network.setdefault(program.network_of(name), []).append(name)
    strangers = {optimizer: [p for p in parameters if id(p) not in program.names and id(p) not in program.held_state]
                 for optimizer, parameters in program.held.items()}
    iterators = [name for name in program.optimizers if program.iterator_of(name)]
    for name in iterators:
        yield Finding("iterator-exhausted", name, say("{optimizer} was given an iterator of parameters: after its first use it "
                                                         "is empty", optimizer=name),
                      site=assignments_of(case, "_parameter_list") or program.optimizer_site(name))
    for network, names in by_network.items():
        if iterators or not program.optimizers:
            break
        shapes = Counter(framework.shape_dtype(loose[name])[0] for name in names)
        trainable = [name for name in program.trainable() if program.network_of(name) == network]
        copies = {optimizer: count for optimizer, parameters in strangers.items()
                  if (count := _overlap(shapes, Counter(framework.shape_dtype(p)[0] for p in parameters))) >= len(names) / 2}
        if copies:
            optimizer = max(copies, key=copies.__getitem__)
            yield Finding("optimizer-holds-copies", optimizer,
                          say("{optimizer} holds {tensors} that no network uses, while nobody holds {count} of the {total} "
                              "parameters of {network}: copies, or weights replaced later", optimizer=optimizer, network=network,
                              tensors=plural(len(strangers[optimizer]), "tensor"), count=len(names), total=len(trainable)),
                          say("{count} of them have the shapes of {names}", count=copies[optimizer], names=some(names)),
                          program.optimizer_site(optimizer) if len(names) == len(trainable) else program.site_of(names[0]))
        elif len(names) == len(trainable):
            if _passive(case, network):
                yield Finding(
                    "frozen-network",
                    network,
                    say("no optimizer holds {network} ({count} parameters): frozen, on purpose?", network=network,
                        count=len(names)),
                    say("it ran in eval mode or without a graph"),
                    program.site_of(network),
                )
            else:
                optimizer = _likely(case, network)
                yield Finding("network-unheld", network, say("no optimizer holds any of the {count} parameters of {network}",
                                                                 count=len(names), network=network),
                              say("the optimizers hold {count} of {total} trainable parameters",
                                  count=len(program.held_anywhere & program.trainable().keys()), total=len(program.trainable())),
                              program.optimizer_site(optimizer) if optimizer else program.site_of(network))
        else:
            first = names[0]
            yield Finding("parameters-unheld", network, say(
                "no optimizer holds {count} of the {total} parameters of {network}: {names}", count=len(names),
                total=len(trainable), network=network, names=some(names)),
                          say("made after the optimizer, or used up by an iterator before it"),
                          program.optimizer_site(_likely(case, network)) or program.site_of(first))
    for optimizer, parameters in strangers.items():
        unused = [p for p in parameters if not framework.updates(program.optimizers[optimizer], p)]
        state = any(id(p) in program.held_state for p in program.held[optimizer])  # said by `buffers_held`
        if unused and not by_network and not state and _counts(case, optimizer):
            yield Finding("foreign-parameters", optimizer, say(
                "{optimizer} holds {tensors} that belong to no network and are never updated", optimizer=optimizer,
                tensors=plural(len(unused), "tensor")), site=program.optimizer_site(optimizer))


def _overlap(one: Counter, other: Counter) -> int:
    return sum((one & other).values())


def _counts(case: Case, optimizer: str) -> bool:
    return any(step.counts[1] for _, step in case.steps(optimizer))


def _passive(case: Case, network: str) -> bool:
    """Whether the network only lends its output: never in train mode with a graph of its own."""
    uses = [iteration.modules[network] for iteration in case.iterations if network in iteration.modules]
    return bool(uses) and not any(use.trained for use in uses)


def _likely(case: Case, network: str) -> str | None:
    """The optimizer that should hold the network: the one whose networks are of its class, else the first."""
    program = case.program
    kinds = {name: type(model) for name, model in program.models.items()}
    for optimizer in program.optimizers:
        if any(kinds[program.network_of(name)] is kinds[network] for name in program.held_names(optimizer)):
            return optimizer
    return next(iter(program.optimizers), None)


def buffers_held(case: Case) -> Iterator[Finding]:
    program = case.program
    for optimizer, parameters in program.held.items():
        # Paddle keeps a batch norm's running statistics as frozen parameters, and skips them.
        names = [program.held_state[id(p)] for p in parameters if id(p) in program.held_state
                 and (case.framework.requires_grad(p) or not case.framework.is_parameter(p))]
        if names:
            yield Finding(
                "buffers-held",
                optimizer,
                say("{optimizer} holds {total} tensors, and {count} of them are no parameters but state ({names}): {right} would "
                    "be right", optimizer=optimizer, total=len(parameters), count=len(names), names=some(names),
                    right=len(parameters) - len(names)),
                site=program.optimizer_site(optimizer),
            )


def twice(case: Case) -> Iterator[Finding]:
    program = case.program
    holders: dict[int, list[str]] = {}
    for optimizer, parameters in program.held.items():
        for p in parameters:
            holders.setdefault(id(p), []).append(optimizer)
    groups: dict[tuple[str, ...], list[str]] = {}
    for key, names in holders.items():
        if len(names) > 1:
            groups.setdefault(tuple(names), []).append(program.names.get(key, say("a tensor of no network")))
    together = [{step.optimizer for step in iteration.steps} for iteration in case.iterations]
    for names, parameters in groups.items():
        if len(set(names)) > 1 and together and not any(steps >= set(names) for steps in together):
            continue  # one after the other: Adam first and LBFGS then
        values = {"parameters": plural(len(parameters), "parameter"), "names": some(parameters),
                  "optimizers": ", ".join(dict.fromkeys(names))}
        yield Finding("held-twice", names[-1],
                      say("{parameters} ({names}) held twice by {optimizers}: each step moves them twice", **values)
                      if len(set(names)) == 1 else
                      say("{parameters} ({names}) held by each of {optimizers}: each step moves them twice", **values),
                      site=program.optimizer_site(names[-1]))


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
    found: dict[tuple, tuple[str, Any, int]] = {}
    counts: Counter = Counter()
    for iteration in case.iterations:
        for name, site in iteration.made:
            if site is not None or iteration.number > 1:
                yield Finding(
                    "parameter-made-in-forward",
                    name,
                    say("{name} is made while the network runs: no optimizer knows it, and the next call makes another", name=name),
                    site=site,
                    iteration=iteration.number,
                )
                return
        for key, (kind, site, _) in iteration.strangers.items():
            found.setdefault((kind, site), (kind, site, iteration.number))
            counts[(kind, site)] += key is not None
    for key, (kind, site, number) in found.items():
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


def paddle_defaults(case: Case) -> Iterator[Finding]:
    """What Paddle does and people coming from torch do not expect."""
    program = case.program
    if case.framework.name != "paddle":
        return
    norms = [path for path, module in program.modules.items()
             if type(module).__name__.startswith("InstanceNorm") and any(p is not None for p in module._parameters.values())]
    for path, module in program.modules.items():
        kind = type(module).__name__
        if kind == "SpectralNorm":
            yield Finding("spectral-norm-layer", path, say(
                "{layer} is Paddle's layer SpectralNorm: it never updates u and v, and its gradient is 26 % off", layer=path),
                          site=program.site_of(path))
        for name in ("_name", "name"):
            if type(value := vars(module).get(name)) in (bool, int, float):
                yield Finding(
                    "argument-became-name",
                    path,
                    say("{layer}: {kind} got {value!r} as its name: a positional argument landed in the wrong place", layer=path,
                        kind=kind, value=value),
                    site=program.site_of(path),
                )
    mine = [p for path in norms for p in program.modules[path]._parameters.values() if p is not None]
    for optimizer, parameters in program.held.items():
        inside, total = sum(any(p is q for q in parameters) for p in mine), len(parameters)
        if inside:
            yield Finding(
                "affine-instance-norm",
                some(norms, 1),
                say("{count} of the {total} parameters that {optimizer} holds are scale and bias of instance norms, which torch's "
                    "InstanceNorm2d does not have: expected {expected}?", count=inside, total=total, optimizer=optimizer,
                    expected=total - inside),
                say("Paddle trains them by default; {layers}: {names}", layers=plural(len(norms), "layer"), names=some(norms)),
                program.site_of(f"{norms[0]}.scale") or program.site_of(norms[0]),
            )
    for optimizer, parameters in program.held.items():
        own = [program.names.get(id(p), "?") for p in parameters if getattr(p, "regularizer", None) is not None]
        if own and program.optimizers[optimizer].regularization is not None:
            yield Finding(
                "regularizer-overrides",
                own[0],
                say("{names}: a regularizer of its own replaces the weight_decay of {optimizer}", names=some(own),
                    optimizer=optimizer),
                site=program.site_of(own[0]),
            )


CHECKS = (held, buffers_held, twice, shared, unregistered, attributes, paddle_defaults)
