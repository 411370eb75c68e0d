"""Calls of modules: how often, in which mode, with a graph or without; of strangers, that belong to no network, too."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from parity.doctor.record import Entry, Iteration, ModuleUse, Stranger
from parity.doctor.watching.draws import Draws
from parity.doctor.watching.layers import Layers
from parity.doctor.watching.losses import Losses
from parity.doctor.watching.probes import Probes
from parity.doctor.watching.scene import Scene
from parity.doctor.watching.state import State
from parity.doctor.watching.targets import Targets
from parity.doctor.watching.wrappers import Wrappers

_LIBRARIES = ("torch.nn.", "paddle.nn.")  # modules of library layers: no line of the user's in them


class Modules:
    def __init__(self, scene: Scene, layers: Layers, losses: Losses, state: State, probes: Probes, draws: Draws) -> None:
        self._scene, self._layers, self._losses, self._state, self._probes = scene, layers, losses, state, probes
        self._draws = draws
        self._stranger_depth = 0
        self._strangers: dict[int, weakref.ref] = {}
        self._targets = Targets(scene)

    def wrap(self, wrappers: Wrappers) -> None:
        framework = self._scene.framework
        wrappers.function(framework.module_class, "__call__", self._call)
        wrappers.function(framework.module_class, "__init__", self._init)
        wrappers.function(*framework.parameter_maker, self._make)

    def _init(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scene = self._scene
        result = original(*args, **kwargs)
        site = scene.site(skip_self=args[0])
        if site is not None and scene.running:  # inside a network's forward
            scene.current.made.append((f"a {type(args[0]).__name__}", site))
        return result

    def _make(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scene = self._scene
        result = original(*args, **kwargs)
        if scene.running and (site := scene.site()) is not None:
            scene.current.made.append(("a parameter", site))
        return result

    def _call(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scene, module = self._scene, args[0]
        program, framework, lines = scene.program, scene.framework, scene.lines
        path = program.paths.get(id(module))
        if path is None:
            return self._call_stranger(original, args, kwargs)
        if path in program.models and not scene.running:
            scene.work_begins()
            if scene.current is None:  # enough was watched
                return original(*args, **kwargs)
            scene.last_network = path
            if framework.grad_enabled():
                given = [tensor for _, tensor in framework.tensors_in([*args[1:], *kwargs.values()])]
                scene.current.entries.append(Entry(path, scene.tick(), scene.site(), any(map(framework.requires_grad, given))))
            self._draws.note_call(path, args[1:])
            self._probes.note_call(path, module, args[1:], kwargs)
            self._layers.note_batch(path, args[1:], kwargs, module.training and framework.grad_enabled())
        scene.running.append(path)
        outer = lines.module
        lines.depth, lines.module = lines.depth + 1, path
        if scene.current.close and path in program.leaves and any(
                id(p) not in program.names and not p.is_leaf for p in framework.parameters(module).values()):
            scene.current.lent.add(program.network_of(path))
        state = self._state.marks_of(path) if scene.current.close and not module.training else {}
        try:
            if lines.close and not (path in program.leaves and type(module).__module__.startswith(_LIBRARIES)):
                with lines.resumed:
                    result = original(*args, **kwargs)
            else:
                result = original(*args, **kwargs)
        finally:
            lines.depth, lines.module = lines.depth - 1, outer
            scene.running.pop()
        if state:
            after = self._state.marks_of(path)
            scene.current.moved_by_eval |= {name for name, mark in state.items() if after.get(name) != mark}
        self._note_use(path, module, args[1:], result)
        if path in program.leaves:
            self._layers.note_fed(path, module, [tensor for _, tensor in framework.tensors_in([*args[1:], *kwargs.values()])])
        return result

    def _call_stranger(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        """A module of none of the networks: a loss, or a layer that nobody registered."""
        scene, module = self._scene, args[0]
        framework, program = scene.framework, scene.program
        self._losses.note_shapes(type(module).__name__, args[1:3])
        own = framework.parameters(module) if self._stranger_depth == 0 else {}
        if own:
            self._targets.note(module, args[1:], kwargs)
        # What has a history of its own was made elsewhere and lent for the call (torch.func.functional_call).
        loose = [p for p in own.values() if framework.requires_grad(p) and p.is_leaf and id(p) not in program.names]
        held = any(id(p) in program.holders or id(p) in program.held_elsewhere for p in loose)
        if loose and not held and framework.grad_enabled() and module.training:
            scene.current.strangers[id(module)] = Stranger(type(module).__name__, scene.site(), scene.name_of(module))
            self._strangers[id(module)] = weakref.ref(module)
        self._stranger_depth += 1
        try:
            with scene.lines.resumed:
                return original(*args, **kwargs)
        finally:
            self._stranger_depth -= 1

    def end(self, iteration: Iteration) -> None:
        """Of the strangers that still are there, those that no backward has reached only lend their output: a target network."""
        framework = self._scene.framework
        for key in list(iteration.strangers) if iteration.backwards else ():
            module = self._strangers[key]()
            if module is not None and all(framework.gradient(p) is None for p in framework.parameters(module).values()):
                del iteration.strangers[key]
        self._strangers.clear()

    def _note_use(self, path: str, module: Any, inputs: tuple, result: Any) -> None:
        scene = self._scene
        framework, iteration = scene.framework, scene.current
        outputs = [result] if framework.is_tensor(result) else [tensor for _, tensor in framework.tensors_in(result)]
        graph = any(map(framework.requires_grad, outputs))
        use = iteration.modules.get(path)
        if use is None:
            use = iteration.modules[path] = ModuleUse()
        use.calls += 1
        use.last_tick = scene.tick()
        use.with_grad |= graph
        use.trained |= graph and module.training
        use.asleep |= graph and not module.training
        use.awake |= module.training
        if not graph and not framework.grad_enabled() and (use.off is None or (module.training and use.off_awake is None)):
            site = scene.recomputed_at() or scene.site()
            use.off = use.off or site
            use.off_awake = site if module.training else None
        if graph:
            scene.last_forward[scene.program.network_of(path)] = use.last_tick
            scene.lines.graphs += 1
        if path in scene.program.leaves:
            scene.note_layer(path, outputs)
            self._layers.note(path, module, inputs, outputs)
