"""What is tried at a place: among the first is the change that is meant; of a line that says the same, the reference tells none."""

import ast

import pytest

from parity.mending.candidates import candidates, spots
from parity.mending.hints import NONE, Hints, told
from parity.mending.patches import Source, patched
from parity.mending.translation import Translation
from parity.trace.source import Site

HEAD = {"torch": "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n",
        "paddle": "import paddle\nimport paddle.nn as nn\nimport paddle.nn.functional as F\n"}


def said(line):
    reference, twin = (Source(f"{name}.py", HEAD[name]) for name in ("torch", "paddle"))
    translation = Translation(reference, twin, {})
    return ast.unparse(translation.of(ast.parse(line).body[0])), translation.complete


SAID = {
    "y = torch.cat([a, b], dim=1)": "y = paddle.concat([a, b], axis=1)",
    "y = x.view(x.size(0), -1)": "y = x.reshape([x.shape[0], -1])",
    "y = x.permute(0, 2, 1).contiguous()": "y = x.transpose([0, 2, 1])",
    "y = x.mean(dim=[2, 3], keepdim=True)": "y = x.mean(axis=[2, 3], keepdim=True)",
    "y = torch.max(x, 1)[0]": "y = paddle.max(x, 1)",
    "self.n = nn.BatchNorm2d(8, momentum=0.01)": "self.n = nn.BatchNorm2D(8, momentum=0.99)",
    "self.n = nn.BatchNorm2d(8, 1e-3, affine=False)":
        "self.n = nn.BatchNorm2D(8, epsilon=0.001, weight_attr=False, bias_attr=False)",
    "self.n = nn.InstanceNorm2d(8)": "self.n = nn.InstanceNorm2D(8, weight_attr=False, bias_attr=False)",
    "self.p = nn.AvgPool2d(3, padding=1)": "self.p = nn.AvgPool2D(3, padding=1, exclusive=False)",
    "self.p = nn.ReflectionPad2d(1)": "self.p = nn.Pad2D(1, mode='reflect')",
    "self.c = nn.Conv2d(3, 8, 3, bias=False)": "self.c = nn.Conv2D(3, 8, 3, bias_attr=False)",
    "self.l = nn.Linear(3, 8, False)": "self.l = nn.Linear(3, 8, bias_attr=False)",
    "self.n = nn.LayerNorm(8, eps=1e-6)": "self.n = nn.LayerNorm(8, epsilon=1e-06)",
    "y = F.softmax(x, dim=-1)": "y = F.softmax(x, axis=-1)",
    "y = x.clamp(0, 1).float()": "y = x.clip(0, 1).astype('float32')",
    "y = F.relu(x, inplace=True)": "y = F.relu(x)",
    "return super().forward(x)": "return super().forward(x)",
    "self.r = nn.LSTM(8, 6, bidirectional=True)": "self.r = nn.LSTM(8, 6, direction='bidirect', time_major=True)",
    "self.r = nn.GRU(8, 6, 2, batch_first=True)": "self.r = nn.GRU(8, 6, 2)",
    "self.g = nn.GroupNorm(2, 8, affine=False)": "self.g = nn.GroupNorm(2, 8, weight_attr=False, bias_attr=False)",
    "self.a = nn.GELU(approximate='tanh')": "self.a = nn.GELU(approximate=True)",
    "y = torch.split(x, 2, dim=-1)": "y = paddle.split(x, x.shape[-1] // 2, axis=-1)",
    "y = torch.split(x, [2, 4], 1)": "y = paddle.split(x, [2, 4], axis=1)",
    "y = x.transpose(1, 2)": "y = x.swapaxes(1, 2)",
    "p.requires_grad = False": "p.stop_gradient = True",
    "o = torch.optim.SGD(n.parameters(), 0.1, momentum=0.9)":
        "o = paddle.optimizer.Momentum(parameters=n.parameters(), learning_rate=0.1, momentum=0.9)",
    "o = torch.optim.Adam(n.parameters(), lr=0.1, betas=(0.5, 0.9))":
        "o = paddle.optimizer.Adam(parameters=n.parameters(), learning_rate=0.1, beta1=0.5, beta2=0.9)",
    "o = torch.optim.RMSprop(n.parameters())":
        "o = paddle.optimizer.RMSProp(parameters=n.parameters(), learning_rate=0.01, rho=0.99, epsilon=1e-08)",
    "o.zero_grad()": "o.clear_grad()",
    "y = torch.gather(x, 1, z)": "y = paddle.take_along_axis(x, z, 1)",
    "y = torch.zeros(2, n)": "y = paddle.zeros([2, n])",
    "self.g = nn.Parameter(torch.ones(1, n))":
        "self.g = self.create_parameter([1, n], default_initializer=nn.initializer.Constant(1.0))",
    "self.g = nn.Parameter(torch.full((1, n), 0.9))":
        "self.g = self.create_parameter([1, n], default_initializer=nn.initializer.Constant(0.9))",
    "self.g = nn.Parameter(x * 2)":
        "self.g = self.create_parameter((x * 2).shape, default_initializer=nn.initializer.Assign(x * 2))",
    "l = F.binary_cross_entropy_with_logits(x, z)": "l = F.binary_cross_entropy_with_logits(x, z)",
    "p.copy_(r)": "paddle.assign(r, p)",
    "y = x.detach().cpu().numpy().copy()": "y = x.detach().numpy()",
    "y = F.huber_loss(x, z, delta=0.5)": "y = F.smooth_l1_loss(x, z, delta=0.5)",
}


@pytest.mark.parametrize("line", SAID)
def test_a_line_of_torch_is_said_in_paddle(line):
    assert said(line) == (SAID[line], True)


def test_what_paddle_has_no_name_for_is_known_not_to_be_said():
    assert not said("y = torch.special.bessel_j0(x)")[1]


def module(framework, built, run):
    base = "nn.Module" if framework == "torch" else "nn.Layer"
    lines = [f"class Net({base}):", "    def __init__(self):", "        super().__init__()", *(f"        {line}" for line in built),
             "    def forward(self, x, z):", *(f"        {line}" for line in run), "        return x"]
    return Source(f"{framework}.py", HEAD[framework] + "\n".join(lines) + "\n")


def texts(ours, theirs, line, other, hints=NONE):
    """The twin's text after each candidate, in the order in which they are tried, and whether the reference tells of it."""
    twin, reference = module("paddle", *ours), module("torch", *theirs)
    places = [next(number for number, text in enumerate(source.text.splitlines(), 1) if wanted in text)
              for source, wanted in ((twin, line), (reference, other))]
    found = [(candidate.cost + number, candidate) for number, spot in
             enumerate(spots(twin, Site(twin.file, places[0]), reference, Site(reference.file, places[1])))
             for candidate in candidates(spot, hints)]
    return [(patched(twin.text, candidate.changes), candidate.told) for _, candidate in sorted(found, key=lambda one: one[0])]


BUILT = {"torch": ["self.a = nn.Linear(4, 4)", "self.b = nn.Linear(4, 4)", "self.slope = 0.2"],
         "paddle": ["self.a = nn.Linear(4, 4)", "self.b = nn.Linear(4, 4)", "self.slope = 0.2"]}
FAULTS = {
    "another layer": ("y = self.a(x)", "y = self.b(x)", "y = self.a(x)", 1),
    "another operation":
        ("y = F.adaptive_max_pool2d(x, 1)", "y = F.adaptive_avg_pool2d(x, 1)", "y = F.adaptive_max_pool2d(x, 1)", 2),
    "one operation more": ("y = x + z", "y = F.relu(x + z)", "y = x + z", 2),
    "detached": ("y = self.a(x)", "y = self.a(x.detach())", "y = self.a(x)", 2),
    "another axis": ("y = F.softmax(x, dim=1)", "y = F.softmax(x, axis=0)", "y = F.softmax(x, axis=1)", 1),
    "a default": ("y = F.leaky_relu(x, 0.2)", "y = F.leaky_relu(x)", "y = F.leaky_relu(x, 0.2)", 1),
    "an argument too many": ("y = F.gelu(x)", "y = F.gelu(x, approximate=True)", "y = F.gelu(x)", 1),
    "swapped": ("y = torch.cat([x, z], 1)", "y = paddle.concat([z, x], 1)", "y = paddle.concat([x, z], 1)", 4),
    "operands": ("y = x - z", "y = z - x", "y = x - z", 4),
    "a choice": ("y = self.a(x)", "y = (self.b if x.ndim else self.a)(x)", "y = self.a(x)", 3),
    "a sign": ("y = x + z", "y = x - z", "y = x + z", 2),
    "a sign in place": ("x += z", "x -= z", "x += z", 4),
    "a quotient": ("y = x * z", "y = x / z", "y = x * z", 2),
    "a wrong factor": ("y = x * 0.5", "y = x * 0.25", "y = x * 0.5", 2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_change_that_is_meant_is_tried_early(name):
    theirs, wrong, right, among = FAULTS[name]
    made = texts((BUILT["paddle"], [wrong]), (BUILT["torch"], [theirs]), wrong, theirs)
    wanted = module("paddle", BUILT["paddle"], [right]).text
    assert wanted in [text for text, _ in made[:among]], [text for text, _ in made[:among]]


def test_a_statement_that_is_missing_is_put_in():
    whole = ["y = self.a(x)", "y = y + x", "x = self.b(y)"]
    made = texts((BUILT["paddle"], [whole[0], whole[2]]), (BUILT["torch"], whole), whole[2], whole[1])
    assert module("paddle", BUILT["paddle"], whole).text in [text for text, _ in made[:8]]


def test_what_the_line_reads_of_the_module_is_looked_at_where_it_is_set():
    wrong = [*BUILT["paddle"][:2], "self.slope = 0.01"]
    line = "y = F.leaky_relu(x, self.slope)"
    made = texts((wrong, [line]), (BUILT["torch"], [line]), line, line)
    assert made[0] == (module("paddle", BUILT["paddle"], [line]).text, True)


def test_names_are_the_twins():
    ours, theirs = ["h = self.a(x)", "y = F.relu(h) * 2"], ["out = self.a(x)", "y = F.relu(out) * 3"]
    made = texts((BUILT["paddle"], ours), (BUILT["torch"], theirs), ours[1], theirs[1])
    assert made[0][0] == module("paddle", BUILT["paddle"], [ours[0], "y = F.relu(h) * 3"]).text


@pytest.mark.parametrize(("theirs", "ours"), [(FAULTS[name][0], FAULTS[name][2]) for name in FAULTS])
def test_of_a_line_that_says_the_same_nothing_is_told(theirs, ours):
    """There are guesses still: it may be the line of a helper that is wrong. But nothing that the reference says."""
    made = texts((BUILT["paddle"], [ours]), (BUILT["torch"], [theirs]), ours, theirs)
    assert not any(told for _, told in made)


def test_another_statement_on_the_line_may_be_one_too_many():
    made = texts((["self.a = nn.Linear(4, 4); self.k = 2"], ["y = self.a(x)"]), (BUILT["torch"][:1], ["y = self.a(x)"]),
                 "self.k", "self.a = nn")
    assert module("paddle", ["self.a = nn.Linear(4, 4)"], ["y = self.a(x)"]).text in [text for text, _ in made]


def test_no_candidate_names_what_the_twins_file_does_not_know():
    theirs = "y = helper(x)"
    made = texts((BUILT["paddle"], ["y = paddle.sin(x)"]), (BUILT["torch"], [theirs]), "y = paddle", theirs)
    assert made and not any("helper" in text for text, _ in made)


def test_no_candidate_leaves_torchs_words_in_the_twin():
    theirs = "y = torch.special.bessel_j0(x)"
    made = texts((BUILT["paddle"], ["y = paddle.sin(x)"]), (BUILT["torch"], [theirs]), "y = paddle", theirs)
    assert made and not any("torch" in text for text, _ in made)


def test_what_paddles_own_operation_does_otherwise_is_composed():
    """Paddle's mean counts the labels that are ignored, too."""
    line, right = "y = F.cross_entropy(x, z)", "y = F.cross_entropy(x, z, reduction='sum') / (z != -100).sum().astype(x.dtype)"
    made = texts((BUILT["paddle"], [line]), (BUILT["torch"], [line]), line, line)
    assert made[0] == (module("paddle", BUILT["paddle"], [right]).text, False)
    others = "y = F.cross_entropy(x, z, reduction='sum')"
    assert not any("!=" in text for text, _ in texts((BUILT["paddle"], [others]), (BUILT["torch"], [others]), others, others))


def test_no_statement_is_left_that_does_nothing():
    line = "x.set_value(x.clip(0, 1))"
    made = texts((BUILT["paddle"], [line, "y = self.a(x)"]), (BUILT["torch"], ["y = self.a(x)"]), line, "y = self.a")
    assert module("paddle", BUILT["paddle"], ["y = self.a(x)"]).text in [text for text, _ in made]
    assert module("paddle", BUILT["paddle"], ["x", "y = self.a(x)"]).text not in [text for text, _ in made]


def first_patches(ours, theirs, hints=NONE, count=30):
    """What the twin's one line in `forward` becomes, in the order of the trials."""
    made = texts((BUILT["paddle"], [ours]), (BUILT["torch"], [theirs]), ours.partition("\n")[0], theirs, hints)
    head, tail = module("paddle", BUILT["paddle"], [ours]).text.split(ours)
    said = [text.removeprefix(head).removesuffix(tail) for text, _ in made if text.startswith(head) and text.endswith(tail)]
    return list(dict.fromkeys(said))[:count]


@pytest.mark.parametrize(("theirs", "ours", "right"), [
    ("y = self.both(x, z)", "y = x + self.a(x) - (z)  # less", "y = x + self.a(x) + (z)  # less"),
    ("y = self.both(x)", "y = x.sum(1)", "y = x.mean(1)"),
    ("y = self.both(x)", "y = F.leaky_relu(x)", "y = F.relu(x)"),
    ("y = self.both(x)", "y = F.max_pool2d(x, 2)", "y = F.avg_pool2d(x, 2)"),
    ("y = self.both(x)", "y = x * self.n ** -0.4", "y = x * self.n ** -0.5"),
    ("y = self.both(x)", "y = self.a(x, z=1)", "y = self.a(x, z=z)"),
    ("y = self.both(x)", "y = self.a(x,\n            z, act='tanh')", "y = self.a(x,\n            z, act='gelu')"),
])
def test_where_the_reference_says_it_otherwise_what_is_usual_is_tried(theirs, ours, right):
    assert right in first_patches(ours, theirs), first_patches(ours, theirs)


@pytest.mark.parametrize(("hints", "ours", "right"), [
    (Hints(settings=(("epsilon", "0.001", "1e-12"),)), "y = self.a(x, epsilon=1e-3)", "y = self.a(x, epsilon=1e-12)"),
    (Hints(settings=(("epsilon", "1e-05", "1e-12"),)), "y = nn.LayerNorm(4)", "y = nn.LayerNorm(4, epsilon=1e-12)"),
    (Hints(settings=(("z", "1", "2"),)), "y = self.a(x, z=1)", "y = self.a(x, z=z)"),
    (Hints(reference=("gelu",), twin=("relu",)), "y = nn.functional.relu(x)", "y = nn.functional.gelu(x)"),
    (Hints(reference=("relu",), twin=("leaky_relu",)), "y = nn.LeakyReLU()(x)", "y = nn.ReLU()(x)"),
    (Hints(reference=("gelu",), twin=("tanh",)), "y = self.a(x, act='tanh')", "y = self.a(x, act='gelu')"),
])
def test_what_the_finding_tells_is_tried_first(hints, ours, right):
    assert first_patches(ours, "y = self.both(x)", hints)[0] == right
    line = "y = self.both(x)"
    of_the_right_one = [texts((BUILT["paddle"], [right]), (BUILT["torch"], [line]), right, line, told) for told in (hints, NONE)]
    assert of_the_right_one[0] == of_the_right_one[1], "it tells nothing of a line that is as it says"


def test_a_cause_tells_its_settings_and_operations():
    from parity.messages import say, together
    setting = say("{name} is {twin} in the twin, {reference} in the reference", name="epsilon", twin="0.001", reference="1e-05")
    assert Hints.of(told(together([setting, setting]))).settings == (("epsilon", "0.001", "1e-05"),) * 2
    sides = [say("{side} has {operations} there ({place})", side=say(side), operations=operations, place="net.py:3")
             for side, operations in (("the reference", "gelu"), ("the twin", "relu, add"))]
    assert Hints.of(told(together(sides))) == Hints((), ("gelu",), ("relu", "add"))
    assert Hints.of(told(None)) == Hints.of(told("in words")) == NONE
