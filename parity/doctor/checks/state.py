"""Modes, and the state that forwards move: running statistics, u and v."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from typing import Any

from parity.doctor.checks.case import Case
from parity.doctor.checks.source import calling_eval
from parity.doctor.finding import Finding
from parity.messages import say, several, some


def _sensitive(case: Case, path: str) -> bool:
    """Whether the mode of this module changes what it does."""
    module = case.program.modules[path]
    return bool(case.framework.moving_state(module)) or "Dropout" in type(module).__name__ or _asks_for_mode(type(module))


@functools.cache
def _asks_for_mode(kind: type) -> bool:
    """Whether a class of the user's has a forward with `self.training` in it, as functional dropout needs."""
    try:
        return not kind.__module__.startswith(("torch.", "paddle.")) and "self.training" in inspect.getsource(kind.forward)
    except (OSError, TypeError):
        return False


def modes(case: Case) -> Iterator[Finding]:
    """Networks, or layers of them, that are trained in eval mode."""
    program = case.program
    for network in program.models:
        if not case.trained(network):
            continue
        mine = [path for path in program.modules if program.network_of(path) == network and _sensitive(case, path)]
        held = program.held_anywhere
        all_held = all(name in held for name in program.trainable() if program.network_of(name) == network)
        for iteration in case.iterations:
            use = iteration.modules.get(network)
            if use is None or not use.with_grad or not iteration.backwards:
                continue  # a validation pass, or none of its own
            asleep = [path for path in mine if (one := iteration.modules.get(path)) and one.asleep and not one.trained]
            trained = [path for path in asleep if _learns(case, path, held, all_held)]
            if trained and not use.trained:
                asleep, site = trained, calling_eval(case, network)
                yield Finding(
                    "eval-mode",
                    network,
                    several("{network} is trained in eval mode: {names} stands still",
                            "{network} is trained in eval mode: {names} stand still", len(asleep), network=network,
                            names=some(asleep)),
                    site=site,
                    iteration=iteration.number,
                )
                break
            still = [path for path in asleep if case.framework.moving_state(program.modules[path]) and not _is_frozen(case, path)]
            if still:
                yield Finding("frozen-statistics", network, say("{network} is trained, and {names} in eval mode: on purpose?",
                                                                network=network, names=some(still)),
                              site=program.site_of(still[0]), iteration=iteration.number)
                break


def _learns(case: Case, path: str, held: set[str], all_held: bool) -> bool:
    """Whether the layer is trained: some of its own parameters are; or it has none, and nothing of its network is frozen."""
    own = [name for name in case.program.parameters if name.rpartition(".")[0] == path]
    return any(name in held and name in case.program.trainable() for name in own) if own else all_held


def _is_frozen(case: Case, path: str) -> bool:
    """Whether the layer has parameters and all of them are frozen: then it stands still as a whole, on purpose."""
    own = [p for name, p in case.program.parameters.items() if name.rpartition(".")[0] == path]
    return bool(own) and not any(map(case.framework.requires_grad, own))


def movement(case: Case) -> Iterator[Finding]:
    """State that stands still in training, or moves outside it."""
    program, framework = case.program, case.framework
    for network in program.models:
        frozen, moving, ran = [], [], []
        for path in program.modules:
            if program.network_of(path) != network:
                continue
            uses = [(iteration, iteration.modules[path]) for iteration in case.iterations if path in iteration.modules]
            for name, value in framework.moving_state(program.modules[path]).items():
                key = f"{path}.{name}"
                training = [iteration for iteration, use in uses if use.trained]
                size = framework.values(value).size
                if training and size > 1:  # the u of a single row is 1 or -1, and stays so
                    ran.append(key)
                    if not any(iteration.moved.get(key, True) for iteration in training):
                        frozen.append(key)
                resting = [iteration for iteration, use in uses if not use.awake]
                if resting and len(resting) == len(uses) and any(key in iteration.moved_by_eval for iteration in resting):
                    moving.append(key)
        if frozen:
            yield Finding(
                "state-frozen",
                network,
                say("{count} of {total} running values of {network} do not move in training: {names}", count=len(frozen),
                    total=len(ran), network=network, names=some(frozen)),
                say("unchanged to the bit over {count} iterations", count=len(case.iterations)),
                _update_site(case, frozen[0]),
                1,
            )
        if moving:
            yield Finding(
                "state-moves-in-eval",
                network,
                say("{count} running values of {network} move in eval mode: {names}", count=len(moving), network=network,
                    names=some(moving)),
                site=_update_site(case, moving[0]),
                iteration=1,
            )


def _update_site(case: Case, name: str) -> Any:
    """Where a layer's state should be updated: its forward hooks' or forward's own file if it is the user's, else its making."""
    module = case.program.modules.get(name.rpartition(".")[0])
    for hook in getattr(module, "_forward_pre_hooks", {}).values():
        code = getattr(hook, "__code__", None)
        if code is not None and code.co_filename in case.program.files:
            from parity.trace.source import Site
            return Site(code.co_filename, code.co_firstlineno)
    return case.program.site_of(name)


CHECKS = (modes, movement)
