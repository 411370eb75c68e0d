"""Mistakes that no value of a line shows: a graph that is cut or kept, a derivative, a write in place, a round of a loop, a
parameter that is frozen. The mistake's own line is named; a right twin, in which all of it stands as well, is the same."""

import importlib.util
import sys

import pytest

from parity import Port, compare, normal

HEAD = {"torch": "import torch\nfrom torch import nn\n\n", "paddle": "import paddle\nfrom paddle import nn\n\n"}

SQUARE = """class Square({base}):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        x, = ctx.{saved}
        return 2 * x * g

"""

# name: (what stands before the class, its constructor, its forward) in torch's words, and mistakes
PROGRAMS = {
    "an input cut off": ("", ["self.fc = nn.Linear(6, 6)"], ["y = torch.tanh(self.fc(x.detach())) + x", "return y * 2"], [
        "self.fc(x.detach()) => self.fc(x)", "+ x => + x.detach()", "fc(x.detach())) + x => fc(x)) + x.detach()"]),
    "a straight path": ("", ["self.fc = nn.Linear(6, 6)"], ["q = torch.round(x)", "z = x + (q - x).detach()",
                                                              "return self.fc(z)"], ["x + (q - x).detach() => q"]),
    "a share of the gradient": ("", ["self.fc = nn.Linear(6, 6)"], ["z = 0.25 * x + 0.75 * x.detach()", "return self.fc(z)"], [
        "0.25 * x + 0.75 * x.detach() => 0.5 * x + 0.5 * x.detach()"]),
    "a region": ("", ["self.fc = nn.Linear(6, 6)"], ["with torch.no_grad():", "    h = self.fc(x)", "return h * x"], [
        "with torch.no_grad(): => if True:"]),
    "a hook": ("", ["self.fc = nn.Linear(6, 6)"], ["y = self.fc(x)", "y.register_hook(lambda g: 0.5 * g)",
                                                      "return torch.tanh(y)"], ["0.5 * g => 0.25 * g", "0.5 * g => -0.5 * g"]),
    "a derivative": (SQUARE, ["self.fc = nn.Linear(6, 6)"], ["return Square.apply(self.fc(x))"], ["2 * x * g => x * g"]),
    "written in place": ("", ["self.fc = nn.Linear(6, 6)"], ["z = self.fc(x) * 1", "z[1] = 0.0", "return z"], [
        "z[1] = 0.0 => z[0] = 0.0", "z[1] = 0.0 => z[1] = 0.5"]),
    "written twice": ("", ["self.fc = nn.Linear(6, 6)"], ["y = self.fc(x) * 1", "y[:, 2:4] = y[:, 2:4] * 2", "y[1] += 1",
                                                            "return y"], [
        "y[1] += 1 => y[:, 1] += 1", "y[:, 2:4] = y => y[:, 1:3] = y"]),
    "a loop": ("", ["self.fc = nn.Linear(6, 6)"], ["for _ in range(3):", "    x = torch.tanh(self.fc(x))", "return x"], [
        "range(3) => range(4)", "range(3) => range(2)"]),
}


def text_of(framework, before, constructor, forward):
    base = {"torch": "nn.Module", "paddle": "nn.Layer"}[framework]
    before = before.format(base={"torch": "torch.autograd.Function", "paddle": "paddle.autograd.PyLayer"}[framework],
                           saved={"torch": "saved_tensors", "paddle": "saved_tensor()"}[framework])
    lines = [f"class Net({base}):", "    def __init__(self):", "        super().__init__()",
             *(f"        {one}" for one in constructor), "", "    def forward(self, x):", *(f"        {one}" for one in forward)]
    return HEAD[framework] + before + "\n".join(lines).replace("torch", framework) + "\n"


@pytest.fixture(autouse=True)
def _modules_forgotten():
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        if name.startswith(("theirs_", "ours_")):
            del sys.modules[name]


def built(folder, name, text):
    file = folder / f"{name}.py"
    file.write_text(text)
    specification = importlib.util.spec_from_file_location(f"{name}_{folder.name}", file)
    module = sys.modules[specification.name] = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.Net


def compared(folder, reference, twin):
    port = Port(built(folder, "theirs", reference), built(folder, "ours", twin), inputs=[normal(4, 6)], name="Net")
    (result,) = compare(port, modes=["eval"], lanes=["float64"]).results
    return result.report


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_line_that_decides_is_named_and_a_right_twin_is_the_same(tmp_path, name):
    *program, mistakes = PROGRAMS[name]
    reference, right = (text_of(framework, *program) for framework in ("torch", "paddle"))
    (tmp_path / "right").mkdir()
    assert compared(tmp_path / "right", reference, right).verdict == "same"
    for number, mistake in enumerate(mistakes):
        old, new = mistake.replace("torch", "paddle").split(" => ")
        assert right.count(old) == 1
        folder = tmp_path / str(number)
        folder.mkdir()
        wrong = right.replace(old, new)
        line = next(number for number, (one, other) in enumerate(zip(right.splitlines(), wrong.splitlines(), strict=True), 1)
                    if one != other)
        report = compared(folder, reference, wrong)
        assert report.verdict == "diverged" and report.first.twin.line == line, f"{mistake}: {report.first}"


FROZEN = ["self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 6)", "self.b.weight.requires_grad = False"]


@pytest.mark.parametrize("second, verdict", [("self.b.weight.stop_gradient = True", "same"),
                                             ("self.b.weight.stop_gradient = False", "diverged")])
def test_a_parameter_that_one_side_freezes_is_placed_at_the_line_that_does(tmp_path, second, verdict):
    forward = ["return self.b(torch.tanh(self.a(x)))"]
    twin = text_of("paddle", "", [FROZEN[0], second], forward)
    report = compared(tmp_path, text_of("torch", "", FROZEN, forward), twin)
    assert report.verdict == verdict
    if verdict == "diverged":
        assert report.first.twin.text == second and report.first.reference.text == FROZEN[1]


def test_words_of_the_way_back_that_differ_elsewhere_are_no_place_of_a_value(tmp_path):
    """Something is wrong in the forward: then it is placed there, whatever else is said of gradients."""
    forward = ["y = torch.tanh(self.fc(x))", "z = y.detach() * 2", "return y + z"]
    twin = text_of("paddle", "", ["self.fc = nn.Linear(6, 6)"], ["y = torch.sin(self.fc(x))", "z = y * 2", "return y + z"])
    report = compared(tmp_path, text_of("torch", "", ["self.fc = nn.Linear(6, 6)"], forward), twin)
    assert report.first.key.stage == "forward" and report.first.twin.text == "y = paddle.sin(self.fc(x))"
