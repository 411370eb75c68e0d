"""Steps of optimizers: what they went by, and what they did to each parameter."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from parity.doctor.arrays import checksum, sample
from parity.doctor.record import Step, Update
from parity.doctor.watching.gradients import Gradients, Pulses
from parity.doctor.watching.scene import Scene
from parity.doctor.watching.wrappers import Wrappers
from parity.trace.source import Site

MOST = 5  # optimizers of the same parameters that are told apart: more are made anew at each step


class Before(NamedTuple):
    """marks: parameter -> checksum of its values, and a sample of them. shrinks: parameter -> share that decay alone will take."""

    marks: dict[str, tuple[int, np.ndarray]]
    shrinks: dict[str | None, float]


class Updates:
    def __init__(self, scene: Scene, gradients: Gradients) -> None:
        self._scene, self._gradients = scene, gradients
        self._seen: dict[str, int] = {}  # optimizer -> backwards before its latest step
        self._stepped: dict[str, int] = {}  # optimizer -> tick of its latest step
        self._stepped_with: dict[str, Pulses] = {}  # optimizer -> pulses that its latest step went by
        self._cleared_at: dict[str, Site | None] = {}
        self._before: dict[str, int] = {}  # parameter -> checksum before its latest update
        self._after: dict[str, tuple[int, bool]] = {}  # parameter -> checksum after it, and whether that changed it

    def wrap(self, wrappers: Wrappers) -> None:
        framework = self._scene.framework
        program = self._scene.program
        for name, optimizer in program.optimizers.items():
            self._wrap(wrappers, name, optimizer)
        for optimizer in program.others():  # nobody has named them; they may be of an earlier training
            for method in framework.step_methods:
                wrappers.method(optimizer, method, functools.partial(self._met, optimizer, method))
        for kind in framework.optimizer_makers:  # while it is watched, inside a trainer perhaps
            wrappers.function(kind, "__init__", functools.partial(self._made, wrappers))

    def _wrap(self, wrappers: Wrappers, name: str, optimizer: Any) -> None:
        framework = self._scene.framework
        for method in framework.step_methods:
            wrappers.method(optimizer, method, functools.partial(self._step, name, method))
        wrappers.method(optimizer, framework.clear_method, functools.partial(self._clear, name))

    def _made(self, wrappers: Wrappers, original: Callable, args: tuple, kwargs: dict) -> Any:
        result, program = original(*args, **kwargs), self._scene.program
        if program.trains(args[0]):
            held = list(map(id, program.framework.optimizer_parameters(args[0])))
            same = [name for name, others in program.held.items() if list(map(id, others)) == held]
            name = program.adopt(args[0], name=same[-1] if len(same) >= MOST else None)
            program.made[name] = self._scene.site(skip_self=args[0])
            self._wrap(wrappers, name, args[0])
        else:
            program.held_elsewhere |= set(map(id, program.framework.optimizer_parameters(args[0])))
        return result

    def _met(self, optimizer: Any, method: str, proceed: Callable[[], Any]) -> Any:
        """A step of one that was there before the watch and had not been named."""
        program = self._scene.program
        name = next((name for name, known in program.optimizers.items() if known is optimizer), None)
        return self._step(name or program.adopt(optimizer), method, proceed)

    def none_since(self, optimizer: str) -> bool:
        """Whether there was no backward since its latest step."""
        return self._seen.get(optimizer, -1) == self._gradients.backwards

    def _clear(self, name: str, proceed: Callable[[], Any]) -> Any:
        self._scene.work_begins()
        self._cleared_at[name] = self._scene.site()
        return proceed()

    def _step(self, name: str, method: str, proceed: Callable[[], Any]) -> Any:
        scene, gradients = self._scene, self._gradients
        framework, program = scene.framework, scene.program
        optimizer = program.optimizers[name]
        held = {program.names[id(p)]: p for p in program.held[name] if id(p) in program.names}
        record = Step(scene.tick(), name, scene.site(), framework.learning_rate(optimizer), None, 0, (None, None), method=method,
                      empty=all(framework.gradient(p) is None for p in program.held[name]),
                      stopped=bool(program.held[name]) and not any(map(framework.requires_grad, program.held[name])))
        pulses, backwards = gradients.pulses(held), gradients.backwards
        record.by_hand = self._by_hand(name, pulses)
        limit = framework.clips_at(optimizer)
        norm = math.sqrt(sum(filter(None, pulses.values()))) if limit else 0.0
        if norm:
            scene.current.clips.append((name, min(1.0, limit / norm), None))
        before = self._look_before(record, held, pulses) if scene.current.close else None
        scene.in_step = True
        try:
            result = proceed()
        finally:
            scene.in_step = False
        if gradients.backwards > backwards:  # of a closure: what it left is what the step went by
            record.empty, pulses = False, gradients.pulses(held)
            for key in pulses.keys() & record.updates.keys():
                record.updates[key].gradient = _norm(pulses[key])
                record.updates[key].mixed = gradients.mixed(gradients.known(key).made, name)
        if before is not None:
            self._look_after(record, held, before)
        else:
            self._look_at_gradients(record, pulses)
        record.effective_lr = framework.effective_lr(optimizer)
        record.backwards = gradients.backwards - self._seen.get(name, 0)
        over = scene.tick()  # after the backwards of a closure
        self._seen[name], self._stepped[name] = gradients.backwards, over
        gradients.stepped(over, name)
        scene.current.frozen |= {key for key, p in program.parameters.items()
                                 if id(p) not in program.holders and not framework.requires_grad(p)}
        scene.current.steps.append(record)
        return result

    def _look_before(self, record: Step, held: dict[str, Any], pulses: Pulses) -> Before:
        """Closely: what each parameter and its gradient are, and what came between the backward and this step."""
        framework, program, gradients, name = self._scene.framework, self._scene.program, self._gradients, record.optimizer
        optimizer, known = program.optimizers[name], {key: gradients.known(key) for key in held}
        record.cleared = sum(bool(one.pulse and not pulses.get(key) and one.made and one.made[-1] > self._stepped.get(name, 0))
                             for key, one in known.items())
        record.cleared_at = self._cleared_at.get(name)
        zero = {key for key, one in known.items() if pulses.get(key) == 0 and one.made and one.pulse == 0}
        gradients.look_for_clearing(pulses)
        record.counted = next((key for key, p in held.items() if framework.gradient(p) is not None), None)
        if record.counted is not None:
            record.counts = framework.updates(optimizer, held[record.counted]), None
        marks = {key: _mark(framework.values(p)) for key, p in held.items()}
        for key, (mark, _) in marks.items():
            after, changed = self._after.get(key, (mark, False))
            if after != mark and changed and self._before.get(key) == mark:
                self._scene.current.undone.append(key)
        for key, parameter in held.items():
            one, gradient = gradients.known(key), framework.gradient(parameter)
            half = gradient is not None and framework.shape_dtype(gradient)[1] == "float16"
            record.updates[key] = Update(
                gradient=None if gradient is None else _norm(one.pulse),
                zeros=float(np.mean(framework.values(gradient) == 0)) if half else 0.0,
                changed=False,
                weight=float(np.linalg.norm(marks[key][1])),
                change=0.0,
                tick_made=one.made[-1] if one.made else None,
                mixed=gradients.mixed(one.made, name),
                half=half,
                frozen=not framework.requires_grad(parameter),
                found_zero=key in zero,
                alike=self._alike(key, parameter, gradient),
            )
        return Before(marks, {program.names.get(id(p)): share for p, share in framework.shrinks(optimizer)})

    def _alike(self, name: str, parameter: Any, gradient: Any) -> float | None:
        """The largest weight of a layer whose units all have the same weights and the same gradients, that are not 0."""
        framework, owner = self._scene.framework, self._scene.program.modules.get(name.rpartition(".")[0])
        kind, values = type(owner).__name__, framework.values(parameter)
        if gradient is None or values.ndim < 2 or not (kind == "Linear" or kind.startswith("Conv")) or "Transpose" in kind:
            return None
        axis = 1 if kind == "Linear" and framework.name == "paddle" else 0
        slopes = framework.values(gradient)
        if values.shape[axis] < 2 or not slopes.any() or not (_same(values, axis) and _same(slopes, axis)):
            return None
        return float(values.flat[np.abs(values).argmax()])

    def _look_after(self, record: Step, held: dict[str, Any], before: Before) -> None:
        """Closely: what the step has changed."""
        scene, framework = self._scene, self._scene.framework
        record.reached = {key for key, update in record.updates.items() if update.gradient}
        if record.counted is not None:
            optimizer = scene.program.optimizers[record.optimizer]
            record.counts = record.counts[0], framework.updates(optimizer, held[record.counted])
        for key, parameter in held.items():
            update, (mark_before, few_before) = record.updates[key], before.marks[key]
            mark, few = _mark(framework.values(parameter))
            update.changed = mark != mark_before
            update.change = float(np.linalg.norm(few - few_before))
            if framework.shape_dtype(parameter)[1] in ("bfloat16", "float16"):
                gradient = framework.gradient(parameter)
                asked = sample(framework.values(gradient)) != 0 if gradient is not None else np.zeros(few.shape, bool)
                update.stuck = float((few == few_before)[asked].mean()) if asked.any() else 0.0
            if share := before.shrinks.get(key):
                by_loss = float(np.linalg.norm(few - (1 - share) * few_before))
                update.shrunk = share * update.weight / by_loss if by_loss else None
            if not np.isfinite(few).all():
                scene.current.bad_parameters.append(key)
            self._before[key], self._after[key] = mark_before, (mark, update.changed)
            if update.changed:
                scene.last_change[scene.program.network_of(key)] = record.tick, record.site

    def _look_at_gradients(self, record: Step, pulses: Pulses) -> None:
        """Between close iterations: which parameters have a gradient, and where it is not finite."""
        for key, value in pulses.items():
            if value is not None and not np.isfinite(value):
                record.updates[key] = Update(float("nan"), 0.0, True, 0.0, 0.0, None)
            elif value:
                record.reached.add(key)
        self._after.clear()
        self._gradients.forget()

    def _by_hand(self, name: str, pulses: Pulses) -> bool:
        """Whether a gradient is another than the optimizer's latest step went by: without a backward since, it was written."""
        before, self._stepped_with[name] = self._stepped_with.get(name, {}), pulses
        return any(value and value != before.get(key) for key, value in pulses.items())


EQUAL = 1e-5  # of the largest: float32's rounding, over a hundred operations


def _same(array: np.ndarray, axis: int) -> bool:
    """Whether all slices along an axis are the same."""
    first = array.take([0], axis)
    return bool(np.abs(array - first).max() <= EQUAL * np.abs(array).max())


def _mark(array: np.ndarray) -> tuple[int, np.ndarray]:
    return checksum(array), sample(array)


def _norm(pulse: float | None) -> float | None:
    return None if pulse is None else float(np.sqrt(pulse))
