"""What the watch writes down: plain numbers and names, no tensors (a reference kept alive would change the training)."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from types import CodeType

from parity.trace.source import Site


@dataclass
class Backward:
    """One backward. tick: its place in the order of events. touched: parameters whose gradient it changed. within: it was called
    by an optimizer's step, from a closure."""

    tick: int
    site: Site | None
    losses: list[float]
    differentiable: bool
    function: str = ""
    touched: set[str] = field(default_factory=set)
    within: bool = False


@dataclass
class Update:
    """What one step did to one parameter. Norms are of the whole gradient, and of a sample for weight and change."""

    gradient: float | None
    zeros: float  # share of exact zeros in a half-precision gradient, else 0
    changed: bool
    weight: float
    change: float
    tick_made: int | None  # of the latest backward that changed the gradient since it was cleared
    mixed: str | None = None  # "step" or "loss": what else is in the gradient
    half: bool = False
    frozen: bool = False
    found_zero: bool = False  # a backward since the clearing has found it to be 0
    alike: float | None = None  # where all of a layer's units are the same, in weights and gradients: their largest weight
    stuck: float = 0.0  # share of a half-precision parameter's elements that have a gradient and did not move
    shrunk: float | None = None  # where decay is apart from the gradient (AdamW): what it took, over what the loss moved

    @property
    def bad_gradient(self) -> bool:
        return self.gradient is not None and not math.isfinite(self.gradient)


@dataclass
class Step:
    """One step of an optimizer. updates: by parameter name. backwards: how many since its previous step.

    reached: parameters with a gradient that is not 0. empty: nothing that it holds has a gradient. counts: updates of the parameter
    `counted`, before and after. by_hand: a gradient is not what the last backward or step left: the program has written it.
    stopped: nothing that it holds is to have a gradient.
    """

    tick: int
    optimizer: str
    site: Site | None
    lr: float
    effective_lr: float | None
    backwards: int
    counts: tuple[int | None, int | None]
    counted: str | None = None
    updates: dict[str, Update] = field(default_factory=dict)
    method: str = "step"
    cleared: int = 0  # parameters whose gradient was cleared between its backward and this step
    cleared_at: Site | None = None
    reached: set[str] = field(default_factory=set)
    empty: bool = False
    by_hand: bool = False
    stopped: bool = False


@dataclass
class ModuleUse:
    """One module in one iteration, all its calls together.

    with_grad: a call's result had a graph; trained: such a call in train mode; asleep: such a call in eval mode; awake: any call
    in train mode. off: the line of the first call for which gradients were switched off; off_awake: the same, in train mode.
    """

    calls: int = 0
    with_grad: bool = False
    trained: bool = False
    asleep: bool = False
    awake: bool = False
    last_tick: int = 0
    site: Site | None = None
    off: Site | None = None
    off_awake: Site | None = None


@dataclass(frozen=True)
class Stranger:
    """A module that ran and is part of no network. name: what the user's function calls it, where it does."""

    kind: str
    site: Site | None
    name: str | None = None


@dataclass
class Activation:
    """Of one activation module: elements seen, exact zeros, elements at the flat ends of tanh or sigmoid."""

    size: int = 0
    zeros: int = 0
    flat: int = 0
    kind: str = ""
    site: Site | None = None


@dataclass
class Term:
    """One scalar that a line of the user's bound. weight: |d(loss)/d(term)| of the backward that went through it; slope: the same,
    with its sign."""

    value: float
    site: Site
    order: int
    weight: float | None = None
    slope: float | None = None
    differentiable: bool = True
    name: str = ""
    function: str = ""
    base: bool = True  # it is no sum of others that were bound in the same function


@dataclass
class Cut:
    """A line that made something without a graph out of something with one. used: a later tensor was computed from it."""

    site: Site
    name: str
    source: str
    how: str
    used: bool = False
    tick: int = 0


@dataclass
class Lost:
    """A part of a loss that has no graph while others have, and comes of something that had one. term: what it is added into,
    as a key of `Iteration.terms`; None at a backward of the sum itself."""

    name: str
    cut: Cut
    term: str | None


@dataclass
class Passed:
    """What came back by the backward to a tensor that a line has bound or returned. state: "zero", "nonfinite", "alive"."""

    name: str
    site: Site
    state: str | None = None


@dataclass
class NonFinite:
    """A value that is not finite, in order of appearance. inputs_finite: what went in was."""

    tick: int
    what: str
    nan: bool
    site: Site | None
    inputs_finite: bool


@dataclass
class Batch:
    """What a network was fed from outside: a hash of the values, their range and shape.

    training: with gradients on, in train mode. call: tick of the call. same: it is the very tensor that the network
    got in the iteration before.
    """

    network: str
    hash: int
    shape: tuple[int, ...]
    low: float
    high: float
    mean: float
    site: Site | None
    training: bool = True
    call: int = 0
    same: bool = False
    alike: str = ""  # "zero", "constant", "rows": what all of its rows are, where there are some
    size: float = 0.0  # root of its mean square
    twin: bool = False  # its first half is its second half again
    rows: tuple[float, float, int] = (0.0, 0.0, 0)  # of the means of its rows: their mean, their variance, their number


@dataclass(frozen=True)
class Target:
    """A network that nobody trains, built like `network`, which is trained; called in an iteration. marks: of its weights. same:
    they are those of one that is trained, now or when the watch began. fed: a hash of what it was given."""

    name: str
    network: str
    site: Site | None
    marks: tuple[int, ...]
    same: bool
    fed: int


@dataclass
class Reaction:
    """What a dependence probe has shown of a network, out of the ordinary.

    kind: "rows" (one example reacts to another; layer: the recurrence or attention that runs over them, shape: of the input),
    "place" (what it gives for an example depends on the place of the example in the batch),
    "unheard" (it depends on all positions, and a gradient goes back to the last alone),
    "alone" (no node of a graph reacts to another), "cut" (an output depends on `layer`, and no gradient goes back to it, by a line
    that leaves the graph), "index" (the same, by an index),
    "ahead" (output `position` reacts to input `source`, which is its own target), "unshifted" (a causal network's targets are its
    inputs), "unseen" (output `position` does not react to input `source`, which is its target). count: rows or positions.
    """

    kind: str
    network: str
    site: Site | None
    count: int
    layer: str = ""
    shape: tuple[int, ...] = ()
    position: int = 0
    source: int = 0


@dataclass
class ClassGradient:
    """Of a loss over labels: label -> (examples with it, those of them whose prediction got a gradient). classes: how many the
    prediction tells apart, 0 where it is one score. padded: labels that fill up the ends of rows."""

    site: Site | None
    classes: int
    padded: tuple[float, ...] = ()
    rows: dict[float, tuple[int, int]] = field(default_factory=dict)


@dataclass
class Reduction:
    """A sum or a mean ("kind") of so many elements to one number; rows: the length of the first axis. weight: d(loss)/d(it), of the
    loss of that backward."""

    kind: str
    site: Site
    count: int
    rows: int
    value: float
    weight: float | None = None
    backward: int | None = None


@dataclass
class Pull:
    """Cosines of two things that both have a graph, row by row. only: whether a step makes all of them larger; None: no backward
    came to them."""

    site: Site | None
    only: bool | None = None


@dataclass(frozen=True)
class Entry:
    """A call of a network with gradients on. alive: something that it was given has a graph."""

    network: str
    tick: int
    site: Site | None
    alive: bool


LABELS = "labels of the loss"  # those that no line of the user's has bound


@dataclass
class Labels:
    """Whole numbers, one for each sample of the batch."""

    name: str
    site: Site
    first: int
    classes: int
    size: int


@dataclass
class Iteration:
    """All of one iteration, in numbers."""

    number: int
    close: bool
    backwards: list[Backward] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    modules: dict[str, ModuleUse] = field(default_factory=dict)
    strangers: dict[int, Stranger] = field(default_factory=dict)  # modules that ran and are part of no network
    targets: dict[int, Target] = field(default_factory=dict)  # networks beside the trained ones that are built like one of them
    activations: dict[str, Activation] = field(default_factory=dict)
    features: dict[str, tuple[float, float, int]] = field(default_factory=dict)  # spread over samples, scale, samples
    terms: dict[str, Term] = field(default_factory=dict)
    cuts: list[Cut] = field(default_factory=list)
    suspects: list[Cut] = field(default_factory=list)  # lines that may leave the graph in the middle: their result has one
    lost: list[Lost] = field(default_factory=list)
    derived: list[Cut] = field(default_factory=list)  # derivatives without a graph that were added to what they are derivatives of
    passed: list[Passed] = field(default_factory=list)  # in the order in which the lines ran
    nonfinite: list[NonFinite] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    labels: list[Labels] = field(default_factory=list)
    class_gradients: list[ClassGradient] = field(default_factory=list)
    scaled: list[tuple[int, str]] = field(default_factory=list)  # (tick of a backward, parameter) that scales the whole loss
    reductions: list[Reduction] = field(default_factory=list)
    told: list[tuple[int, int, float]] = field(default_factory=list)  # by losses over classes: examples, told right, by chance
    moved: dict[str, bool] = field(default_factory=dict)  # moving state -> changed
    moved_by_eval: set[str] = field(default_factory=set)  # moving state that a call in eval mode changed
    frozen: set[str] = field(default_factory=set)  # parameters that no optimizer holds, which were to have no gradient at a step
    lent: set[str] = field(default_factory=set)  # networks that were called with weights made elsewhere
    normed: set[str] = field(default_factory=set)  # networks whose first layer a norm follows, which takes the input's scale away
    # recurrent layer -> what it lacks in all of its calls: "state" (none is given), "input" (zeros), "" (nothing); its first call
    unfed: dict[str, tuple[str, Site | None]] = field(default_factory=dict)
    first_inputs: dict[str, float] = field(default_factory=dict)  # network -> largest size of what its first layer was given
    schedulers: Counter = field(default_factory=Counter)  # optimizer name -> scheduler steps
    scheduler_sites: dict[str, Site | None] = field(default_factory=dict)
    lrs: dict[str, float] = field(default_factory=dict)  # at the end of the iteration
    made: list[tuple[str, Site | None]] = field(default_factory=list)  # parameters and layers made while it ran
    broadcasts: list[tuple[str, tuple, tuple, Site | None]] = field(default_factory=list)
    # losses, what they were given, the line that made it, their own
    unfit: list[tuple[str, str, Site | None, Site | None]] = field(default_factory=list)
    out_of_reach: list[tuple[str, float, float, Site | None]] = field(default_factory=list)  # an activation, the range of targets
    largest_targets: list[tuple[str, float, Site | None]] = field(default_factory=list)  # of binary cross entropies
    overwritten: list[tuple[str, Site, Term]] = field(default_factory=list)  # losses that nothing had read, where bound anew
    cancelled: list[Site | None] = field(default_factory=list)  # differences of two equal tensors, both with a graph
    judged: list[tuple[str, int, float, float, Site | None]] = field(default_factory=list)  # network, tick, range of 0/1 targets
    softmaxes: dict[Site, set[int]] = field(default_factory=dict)  # line -> lengths of the axis
    draws: list[tuple[str, str, Site | None]] = field(default_factory=list)  # distribution, network that was given a draw of it
    cosines: list[tuple[float, int, Site | None]] = field(default_factory=list)  # their factor, classes, the line that made them
    written_over: list[tuple[int, int, Site | None]] = field(default_factory=list)  # by a scatter: rows that are lost, of so many
    drawn_late: list[Site | None] = field(default_factory=list)  # losses whose target was drawn after the network had run
    scored: set[str] = field(default_factory=set)  # distributions with a graph whose log_prob was taken
    padded: list[tuple[str, int, int, int]] = field(default_factory=list)  # embedding, padding_idx, rows with it inside, rows
    dropouts: list[Site | None] = field(default_factory=list)  # functional ones that drop in a network in eval mode
    renumbered: list[tuple[tuple, tuple, Site | None]] = field(default_factory=list)  # shapes of what was reshaped to other axes
    pulls: list[Pull] = field(default_factory=list)
    losses: int = 0  # calls of functions that hold a prediction against a target
    one_label: list[tuple[int, int, Site | None]] = field(default_factory=list)  # of a square of scores: the label of all, rows
    many_labels: int = 0  # squares of scores whose labels differ
    unused_gradients: list[tuple[str, Site | None]] = field(default_factory=list)  # backwards of functions that do not read theirs
    entries: list[Entry] = field(default_factory=list)
    alive_targets: list[tuple[str, Site | None]] = field(default_factory=list)  # targets of losses that have a graph
    classes: set[int] = field(default_factory=set)  # widths of what cross entropies were given
    amp: Counter = field(default_factory=Counter)  # calls of a gradient scaler: "scale", "unscale_", "step"
    half: bool = False  # a layer gave float16
    amp_scale: float = 1.0
    amp_site: Site | None = None
    clipped_at: Site | None = None  # a clip of gradients that were still scaled
    clips: list[tuple[str, float, Site | None]] = field(default_factory=list)  # optimizer, share of its gradient that a clip leaves
    clipped_late: list[tuple[str, Site | None]] = field(default_factory=list)  # optimizers that had stepped already
    discarded: list[str] = field(default_factory=list)  # parameters whose gradient was cleared before any step
    stale: list[tuple[str, Site | None]] = field(default_factory=list)  # networks stepped between forward and backward
    undone: list[str] = field(default_factory=list)
    loaded_at: Site | None = None  # where a state was loaded while it ran
    bad_parameters: list[str] = field(default_factory=list)  # not finite at its end
    again: bool = False  # it was run again, and `nonfinite` is of that run

    @property
    def bad_loss(self) -> bool:
        return any(not math.isfinite(loss) for backward in self.backwards for loss in backward.losses)

    @property
    def bad_gradients(self) -> list[str]:
        return [name for step in self.steps for name, update in step.updates.items() if update.bad_gradient]

    @property
    def harmed(self) -> bool:
        """Whether what is not finite has reached the loss, a gradient or a parameter."""
        return bool(self.bad_loss or self.bad_gradients or self.bad_parameters)

    @property
    def odd(self) -> bool:
        """Whether it has values that no healthy iteration has. (An infinity that does no harm may be a mask.)"""
        return self.harmed or any(value.nan for value in self.nonfinite)

    def terms_of(self, code: CodeType) -> set[str]:
        """Names of the scalars that lines of this function have bound."""
        return {term.name for term in self.terms.values() if (term.function, term.site.file) == (code.co_name, code.co_filename)}
