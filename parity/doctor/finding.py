"""What the doctor says: a `Finding`, and the kinds of them with their remedies, in the order in which causes come first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from parity.messages import say
from parity.trace.source import Site, relative

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Kind:
    """id; severity: "error" (no healthy training does this) or "warning" (unusual: on purpose?); remedy: what to do."""

    id: str
    severity: str
    remedy: str


# In this order findings are listed: what breaks the set-up, then the graph, then state, numbers, course. A cause stands
# before what follows from it, so that the first line is the one to act on.
_KINDS = (
    Kind("watch-failed", ERROR, say("this is a fault of parity and none of the training, which went on: please report it")),
    # set-up: known before the first step
    Kind(
        "iterator-exhausted",
        ERROR,
        say("make a list of the parameters first: list(model.parameters()); an iterator gives them once"),
    ),
    Kind("no-data", ERROR, say("make the loader anew for each epoch; an iterator over it runs dry")),
    Kind("module-unregistered", ERROR, say("keep layers in nn.LayerList (torch: nn.ModuleList), not in a Python list or dict")),
    Kind("optimizer-holds-copies", ERROR, say("build the optimizer last, from the parameters of the very model that is trained")),
    Kind("network-unheld", ERROR, say("hand the parameters of all networks to the optimizer: [*a.parameters(), *b.parameters()]")),
    Kind(
        "parameter-made-in-forward",
        ERROR,
        say("make parameters and layers in __init__; what forward makes is new at every call"),
    ),
    Kind("tensor-attribute", ERROR, say("make it a parameter: self.create_parameter(...) (torch: nn.Parameter(...))")),
    Kind("parameters-unheld", ERROR, say("hand all of model.parameters() to the optimizer, after the last layer was built")),
    Kind("foreign-parameters", ERROR, say("hand over the model's own parameters, or tell the doctor of their model")),
    Kind("buffers-held", ERROR, say("hand over model.parameters() only, not its state dict or buffers")),
    Kind("networks-shared", ERROR, say("build each network by a call of its own; assigning one to two names does not copy it")),
    Kind("held-twice", ERROR, say("hand every parameter to one optimizer, once")),
    Kind(
        "held-without-gradient",
        ERROR,
        say("let it have a gradient before it is handed over: requires_grad_(True) (Paddle: to_tensor(..., stop_gradient=False))"),
    ),
    Kind("affine-instance-norm", WARNING, say("InstanceNorm2D(..., weight_attr=False, bias_attr=False) is torch's default")),
    Kind("weights-shared", WARNING, say("if the two are not meant to share, build each of them by a call of its own")),
    Kind("module-repeated", WARNING, say("[layer] * n repeats one layer; [Layer() for _ in range(n)] builds n")),
    Kind("frozen-parameters", WARNING, say("if they are to be trained: requires_grad_(True) (Paddle: stop_gradient = False)")),
    Kind("frozen-network", WARNING, say("if it is to be trained, hand its parameters to an optimizer and call train()")),
    Kind(
        "spectral-norm-layer",
        ERROR,
        say("use paddle.nn.utils.spectral_norm(layer); the layer nn.SpectralNorm never updates u and v"),
    ),
    Kind(
        "regularizer-overrides",
        WARNING,
        say("set the decay in one place: a ParamAttr regularizer replaces the optimizer's weight_decay"),
    ),
    Kind("momentum-of-torch", WARNING, say("momentum=0.9 in Paddle is momentum=0.1 in torch")),
    Kind("argument-became-name", ERROR, say("pass arguments by name: in Paddle this position is the `name`")),
    Kind("no-grad-without-with", ERROR, say("with paddle.no_grad(): ... ; the bare call does nothing")),
    Kind("bgr-images", WARNING, say("cv2.imread gives BGR: convert with cv2.cvtColor(image, cv2.COLOR_BGR2RGB) or [..., ::-1]")),
    # the step: graph, backward, update
    Kind("raised", ERROR, say("the step must run before it can be watched; see the error")),
    Kind(
        "graph-kept",
        ERROR,
        say("detach what goes from one iteration to the next (state = state.detach()); two losses of one graph: add them up first"),
    ),
    Kind("lr-scheduler-conflict", ERROR, say("step the scheduler, or build the optimizer with a number instead of a scheduler")),
    Kind("scaler-bypassed", ERROR, say("scaler.step(optimizer) and scaler.update() in place of optimizer.step()")),
    Kind("clip-before-unscale", ERROR, say("call scaler.unscale_(optimizer) before the clip")),
    Kind(
        "scaler-skips",
        ERROR,
        say("look for a gradient that overflows at any scale (a NaN of its own); call scaler.update() after each step, so that the "
            "scale can fall"),
    ),
    Kind("nonfinite", ERROR, say("look at this line: a log or root of 0, a division by 0, an exp that overflows, lr too large")),
    Kind(
        "input-constant",
        ERROR,
        say("look at what prepares the data: a division of whole numbers, a scaling that is applied twice, a buffer that all "
            "examples share"),
    ),
    Kind(
        "loss-without-graph",
        ERROR,
        say("keep the loss a tensor from the network to backward(): no numpy, item, detach, to_tensor on the way"),
    ),
    Kind("no-backward", ERROR, say("call loss.backward() before each step; minimize() and step() do not")),
    Kind("eval-mode", ERROR, say("call model.train() before each training step, also after every evaluation")),
    Kind(
        "step-between", ERROR, say("step an optimizer only after all backwards through its networks are done, or run forward again")
    ),
    Kind("gradient-not-passed-on", ERROR, say("multiply by it: return grad_output * derivative")),
    Kind("gradient-serves-nobody", WARNING, say("let what it is given keep its graph in this loss: no detach() here, rsample() for "
                                                "sample()")),
    Kind("only-drawn-together", WARNING, say("stop the gradient on one side (detach()), let it come of another network that "
                                             "follows slowly, or add what pushes examples apart")),
    Kind("labels-constant", WARNING, say("label each row with its own number: arange(len(scores))")),
    Kind("gradient-discarded", WARNING, say("clear the gradients once before the accumulation, not before each part of it")),
    Kind("clip-too-tight", WARNING, say("clip at a norm of about that of an ordinary gradient, 1 or 10 say")),
    Kind("cleared-too-late", ERROR, say("clear the gradients before the backward, or after the step")),
    Kind("clip-too-late", ERROR, say("clip between the backward and the step")),
    Kind(
        "graph-cut",
        ERROR,
        say("do not leave the graph here: no numpy(), item(), detach(), to_tensor(), no_grad() between network and loss"),
    ),
    Kind("loss-overwritten", ERROR, say("add the losses up: loss = loss + ..., or give each a name of its own")),
    Kind("difference-cancels", WARNING, say("detach the old one, or keep it from the time that it was drawn: it is a number")),
    Kind("draw-without-gradient", WARNING, say("draw by rsample() in place of sample(), or take the log_prob of what was drawn")),
    Kind("scatter-overwrites", WARNING, say("paddle.scatter(..., overwrite=False) adds them up")),
    Kind("softmax-of-one", WARNING, say("take the softmax over the axis of those that are to be weighed against each other")),
    Kind(
        "term-without-graph",
        ERROR,
        say("keep this term a tensor from the network to the loss: no numpy(), item(), detach(), and create_graph=True where it is "
            "made of a gradient"),
    ),
    Kind(
        "index-without-gradient",
        WARNING,
        say("go straight through: z + (looked_up - z).detach(); or choose softly (gumbel_softmax)"),
    ),
    Kind("module-never-run", WARNING, say("call it in forward, or remove it")),  # BERT's pooler is built, and often not called
    Kind("network-without-gradient", ERROR, say("let the loss depend on its output, and nothing on the way leave the graph")),
    Kind(
        "leftover-gradient",
        ERROR,
        say("clear this optimizer's gradients before the backward: Paddle and torch add to what is there"),
    ),
    Kind(
        "parameters-without-gradient",
        ERROR,
        say("let the loss depend on them, or freeze them (stop_gradient=True, requires_grad=False)"),
    ),
    Kind(
        "target-with-graph",
        WARNING,
        say("detach the target, or make it within no_grad: it is what the prediction is to move to"),
    ),
    Kind("units-alike", ERROR, say("start weights at random: what begins alike, and gets the same gradient, stays alike")),
    Kind("activation-dead", ERROR, say("lower lr or the biases, or use a leaky activation; look at the scale of its input")),
    Kind(
        "rows-mixed",
        ERROR,
        say("see which axis of its input this layer takes for the batch (batch_first, time_major), or bring the axes in its order"),
    ),
    Kind(
        "features-constant",
        ERROR,
        say("pool the maximum, or pool before the norm: the average of an instance-normed map is a constant"),
    ),
    Kind("activation-saturated", ERROR, say("scale the input of tanh or sigmoid down: beyond +-3 it has no gradient")),
    Kind("module-bypassed", WARNING, say("call the layer itself where its output is meant")),
    Kind(
        "gradient-zero",
        ERROR,
        say("look for a clip, a saturated or dead activation, or a product with 0 between them and the loss"),
    ),
    Kind("lr-ignored", ERROR, say("use optimizer.set_lr(value); assigning _learning_rate does nothing after the first step")),
    Kind("lr-zero", ERROR, say("give the optimizer a learning rate above 0")),
    Kind(
        "lr-too-large",
        ERROR,
        say("divide the learning rate by 10 until an update is well below the weights' size (1e-3 of it is usual)"),
    ),
    Kind("lr-too-small", ERROR, say("multiply the learning rate by 10 until an update is about 1e-3 of the weights' size")),
    Kind("scheduler-too-often", ERROR, say("step the scheduler once per optimizer step (or per epoch, as it was built for)")),
    Kind("never-stepped", ERROR, say("call this optimizer's step() after its backward")),
    Kind("unchanged", ERROR, say("check lr, the gradient's size, and that nothing puts the old values back")),
    Kind("update-undone", ERROR, say("find what writes to the parameters between two steps (a reload, an average, a clip)")),
    Kind(
        "change-without-gradient",
        WARNING,
        say("where a backward has not reached a parameter, Adam's momentum still moves it: skip the step, or clear with "
            "set_to_zero=False (Paddle), set_to_none=True (torch)"),
    ),
    Kind("made-each-epoch", WARNING, say("make it once, before the loop over the epochs")),
    Kind(
        "updates-rounded-away",
        WARNING,
        say("keep the weights in float32 and compute in half precision by autocast; or let the optimizer keep float32 weights"),
    ),
    Kind("counter-stuck", ERROR, say("do not rebuild the optimizer or reset its state at each step")),
    Kind("fp16-underflow", ERROR, say("scale the loss (GradScaler), or keep this part in float32")),
    Kind("decay-dominates", ERROR, say("lower weight_decay: it pulls harder than the loss")),
    Kind("decay-on-norms", WARNING, say("leave norms and biases out of the decay: a parameter group with weight_decay 0")),
    Kind("training-thrown-away", WARNING, say("load the weights the other way: target.load_state_dict(online.state_dict())")),
    Kind("write-lost", ERROR, say("write into the tensor: copy_(), mul_().add_(), lerp_(); Paddle: set_value()")),
    Kind(
        "state-by-reference",
        ERROR,
        say("keep a copy: copy.deepcopy(model.state_dict())"),
    ),
    Kind(
        "nothing-loaded",
        ERROR,
        say("bring the names in line (a prefix like module. is taken off, say), and let what is missing be an error: strict=True; "
            "in Paddle, look at what set_state_dict returns"),
    ),
    Kind("attribute-misspelt", ERROR, say("write the name as the framework has it")),
    # what depends on what
    Kind(
        "place-in-batch",
        WARNING,  # halves of a batch may be treated each in its own way
        say("look at the axes on this line: something that belongs to positions goes along the first axis, which is the batch"),
    ),
    Kind("target-drawn-late", WARNING, say("keep what was drawn for the input, and hold the prediction against that")),
    Kind(
        "neighbours-ignored",
        ERROR,
        say("gather from one end of each edge, and add up at the other: out.index_add(0, target, x[source])"),
    ),
    Kind(
        "sees-its-target",
        ERROR,
        say("mask what comes later (is_causal, a mask of -inf above the diagonal); if it is recurrent, in one direction only"),
    ),
    Kind("target-not-shifted", ERROR, say("shift the targets by one: inputs x[:, :-1], targets x[:, 1:]")),
    Kind(
        "target-out-of-sight",
        ERROR,
        say("take the causal mask away (if it is recurrent, let it run in both directions): this is no task of guessing what comes "
            "next"),
    ),
    Kind("target-unsynchronised", WARNING, say("load the trained network's weights into it, at first and every so many steps")),
    Kind("views-alike", WARNING, say("draw each view by itself: two calls of what augments the data")),
    # state
    Kind("state-frozen", ERROR, say("update u, v or the running statistics at each training forward (and in train mode)")),
    Kind("state-moves-in-eval", ERROR, say("update u, v and running statistics in train mode only")),
    Kind(
        "statistics-unmoved",
        WARNING,
        say("let it have the statistics as well: an average of the weights copies the buffers of the network that is trained"),
    ),
    Kind("frozen-statistics", WARNING, say("call train() on the norm as well, if its statistics are to follow")),
    # numbers and data
    Kind("loss-broadcast", ERROR, say("give both the same shape: reshape the target to the prediction's")),
    Kind("input-range", ERROR, say("bring the input to about [-1, 1]: x / 127.5 - 1 for pictures, (x - mean) / std for others")),
    Kind("evaluation-scale", WARNING, say("put what is evaluated through the same preparation: the scaler that was fitted on the "
                                          "training data")),
    Kind(
        "loss-input",
        ERROR,
        say("hand over what the last layer gives: the loss has the softmax or sigmoid and the logarithm in it (nll_loss, kl_div "
            "and torch's ctc_loss want log_softmax)"),
    ),
    Kind(
        "target-out-of-reach",
        ERROR,
        say("bring the targets into the range of the activation, or scale its output, or take it off: it cannot come to them"),
    ),
    Kind("cosines-flat", WARNING, say("divide cosines by a temperature of about 0.07, or multiply them by 10 or more")),
    Kind("verdict-constant", WARNING, say("give what is real and what is made different labels: ones and zeros")),
    Kind("padding-inside", WARNING, say("leave padding_idx away, or give padding an id of its own")),
    Kind("target-tiny", WARNING, say("bring the targets to 0 and 1: are they divided twice?")),
    Kind("dropout-always", WARNING, say("F.dropout(x, p, training=self.training), or the layer nn.Dropout")),
    Kind(
        "axes-renumbered",
        WARNING,
        say("move axes by transpose or permute; a reshape only numbers the same elements anew, and scrambles them"),
    ),
    Kind(
        "dropout-heavy",
        WARNING,
        say("p is the probability of dropping: what was meant as the probability of keeping is 1 - p"),
    ),
    Kind(
        "class-without-gradient",
        WARNING,
        say("see that the loss takes the labels as they are (a hinge wants -1 and 1), and that it ignores no class that is to be "
            "learned (ignore_index)"),
    ),
    Kind("full-batch", WARNING, say("if there is more data than that, take a new batch at each step")),
    Kind("batch-constant", ERROR, say("take a new batch at each step: next(iterator), not next(iter(loader))")),
    Kind("labels-sorted", ERROR, say("shuffle over the whole data set: a batch of one class only teaches that class")),
    Kind("never-shuffled", WARNING, say("shuffle=True, unless the order is the point (text read on from batch to batch)")),
    Kind("order-repeats", ERROR, say("shuffle=True, and a new permutation at each epoch")),
    # course of the loss
    Kind("scheduler-stuck", ERROR, say("call scheduler.step() after the optimizer's step")),
    Kind(
        "scheduler-too-seldom",
        WARNING,
        say("step it after each step of the optimizer, if its warm-up counts steps (Noam's does)"),
    ),
    Kind("scheduler-idle", WARNING, say("if it is to be stepped at each iteration, call scheduler.step() there")),
    Kind(
        "loss-scaled-away",
        WARNING,
        say("add what makes a small weight dear: exp(-s) * loss + s for the logarithm of a variance"),
    ),
    Kind("loss-drowned", WARNING, say("weigh the terms so that each has a say in the gradient, or log them apart")),
    Kind(
        "loss-at-chance",  # healthy slow learners do so as well
        WARNING,
        say("watch more iterations; if it stays there, the network tells the classes no better than a coin: see whether inputs and "
            "labels belong together, and its gradient"),
    ),
    Kind("divergence-grows", ERROR, say("turn its sign: of a Gaussian it is -0.5 * sum(1 + logvar - mu^2 - exp(logvar)), added to "
                                        "the loss")),
    Kind("loss-constant", ERROR, say("nothing that the loss depends on is changing: see the findings above")),
    # beside a reference
    Kind("differs-from-reference", ERROR, say("make the line do what the reference's does")),
)
# What follows from a finding of such a kind, and says nothing of its own beside it.
FOLLOWS = {
    "input-constant": frozenset({"features-constant", "gradient-zero", "activation-dead", "full-batch", "batch-constant",
                                 "loss-at-chance", "loss-constant"}),
    "input-range": frozenset({"features-constant"}),
    "cleared-too-late": frozenset({"network-without-gradient", "parameters-without-gradient", "gradient-zero", "loss-at-chance",
                                   "loss-constant"}),
    "scaler-skips": frozenset({"never-stepped", "loss-at-chance"}),
    "cosines-flat": frozenset({"loss-at-chance"}),
    "scatter-overwrites": frozenset({"rows-mixed"}),  # where messages go along edges, rows are to be mixed
    "loss-overwritten": frozenset({"parameters-without-gradient", "network-without-gradient"}),
    "updates-rounded-away": frozenset({"unchanged"}),
    "units-alike": frozenset({"activation-dead", "features-constant", "gradient-zero", "loss-at-chance"}),
    "loss-input": frozenset({"nonfinite"}),
    "softmax-of-one": frozenset({"gradient-zero"}),
    "clip-before-unscale": frozenset({"clip-too-tight"}),
    "never-stepped": frozenset({"loss-at-chance", "loss-constant", "gradient-discarded"}),
    "held-without-gradient": frozenset({"loss-at-chance", "loss-constant"}),
    "lr-zero": frozenset({"unchanged", "loss-at-chance", "loss-constant"}),
    "lr-too-small": frozenset({"unchanged", "loss-at-chance", "loss-constant"}),
    "scheduler-too-often": frozenset({"lr-too-small", "unchanged", "loss-at-chance"}),
    "scheduler-too-seldom": frozenset({"lr-too-small", "unchanged", "loss-at-chance"}),
    "counter-stuck": frozenset({"never-stepped"}),
    "loss-without-graph": frozenset({"graph-cut", "network-without-gradient", "loss-at-chance", "loss-constant"}),
}
KINDS = {kind.id: kind for kind in _KINDS}
_RANK = {kind.id: rank for rank, kind in enumerate(_KINDS)}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or unusual.

    id: one of `KINDS`. about: what it is about (a network, parameter, optimizer, loss). message: one line. evidence: the numbers.
    site: where in the user's source, None where no line says it. iteration: the first in which it showed, from 1; 0: before.
    """

    id: str
    about: str
    message: str
    evidence: str = ""
    site: Site | None = None
    iteration: int = 0
    instead: str | None = None  # a remedy that fits better than the kind's
    expected: bool = False
    mild: bool = False  # unusual at most, whatever the kind is

    def __post_init__(self) -> None:
        KINDS[self.id]  # an unknown kind is a KeyError at once

    @property
    def severity(self) -> str:
        return WARNING if self.mild else KINDS[self.id].severity

    @property
    def remedy(self) -> str:
        return self.instead or KINDS[self.id].remedy

    @property
    def rank(self) -> int:
        return _RANK[self.id]

    def declared(self, expect: tuple[str, ...]) -> Finding:
        """The same, marked where `expect` has its id, or "id:about"."""
        return replace(self, expected=self.id in expect or f"{self.id}:{self.about}" in expect)

    def to_json(self) -> dict:
        return {"id": self.id, "severity": self.severity, "message": self.message, "evidence": self.evidence, "about": self.about,
                "file": relative(self.site.file) if self.site else None, "line": self.site.line if self.site else None,
                "remedy": self.remedy, "iteration": self.iteration, "expected": self.expected}
