"""A recording on disk says the same as the run itself: healthy, with a fault, interrupted, foreign."""

import json
import shutil

import numpy as np
import pytest
from pairs import trainings

from parity.files import InputError
from parity.fixes.edit import Edit, applied
from parity.frameworks.base import BFLOAT16
from parity.numbers.strata import Floors
from parity.recordings import format as recording
from parity.steps.follow import follow
from parity.steps.programs import Programs
from parity.steps.stored import record_to, recorded_in
from parity.trace.events import Event, Key
from parity.ugatit import faults
from parity.ugatit.faults.exam import misplacements
from parity.ugatit.subjects import exam_training
from tests.recordings.tampering import TAMPERED

pytestmark = pytest.mark.xdist_group("recording")  # of what its fixtures build


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recording") / "good day"
    record_to(folder, trainings.regression.subject(), steps=2)
    return folder


def against(folder, subject=None, steps=2):
    subject = subject or trainings.regression.subject()
    index, recorded = recorded_in(folder, subject)
    return follow(subject, steps=steps, mode=index["mode"], lane=index["lane"], recorded=recorded)


def test_the_healthy_twin_passes_as_in_one_process(folder):
    there, here = against(folder), follow(trainings.regression.subject(), steps=2)
    assert there.verdict == here.verdict == "same" and there.steps == here.steps == 2
    assert there.report.counts == here.report.counts and there.report.compared > 50
    assert there.curves == here.curves and len(there.curves["loss"].twin) == 2


def test_a_mistake_is_placed(folder):
    with applied((Edit("pairs.training_paddle:RegressionTraining.step", "self.sgd.clear_grad()", "pass"),)):
        found = against(folder)
    assert found.verdict == "diverged"
    assert (found.report.first.key.stage, found.report.first.key.step) == ("gradients", 2)


@pytest.mark.parametrize(("steps", "fault"), [(1, "wrong_loss_weight"),
                                              pytest.param(2, "G_gradients_not_cleared", marks=pytest.mark.slow)])
def test_u_gat_it_passes_and_its_faults_are_placed_as_their_catalogue_says(steps, fault, tmp_path):
    record_to(tmp_path / "day", exam_training("training"), steps=steps)
    healthy = against(tmp_path / "day", exam_training("training"), steps)
    assert healthy.verdict == "same" and healthy.report.compared > 2500 * steps
    with faults.inject(fault):
        found = against(tmp_path / "day", exam_training("training"), steps)
        assert found.verdict == "diverged"
        assert not misplacements(found.report.first, faults.CATALOGUE[fault].answer)


def test_values_are_stored_once_and_readable_without_a_framework(folder):
    from safetensors import safe_open
    places = [event[5] for event in json.loads((folder / "step-0001.json").read_text())["runs"]["step"]]
    with safe_open(folder / "step-0001.safetensors", framework="numpy") as file:
        names = set(file.keys())
        assert set(places) - {None} == names and len(names) < 0.8 * len(places)
        assert np.isfinite(file.get_tensor(places[0])).all()


def test_an_interrupted_recording_is_readable_up_to_there(tmp_path):
    subject = trainings.regression.subject()

    def stop(step, what):
        if step == 2 and what == "reference":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_to(tmp_path / "half", subject, steps=3, progress=stop)
    assert not list((tmp_path / "half").glob(".*"))
    found = against(tmp_path / "half")
    assert found.steps == 1 and found.verdict == "same"


@pytest.mark.parametrize("name", ["classifier", "tagger"])
def test_what_a_step_starts_from_is_recorded(name, tmp_path):
    """Of a batch norm the counter of batches, a single number."""
    subject = getattr(trainings, name).subject()
    record_to(tmp_path / "day", subject, steps=1)
    (step,) = recorded_in(tmp_path / "day", subject)[1]
    start = {what: held for what, held in Programs(subject, "float64").start.items() if what != "own"}
    assert recording.fingerprint(step.before) == recording.fingerprint(start)


def test_what_is_no_recording_is_named(tmp_path, folder):
    with pytest.raises(recording.RecordingError, match=r"nothing: expected a recording.*found no index.json"):
        recorded_in(tmp_path / "nothing", trainings.regression.subject())
    with pytest.raises(recording.RecordingError, match="expected an empty folder"):
        record_to(folder, trainings.regression.subject(), steps=1)


def test_a_state_survives_the_disk_bit_for_bit(tmp_path):
    state = {"networks": {"a": {"b.c/d": np.array([[-0.0, np.nan]], np.float32)}}, "lr": {"G": 1e-4},
             "moments": {"a": {"b": {"updates": 3, "exp_avg": np.ones((2, 0))}}}}
    first = recording.write_start(tmp_path, state)
    assert recording.fingerprint(recording.read_start(tmp_path, first)) == first == recording.fingerprint(state)
    state["moments"]["a"]["b"]["updates"] = 4
    second = recording.write_start(tmp_path, state)
    (tmp_path / f"start-{second}.safetensors").rename(tmp_path / f"start-{first}.safetensors")
    with pytest.raises(recording.RecordingError, match="is not what was recorded"):
        recording.read_start(tmp_path, first)


# --- what is not what was recorded ------------------------------------------------------------------------------------

def read(folder, subject):
    """Everything that a recording holds."""
    recorded = recorded_in(folder, subject)[1]
    return [event.array is None for step in recorded for event in step.store.events.values()]


@pytest.fixture(scope="module")
def subject():
    return trainings.regression.subject()


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def forged(folder, name, change):
    """The file changed, and sealed again by somebody who knows how."""
    document = recording.read_json(folder / name)
    change(document)
    index = recording.read_json(folder / "index.json")
    index["parts"][name] = recording.write_json(folder / name, document)
    recording.write_json(folder / "index.json", index)
    return folder


@pytest.mark.parametrize("name", ["index.json", "step-0001.json", "step-0001.safetensors", "start-*.safetensors"])
@pytest.mark.parametrize("kind", TAMPERED)
def test_what_is_damaged_is_said(kind, name, copy, subject):
    TAMPERED[kind](next(copy.glob(name)))
    with pytest.raises(recording.RecordingError, match=r"record(ing| again)"):
        read(copy, subject)


def test_the_healthy_recording_is_read(copy, subject):
    assert len(read(copy, subject)) > 50
    assert len(read(forged(copy, "step-0001.json", lambda document: None), subject)) > 50


def test_a_changed_floor_is_seen(copy, subject):
    document = json.loads((copy / "step-0002.json").read_text())
    document["floors"]["step"][0][1] = 1e300
    (copy / "step-0002.json").write_text(json.dumps(document))
    with pytest.raises(recording.RecordingError, match=r"step-0002.json.*its hash is another"):
        read(copy, subject)


FORGED = {
    "floor of infinity": lambda d: d["floors"]["step"][0].__setitem__(1, float("inf")),
    "floor below zero": lambda d: d["floors"]["step"][0].__setitem__(1, -1.0),
    "key beyond": lambda d: d["runs"]["step"][0].__setitem__(0, 10**6),
    "key from the end": lambda d: d["runs"]["step"][0].__setitem__(0, -1),
    "value not there": lambda d: d["runs"]["step"][0].__setitem__(5, "../index"),
    "size of text": lambda d: d["runs"]["step"][0].__setitem__(6, {"scale": "large"}),
    "no events": lambda d: d["runs"]["step"].clear(),
    "no runs": lambda d: d.pop("runs"),
    "no draws": lambda d: d.update(drawn=[{}]),
    "batch elsewhere": lambda d: d.update(batch={"x": "../index"}),
    "start elsewhere": lambda d: d.update(start="../../etc/passwd"),
    "loss of text": lambda d: d.update(losses={"G_loss": "small"}),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_forged_is_said(name, copy, subject):
    with pytest.raises(recording.RecordingError, match="record again"):
        read(forged(copy, "step-0001.json", FORGED[name]), subject)


def test_a_value_that_is_damaged_is_no_fault_of_the_twin(copy):
    path = copy / "step-0001.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(recording.RecordingError, match="is not what was recorded"):
        against(copy)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64", "float16", "float32", "bfloat16", "complex64", "complex128"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_values_of_every_kind_survive_the_disk(dtype, shape, tmp_path):
    array = (np.arange(np.prod(shape, dtype=int)).reshape(shape) * (1 + 1j if dtype.startswith("complex") else 1)).astype(
        BFLOAT16 if dtype == "bfloat16" else dtype)
    writer = recording.Writer(tmp_path / "values.safetensors")
    key = Key("forward", 0, None, "net", 0, "", 0, "output", 0)
    writer.receive(Event(key, 1, None, array))
    writer.close()
    found = writer.events[key].array
    assert found.dtype == array.dtype and found.shape == shape and np.array_equal(found, array)


def test_values_that_are_no_numbers_are_refused(tmp_path):
    writer = recording.Writer(tmp_path / "values.safetensors")
    with pytest.raises(InputError, match="expected values of numbers"):
        writer.receive(Event(Key("forward", 0, None, "net", 0, "", 0, "output", 0), 1, None, np.array([object()])))


def test_floors_of_strata_and_unknown_results_survive_the_disk(tmp_path):
    keys = [Key("forward", 0, None, "net", 0, "", 0, f"output[{number}]", 0) for number in range(2)]
    writer, table = recording.Writer(tmp_path / "values.safetensors"), recording.Table()
    writer.receive(Event(keys[0], 1, None, np.array([1.0, -3e38])))
    writer.receive(Event(keys[1], 2, None, None, unknown="Plot"))
    writer.close()
    floors = {keys[0]: Floors((1e-16, 1e22)), keys[1]: 0.0}
    seal = recording.write_json(tmp_path / "values.json", {
        "values": writer.kinds, "runs": {"free": table.events(writer.in_order())}, "floors": {"free": table.floors(floors)},
        **table.tables()})
    found = recording.read_runs(tmp_path, "values", {"parts": {"values.json": seal}})
    assert found.floors["free"][keys[0]].each == (1e-16, 1e22) and found.floors["free"][keys[1]] == 0.0
    assert [event.unknown for event in found.runs["free"].in_order()] == [None, "Plot"]


def test_what_no_replay_can_go_on_with_is_recorded(tmp_path, monkeypatch):
    """A module whose result is written into later, by whoever shares its memory."""
    monkeypatch.setattr("parity.trace.borders.Borders.apart", lambda borders: {"model.1"})
    record_to(tmp_path / "day", trainings.regression.subject(), steps=1)
    _, steps = recorded_in(tmp_path / "day", trainings.regression.subject())
    assert [step.store.apart for step in steps] == [{"model.1"}]
