"""The small interface through which the harness sees a framework.

Everything above this folder is written once, over `Framework`, in numpy: recording, comparing, floors, reports.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import ml_dtypes
import numpy as np

from parity.frameworks.lifting import Lifted
from parity.frameworks.lowering import Lowered
from parity.frameworks.nests import leaves, replaced
from parity.frameworks.optimizers import KINDS, start_of
from parity.numbers.distributions import Numbers

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)  # of kind "V": ask `numbers.arrays.is_float`, not the kind

# Operations of either framework that leave values alone, or choose some of them.
RESHAPING = frozenset({"view", "reshape", "squeeze", "unsqueeze", "transpose", "permute", "t", "flatten", "unsafeview", "alias",
                       "select", "slice", "index", "indexselect", "gathernd", "maskedselect", "expand", "clone", "contiguous"})
# Names, in either framework, of state that each training forward moves: of batch norms and of spectral norms.
MOVING_STATE = frozenset({"_mean", "_variance", "running_mean", "running_var", "weight_u", "weight_v"})


class FrameworkError(RuntimeError):
    """A framework was asked for something that it cannot do here (a device that is missing, a foreign object)."""


class Framework(ABC):
    """One framework. Stateless: every method takes what it works on.

    Arrays cross this border as numpy arrays, sparse tensors as dense ones; bfloat16, which numpy has not, as `ml_dtypes.bfloat16`.
    A program's own dtypes, and so arguments named `dtype`, are "float32" or "float64".
    """

    name: str

    @property
    @abstractmethod
    def version(self) -> str: ...

    # --- tensors -------------------------------------------------------------------------------------------

    @abstractmethod
    def is_tensor(self, value: Any) -> bool: ...

    @abstractmethod
    def tensor(self, array: np.ndarray, *, requires_grad: bool = False, device: str = "cpu") -> Any:
        """A leaf tensor holding a copy of `array`, in the array's dtype."""

    @abstractmethod
    def array(self, tensor: Any, *, copy: bool) -> np.ndarray:
        """The tensor's values. With `copy=False` the array may share memory: read it before the program goes on."""

    @abstractmethod
    def version_of(self, tensor: Any) -> int:
        """Counts in-place writes to the tensor: same object and same count mean same values."""

    @abstractmethod
    def shape_dtype(self, tensor: Any) -> tuple[tuple[int, ...], str]: ...

    @abstractmethod
    def requires_grad(self, tensor: Any) -> bool: ...

    @abstractmethod
    def on_gradient(self, tensor: Any, observe: Callable[[Any], None]) -> Callable[[], None]:
        """Call `observe(gradient)` once the whole gradient of `tensor` is known, during backward; returns the remover."""

    def unhooked(self, observe: Callable[[Any, Any], None]) -> AbstractContextManager:
        """While active, `observe(tensor, gradient)` is called for each tensor whose gradient a `grad` returns, and whose hooks it
        does not call."""
        return nullcontext()

    @abstractmethod
    def on_accumulated(self, parameter: Any, observe: Callable[[], None]) -> Callable[[], None]:
        """Call `observe()` once a backward has left the parameter's whole gradient in it; returns the remover."""

    def observable(self, tensor: Any) -> Any:
        """The tensor, or a copy to go on with where the gradient of the tensor itself could not be observed, and nobody else could
        see what is written into it."""
        return tensor

    def recomputing(self) -> bool:
        """Whether a backward is going on in this thread: what is called now is computed once more (activation checkpointing)."""
        return False

    def transforming(self) -> bool:
        """Whether functions are transformed in this thread (vmap, jacrev): what is computed now stands for many values, and has
        none of its own."""
        return False

    def next_numbers(self) -> bytes | None:
        """Stands for the numbers that the framework would draw next; a recomputation starts from the same ones. None: unknown."""
        return None

    @abstractmethod
    def shares_memory(self, tensor: Any, given: Sequence[Any]) -> bool:
        """Whether what a module returned may be memory that others see, too. given: the tensors that the module was handed."""

    @abstractmethod
    def clone(self, tensor: Any) -> Any:
        """A differentiable copy that may be written in place where a leaf may not."""

    def detached(self, tensor: Any) -> Any:
        """The tensor without the graph that made it."""
        return tensor.detach()

    @abstractmethod
    def spliced(self, tensor: Any, array: np.ndarray) -> Any:
        """A tensor with the values of `array`, of the tensor's shape and dtype, whose gradient passes to `tensor` unchanged."""

    @abstractmethod
    def backward(self, tensors: Sequence[Any], gradients: Sequence[Any]) -> None:
        """Backward from several tensors at once, each with its output gradient; accumulates into `.grad`."""

    # --- models --------------------------------------------------------------------------------------------

    @abstractmethod
    def is_model(self, value: Any) -> bool: ...

    def is_opaque(self, module: Any) -> bool:
        """Whether it is compiled for good: what happens inside calls no hook and has no lines."""
        return False

    def shapeless(self, model: Any) -> list[str]:
        """The tensors that take their shapes from the first input that the model is given."""
        return []

    @abstractmethod
    def modules(self, model: Any) -> Iterator[tuple[str, Any]]:
        """(dotted path, module) for the model ("" itself) and all below it, each module once."""

    @abstractmethod
    def parameters(self, model: Any) -> dict[str, Any]: ...

    @abstractmethod
    def buffers(self, model: Any) -> dict[str, Any]:
        """What a module holds and does not train, each tensor under its first name; those that no state dict holds too."""

    @abstractmethod
    def keep_as_attributes(self, model: Any, buffers: Collection[str]) -> None:
        """Let the tensors that its modules have kept since they were built be plain attributes, as they are in torch. buffers: full
        names of those that it was built with."""

    @abstractmethod
    def unsaved(self, model: Any) -> frozenset[str]:
        """Names of the buffers that no state dict holds (`persistent=False`): each program makes its own."""

    @abstractmethod
    def entries(self, model: Any) -> dict[str, Any]:
        """The state dict and the buffers of `unsaved`, as the very tensors; one of two names stands there twice."""

    def state(self, model: Any) -> dict[str, np.ndarray]:
        """Copies of all entries."""
        return {name: self.array(value, copy=True) for name, value in self.entries(model).items()}

    @abstractmethod
    def is_same_memory(self, one: Any, other: Any) -> bool:
        """Whether a tensor is another, or begins where it does in memory: what is written into one is in the other."""

    load_methods: tuple[str, ...]  # of a model, by which a state goes into it; each returns (missing names, unexpected names)

    @abstractmethod
    def load_state(self, model: Any, state: Mapping[str, np.ndarray]) -> None:
        """Set parameters and buffers by name; those of `unsaved` may be left out. Raises `FrameworkError` naming what is missing or
        misshapen."""

    @abstractmethod
    def before_forward(self, module: Any, hook: Callable[[Any, tuple, dict], tuple | None]) -> Callable[[], None]:
        """Call `hook(module, inputs, keyword inputs)` before each forward; what it returns, if not None, replaces both. Returns
        the remover."""

    @abstractmethod
    def after_forward(self, module: Any, hook: Callable[[Any, tuple, Any], Any]) -> Callable[[], None]:
        """Call `hook(module, inputs, outputs)` after each forward; what it returns, if not None, replaces them."""

    def ragged(self, module: Any, inputs: tuple) -> bool:
        """Within a hook of its forward: whether a recurrent module is called on sequences of different lengths. Its first argument
        and first result are then packed here and padded there: what of them is a value, only the lines around can show."""
        return False

    def without_gradient_in_eval(self, model: Any) -> list[str]:
        """Paths of the modules whose backward raises in eval mode."""
        return []

    def with_gradients(self, model: Any) -> AbstractContextManager:
        """While active, those of them that are in eval mode compute the same, and have gradients too."""
        return nullcontext()

    @abstractmethod
    def check_device(self, device: str) -> None:
        """Raises FrameworkError, saying what to install, where "gpu" is asked for and this framework sees none."""

    @abstractmethod
    def exact(self, device: str) -> AbstractContextManager:
        """While active on a GPU: no TF32, deterministic algorithms where there are any. Nothing changes on a CPU."""

    @abstractmethod
    def prepare(self, model: Any, *, dtype: str, training: bool, device: str) -> Any:
        """The model in that dtype and mode, on that device ("cpu" or "gpu")."""

    @abstractmethod
    def default_dtype(self, dtype: str) -> AbstractContextManager:
        """While active, new tensors are of that dtype where the program does not say another."""

    @property
    @abstractmethod
    def module_class(self) -> type: ...

    @functools.cached_property
    def attributes_of_all(self) -> frozenset[str]:
        """What every module has: `training`, hooks, the dicts of its parameters, buffers and modules."""
        with self.building():
            return frozenset(vars(self.module_class()))

    def clear_gradients(self, tensors: Sequence[Any]) -> None:
        for tensor in tensors:
            self.clear_gradient(tensor)

    @abstractmethod
    def clear_gradient(self, tensor: Any) -> None: ...

    @abstractmethod
    def set_gradient(self, tensor: Any, array: np.ndarray) -> None:
        """Give a leaf tensor this gradient, as if a backward had left it."""

    @abstractmethod
    def gradient(self, tensor: Any) -> Any | None: ...

    @abstractmethod
    def reached(self, output: Any, tensors: Sequence[Any]) -> list[bool]:
        """Whether a backward from this output comes to each of these leaves. Their gradients stay as they are, and the graph."""

    @abstractmethod
    def slope(self, output: Any, tensor: Any) -> Any | None:
        """The gradient of the sum of this output by this leaf, None where it does not come to it. `gradient` stays as it is."""

    # --- optimizers ----------------------------------------------------------------------------------------

    clear_method: str  # the name of the optimizer's method that clears gradients

    @property
    @abstractmethod
    def optimizer_class(self) -> type: ...

    @property
    def optimizer_makers(self) -> tuple[type, ...]:
        """Classes by one of whose constructors every optimizer is made."""
        return (self.optimizer_class,)

    @abstractmethod
    def is_optimizer(self, value: Any) -> bool: ...

    @abstractmethod
    def optimizer_parameters(self, optimizer: Any) -> list[Any]: ...

    @abstractmethod
    def optimizer_settings(self, optimizer: Any) -> dict[str, float]:
        """lr, weight_decay, and those of its kind (beta1, rho, eps, momentum, ...); the first group's."""

    @abstractmethod
    def optimizer_kind(self, optimizer: Any) -> str | None:
        """The name of its `parity.frameworks.optimizers.Kind`; None: in no table, its memory cannot be carried over."""

    @abstractmethod
    def optimizer_rates(self, optimizer: Any) -> list[tuple[Any, float, float]]:
        """(parameter, its learning rate, its weight decay) of all held parameters: groups may differ."""

    def padding_of(self, embedding: Any) -> int | None:
        """The id that an embedding keeps at 0, None where it has none."""
        padding = getattr(embedding, "padding_idx", getattr(embedding, "_padding_idx", None))  # Paddle's: -1 for none
        return padding if padding is not None and padding >= 0 else None

    def clips_at(self, optimizer: Any) -> float | None:
        """The norm of the whole gradient that the optimizer itself clips it to; None where it does not."""
        return None

    def clipped_gradients(self, optimizer: Any) -> list[tuple[Any, Any]]:
        """(parameter, the gradient that its next step uses in place of the one it holds), where the optimizer clips by itself."""
        return []

    def clips_of(self, optimizer: Any) -> list[tuple[str, tuple[float, ...], float, list[list[Any]]]]:
        """How it clips by itself: (kind, bound, order of the norm, sets of parameters), as in `parity.trace.clipping.Clip`."""
        return []

    @abstractmethod
    def optimizer_state(self, optimizer: Any, parameter: Any) -> dict[str, np.ndarray]:
        """What the optimizer remembers of a parameter and both sides know: exp_avg, velocity, ...; how many updates it had."""

    @abstractmethod
    def load_optimizer_state(self, optimizer: Any, held: Sequence[tuple[Any, Mapping[str, Any]]]) -> None:
        """The inverse of `optimizer_state`, for all parameters of the optimizer; where nothing is held it starts anew."""

    def updated(self, optimizer: Any) -> None:  # noqa: B027 (a framework may have nothing to note)
        """To be told right after each update that is followed, while the optimizer's learning rate is that of the update."""

    def skips(self, optimizer: Any) -> bool:
        """Whether its step, which is about to be called, will update nothing: a scaler has found a gradient that is not finite."""
        return False

    def decorated(self, model: Any) -> Any | None:
        """What would be made of a network's weights on another device alone: (dtype, whether with master weights, the place where
        it is asked for); None: nothing, what it holds is what it is."""
        return None

    @abstractmethod
    def scaler_state(self, scaler: Any) -> dict[str, float]:
        """What a gradient scaler that is on has come to: its scale, how many good steps it has counted; empty where it is off."""

    @abstractmethod
    def scaler_settings(self, scaler: Any) -> dict[str, float]:
        """By what a scaler that is on goes: the factors of growth and backoff, after how many good and bad steps; empty where
        its scale stays what it is, or it is off."""

    @abstractmethod
    def optimizer_memory(self, optimizer: Any) -> Any:
        """A copy of all that it remembers, where `optimizer_state` does not tell the whole of it; else None."""

    @abstractmethod
    def set_optimizer_memory(self, optimizer: Any, memory: Any) -> None:
        """The inverse of `optimizer_memory`, for the same optimizer; None changes nothing."""

    def remembers(self, optimizer: Any, held: Mapping[str, Any]) -> bool:
        """Whether there is anything in an `optimizer_state` but what it begins with: Paddle has zeros where torch has nothing."""
        kind = next((kind for kind in KINDS if kind.name == self.optimizer_kind(optimizer)), None)
        settings = self.optimizer_settings(optimizer)
        starts = {name: start_of(moment, settings) for name, moment in kind.moments.items()} if kind else {}
        return int(held.get("updates", 1)) > 0 and any(np.any(value != starts.get(what, 0.0)) for what, value in held.items()
                                                       if what != "updates")

    def is_plain(self, value: Any) -> bool:
        """Numbers, strings, arrays and tensors without a graph, and lists, queues, tuples, sets and dicts of them."""
        if isinstance(value, (list, tuple, set, deque)):
            return all(self.is_plain(item) for item in value)
        if isinstance(value, dict):
            return all(self.is_plain(item) for item in value.values())
        if self.is_tensor(value):
            return not self.is_parameter(value) and not self.requires_grad(value)
        return value is None or isinstance(value, (bool, int, float, str, np.ndarray, np.generic))

    def plain_copy(self, value: Any) -> Any:
        """Of lists, queues, tuples, sets and dicts with all tensors and arrays in them; other values are the same."""
        if isinstance(value, dict):
            return {key: self.plain_copy(item) for key, item in value.items()}
        if isinstance(value, (set, deque)):
            return value.copy() if isinstance(value, set) else type(value)(map(self.plain_copy, value), value.maxlen)
        if isinstance(value, (list, tuple)):
            items = [self.plain_copy(item) for item in value]
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        if self.is_tensor(value):
            return self.clone(value)
        return value.copy() if isinstance(value, np.ndarray) else value

    @abstractmethod
    def learning_rates(self, optimizer: Any) -> list[float]:
        """Of each group, as the optimizer itself keeps them; empty where a scheduler does."""

    @abstractmethod
    def set_learning_rates(self, optimizer: Any, rates: Sequence[float]) -> None:
        """The inverse of `learning_rates`."""

    @abstractmethod
    def seeded(self, seed: int) -> AbstractContextManager:
        """While active, the framework's own random numbers (its initialisers') come from `seed`; afterwards as before."""

    def building(self) -> AbstractContextManager:
        """While active, a model may be built once more: names that its parameters are given are free again."""
        return nullcontext()

    def uncompiled(self) -> AbstractContextManager:
        """While active, what the program has compiled runs as the Python that it is compiled from."""
        return nullcontext()

    def right_in_float64(self) -> AbstractContextManager:
        """While active, operations that go wrong in float64 alone are as they are in float32 (see `paddle_in_float64`)."""
        return nullcontext()

    def lifting(self, lifted: Lifted) -> AbstractContextManager:
        """While active, float32 is float64 in the program's mouth (see `parity.frameworks.lifting`)."""
        return nullcontext()

    # --- what the doctor watches ---------------------------------------------------------------------------

    backward_functions: Sequence[tuple[Any, str]]  # (owner, attribute) of the functions that start a backward
    step_methods: Sequence[str]  # of an optimizer: those that update its parameters
    root: Any  # the framework's own module
    functional: Any  # the module of the functional losses
    tensor_class: type
    loader_class: type  # of batches of a data set
    scaler_class: type  # of mixed precision's gradient scaler
    unscale_method: str  # of it, by which its `step` unscales as well where it has to
    function_class: type  # of functions with a backward of their own, which `apply` calls
    clips: Any  # the module of clip_grad_norm_ and clip_grad_value_
    parameter_maker: tuple[type, str]  # the class of parameters, and the method that each of them is made by

    @property
    @abstractmethod
    def scheduler_class(self) -> type: ...

    @abstractmethod
    def scheduler_of(self, optimizer: Any) -> Any | None:
        """The optimizer's learning-rate scheduler; True where there is one that cannot be reached; None without one."""

    @abstractmethod
    def is_schedule_of(self, scheduler: Any, optimizer: Any) -> bool: ...

    @abstractmethod
    def curve(self, scheduler: Any, optimizer: Any, calls: int) -> list[tuple[float, ...]]:
        """The learning rates of the optimizer (each once, in ascending order) now, and after each call of a copy of its scheduler;
        one that watches a metric is told the same each time. It ends where the scheduler raises."""

    @abstractmethod
    def is_parameter(self, value: Any) -> bool: ...

    @abstractmethod
    def values(self, tensor: Any) -> np.ndarray:
        """The values for reading only, sharing memory where possible; half precisions as float32."""

    generator_class: type  # of random numbers

    @abstractmethod
    def random_state(self) -> Any:
        """Of the framework's own random numbers, on all devices."""

    @abstractmethod
    def set_random_state(self, state: Any) -> None: ...

    @abstractmethod
    def copied(self, tensor: Any) -> Any:
        """The values, without a graph, on the tensor's device; None for a tensor that has no memory yet."""

    @abstractmethod
    def overwrite(self, tensor: Any, values: Any) -> None:
        """Set the tensor to what `copied` gave, in place."""

    @abstractmethod
    def give_gradient(self, tensor: Any, gradient: Any | None) -> None:
        """Let this be the tensor's gradient."""

    @abstractmethod
    def grad_enabled(self) -> bool: ...

    @abstractmethod
    def moving_state(self, module: Any) -> dict[str, Any]:
        """The module's own state (not that of modules below) that a training forward should move: running statistics, u and v."""

    @abstractmethod
    def updates(self, optimizer: Any, parameter: Any) -> int | None:
        """How many updates the optimizer has counted for a parameter; None where it does not count (SGD) or has not begun."""

    @abstractmethod
    def effective_lr(self, optimizer: Any) -> float | None:
        """The learning rate that the next step will use, where it may differ from the one in the settings; None: it cannot."""

    @abstractmethod
    def has_data(self, tensor: Any) -> bool:
        """Whether it has values yet: tensors on torch's meta device and parameters of lazy layers have none."""

    @abstractmethod
    def nodes(self, tensor: Any) -> Iterator[str]:
        """Operations that made a tensor, the latest first, each time by its first operand: "Squeeze", "Sigmoid", ..."""

    def made_by(self, tensor: Any) -> str:
        """The operation that made a tensor ("sigmoid"), in small letters, changes of shape left out; "" without a graph."""
        return next((name for node in self.nodes(tensor) if (name := node.lower()) not in RESHAPING), "")

    def decays(self, optimizer: Any) -> list[tuple[Any, float]]:
        """(parameter, weight decay) of all held parameters."""
        return [(parameter, decay) for parameter, _, decay in self.optimizer_rates(optimizer)]

    def learning_rate(self, optimizer: Any) -> float:
        """The learning rate; the largest of them where the groups have their own."""
        return self.optimizer_settings(optimizer)["lr"]

    def without_lr(self, optimizer: Any) -> list[Any]:
        """Parameters with a learning rate of their own (or of their group) that is 0."""
        return [parameter for parameter, lr, _ in self.optimizer_rates(optimizer) if lr == 0]

    def shrinks(self, optimizer: Any) -> list[tuple[Any, float]]:
        """(parameter, share of itself that the next step takes off it) where the decay is apart from the gradient (AdamW); else
        none."""
        if self.optimizer_kind(optimizer) != "AdamW":
            return []
        return [(parameter, lr * decay) for parameter, lr, decay in self.optimizer_rates(optimizer)]

    def rounding(self, seed: int, choices: Any = None, *, pairwise: bool = False) -> AbstractContextManager:
        """While active, each operation's result is moved by its rounding; by default nothing is (see torch_rounding).

        choices: of the run that is measured against, to go on with; they were noted by `choosing`."""
        return nullcontext()

    def choosing(self) -> tuple[Any, AbstractContextManager]:
        """(choices, context): while the context is active, what the program chooses is noted in `choices` (see torch_choices)."""
        return None, nullcontext()

    @abstractmethod
    def drawing(self, numbers: Numbers) -> AbstractContextManager:
        """While active, random operations in this thread take their numbers from `numbers`, whoever calls them."""

    @abstractmethod
    def lowering(self, lowered: Lowered, *, on_cpu: bool) -> AbstractContextManager:
        """While active, `lowered` is told where this thread turns autocast on and off, and what it computes from then on. on_cpu:
        neither framework lowers anything, as Paddle never does there."""

    def moved_betas(self, optimizer: Any, dtype: str, rng: np.random.Generator) -> AbstractContextManager:
        """While active, the optimizer's betas are each a neighbouring number of that dtype; by default nothing is moved.

        They are inputs like any other, and 1 - beta loses what they have in common with 1: a framework that keeps
        beta2 = 0.999 in float32 (Paddle does) has a second moment 1.3e-5 smaller.
        """
        return nullcontext()

    @abstractmethod
    def operations(self, observe: Callable[[str, tuple, Any], None], source: Any,
                   modules: Iterable[Any] = ()) -> AbstractContextManager:
        """While active, `observe(name, arguments, result)` after each call of a library function that computes something.

        name: the one of `parity.frameworks.operations`, the same for both frameworks. What a function calls inside is not shown.
        source: the user's files, whose imported names are watched too, as are the functions that these modules keep.
        """

    def tensors_in(self, value: Any, prefix: str = "", *, objects: bool = False) -> Iterator[tuple[str, Any]]:
        """The tensors among the `leaves` of a nest, with their access paths."""
        return ((path, leaf) for path, leaf in leaves(value, self.is_tensor, prefix, objects=objects) if self.is_tensor(leaf))

    def replace_tensors(self, value: Any, replacements: Mapping[str, Any]) -> Any:
        """The same nest with the tensors at the given access paths replaced."""
        return replaced(value, self.is_tensor, replacements, objects=True)


def pixels_in(value: Any, prefix: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """numpy arrays and pictures (whatever offers its memory as an array) inside tuples and lists, each with its access path."""
    if isinstance(value, (tuple, list)):
        for index, item in enumerate(value):
            yield from pixels_in(item, f"{prefix}[{index}]")
    elif hasattr(value, "__array_interface__"):
        array = np.asarray(value)
        if array.ndim:
            yield prefix, array
