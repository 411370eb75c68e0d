"""Noise floors of runs made by hand: which draws are made, what they come to, and what is carried to steps without any."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from parity.numbers.arrays import Deviation, Verdict
from parity.numbers.noise import ACCURACY, REFORMULATION, M, generator
from parity.steps.reference import reference_steps
from parity.verdict.findings import Finding, Order
from parity.verdict.floors import BEYOND, Carried, Draw, Noise, few, floors_of, measure, own_rounding
from parity.verdict.sinks import Distances
from tests.unit.events import event, key, store

EPS, EPS32 = float(np.finfo(np.float64).eps), float(np.finfo(np.float32).eps)
MANY = 10_000  # elements: of so many, the largest says what the noise is


def noise(truth, **distances):
    """Draws that move each value by so much, in one element."""
    made = Distances(truth)
    for where, one in truth.events.items():
        moved = one.array.copy()
        moved.flat[0] += distances.get(where.variable, 0.0)
        made.receive(event(where, moved))
    return made


def test_a_floor_is_what_the_draws_did():
    truth = store(event(key("a"), np.zeros(MANY)), event(key("b"), np.zeros(MANY)))
    assert floors_of(truth, noise(truth, a=3e-9), "float64") == {key("a"): 3e-9, key("b"): 0.0}


def test_the_largest_of_several_draws_stands():
    truth = store(event(key(), np.zeros(MANY)))
    made = Distances(truth)
    for distance in (1e-9, 5e-9, 2e-9):
        made.receive(event(key(), np.full(MANY, distance)))
    assert made.largest == {key(): 5e-9} and made.spread(key()).samples == 3 * MANY


def test_a_draw_that_is_no_number_measures_nothing():
    truth = store(event(key(), np.zeros(2)))
    made = Distances(truth)
    made.receive(event(key(), np.array([np.nan, 0.0])))
    made.receive(event(key("another"), np.zeros(2)))
    made.receive(event(key(), None))
    assert made.largest.get(key(), 0.0) == 0.0 and made.spread(key()).samples == made.spread(key("another")).samples == 0


@pytest.mark.parametrize("lost", [True, False])
def test_what_rounding_loses_in_every_draw_is_drawn_without(lost):
    """A gradient that asks which operand a result is equal to: of a result that was moved, none is."""
    truth, made = store(event(key(), np.zeros(MANY))), []

    def again(sink, draw):
        made.append(draw)
        sink.receive(event(key(), np.full(MANY, np.nan if lost and draw.rounding else 1e-12)))

    measured = Noise(again, truth, "float64")
    assert measured.floors(1) == measured.floors(2) == {key(): 1e-12}
    assert [draw.rounding for draw in made] == ([True, False, True] if lost else [True, True])


def test_a_floor_of_few_samples_is_enlarged_until_luck_is_rare():
    """The chance that a healthy normal number lies `limit` floors out, by simulation, for one number in three draws."""
    rng = np.random.default_rng(0)
    twin, draws = np.abs(rng.standard_normal(400_000)), np.abs(rng.standard_normal((3, 400_000))).max(axis=0)
    assert few(3, 16.0) == pytest.approx(5, rel=0.01)
    assert (twin > 16 * draws).mean() > 1e-5 > (twin > 16 * few(3, 16.0) * draws).mean()
    assert few(6, 16.0) == few(10_000, 16.0) == few(0, 16.0) == 1.0


def test_beyond_doubt_is_what_hardly_any_further_draw_could_bring_back():
    """Of one number in one draw, and two more draws, by simulation; and a little nearer it does happen."""
    rng = np.random.default_rng(0)
    one, others = np.abs(rng.standard_normal(2_000_000)), np.abs(rng.standard_normal((2, 2_000_000))).max(axis=0)
    assert not (others > BEYOND * one).any() and (others > BEYOND / 100 * one).any()


def test_what_is_beyond_doubt_waits_for_no_further_draw_and_what_the_draw_did_not_move_does():
    truth = store(event(key("a"), np.zeros(MANY)), event(key("b"), np.zeros(MANY), scale=1.0))

    def again(sink, draw):
        sink.receive(event(key("a"), np.full(MANY, 1e-12)))
        sink.receive(event(key("b"), np.zeros(MANY)))

    noise = Noise(again, truth, "float64")
    floors = noise.floors(1)

    def found(variable, distance, **more):
        where = key(variable)
        return Finding("net", "float64", "free", where, Verdict.DIVERGED, Order(1),
                       Deviation(distance, (0,), 0.0, distance, size=MANY, **more), floors[where])

    assert noise.is_beyond_doubt(found("a", 2 * M * BEYOND * floors[key("a")]), M)
    assert not noise.is_beyond_doubt(found("a", M * BEYOND * floors[key("a")] / 2), M)
    assert not noise.is_beyond_doubt(found("a", np.inf, trouble="NaN or Inf on one side only"), M)
    assert floors[key("b")] and not noise.is_beyond_doubt(found("b", 1e3), M)
    shape = replace(found("b", np.inf), deviation=Deviation(np.inf, trouble="shape (1,) in the reference, (2,) in the twin"))
    assert noise.is_beyond_doubt(shape, M)


def test_the_fewer_samples_the_larger_and_the_smaller_the_limit_the_larger():
    truth = store(event(key(), np.zeros(1)))
    one = floors_of(truth, noise(truth, output=1e-9), "float64", limit=M)
    strict = floors_of(truth, noise(truth, output=1e-9), "float64", limit=ACCURACY)
    assert one[key()] == pytest.approx(1e-9 * few(1, M)) and strict[key()] == pytest.approx(4 * one[key()])


@pytest.mark.parametrize(("lane", "eps", "allowed"), [("float64", EPS, 50.0), ("float32", EPS32, 10.0)])
def test_never_less_than_the_operations_own_rounding(lane, eps, allowed):
    """In float64 that of a sum in any order (unit), in float32 only that of its result (scale)."""
    truth = store(event(key(), np.ones(MANY), scale=10.0, unit=50.0, largest=1.0))
    assert floors_of(truth, noise(truth), lane)[key()] == eps * allowed


def test_what_is_analysed_is_believed_up_to_a_thousand_times_the_measured():
    """An attention mask of -1e12 entered: by the analysis alone, hardly a mistake could be seen behind it."""
    truth = store(event(key(), np.ones(MANY), scale=1e12, unit=1e12, largest=1.0))
    assert floors_of(truth, noise(truth, output=1e-12), "float64")[key()] == pytest.approx(1e-9, rel=1e-3)
    assert floors_of(truth, noise(truth), "float64")[key()] == REFORMULATION * EPS
    assert own_rounding(truth.events[key()], EPS) == REFORMULATION * EPS


def test_what_would_leave_no_digit_of_a_value_and_left_them_has_no_part_in_it():
    """An attention mask of -3e38 entered; where next to nothing is left of a value, or no draw moved it, that may be for what was
    as large."""
    truth = store(event(key(), np.ones(MANY), scale=3e38, unit=3e38, largest=1.0))
    assert floors_of(truth, noise(truth, output=1e-12), "float64")[key()] == pytest.approx(1e-12, rel=1e-3)
    assert floors_of(truth, noise(truth, output=1e-2), "float64")[key()] == pytest.approx(10.0)
    assert floors_of(truth, noise(truth), "float64")[key()] == REFORMULATION * EPS


@pytest.mark.parametrize("value", [np.arange(3), np.array([True, False])])
def test_integers_and_truth_values_do_not_round(value):
    truth = store(event(key(), value, scale=1e6, unit=1e9, largest=2.0))
    assert floors_of(truth, Distances(truth), "float64") == {key(): 0.0} and own_rounding(truth.events[key()], EPS) == 0.0


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_a_program_computes_in_another_precision_has_the_floor_of_that(dtype):
    """Pictures are normalised in float32, whatever the lane: a mistake that is as large as their values is 8e6 floors away
    (docs/exam.md: pictures_from_0_to_1), not 5e15, and one grey value of 255 still 3e4."""
    truth = store(event(key(), np.ones(MANY, dtype), scale=1.0, unit=1.0, largest=1.0))
    eps = float(np.finfo(dtype).eps)
    assert floors_of(truth, noise(truth), "float64")[key()] == own_rounding(truth.events[key()], EPS) == eps
    assert (1 / eps > 8e6 and 1 / 255 / eps > 3e4) == (dtype != "float16")


def test_own_rounding_is_never_above_the_floor_with_draws():
    for scale, unit, moved in ((1.0, 1.0, 0.0), (1.0, 30.0, 1e-15), (1e5, 1e9, 1e-13), (0.0, 0.0, 1e-3)):
        truth = store(event(key(), np.ones(MANY), scale=scale, unit=unit, largest=1.0))
        assert own_rounding(truth.events[key()], EPS) <= floors_of(truth, noise(truth, output=moved), "float64")[key()]


def test_in_float32_the_error_of_the_reference_is_one_draw_of_many():
    """Where it is small by luck, what additions in any order come to counts."""
    truth = store(event(key(), np.ones(MANY), scale=1.0, unit=9.0, largest=1.0))
    for one, other in ((1e-5, 1e-3), (1e-3, 1e-5)):
        assert floors_of(truth, noise(truth, output=one), "float32", noise(truth, output=other)) == {key(): pytest.approx(1e-3)}
    assert floors_of(truth, noise(truth, output=1e-5), "float32") == {key(): pytest.approx(1e-5)}


def test_in_float32_gradients_of_locals_alone_are_allowed_a_sum_in_any_order_by_analysis():
    local, border = key("h", stage="gradients", function="forward"), key("input[0]", stage="gradients")
    truth = store(*(event(where, np.ones(MANY), scale=1.0, unit=9.0, largest=1.0) for where in (local, border)))
    floors = floors_of(truth, noise(truth), "float32", noise(truth))
    assert floors == {local: pytest.approx(9 * EPS32), border: pytest.approx(EPS32)}


def test_an_update_is_measured_by_its_norm():
    """Adam may turn the sign of one tiny gradient by rounding alone: one element of the update is a whole step off."""
    truth = store(event(key("weight", stage="update"), np.ones(100), norm=True))
    assert noise(truth, weight=2.0).largest == {key("weight", stage="update"): 2.0}
    made = Distances(truth)
    made.receive(event(key("weight", stage="update"), np.full(100, 3.0)))
    assert made.largest == {key("weight", stage="update"): pytest.approx(20.0)}  # sqrt(100 * 2**2), not 2


# --- which draws are made --------------------------------------------------------------------------------------------


def made_draws(lane, **options):
    truth, asked = store(event(key(), np.zeros(MANY))), []

    def again(sink, draw):
        asked.append(draw)
        sink.receive(event(key(), np.full(MANY, 1e-9 if draw.number is None else 1e-8 * (draw.number + 1))))

    return asked, measure(again, truth, lane, draws=2, **options)[key()]


def test_in_float64_the_draws_round_at_random():
    assert made_draws("float64") == ([Draw(0, rounding=True), Draw(1, rounding=True)], 2e-8)
    assert made_draws("float64", spread=True)[0][0] == Draw(None, rounding=False)


def test_in_float32_the_reference_itself_is_run_and_its_error_is_the_floor():
    unmoved, draws, rounded = [Draw(None, False)], [Draw(0, False), Draw(1, False)], [Draw(0, True), Draw(1, True)]
    asked, floor = made_draws("float32")
    assert sorted(asked, key=str) == sorted(unmoved + draws + rounded, key=str) and floor == 2e-8
    asked, floor = made_draws("float32", gradients=False)
    paired = [Draw(0, True, pairwise=True), Draw(1, True, pairwise=True)]  # a forward adds up as good kernels do
    assert sorted(asked, key=str) == sorted(unmoved + draws + paired, key=str) and floor == 2e-8


# --- steps without draws ---------------------------------------------------------------------------------------------


def test_carried_floors_are_relative_to_the_size_of_the_values():
    def step(number, scale):
        return store(event(key("w", step=number), np.zeros(MANY), scale=scale))

    carried, sizes = Carried(), {1: 1.0, 2: 10.0, 3: 100.0}
    truths = {number: step(number, scale) for number, scale in sizes.items()}
    got = {}
    for number, distance in ((1, 1e-9), (2, 1e-9), (3, None)):
        truth = truths[number]
        drawn = noise(truth, w=distance) if distance else Distances(truth)
        got[number] = floors_of(truth, drawn, "float64")
        carried.over(truth, drawn, got[number])
    values = [floors[key("w", step=number)] for number, floors in got.items()]
    assert values == pytest.approx([1e-9, 1e-8, 1e-7])  # the first step's 1e-9 of 1, of 10 and of 100


def test_carried_floors_are_each_values_own():
    first = store(event(key("a", step=1), np.zeros(MANY), scale=1.0), event(key("b", step=1), np.zeros(MANY), scale=1.0))
    second = store(event(key("a", step=2), np.zeros(MANY), scale=1.0), event(key("b", step=2), np.zeros(MANY), scale=1.0))
    carried, floors = Carried(), {}
    carried.over(first, noise(first, a=1e-9), floors_of(first, noise(first, a=1e-9), "float64"))
    floors = floors_of(second, Distances(second), "float64")
    carried.over(second, Distances(second), floors)
    assert floors == {key("a", step=2): 1e-9, key("b", step=2): pytest.approx(EPS)}


class Doubling:
    """Stands for `Programs`: one weight that doubles in each step; a run that rounds is 1e-9 of it further on."""

    lane = "float64"
    subject, lifted = SimpleNamespace(seed=0), None
    start = {"networks": {"net": {"w": np.ones(MANY)}}}

    def __init__(self):
        self.rounded = Counter()  # step -> draws made

    def batch(self, step):
        return {}

    def tape(self, step):
        """What the reference draws in a step: nothing."""

    def load(self, side, state):
        self.w = state["networks"]["net"]["w"].copy()

    def state(self, side):
        return {"networks": {"net": {"w": self.w.copy()}}}

    def remembered(self, side, state):
        """What the reference keeps beside weights: how large one is."""
        return {"largest": {"": state["networks"]["net"]["w"].max()}}

    def step(self, side, number, batch, sink, *, measure=False, rounding=None, replayed=None):
        self.rounded[number] += rounding is not None
        if replayed is not None:  # as ever: the stored value goes on
            self.w = replayed.value(key("w", step=number), "float64") / 2
        self.w = self.w * 2 * (1 + 1e-9 * (rounding is not None))
        scale = float(self.w.max()) if measure else 0.0
        sink.receive(event(key("w", step=number), self.w.copy(), scale=scale, largest=scale))
        return {"loss": float(self.w[0])}


@pytest.mark.parametrize(("every", "drawn"), [(1, [1, 2, 3, 4, 5, 6]), (3, [1, 2, 3, 6]), (4, [1, 2, 4]), (10, [1, 2])])
def test_with_floor_every_n_the_noise_is_drawn_anew_at_every_nth_step_and_carried_in_between(every, drawn):
    both = Doubling()
    steps = list(reference_steps(both, 6, "resync", 2, every, lambda step, what: None))
    assert sorted(+both.rounded) == drawn and set((+both.rounded).values()) == {2}
    assert [len(step.drawn) for step in steps] == [2 if step in drawn else 0 for step in range(1, 7)]
    floors = [step.floors[key("w", step=step.number)] / 2 ** step.number for step in steps]
    assert floors == pytest.approx([1e-9] * 6, rel=1e-3)  # relative to a weight that doubles: everywhere the same


def test_in_free_mode_every_step_has_its_draws_and_they_go_their_own_ways():
    both = Doubling()
    steps = list(reference_steps(both, 3, "free", 2, 3, lambda step, what: None))
    assert both.rounded == {1: 2, 2: 2, 3: 2}
    floors = [step.floors[key("w", step=step.number)] / 2 ** step.number for step in steps]
    assert floors == pytest.approx([1e-9, 2e-9, 3e-9], rel=1e-3)  # the envelope grows
    for far, unlike in ((1e-7, set()), (1e-5, {"largest"})):  # M floors of one number in two draws are between the two
        assert steps[0].remembered.unlike({"largest": {"": np.array(2 + far)}}) == unlike


def test_replayed_values_are_the_stored_ones_moved_by_one_ulp():
    kept = store(event(key(), np.ones(50)), event(key("none", stage="gradients"), None))
    plain, moved = kept.replayed(), kept.replayed(generator("replay"))
    assert key() in plain and key("none", stage="gradients") not in plain and key("other") not in plain
    assert np.array_equal(plain.value(key(), "float64"), np.ones(50)) and plain.value(key(), "float32").dtype == np.float32
    assert 0 < np.abs(moved.value(key(), "float64") - 1).max() <= EPS


def test_a_gradient_that_two_roundings_leave_is_asked_for_no_accuracy():
    large, tiny = (key(name, stage="gradients") for name in ("large", "tiny"))
    truth = store(event(large, np.ones(2), scale=1.0), event(tiny, np.full(2, 1e-130)), event(key("y"), np.full(2, 1e-130)))
    made = noise(truth)
    floors = floors_of(truth, made, "float32", made)
    assert floors[tiny] == pytest.approx(EPS32**2) and floors[key("y")] < 1e-100
    assert floors_of(truth, noise(truth), "float64")[tiny] < 1e-100
