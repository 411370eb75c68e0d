"""PaddlePaddle behind the `Framework` interface."""

from __future__ import annotations

import copy
import faulthandler
import functools
import inspect
import math
import os
import sys
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import paddle
from paddle.nn.layer.norm import _BatchNormBase
from paddle.nn.layer.rnn import RNNBase

from parity.blame import hand_on
from parity.files import LAST_WORDS
from parity.frameworks import optimizers
from parity.frameworks.base import BFLOAT16, MOVING_STATE, Framework, FrameworkError
from parity.frameworks.lifting import Lifted
from parity.frameworks.lowering import Lowered
from parity.frameworks.operations import operation_name
from parity.frameworks.optimizers import Kind, kind_of, rates_of
from parity.frameworks.paddle_in_float64 import right_in_float64
from parity.frameworks.paddle_lifting import lifting
from parity.frameworks.paddle_lowering import lowering
from parity.frameworks.paddle_random import drawing
from parity.frameworks.paddle_scaling import Decorated, decorated, scaling
from parity.numbers.distributions import Numbers

_process, _, _words = os.environ.get(LAST_WORDS, "").partition("/")
if _process == str(os.getpid()):  # Paddle's handlers of crashes, installed on import, show no Python
    faulthandler.disable()
    paddle.disable_signal_handler()
    faulthandler.enable(int(_words))

# Paddle's own tensor-to-numpy copies; from 3.0 a dlpack capsule shares memory instead (18 times faster for 16 MB).
_SHARES_MEMORY = hasattr(paddle.Tensor, "__dlpack__")

# A hook before a forward sees keywords from 3.0 on, one behind it never.
_HOOKS_SEE_KEYWORDS = "with_kwargs" in inspect.signature(paddle.nn.Layer.register_forward_pre_hook).parameters
_CALL = paddle.nn.Layer._dygraph_call_func.__code__  # which calls the hooks

_DISCRETE = (paddle.bool, paddle.uint8, paddle.int8, paddle.int16, paddle.int32, paddle.int64)
_HALVES = (paddle.float16, paddle.bfloat16)


# The frames between a program and the modules that its backward calls.
_BACKWARDS = {inspect.unwrap(function).__code__ for function in (paddle.Tensor.backward, paddle.autograd.backward, paddle.grad)}


class PaddleFramework(Framework):
    name = "paddle"

    @property
    def version(self) -> str:
        return paddle.__version__

    def is_tensor(self, value: Any) -> bool:
        return isinstance(value, paddle.Tensor)

    def tensor(self, array: np.ndarray, *, requires_grad: bool = False, device: str = "cpu") -> paddle.Tensor:
        return self._made(array, _place(device), stop_gradient=not requires_grad)

    def array(self, tensor: paddle.Tensor, *, copy: bool) -> np.ndarray:
        if not tensor.is_dense():
            return _dense(tensor)
        if tensor.dtype == paddle.bfloat16:
            return tensor.numpy().view(BFLOAT16)  # numpy has no such type: Paddle hands out the bits
        if copy or not _SHARES_MEMORY or not tensor.place.is_cpu_place() or tensor.size == 0:
            return tensor.numpy()
        return np.from_dlpack(tensor.detach())

    def _made(self, array: np.ndarray, place: Any, dtype: Any = None, stop_gradient: bool = True) -> paddle.Tensor:
        if array.dtype == BFLOAT16:
            array, dtype = array.astype(np.float32), dtype or paddle.bfloat16
        tensor = paddle.to_tensor(np.array(array), dtype=dtype, place=place)  # 0-d stays 0-d
        tensor.stop_gradient = stop_gradient
        return tensor

    def version_of(self, tensor: paddle.Tensor) -> int:
        return tensor.inplace_version

    def recomputing(self) -> bool:
        frame = sys._getframe(1)
        while frame is not None and frame.f_code not in _BACKWARDS:
            frame = frame.f_back
        return frame is not None

    def shares_memory(self, tensor: paddle.Tensor, given: Sequence[paddle.Tensor]) -> bool:
        return any(one is tensor or one._is_shared_buffer_with(tensor) for one in given)

    def shape_dtype(self, tensor: paddle.Tensor) -> tuple[tuple[int, ...], str]:
        return tuple(tensor.shape), str(tensor.dtype).removeprefix("paddle.").lower()

    def requires_grad(self, tensor: paddle.Tensor) -> bool:
        # Paddle asks for a gradient of integers, too, where they were made of numbers that have one; there is none.
        return not tensor.stop_gradient and tensor.dtype not in _DISCRETE

    def on_gradient(self, tensor: paddle.Tensor, observe: Callable[[Any], None]) -> Callable[[], None]:
        def hook(gradient: paddle.Tensor) -> None:  # None: the gradient goes on unchanged
            observe(gradient)

        return tensor.register_hook(hook).remove

    @contextmanager
    def unhooked(self, observe: Callable[[Any, Any], None]) -> Iterator[None]:
        eager = paddle.base.core.eager
        original = eager.run_partial_grad  # all that `paddle.grad` does, under whatever name it was imported

        def run(outputs: Any, inputs: Sequence[paddle.Tensor], *args: Any) -> Any:
            gradients = hand_on(original, outputs, inputs, *args)
            for tensor, gradient in zip(inputs, gradients, strict=True):
                if tensor.is_leaf and gradient is not None:
                    observe(tensor, gradient)
            return gradients

        eager.run_partial_grad = run
        try:
            yield
        finally:
            eager.run_partial_grad = original

    def on_accumulated(self, parameter: paddle.Tensor, observe: Callable[[], None]) -> Callable[[], None]:
        observers = [observe]

        def hook() -> None:
            for observe in observers:
                observe()

        parameter._register_backward_hook(hook)  # what Paddle's sharding reduces by; it stays, so it is emptied
        return observers.clear

    def clone(self, tensor: paddle.Tensor) -> paddle.Tensor:
        return tensor.clone()

    def spliced(self, tensor: paddle.Tensor, array: np.ndarray) -> paddle.Tensor:
        # Not a PyLayer: a second backward through one, in a graph that was retained, ends the process (3.3.1).
        result = tensor.clone()
        self.overwrite(result, self._made(array, tensor.place, tensor.dtype))
        return result

    def backward(self, tensors: Sequence[paddle.Tensor], gradients: Sequence[paddle.Tensor]) -> None:
        cast = [gradient.astype(tensor.dtype) for tensor, gradient in zip(tensors, gradients, strict=True)]
        # Up to 3.0 a backward from two tensors raises where one was made of the other: so from nodes that nothing is made of.
        ends = [tensor.clone() for tensor in tensors] if len(tensors) > 1 else list(tensors)
        hand_on(paddle.autograd.backward, ends, cast)

    def is_model(self, value: Any) -> bool:
        return isinstance(value, paddle.nn.Layer)

    def modules(self, model: paddle.nn.Layer) -> Iterator[tuple[str, paddle.nn.Layer]]:
        return model.named_sublayers(include_self=True)

    def parameters(self, model: paddle.nn.Layer) -> dict[str, paddle.Tensor]:
        statistics = _statistics(model)
        return {name: value for name, value in model.named_parameters() if name not in statistics}

    def buffers(self, model: paddle.nn.Layer) -> dict[str, paddle.Tensor]:
        return {name: value for name, value in model.named_buffers() if value._is_initialized()
                and not _is_product(model, name)} | _statistics(model)

    def keep_as_attributes(self, model: paddle.nn.Layer, buffers: Collection[str]) -> None:
        for path, layer in self.modules(model):  # Paddle makes a buffer of each tensor that is assigned to an attribute
            for name in layer._non_persistable_buffer_names_set & layer._buffers.keys():
                if f"{path}.{name}".lstrip(".") not in buffers:
                    vars(layer)[name] = layer._buffers.pop(name)

    def unsaved(self, model: paddle.nn.Layer) -> frozenset[str]:
        return frozenset(self.buffers(model)) - frozenset(paddle.nn.Layer.state_dict(model))

    def entries(self, model: paddle.nn.Layer) -> dict[str, paddle.Tensor]:
        saved = dict(paddle.nn.Layer.state_dict(model))
        return saved | {name: value for name, value in self.buffers(model).items() if name not in saved}

    def is_same_memory(self, one: paddle.Tensor, other: paddle.Tensor) -> bool:
        return one is other or one._is_shared_buffer_with(other)

    load_methods = ("set_state_dict", "set_dict", "load_dict")

    def load_state(self, model: paddle.nn.Layer, state: Mapping[str, np.ndarray]) -> None:
        # set_state_dict only warns of what does not fit, so it is checked here first.
        own, dtypes = {}, {}
        state, tensors = dict(state), paddle.nn.Layer.state_dict(model)
        tensors |= {name: value for name, value in self.buffers(model).items() if name in state}
        given = {id(value): name for name, value in reversed(tensors.items()) if name in state}
        for name, value in tensors.items():
            own[name], dtypes[name] = self.shape_dtype(value)
            if name not in state and id(value) in given:
                state[name] = state[given[id(value)]]  # one tensor under two names: an LSTM's cells, tied weights
        missing, extra = own.keys() - state.keys(), state.keys() - own.keys()
        misshapen = [f"{name}: expected {own[name]}, found {np.shape(state[name])}"
                     for name in own.keys() & state.keys() if own[name] != np.shape(state[name])]
        if missing or extra or misshapen:
            raise FrameworkError(f"the state does not fit the Paddle layer {type(model).__name__}: missing "
                                 f"{sorted(missing)}, extra {sorted(extra)}, misshapen {sorted(misshapen)}")
        for name, value in tensors.items():  # as set_state_dict does, which wants them all at once
            array = np.asarray(state[name], dtype=dtypes[name], order="C")
            value.set_value(array.view(np.uint16) if array.dtype == BFLOAT16 else array)

    def before_forward(self, module: paddle.nn.Layer, hook: Callable) -> Callable[[], None]:
        if not _HOOKS_SEE_KEYWORDS:
            def before(layer: paddle.nn.Layer, inputs: tuple) -> tuple | None:
                keywords = _keywords()
                others = hook(layer, inputs, keywords)
                if others is None:
                    return None
                keywords.update(others[1])  # the very ones that the forward is about to be given
                return others[0]

            return module.register_forward_pre_hook(before).remove
        return module.register_forward_pre_hook(lambda m, inputs, keywords: hook(m, inputs, keywords), with_kwargs=True).remove

    def after_forward(self, module: paddle.nn.Layer, hook: Callable) -> Callable[[], None]:
        return module.register_forward_post_hook(lambda m, inputs, outputs: hook(m, inputs, outputs)).remove

    def ragged(self, module: paddle.nn.Layer, inputs: tuple) -> bool:
        if not isinstance(module, RNNBase):
            return False
        return _keywords().get("sequence_length", inputs[2] if len(inputs) > 2 else None) is not None

    def without_gradient_in_eval(self, model: paddle.nn.Layer) -> list[str]:
        return [path for path, layer in self.modules(model) if isinstance(layer, RNNBase) and layer.could_use_cudnn]

    @contextmanager
    def with_gradients(self, model: paddle.nn.Layer) -> Iterator[None]:
        # In eval mode a recurrent kernel keeps nothing for a backward, which raises; in train mode without dropout it computes the
        # same, and keeps what it needs.
        layers = [layer for _, layer in self.modules(model) if isinstance(layer, RNNBase) and not layer.training]
        rates = [layer.dropout for layer in layers]
        for layer in layers:
            layer.training, layer.dropout = True, 0.0
        try:
            yield
        finally:
            for layer, rate in zip(layers, rates, strict=True):
                layer.training, layer.dropout = False, rate

    def check_device(self, device: str) -> None:
        _place(device)

    @contextmanager
    def exact(self, device: str) -> Iterator[None]:
        if device == "cpu":
            yield
            return
        # Paddle has no switch of its own for all of its kernels; the CUDA libraries read this when they are first used.
        if os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0") != "0":
            raise FrameworkError(f"--device gpu: expected NVIDIA_TF32_OVERRIDE to be unset or 0, found "
                                 f"{os.environ['NVIDIA_TF32_OVERRIDE']!r}: TF32 would hide differences of 1e-3; unset it")
        flags = paddle.get_flags(["FLAGS_cudnn_deterministic", "FLAGS_embedding_deterministic"])
        before = paddle.get_device()
        paddle.set_flags({"FLAGS_cudnn_deterministic": True, "FLAGS_embedding_deterministic": 1})
        paddle.set_device("gpu")
        try:
            yield
        finally:
            paddle.set_flags(flags)
            paddle.set_device(before)

    def prepare(self, model: paddle.nn.Layer, *, dtype: str, training: bool, device: str) -> paddle.nn.Layer:
        # Not `Layer.to`, which makes floats of integers, and raises on what has no memory yet: a buffer for cuDNN (3.3.1).
        for layer in model.sublayers(include_self=True):
            for tensor in (*layer._parameters.values(), *layer._buffers.values()):
                if tensor is not None and tensor._is_initialized():
                    layer._transform(tensor, _place(device), _in_lane(tensor.dtype, dtype), True)
            layer._dtype = dtype  # of parameters that it has yet to make
        model.train() if training else model.eval()
        return model

    def operations(self, observe: Callable[[str, tuple, Any], None], source: Any,
                   modules: Iterable[Any] = ()) -> AbstractContextManager:
        return _watching(observe, source, modules)

    def lowering(self, lowered: Lowered, *, on_cpu: bool) -> AbstractContextManager:
        return lowering(lowered)

    def drawing(self, numbers: Numbers) -> AbstractContextManager:
        return drawing(numbers)

    def right_in_float64(self) -> AbstractContextManager:
        return right_in_float64()

    def lifting(self, lifted: Lifted) -> AbstractContextManager:
        return lifting(lifted)

    @contextmanager
    def seeded(self, seed: int) -> Iterator[None]:
        generator = paddle.base.core.default_cpu_generator()  # `set_rng_state(state, "cpu")` raises (2.6.2, 3.0.0)
        before = generator.get_state()
        paddle.seed(seed)
        try:
            yield
        finally:
            generator.set_state(before)

    @contextmanager
    def building(self) -> Iterator[None]:
        # Not `unique_name.guard`, which begins to number anew: of two models at once, the one's state would be the other's.
        names = paddle.base.unique_name
        generator, known = names.switch(names.generator)
        try:
            yield
        finally:
            names.switch(generator, known)

    @contextmanager
    def uncompiled(self) -> Iterator[None]:
        compiling = paddle.jit.dy2static.program_translator.ProgramTranslator().enable_to_static
        paddle.jit.enable_to_static(False)
        try:
            yield
        finally:
            paddle.jit.enable_to_static(compiling)

    @contextmanager
    def default_dtype(self, dtype: str) -> Iterator[None]:
        before, clip = paddle.get_default_dtype(), paddle.nn.clip.clip_by_norm
        paddle.set_default_dtype(dtype)
        paddle.nn.clip.clip_by_norm = _clip_by_norm  # its kernel knows no float64: a program of float32 must run in that lane, too
        try:
            with scaling():
                yield
        finally:
            paddle.set_default_dtype(before)
            paddle.nn.clip.clip_by_norm = clip

    @property
    def module_class(self) -> type:
        return paddle.nn.Layer

    def clear_gradient(self, tensor: paddle.Tensor) -> None:
        tensor.clear_gradient(False)  # as a keyword, `set_to_zero` is silently ignored (2.6.2, 3.3.1)

    def set_gradient(self, tensor: paddle.Tensor, array: np.ndarray) -> None:
        self.give_gradient(tensor, self._made(array, tensor.place, tensor.dtype))

    def gradient(self, tensor: paddle.Tensor) -> paddle.Tensor | None:
        return tensor.grad


    clear_method = "clear_grad"

    @property
    def optimizer_class(self) -> type:
        return paddle.optimizer.Optimizer

    @property
    def optimizer_makers(self) -> tuple[type, ...]:
        return paddle.optimizer.Optimizer, paddle.optimizer.AdamW  # whose constructor does not call the other's

    def is_optimizer(self, value: Any) -> bool:
        return isinstance(value, paddle.optimizer.Optimizer)

    def optimizer_parameters(self, optimizer: paddle.optimizer.Optimizer) -> list[paddle.Tensor]:
        listed = optimizer._parameter_list or []
        return [p for group in listed for p in (group["params"] if isinstance(group, dict) else [group])]

    def optimizer_settings(self, optimizer: paddle.optimizer.Optimizer) -> dict[str, float]:
        settings = {"lr": _rate(optimizer), "weight_decay": _decay(optimizer)}
        kind = self._kind(optimizer)
        if kind is None:  # what others call so, too
            settings |= {name: getattr(optimizer, attribute) for name, attribute in _USUAL.items() if hasattr(optimizer, attribute)}
            return {name: float(value) for name, value in settings.items() if isinstance(value, (bool, int, float))}
        settings |= {name: read(optimizer) for name, (_, read) in kind.settings.items()}
        settings |= {name: value for name, read in kind.alone[1].items() if (value := read(optimizer))}
        return {name: float(value) for name, value in settings.items()}

    def _kind(self, optimizer: paddle.optimizer.Optimizer) -> Kind | None:
        return kind_of(optimizer, paddle.optimizer, lambda kind: kind.paddle)

    def optimizer_kind(self, optimizer: paddle.optimizer.Optimizer) -> str | None:
        kind = self._kind(optimizer)
        return kind and kind.name

    def optimizer_rates(self, optimizer: paddle.optimizer.Optimizer) -> list[tuple[paddle.Tensor, float, float]]:
        rates = []
        for group in optimizer._param_groups or optimizer._parameter_list or []:
            for parameter in group["params"] if isinstance(group, dict) else [group]:
                factor = (getattr(parameter, "optimize_attr", None) or {}).get("learning_rate", 1.0)
                rates.append((parameter, float(_rate(optimizer) * factor),
                              _decay(optimizer, parameter, group if isinstance(group, dict) else {})))
        return rates

    def clips_at(self, optimizer: paddle.optimizer.Optimizer) -> float | None:
        clip = getattr(optimizer, "_grad_clip", None)
        return float(clip.clip_norm) if isinstance(clip, paddle.nn.ClipGradByGlobalNorm) else None

    def clipped_gradients(self, optimizer: paddle.optimizer.Optimizer) -> list[tuple[paddle.Tensor, paddle.Tensor]]:
        found = []
        for clip, parameters in self._clipping(optimizer):
            held = [(p, p.grad) for p in parameters if not p.stop_gradient and p.grad is not None]
            if held:
                with paddle.no_grad():  # a copy: it may clip in place
                    given = [(p, g if g.is_selected_rows() else g.clone()) for p, g in held]
                    try:
                        found += clip(given)
                    except Exception:  # the step itself will raise it, where the user calls it
                        return []
        return found

    def _clipping(self, optimizer: paddle.optimizer.Optimizer) -> Iterator[tuple[Any, list[paddle.Tensor]]]:
        """(clip, parameters) of the groups that the optimizer clips."""
        listed = optimizer._param_groups or optimizer._parameter_list or []
        for group in listed if listed and isinstance(listed[0], dict) else [{"params": listed}]:
            clip = group.get("grad_clip", optimizer._grad_clip)
            if clip is not None:
                yield clip, list(group["params"])

    def clips_of(self, optimizer: paddle.optimizer.Optimizer) -> list[tuple[str, tuple[float, ...], float, list[list[Any]]]]:
        found = []
        for clip, parameters in self._clipping(optimizer):
            held = [p for p in parameters if p.grad is not None and getattr(p, "need_clip", True)]
            if isinstance(clip, paddle.nn.ClipGradByValue):
                found.append(("value", (float(clip.min), float(clip.max)), 0.0, [held]))
            elif isinstance(clip, paddle.nn.ClipGradByNorm):
                found.append(("norm", (float(clip.clip_norm),), 2.0, [[p] for p in held]))
            elif isinstance(clip, paddle.nn.ClipGradByGlobalNorm):
                found.append(("norm", (float(clip.clip_norm),), 2.0, [held]))
        return found

    def load_optimizer_state(self, optimizer: paddle.optimizer.Optimizer, held: Sequence[tuple[paddle.Tensor, Mapping]]) -> None:
        kind = self._kind(optimizer)
        if kind is None or isinstance(optimizer, paddle.optimizer.SGD):
            return  # it remembers nothing
        settings = self.optimizer_settings(optimizer)
        moments = optimizers.held(kind, settings)
        if not kind.whole:
            for parameter, known in held:
                for name, moment in moments.items():
                    accumulator = optimizer._accumulators.get(moment.paddle, {}).get(parameter.name)
                    if accumulator is not None:
                        value = known.get(name, optimizers.start_of(moment, settings))
                        value = value * self._rate(optimizer, parameter) if moment.times_lr else value
                        accumulator.set_value(np.broadcast_to(value, accumulator.shape).astype(self.shape_dtype(accumulator)[1]))
            return
        # Paddle 2.6 keeps to itself what was set before the first step. Keys are the parameter's global name, what is held
        # ("moment1"), and a number: the next one before the first step, so 0 but for a second optimizer of the same parameters.
        known = optimizer.state_dict() or optimizer._accumulators_holder
        names, numbers = {key.rpartition("_")[0]: key for key in known}, paddle.base.unique_name.generator.ids
        state = {}
        for parameter, remembered in held:
            dtype = self.shape_dtype(parameter)[1]
            zeros = np.zeros(parameter.shape, dtype)
            values = {moment.paddle: remembered.get(name, zeros) for name, moment in moments.items()}
            if kind.counts:
                updates = int(remembered.get("updates", 0))
                values |= {"beta1_pow_acc": _power(float(optimizer._beta1), updates + 1, dtype),
                           "beta2_pow_acc": _power(float(optimizer._beta2), updates + 1, dtype)}
            for what, value in values.items():
                name = f"{parameter.name}_{what}"
                key = names.get(name, f"{name}_{numbers.get(name, 0)}")
                state[key] = paddle.to_tensor(np.array(value, dtype), place=parameter.place)
        scheduler = self.scheduler_of(optimizer)
        if scheduler is not None:  # Paddle insists on it
            state["LR_Scheduler"] = scheduler.state_dict()
        optimizer.set_state_dict(state)

    def updated(self, optimizer: paddle.optimizer.Optimizer) -> None:
        kind = self._kind(optimizer)
        if kind is not None and any(moment.times_lr for moment in kind.moments.values()):
            self._rates[optimizer] = {parameter.name: rate for parameter, rate, _ in self.optimizer_rates(optimizer)}

    @functools.cached_property
    def _rates(self) -> MutableMapping[paddle.optimizer.Optimizer, dict[str, float]]:
        """Of the latest update of each parameter."""
        return weakref.WeakKeyDictionary()

    def _rate(self, optimizer: paddle.optimizer.Optimizer, parameter: paddle.Tensor) -> float:
        return self._rates.get(optimizer, {}).get(parameter.name, 0.0)

    def optimizer_memory(self, optimizer: paddle.optimizer.Optimizer) -> Any:
        kind = self._kind(optimizer)
        if kind is not None and kind.whole:
            return None
        accumulators = {name: self.plain_copy(dict(held)) for name, held in optimizer._accumulators.items()}
        attributes = {} if kind is not None else {
            name: self.plain_copy(value) for name, value in vars(optimizer).items()
            if name not in _BOOKKEEPING and self.is_plain(value)}
        return accumulators, set(_created(optimizer)), attributes, self._rates.get(optimizer, {})

    def set_optimizer_memory(self, optimizer: paddle.optimizer.Optimizer, memory: Any) -> None:
        if memory is None:
            return
        accumulators, created, attributes, self._rates[optimizer] = memory
        optimizer._accumulators.clear()  # what is missing then, the next step makes anew
        optimizer._accumulators.update((name, self.plain_copy(held)) for name, held in accumulators.items())
        _created(optimizer).clear()
        _created(optimizer).update(created)
        for name, value in attributes.items():
            setattr(optimizer, name, self.plain_copy(value))

    def learning_rates(self, optimizer: paddle.optimizer.Optimizer) -> list[float]:
        return [] if self.scheduler_of(optimizer) is not None else [optimizer.get_lr()]

    def set_learning_rates(self, optimizer: paddle.optimizer.Optimizer, rates: Sequence[float]) -> None:
        for rate in rates:
            optimizer.set_lr(rate)

    def optimizer_state(self, optimizer: paddle.optimizer.Optimizer, parameter: paddle.Tensor) -> dict[str, np.ndarray]:
        state, settings, kind = {}, self.optimizer_settings(optimizer), self._kind(optimizer)
        for name, moment in optimizers.held(kind, settings).items():
            held = optimizer._accumulators.get(moment.paddle, {}).get(parameter.name)
            rate = self._rate(optimizer, parameter) if moment.times_lr else 1.0
            if held is not None and rate:
                state[name] = np.asarray((held.numpy().ravel()[0] if moment.single else held.numpy()) / rate)
        power = optimizer._accumulators.get("beta2_pow_acc", {}).get(parameter.name) if kind is not None and kind.counts else None
        if power is not None and float(power.numpy().ravel()[0]) > 0:
            # Paddle keeps beta2^(n+1), the power that the next step needs, and not n (in float32 it is 0 after 90 000 steps).
            state["updates"] = np.asarray(round(math.log(float(power.numpy().ravel()[0])) / math.log(optimizer._beta2)) - 1)
        return state

    def skips(self, optimizer: paddle.optimizer.Optimizer) -> bool:
        found = optimizer._get_auxiliary_var("found_inf")
        return found is not None and bool(found)

    def decorated(self, model: paddle.nn.Layer) -> Decorated | None:
        return decorated(model)

    def scaler_state(self, scaler: paddle.amp.GradScaler) -> dict[str, float]:
        if not scaler.is_enable():
            return {}
        return {"scale": float(scaler._scale.numpy().ravel()[0]), "good steps": scaler._incr_count}

    def scaler_settings(self, scaler: paddle.amp.GradScaler) -> dict[str, float]:
        if not scaler.is_enable():
            return {}
        dynamic = scaler.is_use_dynamic_loss_scaling()
        return {"growth": scaler.get_incr_ratio(), "backoff": scaler.get_decr_ratio(), "interval": scaler.get_incr_every_n_steps(),
                "patience": scaler.get_decr_every_n_nan_or_inf()} if dynamic else {}

    # --- what the doctor watches ---------------------------------------------------------------------------

    backward_functions = ((paddle.Tensor, "backward"), (paddle.autograd, "backward"))
    step_methods = ("step", "minimize")
    root = paddle
    loader_class = paddle.io.DataLoader
    functional = paddle.nn.functional
    tensor_class = paddle.Tensor
    distribution_class = paddle.distribution.Distribution
    scaler_class = paddle.amp.GradScaler
    unscale_method = "_unscale"
    function_class = paddle.autograd.PyLayer
    clips = paddle.nn.utils
    parameter_maker = (paddle.base.framework.EagerParamBase, "__init__")

    @property
    def scheduler_class(self) -> type:
        return paddle.optimizer.lr.LRScheduler

    def scheduler_of(self, optimizer: paddle.optimizer.Optimizer) -> Any | None:
        held = optimizer._learning_rate
        return held if isinstance(held, paddle.optimizer.lr.LRScheduler) else None

    def is_schedule_of(self, scheduler: Any, optimizer: paddle.optimizer.Optimizer) -> bool:
        return self.scheduler_of(optimizer) is scheduler

    def curve(self, scheduler: Any, optimizer: paddle.optimizer.Optimizer, calls: int) -> list[tuple[float, ...]]:
        factors = {(getattr(parameter, "optimize_attr", None) or {}).get("learning_rate", 1.0)
                   for parameter in self.optimizer_parameters(optimizer)}
        copied = copy.deepcopy(scheduler)
        metric = (1.0,) if isinstance(scheduler, paddle.optimizer.lr.ReduceOnPlateau) else ()
        return rates_of(lambda: {float(copied()) * factor for factor in factors}, lambda: copied.step(*metric), calls)

    def is_parameter(self, value: Any) -> bool:
        return isinstance(value, paddle.base.framework.EagerParamBase)

    def values(self, tensor: paddle.Tensor) -> np.ndarray:
        if tensor.dtype in _HALVES:
            with paddle.no_grad():
                tensor = tensor.detach().astype("float32")
        if tensor.is_selected_rows() or tensor.size <= 16384 or not _SHARES_MEMORY or not tensor.place.is_cpu_place():
            return tensor.numpy()  # a small copy is faster than a capsule
        return np.from_dlpack(tensor.detach())

    generator_class = paddle.base.core.Generator

    def random_state(self) -> Any:
        return paddle.base.core.default_cpu_generator().get_state(), paddle.get_cuda_rng_state()

    def set_random_state(self, state: Any) -> None:
        paddle.base.core.default_cpu_generator().set_state(state[0])
        paddle.set_cuda_rng_state(state[1])

    def copied(self, tensor: paddle.Tensor) -> paddle.Tensor | None:
        with paddle.no_grad():
            return tensor.detach().clone() if tensor._is_initialized() else None

    def overwrite(self, tensor: paddle.Tensor, values: paddle.Tensor | None) -> None:
        if values is not None:
            with paddle.no_grad():
                paddle.assign(values, tensor)

    def give_gradient(self, tensor: paddle.Tensor, gradient: paddle.Tensor | None) -> None:
        self.clear_gradient(tensor)
        if gradient is not None:
            try:
                tensor.grad = gradient  # which copies it
            except ValueError:  # the last one was sparse, of an embedding, and its kind stays when it is cleared
                kinds = paddle.base.core.VarDesc.VarType
                tensor._set_grad_type(getattr(kinds, "DENSE_TENSOR", None) or kinds.LOD_TENSOR)
                tensor.grad = gradient
            tensor._unset_fake_empty()  # else, after clear_grad(), the next backward drops it (`differences`: assigned_gradient)

    def grad_enabled(self) -> bool:
        return paddle.is_grad_enabled()

    def moving_state(self, module: paddle.nn.Layer) -> dict[str, paddle.Tensor]:
        own = {**module._parameters, **module._buffers}
        return {name: value for name, value in own.items()
                if value is not None and name in MOVING_STATE and not (name == "weight_v" and "weight_g" in own)}  # weight norm's

    def has_data(self, tensor: paddle.Tensor) -> bool:
        return tensor._is_initialized()

    def reached(self, output: paddle.Tensor, tensors: Sequence[paddle.Tensor]) -> list[bool]:
        gradients = paddle.grad(output.sum(), list(tensors), retain_graph=True, allow_unused=True)
        return [gradient is not None for gradient in gradients]

    def slope(self, output: paddle.Tensor, tensor: paddle.Tensor) -> paddle.Tensor | None:
        return paddle.grad(output.sum(), [tensor], allow_unused=True)[0]

    def nodes(self, tensor: paddle.Tensor) -> Iterator[str]:
        node = tensor.grad_fn
        while node is not None:
            yield node.name().partition("GradNode")[0]
            node = next(iter(node.next_functions), None)

    def updates(self, optimizer: paddle.optimizer.Optimizer, parameter: paddle.Tensor) -> int | None:
        power = optimizer._accumulators.get("beta1_pow_acc", {}).get(parameter.name)
        if power is None:
            return None
        value = float(power.numpy().ravel()[0])
        # beta1^(n+1) underflows late in a training; a count that cannot be told any more is no count.
        return round(math.log(value) / math.log(optimizer._beta1)) - 1 if 0 < value < 1 else None

    def effective_lr(self, optimizer: paddle.optimizer.Optimizer) -> float | None:
        held = optimizer._global_learning_rate() if optimizer._learning_rate_map else None
        return None if held is None or self.scheduler_of(optimizer) is not None else float(held.numpy().ravel()[0])


_USUAL = {"beta1": "_beta1", "beta2": "_beta2", "eps": "_epsilon", "momentum": "_momentum", "rho": "_rho",
          "nesterov": "_use_nesterov"}  # settings of optimizers that are in no table
# What an optimizer has beside what it remembers, or holds by name elsewhere.
_BOOKKEEPING = ("_accumulators", "_accumulators_holder", "_default_dict", "_learning_rate", "_learning_rate_map", "_opti_name_list")


@contextmanager
def _watching(observe: Callable[[str, tuple, Any], None], source: Any, modules: Iterable[Any]) -> Iterator[None]:
    """Paddle has no mode that sees its functions, so for this time they are wrapped where users find them, and keep them."""
    depth, wrappers, undo = 0, {}, []

    def wrapped(function: Any, attribute: str) -> Any:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal depth
            depth += 1
            try:
                result = hand_on(function, *args, **kwargs)
            finally:
                depth -= 1
            if depth == 0 and result is not NotImplemented:
                observe(operation_name(attribute, args), args, result)
            return result

        return call

    def replace(owner: Any, attribute: str, value: Any) -> None:
        undo.append((owner, attribute, vars(owner)[attribute]))
        setattr(owner, attribute, value)

    for owner in (paddle, paddle.nn.functional, paddle.Tensor):
        for attribute, function in list(vars(owner).items()):
            if operation_name(attribute) is None or not callable(function) or isinstance(function, type):
                continue
            wrapper = wrapped(function, attribute)
            wrappers[id(function)] = wrapper
            replace(owner, attribute, wrapper)
    for owner in (*source.modules(), *modules):  # from paddle.nn.functional import relu; self.act = paddle.nn.functional.relu
        for attribute, value in list(vars(owner).items()):
            if id(value) in wrappers:
                undo.append((owner, attribute, value))
                vars(owner)[attribute] = wrappers[id(value)]
    try:
        yield
    finally:
        for owner, attribute, original in reversed(undo):
            if isinstance(owner, paddle.nn.Layer):
                vars(owner)[attribute] = original
            else:
                setattr(owner, attribute, original)


def _clip_by_norm(x: paddle.Tensor, max_norm: float, name: str | None = None) -> paddle.Tensor:
    if x.dtype != paddle.float64:
        return paddle._C_ops.clip_by_norm(x, max_norm)
    norm = paddle.sqrt(paddle.square(x).sum())
    return x * (max_norm / paddle.maximum(norm, paddle.full([], max_norm, "float64")))


def _created(optimizer: paddle.optimizer.Optimizer) -> set[str]:
    """Names of the parameters whose accumulators it has made, and will not make again."""
    newer = hasattr(optimizer, "_already_create_accumulator")
    return optimizer._already_create_accumulator if newer else optimizer._already_create_accumulater  # 2.6 spells it so


def _rate(optimizer: paddle.optimizer.Optimizer) -> float:
    return optimizer.learning_rate if isinstance(optimizer, paddle.optimizer.LBFGS) else optimizer.get_lr()  # it has its own


def _decay(optimizer: paddle.optimizer.Optimizer, parameter: Any = None, group: Mapping[str, Any] | None = None) -> float:
    """The weight decay of a parameter of a group; without one, what the optimizer was built with."""
    if isinstance(optimizer, paddle.optimizer.AdamW):  # it has a coefficient of its own
        exempt = optimizer._apply_decay_param_fun
        if parameter is not None and exempt is not None and not exempt(parameter.name):
            return 0.0
        own = getattr(optimizer, "_weight_decay", None)
        return float((group or {}).get("weight_decay", getattr(optimizer, "_coeff", 0.0) if own is None else own))
    if isinstance(optimizer, paddle.optimizer.Lamb):
        exempt = optimizer._exclude_from_weight_decay_fn
        return 0.0 if parameter is not None and exempt is not None and exempt(parameter) else float(optimizer._lamb_weight_decay)
    regularizer = getattr(parameter, "regularizer", None)  # of a group or a ParamAttr: goes before the optimizer's
    if regularizer is None and getattr(optimizer, "_regularization_method", None):  # a Momentum does it in its kernel
        return float(optimizer._regularization_coeff)
    return float(getattr(regularizer or optimizer.regularization, "_coeff", 0.0))


def _power(beta: float, exponent: int, dtype: str) -> np.ndarray:
    """Multiplied up one by one in the parameter's precision, as the optimizer does: the same bits."""
    return np.cumprod(np.full(exponent, beta, dtype))[-1:]


def _keywords() -> dict[str, Any]:
    """What the layer whose hook runs was handed by keyword."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code is not _CALL:
        frame = frame.f_back
    return {} if frame is None else frame.f_locals["kwargs"]


def _statistics(model: paddle.nn.Layer) -> dict[str, paddle.Tensor]:
    """The running statistics of batch norms, u and v of spectral norms: Paddle, and who writes such a layer, keeps them as frozen
    parameters."""
    return {f"{path}.{name}" if path else name: getattr(layer, name)
            for path, layer in model.named_sublayers(include_self=True) for name in _statistics_of(layer)}


def _statistics_of(layer: paddle.nn.Layer) -> Iterator[str]:
    for kinds, names in _KEPT:
        if isinstance(layer, kinds):
            yield from names
            return
    for name in _VECTORS:
        if (held := layer._parameters.get(name)) is not None and held.stop_gradient:
            yield name


_VECTORS = ("weight_u", "weight_v")
_KEPT = (((_BatchNormBase, paddle.nn.BatchNorm), ("_mean", "_variance")), ((paddle.nn.SpectralNorm,), _VECTORS))


def _is_product(model: paddle.nn.Layer, name: str) -> bool:
    """Whether it is the `weight` that a spectral or weight norm works out at each forward, and leaves among the buffers: a layer
    makes a buffer of any tensor that is set."""
    owner, _, own = name.rpartition(".")
    layer = functools.reduce(lambda layer, part: layer._sub_layers[part], filter(None, owner.split(".")), model)
    if own not in layer._non_persistable_buffer_names_set:
        return False  # registered: a state, be its graph kept
    return not layer._buffers[own].is_leaf or not {f"{own}_orig", f"{own}_v"}.isdisjoint(layer._parameters)


def _in_lane(dtype: paddle.dtype, lane: str) -> Any:
    """What becomes of a tensor's dtype in a lane: single and double precision change; half precision, integers and truth values
    are part of the program."""
    if dtype in (paddle.float32, paddle.float64):
        return lane
    if dtype in (paddle.complex64, paddle.complex128):
        return {"float32": "complex64", "float64": "complex128"}[lane]
    return dtype


def _dense(tensor: paddle.Tensor) -> np.ndarray:
    """Of a sparse tensor (whose own `numpy` ends the process), or of an embedding's sparse gradient, all elements."""
    if not tensor.is_selected_rows():
        return tensor.detach().to_dense().numpy()
    rows = tensor.get_selected_rows()
    values = tensor.numpy()
    array = np.zeros((rows.height(), *values.shape[1:]), values.dtype)
    np.add.at(array, rows.rows(), values)
    return array


def _place(device: str) -> Any:
    if device == "cpu":
        return paddle.CPUPlace()
    if not paddle.is_compiled_with_cuda() or paddle.device.cuda.device_count() == 0:
        raise FrameworkError("--device gpu: this Paddle sees no CUDA device; install paddlepaddle-gpu, or use cpu")
    return paddle.CUDAPlace(0)
