"""Watching a training run without changing it: module calls, backwards, optimizer steps, state, schedulers.

Functions are wrapped while the watch is on and given back afterwards. Values are read, never written; nothing random is drawn;
no tensor is kept beyond the event that shows it.
"""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from types import FrameType, MethodType
from typing import Any

import numpy as np

from parity.doctor.arrays import checksum, digest, is_finite, pulse, sample, spread
from parity.doctor.lines import Lines
from parity.doctor.program import Program
from parity.doctor.record import Activation, Backward, Batch, Iteration, ModuleUse, NonFinite, Step, Update
from parity.trace.source import Site

CLOSE = 2  # so many iterations at first are watched closely, and all after one with a NaN in it
FLAT = {"Tanh": 0.99, "Sigmoid": 0.99}  # |tanh| above it, or |2 sigmoid - 1|: the slope is below 0.02 (0.005)
IN_TURN = 8  # between close iterations, one layer in so many is looked at: what stays NaN is seen within as many iterations
_LAYERS = ("torch.nn.", "paddle.nn.")  # modules of library layers: no line of the user's in them
RECTIFIERS = ("ReLU", "ReLU6")
CLASS_LOSSES = ("cross_entropy", "nll_loss", "kl_div", "ctc_loss")
LOSSES = ("mse_loss", "l1_loss", "smooth_l1_loss", "binary_cross_entropy_with_logits", "binary_cross_entropy", "huber_loss")
PAIRED = {*LOSSES, "MSELoss", "L1Loss", "SmoothL1Loss", "BCEWithLogitsLoss", "BCELoss", "HuberLoss"}  # of equal shapes


@dataclass
class _Gradient:
    """What is known of one parameter's gradient: its pulse, and the ticks of the backwards that are in it."""

    pulse: float | None = None
    made: list[int] = field(default_factory=list)


class _Call:
    """A function that is watched, called once by what stands around it; and how that ended."""

    __slots__ = ("__name__", "_function", "done", "raised", "result")

    def __init__(self, function: Callable) -> None:
        self._function, self.done, self.raised, self.result = function, False, None, None
        self.__name__ = getattr(function, "__name__", "")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            self.result = self._function(*args, **kwargs)
        except Exception as error:
            self.raised = id(error)  # the error itself would be a cycle through its frames
            raise
        self.done = True
        return self.result


def _kept(method: Callable) -> Callable:
    """A method of `Watch` whose own errors end the watch, and not the training."""
    @functools.wraps(method)
    def kept(self: Watch) -> None:
        try:
            method(self)
        except Exception as error:
            self.fail(error)
    return kept


class Watch:
    """Iterations of a program, written down one after the other (`iterations`).

    close: number of iterations that are watched closely from the start.
    """

    def __init__(self, program: Program, *, close: int = CLOSE) -> None:
        self.program, self.framework = program, program.framework
        self._close = close
        self.iterations: list[Iteration] = []
        self.current: Iteration | None = None
        self.ticks = 0
        self.failure: Exception | None = None  # of the watch itself
        self.lines = Lines(self.framework, program.source, self._tick, self.fail)
        self._stack = ExitStack()
        self._thread = threading.get_ident()
        self._stranger_depth = 0
        self._running: list[str] = []  # networks in progress
        self._in_backward = self._in_step = False
        self._gradients: dict[str, _Gradient] = {}
        self._steps: list[tuple[int, str]] = []  # (tick, optimizer)
        self._backwards = 0
        self._served: dict[int, set[str | None]] = {}  # backward -> optimizers of what it gave a gradient, where watched closely
        self._seen: dict[str, int] = {}  # optimizer -> backwards before its latest step
        self._last_forward: dict[str, int] = {}
        self._last_change: dict[str, tuple[int, Site | None]] = {}
        self._after: dict[str, tuple[int, bool]] = {}  # parameter -> checksum after its latest update, and whether that changed it
        self._cleared_at: dict[str, Site | None] = {}
        self._stepped: dict[str, int] = {}
        self._before_update: dict[str, int] = {}
        self._stepped_with: dict[str, dict[str, float | None]] = {}  # optimizer -> pulses that its latest step went by
        self._state: dict[str, int] = {}
        self._moving = [path for path, module in program.modules.items() if program.framework.moving_state(module)]
        self._odd = False
        self._turn = 0
        self._fed: dict[tuple[str, int], Any] = {}  # weak references to what networks were fed in the iteration before
        self._feeding: dict[tuple[str, int], Any] = {}
        self._features: dict[str, list[np.ndarray]] = {}
        self._cycle: set[str] = set()
        self._unheld = {name: checksum(self.framework.values(p)) for name, p in program.trainable().items()
                        if id(p) not in program.holders}
        self.explicit = False  # whether iterations are marked by the user's loop

    # --- on and off ----------------------------------------------------------------------------------------

    def start(self, frame: FrameType | None = None) -> None:
        """Begin to watch. `frame`: the running function in which the training loop stands."""
        framework = self.framework
        try:
            self._replace(framework.module_class, "__call__", self._call)
            self._replace(framework.module_class, "__init__", self._init)
            self._replace(*framework.parameter_maker, self._make)
            for owner, name in framework.backward_functions:
                self._replace(owner, name, self._backward)
            for kind in _with_own_step(framework.scheduler_class):
                self._replace(kind, "step", self._scheduler_step)
            for name in (*LOSSES, *CLASS_LOSSES):
                if hasattr(framework.functional, name):
                    self._replace(framework.functional, name, self._loss if name in LOSSES else self._class_loss)
            for name, what in (("__sub__", "a difference"), ("__rsub__", "a difference"), ("__mul__", "a product"),
                               ("__rmul__", "a product")):
                self._replace(framework.tensor_class, name, functools.partial(self._broadcast, what))
            for name in ("load_state_dict", "set_state_dict"):
                if hasattr(framework.module_class, name):
                    self._replace(framework.module_class, name, self._load)
            for name, optimizer in self.program.optimizers.items():
                for method in framework.step_methods:
                    self._wrap_method(name, optimizer, method, self._step)
                self._wrap_method(name, optimizer, framework.clear_method, self._clear)
            for method in ("scale", "unscale_", "step"):
                self._replace(framework.scaler_class, method, self._scaler)
            for clip in ("clip_grad_norm_", "clip_grad_value_"):
                self._replace(framework.clips, clip, self._clip)
            self.lines.start(frame)
            self._stack.callback(self.lines.stop)
        except BaseException:
            self._stack.close()
            raise
        self.begin()

    def stop(self) -> None:
        if self.current is not None and (self.current.steps or self.current.backwards or self.current.modules):
            self.end()
        self.current = self.lines.iteration = None
        self._stack.close()
        if self.program.changed():  # a group was added, say, in an iteration that was not watched closely
            self.program.refresh()

    def _replace(self, owner: Any, name: str, around: Callable) -> None:
        original = getattr(owner, name)
        own = name in vars(owner)

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if self.current is None or threading.get_ident() != self._thread:
                return original(*args, **kwargs)
            call = _Call(original)
            try:
                if sys.gettrace() is None:
                    return around(call, args, kwargs)
                with self.lines.paused:
                    return around(call, args, kwargs)
            except Exception as error:
                if call.raised == id(error):
                    raise
                return self._without(call, error, args, kwargs)

        setattr(owner, name, wrapped)
        self._stack.callback(lambda: setattr(owner, name, original) if own else delattr(owner, name))

    def _wrap_method(self, name: str, optimizer: Any, method: str, around: Callable) -> None:
        original, own = getattr(optimizer, method), vars(optimizer).get(method)

        def step(optimizer: Any, *args: Any, **kwargs: Any) -> Any:
            if self.current is None or self._in_step:
                return original(*args, **kwargs)

            call = _Call(original)

            def proceed() -> Any:
                with self.lines.resumed if args or kwargs else nullcontext():  # a closure is the user's code
                    return call(*args, **kwargs)

            try:
                with self.lines.paused:
                    return around(name, method, proceed)
            except Exception as error:
                if call.raised == id(error):
                    raise
                return self._without(call, error, args, kwargs)

        functools.update_wrapper(step, getattr(original, "__func__", original))
        setattr(optimizer, method, MethodType(step, optimizer))  # a scheduler made later asks for a bound method
        self._stack.callback(lambda: delattr(optimizer, method) if own is None else setattr(optimizer, method, own))

    def _without(self, call: _Call, error: Exception, args: tuple, kwargs: dict) -> Any:
        """What the program gets where the watch has failed."""
        self.fail(error)
        return call.result if call.done else call(*args, **kwargs)

    def fail(self, error: Exception) -> None:
        """An error of the watch itself: it ends here, and the training goes on."""
        self.failure = self.failure or error
        self.current = None
        self.lines.give_up()

    def _tick(self) -> int:
        self.ticks += 1
        return self.ticks

    def _site(self) -> Site | None:
        return self.program.source.site(sys._getframe(2))

    # --- iterations ----------------------------------------------------------------------------------------

    @property
    def next_is_close(self) -> bool:
        return len(self.iterations) < self._close or self._odd

    @property
    def moved_by_hand(self) -> frozenset[str]:
        """Parameters that no optimizer held at the start and that have other values now."""
        now = self.program.parameters
        return frozenset(name for name, mark in self._unheld.items()
                         if name in now and checksum(self.framework.values(now[name])) != mark)

    @_kept
    def begin(self) -> None:
        if self.failure:
            return
        close = self.next_is_close
        self.current = self.lines.iteration = Iteration(len(self.iterations) + 1, close)
        self.lines.close = close
        self._features.clear()
        self._fed, self._feeding = self._feeding, {}
        self.lines.followed.clear()
        self._cycle.clear()
        self._state = self._sums()

    @_kept
    def end(self) -> None:
        """The iteration is over: what state moved, what was odd."""
        iteration = self.current
        if iteration is None:
            return
        for name, mark in self._sums().items():
            iteration.moved[name] = self._state.get(name) != mark
        for name, optimizer in self.program.optimizers.items():
            iteration.lrs[name] = self.framework.learning_rate(optimizer)
        for path, rows in self._features.items():
            together = np.concatenate(rows).astype(np.float64)
            if len(together) > 1 and np.isfinite(together).all():
                iteration.features[path] = (float(together.std(0).mean()), float(np.sqrt((together**2).mean())), len(together))
        self._odd = self._odd or iteration.odd
        self.iterations.append(iteration)
        self.program.files = [file for file, wanted in self.lines.files.items() if wanted]
        if iteration.close:
            known = set(self.program.names)
            if self.program.changed():
                self.program.refresh()
                iteration.made += [(f"parameter {name}", None) for key, name in self.program.names.items() if key not in known]
                self._moving = [path for path, module in self.program.modules.items() if self.framework.moving_state(module)]
        self.current = self.lines.iteration = None

    @contextmanager
    def again(self, back: int) -> Iterator[None]:
        """While active, the iteration so many back (1: the latest) is run a second time, and every call is watched closely.

        Of what it shows only the values that are not finite are kept, and only if there are any: it is no iteration of its own.
        """
        first = self.iterations[-back]
        self._odd = self.lines.every_call = True
        self.begin()
        try:
            yield
        finally:
            self.end()
            self.lines.every_call = False
            second = None if self.failure else self.iterations.pop()
            if second is not None and second.odd:
                first.nonfinite, first.bad_parameters, first.again = second.nonfinite, second.bad_parameters, True

    def mark(self) -> None:
        """An iteration ends here and another begins."""
        if self.current is not None and (self.current.steps or self.current.backwards or self.current.modules):
            self.end()
        if self.current is None:
            self.begin()

    def _perhaps_mark(self) -> None:
        """Without marks of the user's, an iteration is over once all optimizers have stepped and work begins again."""
        if not self.explicit and self._cycle and (self._cycle >= set(self.program.optimizers) or len(self.current.steps) >= 16):
            self.mark()

    def _sums(self) -> dict[str, int]:
        """Checksums of all state that forwards move."""
        return {name: mark for path in self._moving for name, mark in self._marks_of(path).items()}

    def _marks_of(self, path: str) -> dict[str, int]:
        state = self.framework.moving_state(self.program.modules[path])
        return {f"{path}.{name}": checksum(self.framework.values(value)) for name, value in state.items()}

    # --- modules -------------------------------------------------------------------------------------------

    def _init(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        result = original(*args, **kwargs)
        site = self.program.source.site(sys._getframe(2), skip_self=args[0])
        if site is not None and self._running:  # inside a network's forward
            self.current.made.append((f"a {type(args[0]).__name__}", site))
        return result

    def _make(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        result = original(*args, **kwargs)
        if self._running and (site := self.program.source.site(sys._getframe(2))) is not None:
            self.current.made.append(("a parameter", site))
        return result

    def _call(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        module = args[0]
        path = self.program.paths.get(id(module))
        if path is None:
            return self._call_stranger(original, args, kwargs)
        if path in self.program.models and not self._running:
            self._perhaps_mark()
            self._note_batch(path, args[1:], kwargs, module.training and self.framework.grad_enabled())
        self._running.append(path)
        lines, outer = self.lines, self.lines.module
        lines.depth, lines.module = lines.depth + 1, path
        if self.current.close and path in self.program.leaves and any(
                id(p) not in self.program.names and not p.is_leaf for p in self.framework.parameters(module).values()):
            self.current.lent.add(self.program.network_of(path))
        state = self._marks_of(path) if self.current.close and not module.training else {}
        try:
            if lines.close and not (path in self.program.leaves and type(module).__module__.startswith(_LAYERS)):
                with lines.resumed:
                    result = original(*args, **kwargs)
            else:
                result = original(*args, **kwargs)
        finally:
            lines.depth, lines.module = lines.depth - 1, outer
            self._running.pop()
        if state:
            after = self._marks_of(path)
            self.current.moved_by_eval |= {name for name, mark in state.items() if after.get(name) != mark}
        self._note_use(path, module, args[1:], result)
        return result

    def _call_stranger(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        """A module of none of the networks: a loss, or a layer that nobody registered."""
        module, framework = args[0], self.framework
        self._loss_shapes(type(module).__name__, args[1:3])
        own = framework.parameters(module) if self._stranger_depth == 0 else {}
        # What has a history of its own was made elsewhere and lent for the call (torch.func.functional_call).
        loose = [p for p in own.values() if framework.requires_grad(p) and p.is_leaf and id(p) not in self.program.names]
        if loose and framework.grad_enabled() and module.training:
            _name, _, calls = self.current.strangers.get(id(module), ("", None, 0))
            if not any(id(p) in self.program.holders for p in loose):
                self.current.strangers[id(module)] = (type(module).__name__, self._site_above(), calls + 1)
        self._stranger_depth += 1
        try:
            with self.lines.resumed:
                return original(*args, **kwargs)
        finally:
            self._stranger_depth -= 1

    def _site_above(self) -> Site | None:
        return self.program.source.site(sys._getframe(3))

    def _note_use(self, path: str, module: Any, inputs: tuple, result: Any) -> None:
        framework, iteration = self.framework, self.current
        outputs = [result] if framework.is_tensor(result) else [tensor for _, tensor in framework.tensors_in(result)]
        graph = any(map(framework.requires_grad, outputs))
        use = iteration.modules.get(path)
        if use is None:
            use = iteration.modules[path] = ModuleUse()
        use.calls += 1
        use.last_tick = self._tick()
        use.with_grad |= graph
        use.trained |= graph and module.training
        use.asleep |= graph and not module.training
        use.awake |= module.training
        if not graph and not framework.grad_enabled() and (use.off is None or (module.training and use.off_awake is None)):
            site = self.program.source.site(sys._getframe(2))
            use.off = use.off or site
            use.off_awake = site if module.training else None
        if graph:
            self._last_forward[self.program.network_of(path)] = use.last_tick
            self.lines.graphs += 1
        if path in self.program.leaves:
            self._turn += 1
            if iteration.close or self._turn % IN_TURN == iteration.number % IN_TURN:
                self._note_leaf(path, module, inputs, outputs)

    def _note_leaf(self, path: str, module: Any, inputs: tuple, outputs: list[Any]) -> None:
        """Numbers of a layer's output: finite? dead, saturated? And of a classifier's input: does it vary?"""
        framework, kind = self.framework, type(module).__name__
        for tensor in outputs:
            array = framework.values(tensor)
            self.current.half |= self.current.close and framework.shape_dtype(tensor)[1] == "float16"
            finite = is_finite(array)
            self.lines.checked = weakref.ref(tensor), finite
            if not finite:
                before = all(is_finite(framework.values(value)) for value in inputs if framework.is_tensor(value))
                site = self.program.source.site(sys._getframe(3))
                weights = all(is_finite(framework.values(p)) for p in framework.parameters(module).values())
                self.current.nonfinite.append(NonFinite(self._tick(), path, bool(np.isnan(array).any()), site, before and weights))
            elif self.current.close and array.size and (kind in RECTIFIERS or kind in FLAT):
                seen = self.current.activations.setdefault(path, Activation(kind=kind))
                array = spread(array)
                seen.size += array.size
                if kind in RECTIFIERS:
                    seen.zeros += array.size - int(np.count_nonzero(array))
                else:
                    centred = array if kind == "Tanh" else 2 * array - 1
                    seen.flat += int(np.count_nonzero(np.abs(centred) > FLAT[kind]))
        if self.current.close and inputs and framework.is_tensor(inputs[0]):
            self._note_input(path, module, inputs[0], outputs)

    def _note_input(self, path: str, module: Any, given: Any, outputs: list[Any]) -> None:
        """The size of what a network's first layer with weights is given, and the features that a classifier goes by."""
        framework, kind, network = self.framework, type(module).__name__, self.program.network_of(path)
        first = network not in self.current.first_inputs and bool(framework.parameters(module))
        if not first and kind != "Linear":
            return
        array = framework.values(given)
        if first and array.dtype.kind == "f" and array.size:
            self.current.first_inputs[network] = 0.0 if "norm" in kind.lower() else float(np.abs(array).max())
        if kind == "Linear":
            width = framework.shape_dtype(outputs[0])[0][-1] if outputs else 0
            if array.ndim == 2 and width * 2 <= array.shape[1]:  # a head: it concludes more than it carries on
                self._features.setdefault(path, []).append(array.astype(np.float64))
                self.current.modules[path].site = self.program.source.site(sys._getframe(4))

    def _note_batch(self, network: str, args: tuple, kwargs: dict, training: bool) -> None:
        framework = self.framework
        for _, tensor in framework.tensors_in([*args, *kwargs.values()]):
            if not framework.requires_grad(tensor):
                array = framework.values(tensor)
                if array.size:
                    floating = array.dtype.kind == "f" and is_finite(array)
                    low, high, mean = (array.min(), array.max(), array.mean()) if floating else (0, 0, 0)
                    site = self.program.source.site(sys._getframe(3))
                    place = network, len(self.current.batches)
                    before, self._feeding[place] = self._fed.get(place), weakref.ref(tensor)
                    self.current.batches.append(Batch(network, digest(array), tuple(array.shape), float(low), float(high),
                                                      float(mean), site, training, before is not None and before() is tensor))
                    if array.dtype.kind == "f" and not floating:
                        self.current.nonfinite.append(NonFinite(self._tick(), f"the input of {network}",
                                                                bool(np.isnan(array).any()), site, True))

    def _loss(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        name, pair = original.__name__, args[:2] or tuple(kwargs.values())[:2]
        self._loss_shapes(name, pair)
        if name.endswith("with_logits") and self.framework.is_tensor(pair[0]) and self.framework.made_by(pair[0]) == "sigmoid":
            self.current.unfit.append((name, "sigmoid", self.program.source.site(sys._getframe(2))))
        return original(*args, **kwargs)

    def _class_loss(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        """Probabilities where scores belong: the rows of a softmax add up to 1; its logarithm is never above 0."""
        name, given = original.__name__, args[0] if args else kwargs.get("input", kwargs.get("log_probs"))
        has_softmax = name == "cross_entropy" or (name == "ctc_loss" and self.framework.name == "paddle")
        shape = self.framework.shape_dtype(given)[0] if self.framework.is_tensor(given) else ()
        if len(shape) > 1 and name in ("cross_entropy", "nll_loss"):
            self.current.classes.add(shape[1])
        softmax = kwargs.get("use_softmax", True) and kwargs.get("axis", -1) in (-1, 1)
        if self.current.close and len(shape) > 1 and shape[1] > 1 and softmax:
            what = self._unfit(name, given, has_softmax)
            if what is None and name == "ctc_loss" and is_finite(self.framework.values(given)):
                what = "blank" if self._has_blanks(*args[1:5], **kwargs) else None
            if what:
                self.current.unfit.append((name, what, self.program.source.site(sys._getframe(2))))
        return original(*args, **kwargs)

    def _unfit(self, name: str, given: Any, has_softmax: bool) -> str | None:
        """What a loss over classes was given in place of scores, or of the logarithms of probabilities."""
        array = self.framework.values(given)
        if not array.size or not is_finite(array):
            return None
        sums = (array.sum(-1), array.sum(1)) if array.ndim > 2 else (array.sum(1),)
        if (array >= 0).all() and array.any() and any(np.allclose(one, 1, rtol=0, atol=1e-2) for one in sums):
            return "softmax" if has_softmax else "probabilities"
        if not has_softmax and array.max() > 1e-3:  # of the logarithm of a probability only by rounding in half precision
            return "scores"
        if (name == "nll_loss" and self.framework.made_by(given) == "logsoftmax"
                and not np.allclose(np.exp(array).sum(1), 1, rtol=0, atol=1e-2)):
            return "axis"
        return None

    def _has_blanks(self, *given: Any, **named: Any) -> bool:
        """Whether a target of ctc_loss, within its length, holds the blank, which stands for no symbol."""
        order = ("targets", "labels"), ("input_lengths",), ("target_lengths", "label_lengths"), ("blank",)
        for keys, value in zip(order, given, strict=False):
            named |= dict.fromkeys(keys, value)
        targets, lengths = named.get("targets", named.get("labels")), named.get("target_lengths", named.get("label_lengths"))
        if not self.framework.is_tensor(targets):
            return False
        array = self.framework.values(targets)
        lengths = self.framework.values(lengths) if self.framework.is_tensor(lengths) else np.asarray(lengths)
        if array.ndim == 2:
            array = array[np.arange(array.shape[1]) < lengths.reshape(-1, 1)]
        return bool((array == named.get("blank", 0)).any())

    def _broadcast(self, what: str, original: Callable, args: tuple, kwargs: dict) -> Any:
        """[N, 1] minus, or times, [N] in a loss of the user's own.

        (Distances of all to all are of two tensors with a graph, or of one.)
        """
        result = original(*args, **kwargs)
        if self.current.close and not self._running and len(args) == 2 and all(map(self.framework.is_tensor, args)):
            one, other = (self.framework.shape_dtype(tensor)[0] for tensor in args)
            wider = one and other and len(one) != len(other) and np.prod(one) == np.prod(other) < np.prod(tuple(result.shape))
            if wider and sum(map(self.framework.requires_grad, args)) == 1:
                site = self.program.source.site(sys._getframe(2))
                self.current.broadcasts.append((what, one, other, site))
        return result

    def _loss_shapes(self, name: str, pair: tuple) -> None:
        if name not in PAIRED or len(pair) != 2 or not all(map(self.framework.is_tensor, pair)):
            return
        one, other = (self.framework.shape_dtype(tensor)[0] for tensor in pair)
        if one != other and one and other and max(*one, *other) > 1:
            site = self.program.source.site(sys._getframe(3))
            self.current.broadcasts.append((name, one, other, site))

    # --- backward and update -------------------------------------------------------------------------------

    def _pulses(self, parameters: dict[str, Any] | None = None) -> dict[str, float | None]:
        framework = self.framework
        wanted = self.program.parameters if parameters is None else parameters
        gradients = {name: framework.gradient(p) for name, p in wanted.items() if framework.requires_grad(p)}
        with np.errstate(all="ignore"):
            return {name: None if gradient is None else pulse(framework.values(gradient)) for name, gradient in gradients.items()}

    def _look_for_clearing(self, pulses: dict[str, float | None], unused: bool = False) -> None:
        """unused: at a backward, where what was cleared without any step since has served nobody."""
        stepped = self._steps[-1][0] if self._steps else 0
        for name, value in pulses.items():
            known = self._gradients.setdefault(name, _Gradient())
            if not value:
                if unused and known.pulse and known.made and known.made[-1] > stepped:
                    self.current.discarded.append(name)
                known.made.clear()
            known.pulse = value

    def _backward(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        if self._in_backward:
            return original(*args, **kwargs)
        self._perhaps_mark()
        framework = self.framework
        given = args[0] if args else next(iter(kwargs.values()))
        losses = [tensor for _, tensor in framework.tensors_in(given)]
        values = [float(array.sum()) for array in map(framework.values, losses) if array.size == 1]
        frame = sys._getframe(2)
        site = self.program.source.site(frame)
        function = next((f.f_code.co_name for f in _stack(frame) if f.f_code.co_filename in self.program.source), "")
        close = self.current.close
        before = self._pulses() if close else {}
        self._look_for_clearing(before, unused=not self._in_step)
        tick = self._tick()
        record = Backward(tick, site, values, any(map(framework.requires_grad, losses)), function)
        self.current.backwards.append(record)
        self._in_backward = True
        try:
            result = original(*args, **kwargs)
        finally:
            self._in_backward = False
        self._backwards += 1
        self._served[tick] = served = set()
        for name, value in self._pulses().items() if close else ():
            known = self._gradients.setdefault(name, _Gradient())
            if value != before.get(name) or (value is not None and np.isnan(value)):
                known.made.append(tick)
                record.touched.add(name)
                served.add(self.program.holder_of(name))
            known.pulse = value
        for network in sorted({self.program.network_of(name) for name in record.touched}):
            changed, changed_at = self._last_change.get(network, (0, None))
            if changed > self._last_forward.get(network, tick):
                self.current.stale.append((network, changed_at))
        return result

    def _load(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        self.current.loaded_at = self.program.source.site(sys._getframe(2))
        return original(*args, **kwargs)

    def _clear(self, name: str, method: str, proceed: Callable[[], Any]) -> Any:
        self._perhaps_mark()
        self._cleared_at[name] = self.program.source.site(sys._getframe(2))
        return proceed()

    def _step(self, name: str, method: str, proceed: Callable[[], Any]) -> Any:
        if not self.current.close:
            return self._light_step(name, method, proceed)
        framework, program = self.framework, self.program
        optimizer = program.optimizers[name]
        held = {program.names[id(p)]: p for p in program.held[name] if id(p) in program.names}
        pulses = self._pulses(held)
        cleared = sum(1 for key in held if self._gradients.get(key, _Gradient()).pulse and not pulses.get(key)
                   and self._gradients[key].made and self._gradients[key].made[-1] > self._stepped.get(name, 0))
        zero = {key for key in held if pulses.get(key) == 0 and (known := self._gradients.get(key, _Gradient())).made
                and known.pulse == 0}
        self._look_for_clearing(pulses)
        counted = next((key for key, p in held.items() if framework.gradient(p) is not None), None)
        count = framework.updates(optimizer, held[counted]) if counted is not None else None
        before = {key: framework.values(p) for key, p in held.items()}
        marks = {key: (checksum(array), sample(array)) for key, array in before.items()}
        before.clear()
        for key, (mark, _) in marks.items():
            after, changed = self._after.get(key, (mark, False))
            if after != mark and changed and key in self._before_update and self._before_update[key] == mark:
                self.current.undone.append(key)
        record = Step(
            self._tick(),
            name,
            self.program.source.site(sys._getframe(2)),
            framework.learning_rate(optimizer),
            None,
            0,
            (count, None),
            counted,
            method=method,
            cleared=cleared,
            cleared_at=self._cleared_at.get(name),
            empty=all(framework.gradient(p) is None for p in program.held[name]),
            by_hand=self._by_hand(name, pulses),
        )
        shrinks = {program.names.get(id(p)): share for p, share in framework.shrinks(optimizer)}
        outside = self._backwards
        for key, parameter in held.items():
            known = self._gradients.get(key, _Gradient())
            gradient = framework.gradient(parameter)
            half = gradient is not None and framework.shape_dtype(gradient)[1] == "float16"
            zeros = float(np.mean(framework.values(gradient) == 0)) if half else 0.0
            record.updates[key] = Update(None if gradient is None or known.pulse is None else float(np.sqrt(known.pulse)), zeros,
                                         False, float(np.linalg.norm(marks[key][1])), 0.0,
                                         known.made[-1] if known.made else None, self._mixed(known.made, name), half,
                                         found_zero=key in zero)
        self._in_step = True
        try:
            result = proceed()
        finally:
            self._in_step = False
        if self._backwards > outside:  # of a closure: what it left is what the step went by
            record.empty = False
            for key, value in self._pulses(held).items():
                record.updates[key].gradient = None if value is None else float(np.sqrt(value))
        record.backwards = self._backwards - self._seen.get(name, 0)
        record.reached = {key for key, update in record.updates.items() if update.gradient}
        self._seen[name] = self._backwards
        self._stepped[name] = record.tick
        if counted is not None:
            record.counts = (count, framework.updates(optimizer, held[counted]))
        record.effective_lr = framework.effective_lr(optimizer)
        for key, parameter in held.items():
            array = framework.values(parameter)
            mark, update = checksum(array), record.updates[key]
            few = sample(array)
            update.changed = mark != marks[key][0]
            update.change = float(np.linalg.norm(few - marks[key][1]))
            if share := shrinks.get(key):
                by_loss = float(np.linalg.norm(few - (1 - share) * marks[key][1]))
                update.shrunk = share * update.weight / by_loss if by_loss else None
            if not np.isfinite(few).all():
                self.current.bad_parameters.append(key)
            self._before_update[key] = marks[key][0]
            self._after[key] = mark, update.changed
            if update.changed:
                self._last_change[program.network_of(key)] = record.tick, record.site
        self._steps.append((record.tick, name))
        self.current.steps.append(record)
        self._cycle.add(name)
        return result

    def _light_step(self, name: str, method: str, proceed: Callable[[], Any]) -> Any:
        """A step between close iterations: whether it came after a backward, its learning rate, gradients that are not finite."""
        framework, program = self.framework, self.program
        held = {program.names[id(p)]: p for p in program.held[name] if id(p) in program.names}
        record = Step(self._tick(), name, self.program.source.site(sys._getframe(2)),
                      framework.learning_rate(program.optimizers[name]), None, 0, (None, None), method=method,
                      empty=all(framework.gradient(p) is None for p in program.held[name]))
        pulses, outside = self._pulses(held), self._backwards
        record.by_hand = self._by_hand(name, pulses)
        self._in_step = True
        try:
            result = proceed()
        finally:
            self._in_step = False
        if self._backwards > outside:
            record.empty, pulses = False, self._pulses(held)
        for key, value in pulses.items():
            if value is not None and not np.isfinite(value):
                record.updates[key] = Update(float("nan"), 0.0, True, 0.0, 0.0, None)
            elif value:
                record.reached.add(key)
        record.effective_lr = framework.effective_lr(program.optimizers[name])
        record.backwards = self._backwards - self._seen.get(name, 0)
        self._seen[name] = self._backwards
        self._stepped[name] = record.tick
        self._after.clear()
        self._gradients.clear()
        self._steps.append((record.tick, name))
        self.current.steps.append(record)
        self._cycle.add(name)
        return result

    def _by_hand(self, name: str, pulses: dict[str, float | None]) -> bool:
        """Whether a gradient is another than the optimizer's latest step went by: without a backward since, it was written."""
        before, self._stepped_with[name] = self._stepped_with.get(name, {}), pulses
        return any(value and value != before.get(key) for key, value in pulses.items())

    def _mixed(self, made: list[int], optimizer: str) -> str | None:
        """Whether a step by one of the backwards that are in a gradient lies between them: then it is no accumulation."""
        if len(made) < 2:
            return None
        between = [(tick, name) for tick, name in self._steps if made[0] < tick < made[-1]]
        if any(name == optimizer for _, name in between):
            return "step"
        return "loss" if any(made_at < tick and name in self._served.get(made_at, ())
                             for made_at in made[:-1] for tick, name in between) else None

    # --- mixed precision -----------------------------------------------------------------------------------

    def _scaler(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scaler, current = args[0], self.current
        if scaler.is_enable() if hasattr(scaler, "is_enable") else scaler.is_enabled():
            current.amp[original.__name__] += 1
            current.amp_site = self.program.source.site(sys._getframe(2))
            result = original(*args, **kwargs)
            scale = scaler.get_init_loss_scaling() if hasattr(scaler, "get_init_loss_scaling") else scaler.get_scale()
            current.amp_scale = float(scale)
            return result
        return original(*args, **kwargs)

    def _clip(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        if args and isinstance(args[0], Iterator):
            args = (list(args[0]), *args[1:])
        clipped = [args[0]] if args and self.framework.is_tensor(args[0]) else args[0] if args else ()
        names = [self.program.names[id(p)] for p in clipped if id(p) in self.program.names]
        holders = {self.program.holder_of(name) for name in names} - {None}
        if holders and all(self._seen.get(holder, -1) == self._backwards for holder in holders):
            self.current.clipped_late.append((min(holders), self.program.source.site(sys._getframe(2))))
        if self.current.amp["scale"] > 0 and not self.current.amp["unscale_"] and not self.current.amp["step"]:
            self.current.clipped_at = self.program.source.site(sys._getframe(2))
        return original(*args, **kwargs)

    # --- schedulers ----------------------------------------------------------------------------------------

    def _scheduler_step(self, original: Callable, args: tuple, kwargs: dict) -> Any:
        scheduler = args[0]
        for name, optimizer in self.program.optimizers.items():
            if self.framework.scheduler_of(optimizer) is scheduler or getattr(scheduler, "optimizer", None) is optimizer:
                self.current.schedulers[name] += 1
                self.current.scheduler_sites[name] = self.program.source.site(sys._getframe(2))
        return original(*args, **kwargs)


def _with_own_step(kind: type) -> list[type]:
    found, pending = [], [kind]
    while pending:
        one = pending.pop()
        pending += one.__subclasses__()
        if "step" in vars(one):
            found.append(one)
    return found


def _stack(frame: FrameType | None):
    while frame is not None:
        yield frame
        frame = frame.f_back
