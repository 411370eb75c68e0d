"""The optimizers that both frameworks have: what the one calls each setting and each thing remembered, and the other.

A `Kind` says what goes from one side to the other by name. Whatever else an optimizer remembers (counters of steps, the average of
torch's ASGD, all of one that is in no table) is its own memory: it stays on its side, and is put back there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Get = Callable[[Any], float]


class Setting(NamedTuple):
    """Of torch: the key in a group, and an index where it holds several. Of Paddle: how it is read from the optimizer."""

    torch: str | tuple[str, int]
    paddle: Get


class Moment(NamedTuple):
    """One tensor remembered of each parameter. torch: its key in the state; paddle: its accumulator.

    start: the value that it begins with, or the setting that has this value. when: the setting without which there is none.
    times_lr: Paddle's is that of torch times the learning rate of the update that made it. single: one number for a parameter.
    """

    torch: str
    paddle: str
    start: float | str = 0.0
    when: str | None = None
    times_lr: bool = False
    single: bool = False


@dataclass(frozen=True)
class Kind:
    """torch, paddle: names of the classes, in `torch.optim` and `paddle.optimizer`; one that an installed version does not have
    is of no kind there. moments: by the name that stands in reports. whole: with these, and with the count of updates where both
    count, all that it remembers goes over. counts: both count the updates of a parameter. alone: settings of one side only, as
    (torch's keys, how Paddle's are read); they are told where they are on.
    """

    name: str
    torch: str
    paddle: tuple[str, ...]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    moments: Mapping[str, Moment] = field(default_factory=dict)
    whole: bool = False
    counts: bool = False
    alone: tuple[tuple[str, ...], Mapping[str, Get]] = ((), {})


def _attribute(name: str) -> Get:
    return lambda optimizer: float(getattr(optimizer, name))


def _pair(name: str, place: int) -> Get:
    """One of two numbers that Rprop keeps: before its first step as a list of one tuple, then as a tensor."""
    return lambda optimizer: float(getattr(optimizer, name)[0][place])


_BETAS = {f"beta{n + 1}": Setting(("betas", n), _attribute(f"_beta{n + 1}")) for n in (0, 1)}
_EPS = {"eps": Setting("eps", _attribute("_epsilon"))}
_BOTH = {"exp_avg": Moment("exp_avg", "moment1"), "exp_avg_sq": Moment("exp_avg_sq", "moment2")}
_AMSGRAD = {"amsgrad": Setting("amsgrad", lambda optimizer: float(getattr(optimizer, "_amsgrad", False)))}
_MOMENTUM = {"momentum": Setting("momentum", lambda optimizer: float(getattr(optimizer, "_momentum", 0.0))),
             "nesterov": Setting("nesterov", lambda optimizer: float(getattr(optimizer, "_use_nesterov", False)))}
_DECOUPLED = (("decoupled_weight_decay",), {})
_ADAM = {**_BOTH, "max_exp_avg_sq": Moment("max_exp_avg_sq", "moment2_max", when="amsgrad")}

_AVERAGED = {"rho": Setting("rho", _attribute("_rho")), **_EPS}
_INITIAL = "initial_accumulator_value"

KINDS = (
    Kind("AdamW", "AdamW", ("AdamW",), _BETAS | _EPS | _AMSGRAD, _ADAM, whole=True, counts=True),  # an AdamW is an Adam
    Kind("Adam", "Adam", ("Adam",), _BETAS | _EPS | _AMSGRAD, _ADAM, whole=True, counts=True),
    Kind("SGD", "SGD", ("SGD", "Momentum"), _MOMENTUM,
         {"velocity": Moment("momentum_buffer", "velocity", when="momentum")}, whole=True),
    Kind("RMSprop", "RMSprop", ("RMSProp",),
         {**_AVERAGED, "rho": Setting("alpha", _attribute("_rho")), "momentum": _MOMENTUM["momentum"],
          "centered": Setting("centered", _attribute("_centered"))},
         {"square_avg": Moment("square_avg", "mean_square"), "grad_avg": Moment("grad_avg", "mean_grad", when="centered"),
          "velocity": Moment("momentum_buffer", "momentum", when="momentum", times_lr=True)}),
    Kind("Adagrad", "Adagrad", ("Adagrad",), {**_EPS, _INITIAL: Setting(_INITIAL, _attribute(_INITIAL))},
         {"sum": Moment("sum", "moment", start=_INITIAL)}, alone=(("lr_decay",), {})),
    Kind("Adadelta", "Adadelta", ("Adadelta",), _AVERAGED,
         {"square_avg": Moment("square_avg", "_avg_squared_grad"), "acc_delta": Moment("acc_delta", "_avg_squared_update")}),
    Kind("Adamax", "Adamax", ("Adamax",), _BETAS | _EPS,
         {"exp_avg": Moment("exp_avg", "moment"), "exp_inf": Moment("exp_inf", "inf_norm")}),
    Kind("NAdam", "NAdam", ("NAdam",),
         _BETAS | _EPS | {"momentum_decay": Setting("momentum_decay", _attribute("_momentum_decay"))},
         {**_BOTH, "mu_product": Moment("mu_product", "mu_product", start=1.0, single=True)}, alone=_DECOUPLED),
    Kind("RAdam", "RAdam", ("RAdam",), _BETAS | _EPS, _BOTH, alone=_DECOUPLED),
    # Two algorithms of one name: torch's shrinks weights by `lambd` and averages them, Paddle's averages gradients of batches.
    Kind("ASGD", "ASGD", ("ASGD",), alone=(("lambd",), {"batch_num": lambda optimizer: optimizer._n if optimizer._n > 1 else 0})),
    Kind("Rprop", "Rprop", ("Rprop",),
         {f"{what}_{name}": Setting((key, place), _pair(attribute, place))
          for key, what, attribute in (("etas", "eta", "_etas"), ("step_sizes", "step", "_learning_rate_range"))
          for place, name in enumerate(("min", "max"))},
         {"prev": Moment("prev", "prevs"), "step_size": Moment("step_size", "learning_rates", start="lr")}),
)
SINGLE = frozenset({"updates"} | {name for kind in KINDS for name, moment in kind.moments.items() if moment.single})
"""What is one number for all of a parameter, whatever its layout."""


def kind_of(optimizer: Any, module: Any, names: Callable[[Kind], tuple[str, ...]]) -> Kind | None:
    """The first whose class in that module an optimizer is of; None: it is of none."""
    return next((kind for kind in KINDS if any(isinstance(optimizer, getattr(module, name))
                                               for name in names(kind) if hasattr(module, name))), None)


def start_of(moment: Moment, settings: Mapping[str, float]) -> float:
    """What a moment begins with, under those settings."""
    return settings[moment.start] if isinstance(moment.start, str) else moment.start


def held(kind: Kind | None, settings: Mapping[str, float]) -> dict[str, Moment]:
    """What an optimizer of a kind remembers, with those settings."""
    return {} if kind is None else {name: moment for name, moment in kind.moments.items()
                                    if moment.when is None or settings.get(moment.when)}


def rates_of(rates: Callable[[], set[float]], call: Callable[[], Any], calls: int) -> list[tuple[float, ...]]:
    """The rates now, in ascending order, and after each call; it ends where one raises."""
    found = [tuple(sorted(rates()))]
    for _ in range(calls):
        try:
            call()
        except Exception:  # past its end: a step of the training itself will raise it, where the user calls it
            break
        found.append(tuple(sorted(rates())))
    return found
