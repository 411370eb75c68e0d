"""What is called around the steps: gradient scalers, clips, schedulers, a state that is loaded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from parity.doctor.program import with_subclasses
from parity.doctor.watching.scene import Scene
from parity.doctor.watching.updates import Updates
from parity.doctor.watching.wrappers import Wrappers


class AroundSteps:
    def __init__(self, scene: Scene, updates: Updates) -> None:
        self._scene, self._updates = scene, updates

    def wrap(self, wrappers: Wrappers) -> None:
        framework = self._scene.framework
        for kind in _with_own_step(framework.scheduler_class):
            wrappers.function(kind, "step", self._scheduler_step)
        for name in ("load_state_dict", "set_state_dict"):
            if hasattr(framework.module_class, name):
                wrappers.function(framework.module_class, name, self._load)
        for method in ("scale", "unscale_", "step"):
            wrappers.function(framework.scaler_class, method, self._scaler)
        for clip in ("clip_grad_norm_", "clip_grad_value_"):
            wrappers.function(framework.clips, clip, self._clip)

    def _load(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        self._scene.current.loaded_at = self._scene.site()
        return original(*args, **kwargs)

    def _scaler(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scaler, current = args[0], self._scene.current
        if scaler.is_enable() if hasattr(scaler, "is_enable") else scaler.is_enabled():
            current.amp[original.__name__] += 1
            current.amp_site = self._scene.site()
            result = original(*args, **kwargs)
            scale = scaler.get_init_loss_scaling() if hasattr(scaler, "get_init_loss_scaling") else scaler.get_scale()
            current.amp_scale = float(scale)
            return result
        return original(*args, **kwargs)

    def _clip(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scene = self._scene
        program, current = scene.program, scene.current
        if args and isinstance(args[0], Iterator):
            args = (list(args[0]), *args[1:])
        clipped = [args[0]] if args and scene.framework.is_tensor(args[0]) else args[0] if args else ()
        names = [program.names[id(p)] for p in clipped if id(p) in program.names]
        holders = {program.holder_of(name) for name in names} - {None}
        if holders and all(map(self._updates.none_since, holders)):
            current.clipped_late.append((min(holders), scene.site()))
        if current.amp["scale"] > 0 and not current.amp["unscale_"] and not current.amp["step"]:
            current.clipped_at = scene.site()
        result = original(*args, **kwargs)
        limit = args[1] if len(args) > 1 else kwargs.get("max_norm")
        if len(holders) == 1 and scene.framework.is_tensor(result) and isinstance(limit, (int, float)):
            norm = float(scene.framework.values(result))
            current.clips.append((*holders, limit / norm if norm > limit else 1.0, scene.site()))
        return result

    def _scheduler_step(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scene, scheduler = self._scene, args[0]
        if _is_being_made(scheduler):  # its constructor steps once, to the first learning rate
            return original(*args, **kwargs)
        for name, optimizer in scene.program.optimizers.items():
            if scene.framework.scheduler_of(optimizer) is scheduler or getattr(scheduler, "optimizer", None) is optimizer:
                scene.current.schedulers[name] += 1
                scene.current.scheduler_sites[name] = scene.site()
                numbers = {key: value for key, value in vars(scheduler).items() if type(value) in (int, float)} | _falls(scheduler)
                scene.program.schedules.setdefault(name, (type(scheduler).__name__, numbers))
                scene.program.schedulers[name] = scheduler
        return original(*args, **kwargs)


def _falls(scheduler: Any) -> dict[str, float]:
    """Of a rate that falls at given steps: the last of them, and what is left of the rate then."""
    kept = vars(scheduler)
    steps = sorted(kept.get("boundaries") or kept.get("milestones") or ())
    if not steps:
        return {}
    rates = kept.get("values") or [1.0, kept.get("gamma", 1.0) ** len(steps)]
    return {"last_fall": steps[-1], "left": rates[-1] / rates[0] if rates[0] else 1.0}


def _is_being_made(made: Any) -> bool:
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__init__" and code.co_varnames and frame.f_locals.get(code.co_varnames[0]) is made:
            return True
        frame = frame.f_back
    return False


def _with_own_step(kind: type) -> list[type]:
    return [one for one in with_subclasses(kind) if "step" in vars(one)]
