"""The faults of the exam: the traps of the field, each put into one of three programs as a patch of its source."""

from __future__ import annotations

import copy
import itertools

import numpy as np

from exams.doctor.sitting import Sitting

_INIT, _STEP, _BATCH = "Training.__init__", "Training.step", "Training.batch"
_OPTIMIZER = "self.optim = paddle.optimizer.Adam("


def _classifier(name: str, *edits: tuple[str, str, str], **options) -> Sitting:
    return Sitting(name, "classifier", edits=edits, **options)


def _series(name: str, *edits: tuple[str, str, str], **options) -> Sitting:
    return Sitting(name, "series", edits=edits, **options)


def _ugatit(name: str, fault: str | None = None, *edits: tuple[str, str, str], **options) -> Sitting:
    return Sitting(name, "ugatit", edits=edits, catalogued=fault, **options)


# The six that made real users lose a week.
SIX = (
    _ugatit(
        "132 parameters: affine instance norms",
        None,
        (
            "paddle_impl.norms:InstanceNorm2D.__init__",
            "self.eps = eps",
            "self.eps = eps; self.scale = "
            "self.create_parameter([num_features], default_initializer=Constant(1.0)); "
            "self.bias = self.create_parameter([num_features], is_bias=True)",
        ),
        (
            "paddle_impl.norms:InstanceNorm2D.forward",
            "return instance_norm(input, self.eps)",
            "return instance_norm(input, self.eps) * self.scale.reshape([1, -1, 1, 1]) + self.bias.reshape([1, -1, 1, 1])",
        ),
        ids=("affine-instance-norm",),
        blocks=4,  # as released: 88 tensors in the two generators, and 22 instance norms
        line="self.eps = eps",
        reference_line="InstanceNorm2d(",
        trap="Paddle issue 26721",
    ),
    _ugatit(
        "u and v handed over",
        None,
        (
            _INIT,
            "*self.disLA.parameters(), *self.disLB.parameters()]",
            "*self.disLA.parameters(), *self.disLB.parameters(), *(state for net in (self.disGA, self.disGB, self.disLA, "
            "self.disLB) for key, state in net.named_buffers() if key.endswith(('_u', '_v')))]",
        ),
        blocks=4,
        ids=("buffers-held",),
        line="self.D_optim = adam(",
        reference_line="self.D_optim = adam(",
        trap="Paddle issue 26721",
    ),
    _classifier(
        "an iterator of parameters, used up",
        (
            _INIT,
            "parameters = self.net.parameters()",
            "parameters = iter(self.net.parameters()); count = sum(p.size for p in parameters)",
        ),
        ids=("iterator-exhausted",),
        line=_OPTIMIZER,
        trap="iterators given to Adam",
    ),
    _classifier(
        "an iterator kept by the optimizer (Paddle 1.8)",
        (_INIT, "self.images, self.labels", "self.optim._parameter_list = iter(parameters); self.images, self.labels"),
        ids=("iterator-exhausted",),
        line="self.optim._parameter_list",
        reference_line="self.optim = torch.optim.Adam(",
        trap="iterators given to Adam",
    ),
    _classifier(
        "an iterator of parameters, partly used",
        (_INIT, "parameters = self.net.parameters()", "parameters = iter(self.net.parameters()); first = next(parameters)"),
        ids=("parameters-unheld",),
        line=_OPTIMIZER,
        trap="iterators given to Adam",
    ),
    _ugatit(
        "one network only",
        "one_network_only",
        ids=("network-unheld",),
        line="self.G_optim = adam(",
        reference_line="self.G_optim = adam(",
    ),
    _ugatit(
        "the optimizer holds copies",
        "optimizer_holds_copies",
        ids=("optimizer-holds-copies",),
        line="self.G_optim = adam(",
        reference_line="self.G_optim = adam(",
    ),
    _ugatit("u and v frozen", "sn_update", ids=("state-frozen",), line="spectral_norm(", reference_line="spectral_norm("),
    _ugatit(
        "CAM at chance: average for maximum pooling",
        "gmp_G",
        ids=("features-constant",),
        line="gmp_logit = gmp_fc(",
        reference_line="gmp = F.adaptive_max_pool2d(x, 1)",
    ),
)

# Who is trained by whom.
SETUP = (
    _classifier(
        "layers in a Python list",
        ("Net.__init__", "self.conv2 = nn.Conv2D(8, 8, 3)", "self.conv2 = [nn.Conv2D(8, 8, 3)]"),
        ("Net.forward", "self.conv2(h)", "self.conv2[0](h)"),
        ids=("module-unregistered",),
        line="self.conv2 =",
        trap="layers in a Python list",
    ),
    _classifier(
        "create_parameter in forward",
        ("Net.forward", "logits = self.head(h)", "logits = self.head(h) + self.create_parameter([4], is_bias=True)"),
        ids=("parameter-made-in-forward",),
        line="self.create_parameter",
        steps=0,
        trap="create_parameter in forward",
    ),
    _classifier(
        "a layer built in forward",
        ("Net.forward", "logits = self.head(h)", "logits = nn.Linear(32, 4)(h)"),
        ids=("parameter-made-in-forward",),
        line="nn.Linear(32, 4)(h)",
        trap="layers made in forward",
    ),
    _classifier(
        "a weight replaced after the optimizer",
        (
            _INIT,
            "self.images, self.labels",
            "self.net.head = nn.Linear(32, 4); self.net.to(dtype=dtype); self.images, self.labels",
        ),
        ids=("optimizer-holds-copies",),
        line="self.net.head = nn.Linear",
        reference_line="self.optim = torch.optim.Adam(",
        trap="parameters created after the optimizer",
    ),
    _classifier(
        "a plain tensor as a weight",
        ("Net.__init__", "self.act2 = nn.ReLU()", "self.act2 = nn.ReLU(); self.scale = paddle.to_tensor([1.0])"),
        ("Net.forward", "logits = self.head(h)", "logits = self.head(h) * self.scale.astype(h.dtype)"),
        ids=("tensor-attribute",),
        line="self.scale =",
        steps=0,
        trap="to_tensor has stop_gradient=True; a plain Tensor attribute",
    ),
    _classifier(
        "a plain tensor with a graph",
        (
            "Net.__init__",
            "self.act2 = nn.ReLU()",
            "self.act2 = nn.ReLU(); self.factor = paddle.to_tensor([1.0], stop_gradient=False)",
        ),
        ("Net.forward", "logits = self.head(h)", "logits = self.head(h) * self.factor.astype(h.dtype)"),
        ids=("tensor-attribute",),
        line="self.factor =",
        steps=0,
        trap="a plain Tensor attribute is no parameter",
    ),
    _ugatit(
        "two names for one network",
        None,
        (
            _INIT,
            "self.genB2A = ResnetGenerator(input_nc, input_nc, ngf, n_blocks, img_size, light, decoder_norm, cam)",
            "self.genB2A = self.genA2B",
        ),
        ids=("networks-shared",),
        line="self.genB2A = self.genA2B",
        reference_line="G_optim",
    ),
    _classifier(
        "parameters listed twice",
        (_INIT, "parameters = self.net.parameters()", "parameters = self.net.parameters() * 2"),
        ids=("held-twice",),
        line=_OPTIMIZER,
        reference_line="self.optim.step()",
    ),
    _classifier(
        "ReLU(True)",
        ("Net.__init__", "self.act1 = nn.ReLU()", "self.act1 = nn.ReLU(True)"),
        ids=("argument-became-name",),
        line="self.act1 =",
        trap="nn.ReLU(True) sets the name",
        steps=0,
    ),
    _classifier(
        "a regularizer of its own",
        (
            "Net.__init__",
            "self.head = nn.Linear(8 * 4, 4)",
            "self.head = nn.Linear(8 * 4, 4, weight_attr=paddle.ParamAttr(regularizer=paddle.regularizer.L2Decay(0.1)))",
        ),
        ids=("regularizer-overrides",),
        line="self.head =",
        reference_line="self.head =",
        trap="a ParamAttr regularizer overrides weight_decay",
    ),
    _classifier(
        "the layer SpectralNorm",
        (
            "Net.__init__",
            "self.conv2 = nn.Conv2D(8, 8, 3)",
            "self.conv2 = nn.Conv2D(8, 8, 3); self.sn = nn.SpectralNorm([8, 8, 3, 3]); self.sn.weight_u.name",
        ),
        ("Net.forward", "self.conv2(h)", "F.conv2d(h, self.sn(self.conv2.weight), self.conv2.bias)"),
        ids=("spectral-norm-layer",),
        line="self.sn =",
        reference_line="self.conv2 =",
    ),
)

# From the loss to the update.
STEP = (
    _classifier(
        "detach",
        (_STEP, "logits = self.net(x)", "logits = self.net(x).detach()"),
        ids=("graph-cut", "loss-without-graph"),
        line="logits = self.net(x)",
        trap="detach() cuts the graph; a backward without graph is silent",
    ),
    _classifier(
        "through numpy",
        (_STEP, "logits = self.net(x)", "logits = paddle.to_tensor(self.net(x).numpy())"),
        ids=("graph-cut", "loss-without-graph"),
        line="logits =",
        reference_line="logits =",
        trap=".numpy() cuts the graph",
    ),
    _series(
        "to_tensor of a loss",
        (_STEP, "loss = value_loss + 0.5 * odd_loss", "loss = paddle.to_tensor(value_loss.item() + 0.5 * odd_loss.item())"),
        ids=("graph-cut", "loss-without-graph"),
        line="loss = paddle.to_tensor",
        reference_line="loss = value_loss",
        trap="to_tensor(tensor), item() cut the graph",
    ),
    _classifier(
        "stop_gradient on the way",
        ("Net.forward", "logits = self.head(h)", "h.stop_gradient = True; logits = self.head(h)"),
        ids=("graph-cut",),
        line="h.stop_gradient = True",
        reference_line="h = ",
        trap="stop_gradient cuts the graph",
    ),
    _classifier(
        "forward under no_grad",
        (_STEP, "logits = self.net(x)", "logits = paddle.no_grad()(lambda x: self.net(x))(x)"),
        ids=("graph-cut", "loss-without-graph"),
        line="logits = paddle.no_grad()",
    ),
    _classifier(
        "no_grad() without with",
        (_STEP, "self.optim.clear_grad()", "self.optim.clear_grad(); paddle.no_grad()"),
        ids=("no-grad-without-with",),
        line="paddle.no_grad()",
        trap="no_grad called without with",
        steps=0,
    ),
    _series(
        "part of the network cut off",
        ("Net.forward", "embedded = self.table(tokens)", "embedded = self.table(tokens).detach()"),
        ids=("graph-cut",),
        line="embedded =",
        reference_line="embedded =",
    ),
    _series(
        "a head that never runs",
        ("Net.forward", "logits = self.side(h)", "logits = h[:, :2]"),
        ids=("module-never-run",),
        line="self.side = nn.Linear",
        reference_line="self.side",
    ),
    _ugatit(
        "the wrong classifier runs",
        "gmp_fc",
        ids=("module-bypassed",),
        line="self.gmp_fc =",
        reference_line="gmp_logit = gmp_fc",
    ),
    _classifier(
        "no backward",
        (_STEP, "loss.backward()", "pass"),
        ids=("no-backward",),
        line="self.optim.step()",
        reference_line="self.optim.step()",
    ),
    _classifier(
        "a backward at every other step only",
        (_STEP, "loss.backward()", "loss.backward() if number % 2 else None"),
        ids=("no-backward", "change-without-gradient"),
        line="self.optim.step()",
        reference_line="self.optim.step()",
        trap="clear_grad() leaves zeros: a step without backward moves weights",
    ),
    _series(
        "minimize(loss) alone",
        (_STEP, "loss.backward()", "pass"),
        (_STEP, "self.optim.step()", "self.optim.minimize(loss)"),
        ids=("no-backward",),
        line="self.optim.minimize(loss)",
        reference_line="self.optim.step()",
        trap="minimize(loss) does no backward",
    ),
    _classifier(
        "cleared after the backward",
        (_STEP, "loss.backward()", "loss.backward(); self.optim.clear_grad()"),
        ids=("cleared-too-late",),
        line="self.optim.clear_grad()",
        reference_line="self.optim.step()",
    ),
    _classifier(
        "never cleared",
        (_STEP, "self.optim.clear_grad()", "pass"),
        ids=("leftover-gradient",),
        line="self.optim.step()",
        reference_line="self.optim.",
        trap="gradients accumulate",
    ),
    _ugatit(
        "D's gradients not cleared",
        "D_gradients_not_cleared",
        ids=("leftover-gradient",),
        line="self.D_optim.step()",
        reference_line="clear_grad(self.D_optim)",
        trap="gradients accumulate",
    ),
    _ugatit(
        "G's gradients not cleared",
        "G_gradients_not_cleared",
        ids=("leftover-gradient",),
        line="self.G_optim.step()",
        reference_line="clear_grad(self.G_optim)",
        trap="gradients accumulate",
    ),
    _ugatit(
        "D stepped between G's forward and backward",
        None,
        ("Training.discriminator_step", "self.D_optim.step()", "pass"),
        ("Training.generator_step", "Generator_loss.backward()", "self.D_optim.step(); Generator_loss.backward()"),
        ids=("step-between",),
        line="self.D_optim.step()",
        reference_line="self.D_optim.step()",
        trap="an in-place optimizer step between forward and backward",
    ),
    _classifier(
        "never stepped",
        (_STEP, "self.optim.step()", "pass"),
        ids=("never-stepped",),
        line=_OPTIMIZER,
        reference_line="self.optim.step()",
    ),
    _series(
        "the optimizer rebuilt at each step",
        (
            _STEP,
            "self.optim.step()",
            "self.optim = paddle.optimizer.Adam(0.02, parameters=self.net.parameters()); self.optim.step()",
        ),
        ids=("counter-stuck",),
        line="self.optim = ",
        reference_line="self.optim.step()",
        steps=3,
    ),
    _series("lr 0", (_INIT, "Adam(0.02,", "Adam(0.0,"), ids=("lr-zero",), line="self.optim =", reference_line="self.optim ="),
    _series(
        "lr a thousand times too large",
        (_INIT, "Adam(0.02,", "Adam(20.0,"),
        ids=("lr-too-large",),
        line="self.optim =",
        reference_line="self.optim =",
    ),
    _series(
        "_learning_rate assigned",
        (_STEP, "self.optim.step()", "self.optim.step(); self.optim._learning_rate = 0.002"),
        ids=("lr-ignored",),
        line="_learning_rate = 0.002",
        reference_line="self.optim.step()",
        trap="changing _learning_rate after the first step is ignored",
    ),
    _classifier(
        "set_lr beside a scheduler",
        (_STEP, "self.scheduler.step()", "self.optim.set_lr(0.001)"),
        ids=("lr-scheduler-conflict",),
        line="self.optim.set_lr",
        trap="set_lr with a scheduler raises",
    ),
    _classifier(
        "scheduler stepped too often",
        (_STEP, "self.scheduler.step()", "[self.scheduler.step() for _ in range(8)]"),
        ids=("scheduler-too-often",),
        line="self.scheduler.step()",
        reference_line="self.optim.step()",
        steps=3,
    ),
    _classifier(
        "weight decay of 10",
        (_INIT, "weight_decay=1e-4", "weight_decay=10.0"),
        ids=("decay-dominates",),
        line="self.optim =",
        reference_line="self.optim =",
    ),
    Sitting(
        "the optimizer's state reset at each step",
        "classifier",
        "torch",
        ((_STEP, "self.optim.step()", "self.optim.step(); self.optim.state.clear()"),),
        ids=("counter-stuck",),
        line="self.optim =",
    ),
    Sitting(
        "a deepcopy handed to the optimizer",
        "series",
        "torch",
        ((_INIT, "parameters = self.net.parameters()", "parameters = copy.deepcopy(self.net).parameters()"),),
        names={"copy": copy},
        ids=("optimizer-holds-copies",),
        line="self.optim =",
    ),
    Sitting(
        "weights put back after each step",
        "series",
        "torch",
        (
            (
                _STEP,
                "tokens, values, odd = self.batch(number)",
                "self.net.load_state_dict(self.start) if hasattr(self, 'start') else setattr(self, 'start', "
                "{k: v.clone() for k, v in self.net.state_dict().items()}); tokens, values, odd = self.batch(number)",
            ),
        ),
        ids=("update-undone",),
        line="self.net.load_state_dict",
    ),
    Sitting(
        "a loss detached and revived",
        "classifier",
        "torch",
        ((_STEP, "logits = self.net(x)", "logits = self.net(x).detach().requires_grad_()"),),
        ids=("network-without-gradient", "graph-cut"),
        line="logits =",
    ),
    Sitting(
        "never cleared (torch)",
        "series",
        "torch",
        ((_STEP, "self.optim.zero_grad(set_to_none=False)", "pass"),),
        ids=("leftover-gradient",),
        line="self.optim.step()",
        trap="gradients accumulate",
    ),
    Sitting(
        "layers in a Python list (torch)",
        "classifier",
        "torch",
        (
            ("Net.__init__", "self.conv2 = nn.Conv2d(8, 8, 3)", "self.conv2 = [nn.Conv2d(8, 8, 3)]"),
            ("Net.forward", "self.conv2(h)", "self.conv2[0](h)"),
        ),
        ids=("module-unregistered",),
        line="self.conv2 =",
    ),
    Sitting(
        "no gradient: a loss without graph (torch)",
        "series",
        "torch",
        ((_STEP, "loss = value_loss + 0.5 * odd_loss", "loss = torch.tensor(value_loss.item() + 0.5 * odd_loss.item())"),),
        ids=("loss-without-graph", "graph-cut"),
        line="loss = torch.tensor",
    ),
)

# State, numbers, data.
STATE = (
    _classifier(
        "eval mode",
        (_STEP, "self.net.train()", "self.net.eval()"),
        ids=("eval-mode",),
        line="self.net.eval()",
        reference_line="norm1",
    ),
    _ugatit(
        "eval mode left on", "eval_mode_left_on", ids=("eval-mode",), line="network.eval()", reference_line="spectral_norm("
    ),
    _classifier(
        "running statistics frozen",
        ("BatchNorm.forward", "paddle.assign(0.9 * self.running_mean + 0.1 * mean.detach(), self.running_mean)", "pass"),
        ids=("state-frozen",),
        line="running_mean",
        reference_line="norm1",
    ),
    _classifier(
        "NaN swallowed by a relu",
        ("BatchNorm.forward", "paddle.sqrt(var + 1e-5)", "paddle.sqrt(var - 5.0)"),
        ids=("nonfinite",),
        line="paddle.sqrt(var - 5.0)",
        reference_line="scale =",
    ),
    _series(
        "0 / 0 in a loss",
        (
            _STEP,
            "odd_loss = F.cross_entropy(logits, odd)",
            "odd_loss = F.cross_entropy(logits, odd) * (paddle.zeros([1]) / paddle.zeros([1])).astype(value.dtype)",
        ),
        ids=("nonfinite",),
        line="odd_loss =",
        reference_line="odd_loss =",
    ),
    _classifier(
        "dead relu",
        ("Net.forward", "h = self.act1(self.norm1(self.conv1(x)))", "h = self.act1(self.norm1(self.conv1(x)) - 100.0)"),
        ids=("activation-dead",),
        line="self.act1 =",
        reference_line="self.act1(",
    ),
    _series(
        "saturated gates",
        ("Cell.forward", "z = self.sigmoid(self.gate(both))", "z = self.sigmoid(1e4 * self.gate(both))"),
        ids=("activation-saturated",),
        line="self.sigmoid =",
        reference_line="z = ",
    ),
    _classifier(
        "average of a normed map",
        ("Net.forward", "h = F.avg_pool2d(h, 4)", "h = F.instance_norm(h).mean([2, 3], keepdim=True).tile([1, 1, 2, 2])"),
        ids=("features-constant",),
        line="logits = self.head(h)",
        reference_line="h = F.avg_pool2d(h, 4)",
    ),
    _series(
        "predictions [N, 1] against targets [N]",
        ("Net.forward", "value = value.reshape([-1])", "value = value"),
        ids=("loss-broadcast",),
        line="value_loss = F.mse_loss",
        reference_line="value = value.reshape",
        trap="mse_loss([N, 1], [N]) broadcasts",
    ),
    _classifier(
        "pictures in 0..255",
        (_BATCH, "paddle.to_tensor(self.images[chosen])", "paddle.to_tensor(self.images[chosen] * 127.5 + 127.5)"),
        ids=("input-range",),
        line="logits = self.net(x)",
        reference_line="x = ",
    ),
    _classifier(
        "the same batch at each step",
        (_BATCH, "divmod(number - 1,", "divmod(0,"),
        ids=("batch-constant",),
        line="logits = self.net(x)",
        reference_line="epoch, index =",
        steps=3,
    ),
    _classifier(
        "each epoch in the same order",
        (_BATCH, "data.order(len(self.labels), epoch)", "data.order(len(self.labels), 0)"),
        ids=("order-repeats", "never-shuffled"),  # what should shuffle stands in another file
        line="logits = self.net(x)",
        reference_line="x = ",
        steps=9,
    ),
    _classifier(
        "sorted by class",
        (_BATCH, "order = data.order(len(self.labels), epoch)", "order = np.argsort(self.labels, kind='stable')"),
        names={"np": np},
        ids=("labels-sorted",),
        line="y = ",
        reference_line="x = ",
    ),
    _classifier(
        "the data run dry",
        (_BATCH, "chosen = order[", "next(self.__dict__.setdefault('left', iter(range(2)))); chosen = order["),
        ids=("no-data",),
        line="next(self",
        steps=3,
    ),
)

# The course of the loss.
COURSE = (
    _classifier("the scheduler never stepped", (_STEP, "self.scheduler.step()", "pass"), ids=("scheduler-stuck",),
                line="StepDecay(", reference_line="self.optim.step()", steps=11),
    _classifier("labels that mean nothing", (_BATCH, "paddle.to_tensor(self.labels[chosen])",
                "paddle.to_tensor(np.random.default_rng(number).permutation(self.labels[chosen]))"), names={"np": np},
                ids=("loss-at-chance",), line="loss =", reference_line="y = "),
    _series("a loss that drowns the other", (_STEP, "0.5 * odd_loss", "1e4 * odd_loss"), ids=("loss-drowned",), line="odd_loss =",
            reference_line="loss ="),
    # What no run without a reference can know.
    _ugatit("one label of sixteen wrong", "wrong_label", ids=("differs-from-reference",), reference_line="D_ad_loss_GA ="),
    _series("the wrong token asked for", ("Net.forward", "range(tokens.shape[1])", "range(1, tokens.shape[1])"),
            ids=("differs-from-reference",), reference_line="embedded"),
)

FAULTY: tuple[Sitting, ...] = tuple(itertools.chain(SIX, SETUP, STEP, STATE, COURSE))
