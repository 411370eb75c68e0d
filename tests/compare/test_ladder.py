"""Two small programs climb the ladder: what is the same passes, what is not is found, and placed."""

import gc
import tracemalloc
import warnings
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
import torch
import toys
from toys import INPUTS, between, mutant, numbers, subject

from parity.compare.ladder import _forgive_kinks, compare
from parity.declare.pair import Pair
from parity.numbers.arrays import Deviation, Verdict
from parity.trace.events import Event, Key
from parity.verdict.findings import NothingCompared, Report
from parity.verdict.judge import Judge
from parity.verdict.sinks import Store

SLOW = {"lanes": ("float64",)}


def places(report):
    return [str(finding.key) for finding in report.places]


# --- the healthy twin ------------------------------------------------------------------------------------------------

HEALTHY = {
    "both lanes": {}, "eval": {"training": False}, "five calls": {"calls": 5}, "another seed": {"seed": 3},
    "large": {"inputs": {k: 1e6 * v for k, v in INPUTS["Net"].items()}},
    "small": {"inputs": {k: 1e-6 * v for k, v in INPUTS["Net"].items()}},
    "zero": {"inputs": {k: 0 * v for k, v in INPUTS["Net"].items()}},
    "constant": {"inputs": {k: 0 * v + 0.7 for k, v in INPUTS["Net"].items()}},
}


@pytest.mark.parametrize("words", HEALTHY)
def test_a_healthy_twin_passes(words):
    report = compare(subject(**HEALTHY[words]))
    assert report.verdict == "same" and not report.uncompared and not report.places and report.first is None
    assert report.compared > 100 and not report.unseen
    assert all(f.lane == "float32" and f.floor_multiple <= 4 for f in report.findings)


@pytest.mark.parametrize("name", ["Words", "Image", "Attention"])
def test_other_healthy_twins_pass(name):
    report = compare(subject(name))
    assert report.verdict == "same" and not report.uncompared


# --- mutants: (function, good, bad), then stage, module, variable, line of the reference -----------------------------

MUTANTS = {
    "wrong eps": ("Norm.forward", "var + 2**-16", "var + 2**-13", "forward", "net.norm", "out", "out = centred /"),
    "wrong axis": ("Norm.forward", "mean = x.mean(1, keepdim=True)", "mean = x.mean(0, keepdim=True)",
                   "forward", "net.norm", "mean", "mean = x.mean(1"),
    "a broadcast shape": ("Norm.forward", "mean = x.mean(1, keepdim=True)", "mean = x.mean(keepdim=True)",
                          "forward", "net.norm", "mean", "mean = x.mean(1"),
    "gamma and beta swapped": ("Norm.forward", "out * self.gamma + self.beta", "out * self.beta + self.gamma",
                               "forward", "net.norm", "out", "out = out * self.gamma"),
    "a layer that never ran": ("Net.forward", "skip = self.second(h)", "skip = h",
                               "forward", "net.second", "input[0]", "skip = self.second(h)"),
    "a layer twice": ("Net.forward", "h = self.act(h)", "h = self.act(self.act(h))", "forward", "net.act", "input[0]", None),
    "another argument": ("Net.forward", "skip = self.second(h)", "skip = self.second(x)",
                         "forward", "net.second", "input[0]", "skip = self.second(h)"),
    "another layer": ("Net.forward", "skip = self.second(h)", "skip = self.first(h)", "forward", "net.first", "input[0]", None),
    "swapped arguments of a method": ("Net.forward", "self.mix(out, out * 2)", "self.mix(out * 2, out)",
                                      "forward", "net", "argument a", "score = self.mix("),
    "a wrong result of a method": ("Net.mix", "return both.mean(1)", "return both.mean(1) + 1e-9",
                                   "forward", "net", "return", "return both.mean(1)"),
    "something between two layers": ("Net.forward", "out = self.head(h)", "out = self.head(h + 0.5)",
                                     "forward", "net.head", "input[0]", "out = self.head(h)"),
    "a reversed output": ("Net.forward", "return out, score", "return out.flip([1]), score",
                          "forward", "net", "output[0]", "return out, score"),
    "a permuted output": ("Net.forward", "return out, score", "return out, score.flip([0])",
                          "forward", "net", "output[1]", "return out, score"),
    "outputs in another order": ("Net.forward", "return out, score", "return score, out",
                                 "forward", "net", "output[0]", "return out, score"),
    "an output of another shape": ("Net.forward", "return out, score", "return out, score.unsqueeze(1)",
                                   "forward", "net", "output[1]", "return out, score"),
    "an output less": ("Net.forward", "return out, score", "return (out,)", "forward", "net", "output[1]", "return out, score"),
    "an output more": ("Net.forward", "return out, score", "return out, score, h", "forward", "net", "output[2]", None),
    "NaN in one place": ("Net.forward", "h = h + skip * y", "h = h + skip * y; h[1, 2] = float('nan')",
                         "forward", "net", "h", "h = h + skip * y"),
    "a detached value": ("Net.forward", "skip = self.second(h)", "skip = self.second(h.detach())",
                         "gradients", "net.act", "output", None),
    "a detached output": ("Net.forward", "return out, score", "return out, score.detach()",
                          "gradients", "net", None, "return out, score"),
    "a doubled gradient": ("Norm.forward", "out * self.gamma + self.beta",
                           "out * (2 * self.gamma - self.gamma.detach()) + self.beta",
                           "gradients", "net.norm", "gamma", None),
    "a buffer never written": ("Norm.forward", "if self.training:", "if False:", "state", "net.norm", "seen", None),
    "a buffer with another momentum": ("Norm.forward", "0.9 * self.seen + 0.1", "0.8 * self.seen + 0.2",
                                       "state", "net.norm", "seen", None),
    "an exception": ("Norm.forward", "mean = x.mean(1, keepdim=True)", "mean = x.mean(7, keepdim=True)",
                     "forward", "net.norm", "(exception)", None),
    "an exception at the very start": ("Net.forward", "h = self.first(x)", "raise KeyError('start')",
                                       "forward", "net", "(exception)", None),
    "a parameter more": ("Net.__init__", "self.head = paddle.nn.Linear(4, 3)",
                         "self.head = paddle.nn.Linear(4, 3); self.extra = self.create_parameter([1])",
                         "census", "net", "extra", None),
    "a parameter less": ("Net.__init__", "self.head = paddle.nn.Linear(4, 3)",
                         "self.head = paddle.nn.Linear(4, 3, bias_attr=False)",
                         "census", "net.head", "bias", "self.head = torch.nn.Linear(4, 3)"),
    "a buffer less": ("Norm.__init__", 'self.register_buffer("seen", paddle.zeros([width]))', "self.seen = paddle.zeros([width])",
                      "census", "net.norm", "seen", "self.norm = TorchNorm(4)"),
    "a parameter of another shape": ("Net.__init__", "self.head = paddle.nn.Linear(4, 3)", "self.head = paddle.nn.Linear(4, 5)",
                                     "census", "net.head", "weight", "self.head = torch.nn.Linear(4, 3)"),
    "a frozen parameter": ("Norm.__init__", "self.gamma = self.create_parameter([width])",
                           "self.gamma = self.create_parameter([width]); self.gamma.stop_gradient = True",
                           "census", "net.norm", "gamma", "self.norm = TorchNorm(4)"),
}


@pytest.mark.parametrize("words", MUTANTS)
def test_a_mutant_is_found_and_placed(words):
    where, good, bad, stage, module, variable, line = MUTANTS[words]
    report = mutant((where, good, bad))
    first = report.first
    assert report.verdict == "diverged"
    assert (first.key.stage, first.key.module) == (stage, module), f"{first}"
    assert variable in (None, first.key.variable), f"{first}"
    assert line is None or line in first.reference.text, f"{first}"
    assert report.places[0].key.module == module


@pytest.mark.parametrize("words", ["wrong eps", "a detached value", "a reversed output", "a layer that never ran"])
@pytest.mark.parametrize("options", [{"calls": 5}, {"lanes": ("float32",)}], ids=str)
def test_also_in_the_fifth_call_and_in_float32_alone(words, options):
    where, good, bad, stage, module, *_ = MUTANTS[words]
    bad = bad.replace("2**-13", "2**-6")  # what float32 cannot see is no finding there
    first = mutant((where, good, bad), **options).first
    assert (first.key.stage, first.key.module) == (stage, module), f"{first}"


def test_a_mutant_that_acts_in_training_only_is_not_found_in_eval():
    edit = ("Norm.forward", "if self.training:", "if False:")
    assert mutant(edit).verdict == "diverged" and mutant(edit, training=False).verdict == "same"


def test_a_mutant_that_acts_in_the_second_call_only():
    edit = ("Net.forward", "h = self.first(x)",
            "self.runs = getattr(self, 'runs', 0) + 1; h = self.first(x * (100 if self.runs % 2 == 0 else 1))")
    first = mutant(edit, calls=2).first
    assert (first.key.module, first.key.call, first.key.variable) == ("net.first", 1, "input[0]")


@pytest.mark.parametrize("change", ["* (1 + 1e-11)", "+ 1e-11", "* 1.0000001"])
def test_what_float32_could_never_see_is_seen_in_float64(change):
    assert mutant(("Net.forward", "h = h + skip * y", f"h = (h + skip * y) {change}")).verdict == "diverged"


# --- the same formula in another order is healthy --------------------------------------------------------------------

REWRITTEN = {
    "another order of a sum": ("Net.forward", "h = h + skip * y", "h = y * skip + h"),
    "another formula": ("Net.mix", "both = a * a - b", "both = a ** 2 + (-1.0) * b"),
    "variance by squares": ("Norm.forward", "var = (centred * centred).mean(1, keepdim=True)",
                            "var = (x * x).mean(1, keepdim=True) - mean * mean"),
    "a product by the inverse root": ("Norm.forward", "centred / paddle.sqrt(var + 2**-16)",
                                      "centred * paddle.rsqrt(var + 2**-16)"),
    "a mean as a sum": ("Norm.forward", "mean = x.mean(1, keepdim=True)", "mean = x.sum(1, keepdim=True) / 4"),
    "a mean as a product": ("Norm.forward", "mean = x.mean(1, keepdim=True)", "mean = x @ paddle.full([4, 1], 0.25, x.dtype)"),
    "bias apart": ("Net.forward", "out = self.head(h)", "out = self.head(h * 1) + 0.0"),
}


@pytest.mark.parametrize("words", REWRITTEN)
@pytest.mark.parametrize("magnitude", [1.0, 1e5, 1e-4])
def test_an_equivalent_formula_passes(words, magnitude):
    inputs = {"x": magnitude * INPUTS["Net"]["x"], "y": INPUTS["Net"]["y"]}
    report = mutant(REWRITTEN[words], inputs=inputs)
    assert report.verdict == "same", f"{report.first}"


# --- weights ---------------------------------------------------------------------------------------------------------


class SubLinear(paddle.nn.Linear):
    """A user's own Linear, in the layout of Linear."""


def test_a_square_linear_is_transposed_also_in_a_subclass():
    def twin():
        model = toys.PaddleNet()
        model.first = SubLinear(4, 4)
        return model

    assert compare(between(toys.TorchNet, twin, INPUTS["Net"]), **SLOW).verdict == "same"


def test_a_transposed_square_linear_is_found_at_the_line_that_built_it(monkeypatch):
    from weights_convert import Entry
    monkeypatch.setattr(Entry, "to_paddle", lambda entry, array: array if entry.source == "second.weight" else
                        (array.T if entry.rule == "transpose" else array))
    report = compare(subject(), **SLOW)
    assert (report.first.key.stage, report.first.key.module) == ("census", "net.second")
    assert report.first.reference.text == "self.second = torch.nn.Linear(4, 4)"
    assert "another order" in report.first.cause


def test_two_swapped_weights_of_one_shape_are_found(monkeypatch):
    from parity.compare.ladder import Both
    loaded = Both._twin_state

    def swapped(both, state):
        values = loaded(both, state)
        values["first.weight"], values["second.weight"] = values["second.weight"], values["first.weight"]
        return values

    monkeypatch.setattr(Both, "_twin_state", swapped)
    report = compare(subject(), **SLOW)
    assert {f.key.module for f in report.diverged if f.key.stage == "census"} == {"net.first", "net.second"}


# --- several faults, and nothing else --------------------------------------------------------------------------------


def test_independent_faults_are_all_placed_and_nothing_else():
    report = mutant(("Norm.forward", "var + 2**-16", "var + 2**-13"), ("Net.mix", "both = a * a - b", "both = a * a + b"))
    assert places(report) == ["forward net.norm forward: out", "forward net mix: both"]


def test_one_fault_is_one_place():
    assert places(mutant(("Norm.forward", "var + 2**-16", "var + 2**-13"))) == ["forward net.norm forward: out"]


def test_a_module_that_is_fed_something_wrong_is_no_place():
    assert places(mutant(("Net.forward", "out = self.head(h)", "out = self.head(h + 0.5)"))) == ["forward net.head input[0]"]


def test_a_fault_in_forward_and_one_in_backward():
    report = mutant(("Norm.forward", "var + 2**-16", "var + 2**-13"),
                    ("Net.forward", "out = self.head(h)", "out = self.head(0.5 * h + 0.5 * h.detach())"))
    places = [(finding.key.stage, finding.key.module) for finding in report.places]
    assert places[:2] == [("forward", "net.norm"), ("gradients", "net")]


def test_what_was_still_good_before():
    first = mutant(("Norm.forward", "var + 2**-16", "var + 2**-13")).first
    assert first.last_good == "forward net.norm forward: var" and "var = (centred" in first.last_good_site.text
    assert first.twin.text.startswith("out = centred / paddle.sqrt(var + 2**-13)") or first.twin.line > 0
    assert first.deviation.index is not None and first.floor_multiple > 1e6


# --- what is not compared is never the same --------------------------------------------------------------------------


def test_a_local_without_partner_is_listed_and_not_counted():
    healthy, report = compare(subject(), **SLOW), mutant(("Net.mix", "both = a * a - b", "mine = a * a - b; both = mine"))
    assert report.verdict == "same"
    assert {f.key.variable for f in report.uncompared} == {"mine"}
    assert report.compared == healthy.compared
    assert report.to_json()["counts"]["uncompared"] == len(report.uncompared) > 0


def test_a_renamed_local_is_uncompared_on_both_sides():
    report = mutant(("Norm.forward", "mean = x.mean(1, keepdim=True)\n        centred = x - mean",
                     "middle = x.mean(1, keepdim=True)\n        centred = x - middle"))
    assert report.verdict == "same" and {f.key.variable for f in report.uncompared} == {"mean", "middle"}
    assert report.counts[Verdict.UNCOMPARED] == len(report.uncompared)
    assert report.compared < compare(subject(), **SLOW).compared


def test_a_declared_local_is_not_listed():
    pair = Pair("toys", toys.PAIR.reference_source, toys.PAIR.twin_source,
                one_sided=frozenset({"forward mix: mine", "gradients mix: mine"}))
    assert not mutant(("Net.mix", "both = a * a - b", "mine = a * a - b; both = mine"), pair=pair).findings


def test_more_bindings_of_one_name_are_no_divergence_where_all_else_agrees():
    report = mutant(("Norm.forward", "centred = x - mean", "centred = x * 1; centred = centred - mean"))
    assert report.verdict == "same"
    report = mutant(("Net.forward", "h = self.act(h)", "h = h * 1.0; h = self.act(h)"))
    assert report.verdict == "same"


def two_lines(x):
    h = x * 2 + 1
    h = h.tanh()
    return h


def one_line(x):
    h = (x * 2 + 1).tanh()
    return h


def wrong_line(x):
    h = x * 2 + 1
    h = h.tanh() + 1e-6
    return h


class Torch(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


class Paddle(paddle.nn.Layer):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


HERE = Pair("here", toys.SourceTree(__file__), toys.SourceTree(__file__))


def simple(reference, twin, **options):
    return compare(between(lambda: Torch(reference), lambda: Paddle(twin), pair=HERE, **options), **SLOW)


def test_two_lines_for_one_are_uncompared_and_a_wrong_one_is_found():
    report = simple(one_line, two_lines)
    assert report.verdict == "same" and "h" in {f.key.variable for f in report.uncompared}
    assert simple(one_line, wrong_line).verdict == "diverged"


def test_nothing_compared_is_no_pass():
    with pytest.raises(NothingCompared):
        simple(lambda x: None, lambda x: None).verdict  # noqa: B018
    with pytest.raises(NothingCompared):
        simple(lambda x: object(), lambda x: object()).verdict  # noqa: B018


def test_only_nan_on_both_sides_is_no_pass():
    report = simple(lambda x: x * float("nan"), lambda x: 7 * x * float("nan"))
    with pytest.raises(NothingCompared, match="NaN"):
        report.verdict  # noqa: B018
    assert all(f.deviation.trouble == "NaN everywhere, on both sides" for f in report.uncompared)


def test_nan_in_the_same_place_passes_and_elsewhere_does_not():
    healthy = np.where(np.arange(8).reshape(2, 4) == 3, np.nan, numbers(2, 4)).astype(np.float32)
    assert simple(lambda x: x * 2, lambda x: x * 2, inputs={"x": healthy}).verdict == "same"
    assert simple(lambda x: x * 2, lambda x: x.flip([1]) * 2, inputs={"x": healthy}).verdict == "diverged"


def test_a_float_that_a_model_returns_is_compared():
    def loss(factor):
        return lambda x: (x * 1, (factor * x.sum()).item())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch: a number taken of a tensor with a gradient
        assert simple(loss(2), loss(2)).verdict == "same"
        report = simple(loss(2), loss(3))
    assert report.first.key.variable == "output[1]"


# --- integers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("good", "bad", "variable"), [
    ("found.argmax(-1)", "found.argmin(-1)", "best"), ("found > 0", "found < 0", "large"),
    ("found > 0", "(found > 0).astype('float64')", "large"), ("self.table(words)", "self.table(words.flip([1]))", "input[0]")])
def test_integers_and_truth_values_are_values_too(good, bad, variable):
    first = mutant(("Words.forward", good, bad), name="Words").first
    assert first.key.variable == variable


def test_integers_that_differ_by_one_differ():
    inputs = {"x": np.array([2**60, 3])}
    assert simple(lambda x: x + 1, lambda x: x + 1, inputs=inputs).verdict == "same"
    assert simple(lambda x: x + 1, lambda x: x + 1 + (x == 2**60).astype("int64"), inputs=inputs).verdict == "diverged"


# --- floors that must not hide -----------------------------------------------------------------------------------------


def test_a_mask_of_minus_infinity_almost_does_not_hide_what_follows():
    """-3e38 enters the softmax and reaches nothing: a floor of eps times it would be 1e22."""
    report = mutant(("Attention.forward", "out = weights @ x", "out = weights @ x * 1.000001"), name="Attention")
    assert (report.first.key.stage, report.first.key.variable) == ("forward", "out")


def test_exact_zeros_before_a_rectifier_do_not_hide_gradients():
    """A moved zero crosses the kink, and the floor of each gradient behind is as large as the gradient."""
    black = INPUTS["Image"]["x"] * (np.arange(8) > 4)
    assert compare(subject("Image", inputs={"x": black})).verdict == "same"
    report = mutant(("Image.forward", "h = self.first(x)", "h = self.first(0.999 * x + 0.001 * x.detach())"), name="Image",
                    inputs={"x": black})
    assert (report.first.key.stage, report.first.key.variable) == ("gradients", "input[0]")


def crossing(count):
    """A twin whose forward run puts so many values on another side of zero."""
    def twin(lane, crossings, gradients):
        crossings.count = count

    return SimpleNamespace(twin=twin)


def wrong_gradients_only():
    report = mutant(("Net.forward", "out = self.head(h)", "out = self.head(0.5 * h + 0.5 * h.detach())"))
    report.findings = [f for f in report.findings if f.run == "free"]
    return report


def test_gradients_at_a_kink_that_rounding_chose_are_noise():
    report = wrong_gradients_only()
    before = len(report.diverged)
    _forgive_kinks(crossing(3), Store(), report)
    assert before > 0 and report.verdict == "same" and report.kinks == 3 and report.counts[Verdict.NOISE] >= before
    assert all("another side of zero" in f.cause for f in report.findings if f.verdict is Verdict.NOISE and f.cause)


def test_a_wrong_gradient_that_the_replay_has_too_is_no_kink():
    report = mutant(("Net.forward", "out = self.head(h)", "out = self.head(0.5 * h + 0.5 * h.detach())"))
    assert any(f.run == "replay" for f in report.diverged)
    _forgive_kinks(crossing(3), Store(), report)
    assert report.verdict == "diverged" and not report.kinks


def test_without_a_value_on_another_side_of_zero_there_is_no_kink():
    report = wrong_gradients_only()
    before = len(report.diverged)
    _forgive_kinks(crossing(0), Store(), report)
    assert len(report.diverged) == before > 0 and not report.kinks


def test_large_neighbours_do_not_hide_a_small_module():
    def reference(x):
        big = x * 1e12
        small = x.tanh()
        return big, small

    def twin(x):
        big = x * 1e12
        small = x.tanh() * (1 + 1e-9)
        return big, small

    assert simple(reference, reference).verdict == "same"
    assert simple(reference, twin).first.key.variable == "output[1]"


# --- batch norm ------------------------------------------------------------------------------------------------------


def test_running_statistics_are_state_and_no_parameters():
    report = compare(subject("BatchNorm"), lanes=("float32",))
    assert not [f for f in report.diverged if f.key.stage == "census"]
    assert {f.key.variable for f in report.diverged} == {"running_var"}  # Paddle's is biased


@pytest.mark.parametrize("stage", ["state"])
def test_a_running_mean_with_another_momentum(stage):
    report = mutant(("BatchNorm.__init__", "paddle.nn.BatchNorm2D(2)", "paddle.nn.BatchNorm2D(2, momentum=0.8)"),
                    name="BatchNorm", lanes=("float32",))
    assert "running_mean" in {f.key.variable for f in report.diverged if f.key.stage == stage}


# --- the surroundings stay as they were ------------------------------------------------------------------------------


def test_the_reference_may_raise_and_the_caller_hears_of_it():
    def bad(x):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        simple(bad, lambda x: x)


def test_models_handed_in_come_back_as_they_were():
    reference, twin = toys.TorchNet().half(), toys.PaddleNet()
    reference = reference.float().eval()
    twin.eval()
    before = [{k: v.numpy().copy() for k, v in m.state_dict().items()} for m in (reference, twin)]
    compare(between(lambda: reference, lambda: twin, INPUTS["Net"]))
    after = [{k: v.numpy() for k, v in m.state_dict().items()} for m in (reference, twin)]
    for old, new in zip(before, after, strict=True):
        assert all(old[k].dtype == new[k].dtype and np.array_equal(old[k], new[k]) for k in old)
    assert not reference.training and not twin.training
    assert all(p.grad is None for p in reference.parameters())


def test_a_report_says_the_same_twice():
    one, two = (mutant(("Norm.forward", "var + 2**-16", "var + 2**-13")).to_json() for _ in range(2))
    assert one == two


def test_four_compares_do_not_grow_memory():
    def run():
        compare(subject("Image", inputs={"x": numbers(1, 1, 64, 64)}), **SLOW)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    run()
    tracemalloc.start()
    try:
        first, *_, last = [run() for _ in range(4)]
    finally:
        tracemalloc.stop()
    assert last - first < 100_000


def test_census_alone_is_an_answer():
    report = mutant(("Net.__init__", "self.head = paddle.nn.Linear(4, 3)",
                     "self.head = paddle.nn.Linear(4, 3); self.extra = self.create_parameter([1])"))
    assert [f.key.variable for f in report.diverged if f.key.stage == "census"] == ["extra"]
    assert {f.key.variable for f in report.diverged} == {"extra"}
    assert report.counts[Verdict.DIVERGED] == len(report.diverged)


def test_the_last_good_value_is_the_one_before_the_divergence_also_after_noise():
    keys = [Key("forward", 0, None, f"net.{number}", 0, "", 0, "output", 0) for number in range(4)]
    truth = Store()
    truth.events = {key: Event(key, order, None, np.ones(1)) for order, key in enumerate(keys)}
    distances = (0.5, 9.0, 0.5, 100.0)  # in floors: the same, noise, the same, diverged
    floor = 1e-9
    matched = {key: (truth.events[key], Deviation(apart * floor, (0,), 1.0, 1.0 + apart * floor, 1.0, 0, 1))
               for key, apart in zip(keys, distances, strict=True)}
    against, report = SimpleNamespace(matched=matched, extra=[], kept={}, last=None, prints={}), Report("net")
    pair = SimpleNamespace(one_sided=frozenset(), names=None, twin_source=())
    Judge("net", pair, "float64", "free", truth, dict.fromkeys(keys, floor), 16.0).judge(against, None, report)
    assert [finding.verdict for finding in report.findings] == [Verdict.NOISE, Verdict.DIVERGED]
    assert report.first.last_good == str(keys[2])


class TorchRows(torch.nn.Module):
    """Rows of one number each: torch's mean of such a row is exact, and its error small by luck."""

    def __init__(self):
        super().__init__()
        self.norm = torch.nn.LayerNorm(6)

    def forward(self, x):
        return self.norm(x * 0 + 2.5 + x[:, :1])


class PaddleRows(paddle.nn.Layer):
    def __init__(self, slope=1.0):
        super().__init__()
        self.norm = paddle.nn.LayerNorm(6)
        self.slope = slope

    def forward(self, x):
        return self.norm(x * 0 + 2.5 + x[:, :1]) * self.slope


@pytest.mark.parametrize("slope, verdict", [(1.0, "same"), (1.01, "diverged")])
def test_in_float32_the_twin_is_not_held_to_the_references_luck(slope, verdict):
    rows = between(TorchRows, lambda: PaddleRows(slope), pair=HERE, inputs={"x": numbers(4, 6)})
    assert compare(rows, lanes=("float32",)).verdict == verdict


class TorchSpread(torch.nn.Module):
    def forward(self, x):
        var = x.var(1, unbiased=False)
        return var


class PaddleSpread(paddle.nn.Layer):
    def __init__(self, cancels):
        super().__init__()
        self.cancels = cancels

    def forward(self, x):
        var = (x * x).mean(1) - x.mean(1) ** 2 if self.cancels else x.var(1, unbiased=False)
        return var


@pytest.mark.parametrize("cancels, verdict", [(False, "same"), (True, "diverged")])
def test_what_float32_alone_shows_is_not_let_go_for_that(cancels, verdict):
    """A variance as the difference of two large numbers."""
    spread = between(TorchSpread, lambda: PaddleSpread(cancels), pair=HERE, inputs={"x": 30 + numbers(4, 200)})
    assert compare(spread, lanes=("float32",)).verdict == verdict
