"""What Paddle does and people coming from torch do not expect."""

from __future__ import annotations

from collections.abc import Iterator

from parity.doctor.checks.case import Case, plural
from parity.doctor.checks.source import group_site
from parity.doctor.finding import Finding
from parity.messages import say, some


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


KEPT = 0.5  # of the running statistics, at each step: below it they are those of the last few batches


def momenta(case: Case) -> Iterator[Finding]:
    """Batch norms with torch's momentum, which is the share of the new batch; Paddle's is the share that is kept."""
    if case.framework.name != "paddle":
        return
    small = [path for path, module in case.program.modules.items() if "BatchNorm" in type(module).__name__
             and 0 < getattr(module, "_momentum", 1) < KEPT and case.ran(path)]
    if small:
        momentum = case.program.modules[small[0]]._momentum
        yield Finding("momentum-of-torch", small[0], say(
            "{names} keeps {share:.0%} of its running statistics at each step: in Paddle momentum is the share that is kept, in "
            "torch that of the new batch", names=some(small), share=momentum), site=case.program.site_of(small[0]), iteration=1,
                      instead=say("momentum={other:.4g}, if torch's {momentum:.4g} was meant", other=1 - momentum,
                                  momentum=momentum))


NO_BASE, NOTHING = 0.01, 1e-5


def factors(case: Case) -> Iterator[Finding]:
    """Learning rates of groups that were meant as such, and multiply the optimizer's own: none of its groups goes by that."""
    if case.framework.name != "paddle":
        return
    for name, optimizer in case.program.optimizers.items():
        base = case.framework.learning_rate(optimizer)
        factors = {round(rate / base, 12): rate for _, rate, _ in case.framework.optimizer_rates(optimizer)} if base else {}
        if factors and max(factors) <= NO_BASE and 0 < min(factors.values()) <= NOTHING:
            factor = min(factors)
            yield Finding("lr-too-small", name, say(
                "a group of {optimizer} steps with {factor:.3g} x {base:.3g} = {rate:.3g}: its learning_rate is a factor of the "
                "optimizer's own", optimizer=name, factor=factor, base=base, rate=factors[factor]),
                          site=group_site(case, name) or case.program.optimizer_site(name),
                          instead=say("give the group a factor: 1.0 is the optimizer's own learning rate, 0.1 a tenth of it"))


CHECKS = (paddle_defaults, factors, momenta)
