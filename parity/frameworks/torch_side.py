"""PyTorch behind the `Framework` interface."""

from __future__ import annotations

import copy
import functools
import hashlib
import os
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch.amp import grad_scaler
from torch.overrides import TorchFunctionMode

from parity.blame import hand_on
from parity.frameworks import optimizers
from parity.frameworks.base import BFLOAT16, MOVING_STATE, Framework, FrameworkError
from parity.frameworks.lifting import Lifted
from parity.frameworks.lowering import Lowered
from parity.frameworks.operations import operation_name
from parity.frameworks.optimizers import KINDS, Kind, kind_of, rates_of
from parity.frameworks.torch_choices import Choices
from parity.frameworks.torch_lifting import Lifting
from parity.frameworks.torch_lowering import lowering
from parity.frameworks.torch_random import Drawing
from parity.frameworks.torch_rounding import StochasticRounding
from parity.numbers.distributions import Numbers
from parity.numbers.noise import one_ulp

_TORCH_ALONE = ("dampening", "maximize")  # settings that Paddle's optimizers do not have
_USUAL = {"eps": "eps", "momentum": "momentum", "rho": "rho", "nesterov": "nesterov"}  # settings of optimizers that are in no table
_DTYPES = {"float32": torch.float32, "float64": torch.float64}
_KNOWN_TO_NUMPY = {torch.complex32: torch.complex64} | {  # what it does not know, in the next wider type that it does
    getattr(torch, name): torch.float32 for name in ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")
    if hasattr(torch, name)}


@contextmanager
def _unseen() -> Iterator[None]:
    """The modes that follow torch's functions are shown nothing of what is done meanwhile: that is no operation of the program's,
    and a glance at an attribute costs more than it does when it is seen."""
    with torch._C.DisableTorchFunction():
        yield


class TorchFramework(Framework):
    name = "torch"

    @property
    def version(self) -> str:
        return torch.__version__

    def is_tensor(self, value: Any) -> bool:
        return isinstance(value, torch.Tensor)

    @_unseen()
    def tensor(self, array: np.ndarray, *, requires_grad: bool = False, device: str = "cpu") -> torch.Tensor:
        return _made(array, device=_device(device)).requires_grad_(requires_grad)

    @_unseen()
    def array(self, tensor: torch.Tensor, *, copy: bool) -> np.ndarray:
        with torch._C._DisableTorchDispatch():  # no operation of the program's, and costs more than all the rest when seen as one
            tensor = tensor.detach()
            if tensor.layout is not torch.strided:
                tensor = tensor.to_dense()
            dtype = tensor.dtype
            if dtype == torch.bfloat16:  # numpy has no such type
                array = tensor.cpu().contiguous().view(torch.int16).numpy().view(BFLOAT16)
            else:
                array = (tensor.to(_KNOWN_TO_NUMPY[dtype]) if dtype in _KNOWN_TO_NUMPY else tensor).numpy(force=True)
        return array.copy() if copy else array

    @_unseen()
    def version_of(self, tensor: torch.Tensor) -> int:
        return tensor._version

    @_unseen()
    def shape_dtype(self, tensor: torch.Tensor) -> tuple[tuple[int, ...], str]:
        return tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")

    def requires_grad(self, tensor: torch.Tensor) -> bool:
        return tensor.requires_grad

    def on_gradient(self, tensor: torch.Tensor, observe: Callable[[Any], None]) -> Callable[[], None]:
        return tensor.register_hook(lambda gradient: observe(gradient)).remove

    def on_accumulated(self, parameter: torch.Tensor, observe: Callable[[], None]) -> Callable[[], None]:
        return parameter.register_post_accumulate_grad_hook(lambda parameter: observe()).remove

    def observable(self, tensor: torch.Tensor) -> torch.Tensor:
        # A write in place to a view (instance_norm returns one, ReLU(True) follows) rebuilds the graph of its base, and
        # a hook on the view is lost with the old one. Where others hold the base, what is written must reach them.
        return tensor.clone() if tensor.requires_grad and tensor._is_view() and not _is_seen_by_others(tensor) else tensor

    def recomputing(self) -> bool:
        return torch._C._current_graph_task_id() != -1

    def transforming(self) -> bool:
        return torch._C._functorch.peek_interpreter_stack() is not None

    def next_numbers(self) -> bytes | None:
        return hashlib.blake2b(torch.random.get_rng_state().numpy().data, digest_size=16).digest()

    def shares_memory(self, tensor: torch.Tensor, given: Sequence[torch.Tensor]) -> bool:
        return any(one is tensor for one in given) or (tensor._is_view() and _is_seen_by_others(tensor))

    def clone(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.clone()

    def spliced(self, tensor: torch.Tensor, array: np.ndarray) -> torch.Tensor:
        return _Spliced.apply(tensor, array)

    def backward(self, tensors: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor]) -> None:
        cast = [gradient.to(tensor.dtype) for tensor, gradient in zip(tensors, gradients, strict=True)]
        hand_on(torch.autograd.backward, list(tensors), cast)

    @contextmanager
    def seeded(self, seed: int) -> Iterator[None]:
        with torch.random.fork_rng(devices=[]):
            torch.random.default_generator.manual_seed(seed)
            yield

    def operations(self, observe: Callable[[str, tuple, Any], None], source: Any,
                   modules: Iterable[Any] = ()) -> _Operations:
        return _Operations(observe)

    def rounding(self, seed: int, choices: Choices | None = None, *, pairwise: bool = False) -> StochasticRounding:
        return StochasticRounding(seed, None if choices is None else choices.reader(), pairwise)

    def choosing(self) -> tuple[Choices, AbstractContextManager]:
        choices = Choices()
        return choices, choices.recording()

    def lifting(self, lifted: Lifted) -> Lifting:
        return Lifting(lifted)

    def drawing(self, numbers: Numbers) -> Drawing:
        return Drawing(numbers)

    def lowering(self, lowered: Lowered, *, on_cpu: bool) -> AbstractContextManager:
        return lowering(lowered, on_cpu)

    def is_model(self, value: Any) -> bool:
        return isinstance(value, torch.nn.Module)

    def is_opaque(self, module: Any) -> bool:
        return isinstance(module, torch.jit.ScriptModule)

    def shapeless(self, model: torch.nn.Module) -> list[str]:
        return [name for name, tensor in chain(model.named_parameters(), model.named_buffers())
                if torch.nn.parameter.is_lazy(tensor)]

    def modules(self, model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Module]]:
        return model.named_modules()

    def parameters(self, model: torch.nn.Module) -> dict[str, torch.Tensor]:
        return dict(model.named_parameters())

    def buffers(self, model: torch.nn.Module) -> dict[str, torch.Tensor]:
        return dict(model.named_buffers())

    def keep_as_attributes(self, model: torch.nn.Module, buffers: Collection[str]) -> None:
        pass  # they are

    def unsaved(self, model: torch.nn.Module) -> frozenset[str]:
        return frozenset(self.buffers(model)) - frozenset(model.state_dict(keep_vars=True))

    def entries(self, model: torch.nn.Module) -> dict[str, torch.Tensor]:
        saved = {name: value for name, value in model.state_dict(keep_vars=True).items() if self.is_tensor(value)}
        return saved | {name: value for name, value in self.buffers(model).items() if name not in saved}

    @_unseen()
    def is_same_memory(self, one: torch.Tensor, other: torch.Tensor) -> bool:
        return one is other or (one.numel() > 0 and one.data_ptr() == other.data_ptr() != 0)

    load_methods = ("load_state_dict",)

    @_unseen()
    def load_state(self, model: torch.nn.Module, state: Mapping[str, np.ndarray]) -> None:
        buffers, unsaved = self.buffers(model), self.unsaved(model)
        try:
            model.load_state_dict({name: _shared(value) for name, value in state.items() if name not in unsaved})
            for name in unsaved & state.keys():
                self.overwrite(buffers[name], _shared(state[name]))
        except RuntimeError as error:
            raise FrameworkError(str(error)) from error

    def before_forward(self, module: torch.nn.Module, hook: Callable) -> Callable[[], None]:
        return module.register_forward_pre_hook(lambda m, inputs, keywords: hook(m, inputs, keywords), with_kwargs=True).remove

    def after_forward(self, module: torch.nn.Module, hook: Callable) -> Callable[[], None]:
        return module.register_forward_hook(lambda m, inputs, outputs: hook(m, inputs, outputs)).remove

    def ragged(self, module: torch.nn.Module, inputs: tuple) -> bool:
        return isinstance(module, torch.nn.RNNBase) and bool(inputs) and isinstance(inputs[0], torch.nn.utils.rnn.PackedSequence)

    def check_device(self, device: str) -> None:
        _device(device)

    @contextmanager
    def exact(self, device: str) -> Iterator[None]:
        if device == "cpu":
            yield
            return
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with a workspace
        cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
        before = (matmul.allow_tf32, torch.are_deterministic_algorithms_enabled(),
                  torch.is_deterministic_algorithms_warn_only_enabled())
        with cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            matmul.allow_tf32 = False
            torch.use_deterministic_algorithms(True, warn_only=True)
            try:
                yield
            finally:
                matmul.allow_tf32 = before[0]
                torch.use_deterministic_algorithms(before[1], warn_only=before[2])

    @_unseen()
    def prepare(self, model: torch.nn.Module, *, dtype: str, training: bool, device: str) -> torch.nn.Module:
        place = _device(device)
        return model._apply(lambda tensor: tensor.to(place, _in_lane(tensor.dtype, dtype))).train(training)

    @contextmanager
    def default_dtype(self, dtype: str) -> Iterator[None]:
        before = torch.get_default_dtype()
        torch.set_default_dtype(_DTYPES[dtype])
        made = grad_scaler.GradScaler.__init__
        grad_scaler.GradScaler.__init__ = _scaler_without_gpu(made)
        try:
            yield
        finally:
            grad_scaler.GradScaler.__init__ = made
            torch.set_default_dtype(before)

    @property
    def module_class(self) -> type:
        return torch.nn.Module

    @_unseen()
    def clear_gradient(self, tensor: torch.Tensor) -> None:
        tensor.grad = None

    @_unseen()
    def set_gradient(self, tensor: torch.Tensor, array: np.ndarray) -> None:
        tensor.grad = _made(array, dtype=tensor.dtype, device=tensor.device)

    @_unseen()
    def gradient(self, tensor: torch.Tensor) -> torch.Tensor | None:
        return tensor.grad


    clear_method = "zero_grad"

    @property
    def optimizer_class(self) -> type:
        return torch.optim.Optimizer

    def is_optimizer(self, value: Any) -> bool:
        return isinstance(value, torch.optim.Optimizer)

    def optimizer_parameters(self, optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
        return [parameter for group in optimizer.param_groups for parameter in group["params"]]

    def optimizer_settings(self, optimizer: torch.optim.Optimizer) -> dict[str, float]:
        group = optimizer.param_groups[0]
        settings = {"lr": group["lr"], "weight_decay": group.get("weight_decay", 0.0)}
        kind = self._kind(optimizer)
        if kind is None:  # what others call so, too
            settings |= {name: group[key] for name, key in _USUAL.items() if key in group}
            settings |= dict(zip(("beta1", "beta2"), group.get("betas") or (), strict=False))
            return {name: float(value) for name, value in settings.items() if _is_number(value)}
        for name, (key, _) in kind.settings.items():
            settings[name] = group.get(key, 0.0) if isinstance(key, str) else group[key[0]][key[1]]
        settings |= {name: group[name] for name in (*_TORCH_ALONE, *kind.alone[0]) if group.get(name)}
        return {name: float(value) for name, value in settings.items()}

    @contextmanager
    def moved_betas(self, optimizer: torch.optim.Optimizer, dtype: str, rng: np.random.Generator) -> Iterator[None]:
        before = [{name: group[name] for name in ("betas", "alpha", "rho") if name in group} for group in optimizer.param_groups]
        averages = self._kind(optimizer) is not None
        for group, settings in zip(optimizer.param_groups, before, strict=True):
            for name, value in settings.items() if averages else ():
                moved = one_ulp(np.array(value, dtype), rng)
                group[name] = tuple(moved.tolist()) if name == "betas" else float(moved)
        try:
            yield
        finally:
            for group, settings in zip(optimizer.param_groups, before, strict=True):
                group.update(settings)

    def _kind(self, optimizer: torch.optim.Optimizer) -> Kind | None:
        kind = kind_of(optimizer, torch.optim, lambda kind: (kind.torch,))
        if kind is not None and kind.name == "Adam" and optimizer.param_groups[0].get("decoupled_weight_decay"):
            return next(one for one in KINDS if one.name == "AdamW")
        return kind

    def optimizer_kind(self, optimizer: torch.optim.Optimizer) -> str | None:
        kind = self._kind(optimizer)
        return kind and kind.name

    def optimizer_rates(self, optimizer: torch.optim.Optimizer) -> list[tuple[torch.Tensor, float, float]]:
        return [(parameter, float(group["lr"]), float(group.get("weight_decay", 0.0)))
                for group in optimizer.param_groups for parameter in group["params"]]

    def load_optimizer_state(self, optimizer: torch.optim.Optimizer, held: Sequence[tuple[torch.Tensor, Mapping]]) -> None:
        kind = self._kind(optimizer)
        settings = self.optimizer_settings(optimizer)
        moments = optimizers.held(kind, settings)
        if kind is not None and not kind.whole:
            for parameter, known in held:
                state = optimizer.state.get(parameter)
                for name, moment in moments.items() if state else ():
                    value = known.get(name, optimizers.start_of(moment, settings))
                    like = state.get(moment.torch, parameter)
                    state[moment.torch] = torch.as_tensor(np.broadcast_to(value, tuple(like.shape)).copy()).to(like)
            return
        if kind is None:
            return
        optimizer.state.clear()
        for parameter, known in held:
            state = {moment.torch: torch.tensor(known[name], dtype=parameter.dtype, device=parameter.device)
                     for name, moment in moments.items() if name in known}
            if "updates" in known:
                state["step"] = torch.tensor(float(known["updates"]), dtype=torch.float32)
            if state:
                optimizer.state[parameter] = state

    def optimizer_memory(self, optimizer: torch.optim.Optimizer) -> Any:
        kind = self._kind(optimizer)
        if kind is not None and kind.whole:
            return None
        state = {parameter: self.plain_copy(held) for parameter, held in optimizer.state.items()}
        if kind is not None:
            return state, [], {}
        groups = [{name: self.plain_copy(value) for name, value in group.items() if name != "params"}
                  for group in optimizer.param_groups]
        return state, groups, {name: self.plain_copy(value) for name, value in vars(optimizer).items()
                               if name not in ("state", "param_groups", "defaults") and self.is_plain(value)}

    def set_optimizer_memory(self, optimizer: torch.optim.Optimizer, memory: Any) -> None:
        if memory is None:
            return
        state, groups, attributes = memory
        optimizer.state.clear()
        optimizer.state.update((parameter, self.plain_copy(held)) for parameter, held in state.items())
        for group, settings in zip(optimizer.param_groups, groups, strict=False):
            group.update(self.plain_copy(settings))
        for name, value in attributes.items():
            setattr(optimizer, name, self.plain_copy(value))

    def learning_rates(self, optimizer: torch.optim.Optimizer) -> list[float]:
        return [group["lr"] for group in optimizer.param_groups]  # a scheduler writes them there, and reads them there

    def set_learning_rates(self, optimizer: torch.optim.Optimizer, rates: Sequence[float]) -> None:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

    def optimizer_state(self, optimizer: torch.optim.Optimizer, parameter: torch.Tensor) -> dict[str, np.ndarray]:
        kind, held = self._kind(optimizer), optimizer.state.get(parameter, {})
        state = {name: self.array(held[moment.torch], copy=True)
                 for name, moment in optimizers.held(kind, self.optimizer_settings(optimizer)).items()
                 if held.get(moment.torch) is not None}
        if kind is not None and kind.counts and "step" in held:
            state["updates"] = np.asarray(round(float(held["step"])))
        return state

    def scaler_state(self, scaler: Any) -> dict[str, float]:
        if not scaler.is_enabled():
            return {}
        return {"scale": float(scaler.get_scale()), "good steps": scaler._get_growth_tracker()}

    def scaler_settings(self, scaler: Any) -> dict[str, float]:
        if not scaler.is_enabled():
            return {}
        return {"growth": scaler.get_growth_factor(), "backoff": scaler.get_backoff_factor(),
                "interval": scaler.get_growth_interval(), "patience": 1}

    # --- what the doctor watches ---------------------------------------------------------------------------

    backward_functions = ((torch.Tensor, "backward"), (torch.autograd, "backward"))
    step_methods = ("step",)
    root = torch
    loader_class = torch.utils.data.DataLoader
    functional = torch.nn.functional
    tensor_class = torch.Tensor
    distribution_class = torch.distributions.Distribution
    scaler_class = torch.amp.GradScaler if hasattr(torch.amp, "GradScaler") else torch.cuda.amp.GradScaler
    unscale_method = "unscale_"
    function_class = torch.autograd.Function
    clips = torch.nn.utils
    parameter_maker = (torch.nn.Parameter, "__new__")

    @property
    def scheduler_class(self) -> type:
        return torch.optim.lr_scheduler.LRScheduler

    def scheduler_of(self, optimizer: torch.optim.Optimizer) -> Any | None:
        # A scheduler writes this into the groups, and is itself not to be reached from the optimizer.
        return True if any("initial_lr" in group for group in optimizer.param_groups) else None

    def is_schedule_of(self, scheduler: Any, optimizer: torch.optim.Optimizer) -> bool:
        return getattr(scheduler, "optimizer", None) is optimizer

    def curve(self, scheduler: Any, optimizer: torch.optim.Optimizer, calls: int) -> list[tuple[float, ...]]:
        stand_in = torch.optim.SGD([torch.zeros(1)], 0.0)
        stand_in.param_groups = [{**group, "params": [torch.zeros(1)]} for group in optimizer.param_groups]
        stand_in.defaults = dict(optimizer.defaults)
        copied = copy.deepcopy(scheduler, {id(optimizer): stand_in})
        metric = (1.0,) if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau) else ()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that no step of the optimizer goes before
            return rates_of(lambda: {float(group["lr"]) for group in stand_in.param_groups}, lambda: copied.step(*metric), calls)

    def is_parameter(self, value: Any) -> bool:
        return isinstance(value, torch.nn.Parameter)

    def values(self, tensor: torch.Tensor) -> np.ndarray:
        tensor = tensor.detach()
        if tensor.is_sparse:
            tensor = tensor.coalesce().values()  # rows that an embedding did not use are 0 and say nothing
        if tensor.dtype in (torch.float16, torch.bfloat16):
            tensor = tensor.float()
        return tensor.cpu().numpy()

    generator_class = torch.Generator

    def random_state(self) -> Any:
        return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None

    def set_random_state(self, state: Any) -> None:
        torch.set_rng_state(state[0])
        if state[1] is not None:
            torch.cuda.set_rng_state_all(state[1])

    def copied(self, tensor: torch.Tensor) -> torch.Tensor | None:
        return tensor.detach().clone()

    def overwrite(self, tensor: torch.Tensor, values: torch.Tensor | None) -> None:
        with torch.no_grad():
            tensor.copy_(values)

    def give_gradient(self, tensor: torch.Tensor, gradient: torch.Tensor | None) -> None:
        tensor.grad = gradient

    def grad_enabled(self) -> bool:
        return torch.is_grad_enabled()

    def moving_state(self, module: torch.nn.Module) -> dict[str, torch.Tensor]:
        return {name: value for name, value in module._buffers.items()
                if value is not None and name in MOVING_STATE}

    def has_data(self, tensor: torch.Tensor) -> bool:
        return not tensor.is_meta and not torch.nn.parameter.is_lazy(tensor)

    def reached(self, output: torch.Tensor, tensors: Sequence[torch.Tensor]) -> list[bool]:
        gradients = torch.autograd.grad(output.sum(), tensors, retain_graph=True, allow_unused=True)
        return [gradient is not None for gradient in gradients]

    def slope(self, output: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor | None:
        return torch.autograd.grad(output.sum(), [tensor], allow_unused=True)[0]

    def nodes(self, tensor: torch.Tensor) -> Iterator[str]:
        node = tensor.grad_fn
        while node is not None:
            yield node.name().partition("Backward")[0].lstrip("_")
            node = node.next_functions[0][0] if node.next_functions else None

    def updates(self, optimizer: torch.optim.Optimizer, parameter: torch.Tensor) -> int | None:
        step = optimizer.state.get(parameter, {}).get("step")
        return None if step is None else round(float(step))

    def effective_lr(self, optimizer: torch.optim.Optimizer) -> float | None:
        return None

    def learning_rate(self, optimizer: torch.optim.Optimizer) -> float:
        return max(float(group["lr"]) for group in optimizer.param_groups)


def _scaler_without_gpu(original: Callable) -> Callable:
    """One for a GPU turns itself off where there is none; it scales on the CPU as well."""
    @functools.wraps(original)
    def init(scaler: Any, *args: Any, **kwargs: Any) -> None:
        common = torch.cuda.amp.common
        available = common.amp_definitely_not_available
        common.amp_definitely_not_available = lambda: False
        try:
            hand_on(original, scaler, *args, **kwargs)
        finally:
            common.amp_definitely_not_available = available

    return init


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float)) or (isinstance(value, torch.Tensor) and value.numel() == 1)


class _Operations(TorchFunctionMode):
    """torch hands every call to the active mode, and none that the called function makes in its turn."""

    def __init__(self, observe: Callable[[str, tuple, Any], None]) -> None:
        super().__init__()
        self._observe = observe

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = hand_on(func, *args, **(kwargs or {}))
        name = operation_name(getattr(func, "__name__", ""), args)
        if name is not None:
            self._observe(name, args, result)
        return result


class _Spliced(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: torch.Tensor, array: np.ndarray) -> torch.Tensor:
        return _made(array, dtype=tensor.dtype, device=tensor.device)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradient, None


def _made(array: np.ndarray, *, dtype: torch.dtype | None = None, device: torch.device | None = None) -> torch.Tensor:
    """A tensor holding a copy of the array."""
    if array.dtype == BFLOAT16:
        array, dtype = array.astype(np.float32), dtype or torch.bfloat16
    return torch.tensor(array, dtype=dtype, device=device)


def _shared(array: np.ndarray) -> torch.Tensor:
    """A tensor that reads the array's memory, where it can."""
    array = np.require(array, requirements=["C", "W"])
    return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16) if array.dtype == BFLOAT16 else torch.from_numpy(array)


def _in_lane(dtype: torch.dtype, lane: str) -> torch.dtype:
    """What becomes of a tensor's dtype in a lane: single and double precision change; half precision, integers and truth values
    are part of the program."""
    if dtype in (torch.float32, torch.float64):
        return _DTYPES[lane]
    if dtype in (torch.complex64, torch.complex128):
        return {"float32": torch.complex64, "float64": torch.complex128}[lane]
    return dtype


def _is_seen_by_others(view: torch.Tensor) -> bool:
    """Whether anybody but this view holds the tensor that it is a view of, or its memory."""
    return _holders(view) != _lone_view()


def _holders(view: torch.Tensor) -> tuple[int, ...]:
    """References to what a view is a view of: from Python, from tensors and graphs, and to its memory."""
    base = view._base
    return sys.getrefcount(base), base._use_count(), torch._C._storage_Use_Count(base.untyped_storage()._cdata)


@functools.cache
def _lone_view() -> tuple[int, ...]:
    """`_holders` of a view that nobody else can see behind."""
    return _holders(torch.zeros(1).view(1))


def _device(device: str) -> torch.device:
    if device == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise FrameworkError("--device gpu: this PyTorch sees no CUDA device; install a CUDA build, or use cpu")
    return torch.device("cuda")
