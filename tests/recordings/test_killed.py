"""What a recording that was killed, or whose disk was full, leaves: nothing that is in the way, and all that can be read.

`benchmarks/kills.py` kills them.
"""

import os

import disks
import numpy as np
import pytest

from parity.recordings import format as recording
from parity.recordings.format import (
    FORMAT,
    RecordingError,
    Writer,
    begun,
    read_start,
    write_index,
    write_json,
    write_start,
)
from parity.trace.events import Event, Key

HIDDEN = (".index.json.71", ".step-0001.safetensors.71", f".start-{'a' * 64}.safetensors.71", ".truth-0001.safetensors",
          "..truth-0001.safetensors.71")
ORPHANS = ("step-0001.safetensors", "step-0001.json", f"start-{'a' * 64}.safetensors")


def left(folder, parts):
    """By a recording that was killed when it had finished these parts, in the midst of the next."""
    folder.mkdir()
    write_index(folder, "parity steps", parts, {"steps": len(parts)})
    for name in (*HIDDEN, *ORPHANS):
        (folder / name).write_text("half")
    return folder


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_killed_recording_without_a_part_is_cleared_away(tmp_path):
    folder = left(tmp_path / "out", {})
    with begun(folder):
        assert names(folder) <= {".lock"}
    assert names(folder) == set()


def test_what_can_be_read_is_kept_and_the_rest_is_cleared_away(tmp_path):
    folder = left(tmp_path / "out", {"step-0001.json": "a hash"})
    with pytest.raises(RecordingError, match="expected an empty folder"), begun(folder):
        pass
    assert names(folder) == {"index.json", *ORPHANS}


@pytest.mark.parametrize("theirs", ["notes.txt", ".notes", "step-0001.json", ".index.json.bak", "index.json"])
def test_what_is_somebody_elses_is_left_alone(tmp_path, theirs):
    (tmp_path / theirs).write_text('{"parts": {}}')
    with pytest.raises(RecordingError, match="expected an empty folder"), begun(tmp_path):
        pass
    assert names(tmp_path) == {theirs}


def test_a_recording_of_another_format_is_left_alone(tmp_path):
    write_json(tmp_path / "index.json", {"kind": "parity steps", "format": FORMAT + 1, "parts": {}})
    with pytest.raises(RecordingError, match="expected an empty folder"), begun(tmp_path):
        pass
    assert names(tmp_path) == {"index.json"}


def test_two_recordings_do_not_share_a_folder(tmp_path):
    with begun(tmp_path):
        (tmp_path / ".truth-0001.safetensors").write_text("of the first")
        with pytest.raises(RecordingError, match="another recording is being written there"), begun(tmp_path):
            pass
        assert names(tmp_path) == {".lock", ".truth-0001.safetensors"}


@pytest.mark.parametrize("size", [1000, recording._HEADER + 1000])  # in the header, in the values
def test_of_a_full_disk_it_is_said_and_nothing_is_left(tmp_path, size):
    key = Key("forward", 0, None, "net", 0, "", 0, "x", 0)
    with disks.full(size):
        writer = Writer(tmp_path / "step-0001.safetensors")
        with pytest.raises(RecordingError, match="cannot write .*; the recording ends before it"):
            for number in range(100):
                writer.receive(Event(key, number, None, np.full(1000, number)))
            writer.close()
        writer.discard()
    assert names(tmp_path) == set()


@pytest.mark.parametrize("write", [
    lambda folder: write_json(folder / "index.json", {"text": "x" * 1000}),
    lambda folder: write_start(folder, {"weights": {"w": np.zeros(1000)}}),
])
def test_a_file_is_there_whole_or_not_at_all(tmp_path, write):
    with disks.full(500), pytest.raises(RecordingError, match="cannot write"):
        write(tmp_path)
    assert names(tmp_path) == set()
    write(tmp_path)
    assert len(names(tmp_path)) == 1


def test_others_may_read_what_a_recording_started_from(tmp_path):
    state = {"weights": {"w": np.arange(3.0), "c": np.array([1 + 2j])}, "step": 3}
    name = write_start(tmp_path, state)
    (file,) = tmp_path.iterdir()
    (tmp_path / "usual").touch()
    assert os.stat(file).st_mode == os.stat(tmp_path / "usual").st_mode
    read = read_start(tmp_path, name)
    assert read["step"] == 3 and read["weights"]["c"] == state["weights"]["c"] and (read["weights"]["w"] == [0, 1, 2]).all()
