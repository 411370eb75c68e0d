"""A recording on disk says the same as the run itself: healthy, with a fault, interrupted, foreign."""

import json

import numpy as np
import pytest

from parity.recordings import stored_steps as recording
from parity.steps.follow import follow
from parity.steps.stored import record_to, recorded_in
from parity.ugatit import faults
from parity.ugatit.subjects import exam_training

pytestmark = pytest.mark.xdist_group("recording")  # of what its fixtures build


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recording") / "good day"
    record_to(folder, exam_training("training"), steps=2)
    return folder


def against(folder, steps=2):
    subject = exam_training("training")
    index, recorded = recorded_in(folder, subject)
    return follow(subject, steps=steps, mode=index["mode"], lane=index["lane"], recorded=recorded)


def test_the_healthy_twin_passes_as_in_one_process(folder):
    there, here = against(folder), follow(exam_training("training"), steps=2)
    assert there.verdict == here.verdict == "same" and there.steps == here.steps == 2
    assert there.report.counts == here.report.counts and there.report.compared > 5000
    assert there.curves["G_loss"] == here.curves["G_loss"]


@pytest.mark.parametrize("fault", ["wrong_loss_weight", "G_gradients_not_cleared"])
def test_a_fault_is_placed_as_its_catalogue_says(folder, fault):
    from parity.ugatit.faults.exam import misplacements
    with faults.inject(fault):
        found = against(folder)
        assert found.verdict == "diverged"
        assert not misplacements(found.report.first, faults.CATALOGUE[fault].answer)


def test_values_are_stored_once_and_readable_without_a_framework(folder):
    from safetensors import safe_open
    events = json.loads((folder / "step-0001.json").read_text())["events"]
    with safe_open(folder / "step-0001.safetensors", framework="numpy") as file:
        names = set(file.keys())
        assert {event["array"] for event in events} - {None} == names and len(names) < 0.8 * len(events)
        assert np.isfinite(file.get_tensor(events[0]["array"])).all()


def test_an_interrupted_recording_is_readable_up_to_there(tmp_path):
    subject = exam_training("training")

    def stop(step, what):
        if step == 2 and what == "reference":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_to(tmp_path / "half", subject, steps=3, progress=stop)
    assert not list((tmp_path / "half").glob(".*"))
    found = against(tmp_path / "half")
    assert found.steps == 1 and found.verdict == "same"


def test_what_is_no_recording_is_named(tmp_path, folder):
    with pytest.raises(recording.RecordingError, match=r"nothing.index.json: expected a recording"):
        recorded_in(tmp_path / "nothing", exam_training("training"))
    with pytest.raises(recording.RecordingError, match="expected an empty folder"):
        record_to(folder, exam_training("training"), steps=1)


def test_a_state_survives_the_disk_bit_for_bit(tmp_path):
    state = {"networks": {"a": {"b.c/d": np.array([[-0.0, np.nan]], np.float32)}}, "lr": {"G": 1e-4},
             "moments": {"a": {"b": {"updates": 3, "exp_avg": np.ones((2, 0))}}}}
    recording.write_state(tmp_path / "s.safetensors", state)
    assert recording.fingerprint(recording.read_state(tmp_path / "s.safetensors")) == recording.fingerprint(state)
    state["moments"]["a"]["b"]["updates"] = 4
    assert recording.fingerprint(recording.read_state(tmp_path / "s.safetensors")) != recording.fingerprint(state)
