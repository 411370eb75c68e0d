"""Whole runs in both frameworks: start, resume, hand-over, files on the disk, grids, logs and the two commands."""

import json
import math
import shutil
import struct
from dataclasses import asdict, replace

import both
import click
import disks
import numpy as np
import paddle
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from tensorboardX.proto.event_pb2 import Event

import torch_ref
from parity.ugatit.trainer import (
    Log,
    Options,
    Snapshot,
    Trainer,
    TrainerError,
    Translator,
    heat_picture,
    image_files,
    load_state,
    load_weights,
    read_image,
    read_losses,
    resume_exactly,
    resume_weights,
    sample_grid,
    save_state,
    to_image,
)
from parity.ugatit.trainer.cli import train, translate
from parity.ugatit.trainer.data import generator, test_array
from parity.ugatit.trainer.start import initial_networks
from weights_convert import ConversionError

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.xdist_group("trainer")]  # of what its fixtures build

FRAMEWORKS = ["torch", "paddle"]
TINY = Options(ngf=2, n_blocks=1, img_size=96, light=True, ndf=1, iteration=6)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """trainA: 3 pictures, trainB: 2, testA: 1; no testB."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, count in (("trainA", 3), ("trainB", 2), ("testA", 1)):
        (folder / name).mkdir()
        for number in range(count):
            rough = generator(name, number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(rough).resize((100, 110), Image.Resampling.BICUBIC).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory, data):
    """framework -> the folder of an unbroken run of 5 steps, drawn and saved at step 3 as well."""
    folders = {}
    for framework in FRAMEWORKS:
        folders[framework] = tmp_path_factory.mktemp(framework) / "run"
        Trainer(framework, TINY, data, folders[framework]).run(5, print_freq=3, save_freq=3, progress=False)
    return folders


def same_snapshot(one, other):
    assert (one.step, one.options, one.data) == (other.step, other.options, other.data)
    return both.equal(one.state, other.state)


def test_a_run_leaves_what_it_should(runs):
    for framework, out in runs.items():
        names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
        boards = {name for name in names if name.startswith("tensorboard/")}
        weights = {f"model/pictures0_params_000000{step}" for step in (3, 5)}
        expected = {f"{name}.pt" for name in weights}
        if framework == "paddle":
            expected = {f"{name}/{network}.pdparams" for name in weights for network in both.plans(both.TINY)}
        expected |= {".lock", "losses.csv", "state/step_0000005.json", "state/step_0000005.safetensors"}
        expected |= {f"img/{direction}_000000{step}.png" for direction in ("A2B", "B2A") for step in (3, 5)}
        assert names - boards == expected and len(boards) == 1


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_resumed_run_is_the_unbroken_one_bit_for_bit(framework, data, runs, tmp_path):
    out = tmp_path / "run"
    Trainer(framework, TINY, data, out).run(2, progress=False)
    resumed = Trainer(framework, TINY, data, out, resume=resume_exactly(out))
    assert resumed.step == 2
    resumed.run(5, progress=False)
    assert same_snapshot(load_state(out), load_state(runs[framework])) > 300
    for name in ("losses.csv", "img/A2B_0000005.png", "img/B2A_0000005.png", "state/step_0000005.safetensors"):
        assert (out / name).read_bytes() == (runs[framework] / name).read_bytes(), name
    rates = read_losses(out / "losses.csv")["lr"]
    assert rates[:3] == [1e-4] * 3 and rates[2] > rates[3] > rates[4] > 0  # it fell before and after


def test_both_frameworks_start_from_the_same_bits_and_see_the_same_batches(data, tmp_path):
    trainers = [Trainer(framework, TINY, data, tmp_path / framework) for framework in FRAMEWORKS]
    one, other = (trainer.snapshot() for trainer in trainers)
    assert same_snapshot(one, other) > 100
    assert (one.framework, other.framework) == ("torch", "paddle")
    for step in (1, 2, 7):
        for domain in "AB":
            batches = [trainer.domains[domain].batch(step) for trainer in trainers]
            assert batches[0].tobytes() == batches[1].tobytes()
    losses = [trainer.train_step() for trainer in trainers]
    for name, value in losses[0].items():
        assert losses[1][name] == pytest.approx(value, rel=1e-4), name  # float32, one step: measured 1e-6
    assert not np.array_equal(other.state["networks"]["genA2B"]["FC.0.weight"],
                              Trainer("torch", replace(TINY, seed=1), data, tmp_path / "x").snapshot()
                              .state["networks"]["genA2B"]["FC.0.weight"])


def test_the_start_is_distributed_as_torchs_own():
    torch.manual_seed(0)
    training = torch_ref.Training(16, 1, 96, True, 16)
    own = training.state()["networks"]
    drawn = initial_networks(own, 0)
    checked = 0
    for name, entries in own.items():
        assert list(drawn[name]) == list(entries)
        for key, value in entries.items():
            found = drawn[name][key]
            assert found.shape == value.shape and found.dtype == np.float32
            if key.endswith(("rho", "gamma", "beta")):
                np.testing.assert_array_equal(found, value)
            elif key.endswith(("_u", "_v")):
                assert np.linalg.norm(found) == pytest.approx(1, rel=1e-5)
            elif value.size >= 400:
                assert not np.array_equal(found, value)
                # of n uniform draws: the largest is within 20/n of the bound, the deviation within 5 * 0.45/sqrt(n)
                assert np.abs(found).max() == pytest.approx(np.abs(value).max(), rel=20 / value.size)
                assert found.std() == pytest.approx(value.std(), rel=2 * 5 * 0.45 / np.sqrt(value.size))
                checked += 1
    assert checked > 50


def test_hand_over_on_the_disk_torch_paddle_torch(data, tmp_path):
    options = replace(TINY, dtype="float64")
    unbroken = Trainer("torch", options, data, tmp_path / "unbroken")
    expected = [unbroken.train_step() for _ in range(6)]
    resume, found = None, []
    for number, framework in enumerate(["torch", "paddle", "torch"]):
        out = tmp_path / str(number)
        trainer = Trainer(framework, options, data, out, resume=resume)
        found += [trainer.train_step() for _ in range(2)]
        trainer.save()
        resume = resume_exactly(out)
        assert resume.step == 2 * (number + 1) and resume.framework == framework
    for one, other in zip(expected, found, strict=True):
        for name, value in one.items():
            assert other[name] == pytest.approx(value, rel=1e-9), name  # the ceiling for the light model
    moments = resume.state["moments"]
    assert {held["updates"] for entries in moments.values() for held in entries.values()} == {6}


def test_the_weights_are_official_ones_for_both_frameworks(runs):
    networks, sizes, step = load_weights(runs["torch"] / "model/pictures0_params_0000005.pt")
    assert step == 5 and sizes == TINY.sizes()
    checkpoint = torch.load(runs["torch"] / "model/pictures0_params_0000005.pt", weights_only=True)
    assert list(checkpoint) == ["genA2B", "genB2A", "disGA", "disGB", "disLA", "disLB"]
    training = TINY.training(torch_ref)
    for name, network in training.networks.items():
        network.load_state_dict(checkpoint[name], strict=True)
    state = load_state(runs["torch"]).state["networks"]
    folder = runs["paddle"] / "model/pictures0_params_0000005"
    theirs, sizes, step = load_weights(folder)
    assert step == 5 and sizes == TINY.sizes()
    held = load_state(runs["paddle"]).state["networks"]
    compared = 0
    for name, entries in state.items():
        for key, value in entries.items():
            assert networks[name][key].tobytes() == value.tobytes() == checkpoint[name][key].numpy().tobytes()
            assert theirs[name][key].tobytes() == held[name][key].tobytes()
            compared += 1
    assert compared > 100
    twin = TINY.training(both.paddle_impl)
    for name, network in twin.networks.items():
        missing, unexpected = network.set_state_dict(paddle.load(str(folder / f"{name}.pdparams")))
        assert not missing and not unexpected
    whole, sizes, step = load_weights(runs["paddle"])
    assert step == 5 and sizes == TINY.sizes() and whole["disLB"].keys() == held["disLB"].keys()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_an_official_resume_has_weights_and_lr_but_no_moments(framework, data, runs, tmp_path):
    other = {"torch": runs["paddle"] / "model/pictures0_params_0000005",
             "paddle": runs["torch"] / "model/pictures0_params_0000005.pt"}[framework]
    snapshot = resume_weights(other, TINY)
    trainer = Trainer(framework, TINY, data, tmp_path, resume=snapshot)
    now = trainer.snapshot()
    assert now.step == trainer.step == 5 and not any(now.state["moments"].values())
    assert now.state["lr"]["G"] == pytest.approx(1e-4 / 3, rel=1e-12)  # 2 of 3 falls are behind it
    source, _, _ = load_weights(other)
    for name, entries in source.items():
        for key, value in entries.items():
            assert now.state["networks"][name][key].tobytes() == value.tobytes()
    assert resume_weights(other, TINY, step=0).state["lr"] == {"G": 1e-4, "D": 1e-4}
    with pytest.raises(TrainerError, match="genA2B is of other sizes .*ngf: 2 there, 3 here"):
        resume_weights(other, replace(TINY, ngf=3))
    trainer.train_step()
    assert {held["updates"] for held in trainer.snapshot().state["moments"]["disLA"].values()} == {1}


# The state on the disk.


@pytest.fixture
def snapshot():
    rng = np.random.default_rng(0)
    names = ["genA2B", "genB2A", "disGA", "disGB", "disLA", "disLB"]
    weights = {name: {"layer.weight": rng.standard_normal((2, 3)), "scalar": np.array(3.0, np.float32)}
               for name in names}
    moments = {name: {"layer.weight": {"updates": 7, "exp_avg": rng.standard_normal((3, 2)).T,
                                       "exp_avg_sq": rng.standard_normal((2, 3)).astype("float32")}} for name in names}
    state = {"networks": weights, "moments": moments, "lr": {"G": 1e-4 / 3, "D": 0.1}}
    return Snapshot("torch", 7, TINY, state, {"A": {"files": 3, "sha256": "x"}})


def test_a_state_comes_back_bit_for_bit_and_replaces_the_last(snapshot, tmp_path):
    save_state(tmp_path, replace(snapshot, step=6))
    save_state(tmp_path, snapshot)
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["step_0000007.json",
                                                                            "step_0000007.safetensors"]
    for path in (tmp_path, tmp_path / "state", tmp_path / "state/step_0000007.json"):
        assert same_snapshot(load_state(path), snapshot) == 24
    content = json.loads((tmp_path / "state/step_0000007.json").read_text())
    assert content["options"] == asdict(TINY) and content["versions"]["numpy"] == np.__version__


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_save_that_fails_leaves_the_last_one(snapshot, tmp_path, monkeypatch, error):
    save_state(tmp_path, snapshot)

    def fail(*_, **__):
        raise error

    for target in ("parity.ugatit.trainer.checkpoint.write_safetensors", "pathlib.Path.write_text"):
        with monkeypatch.context() as patch:
            patch.setattr(target, fail)
            with pytest.raises((ConversionError, KeyboardInterrupt)):
                save_state(tmp_path, replace(snapshot, step=8))
    assert len(list((tmp_path / "state").iterdir())) == 2
    assert same_snapshot(load_state(tmp_path), snapshot) == 24


def test_damaged_states_are_refused_in_one_line(snapshot, tmp_path):
    save_state(tmp_path, snapshot)
    file = tmp_path / "state/step_0000007.json"
    tensors = tmp_path / "state/step_0000007.safetensors"
    text, data = file.read_text(), tensors.read_bytes()

    def refused(match):
        with pytest.raises(TrainerError, match=match) as raised:
            load_state(tmp_path)
        assert "\n" not in str(raised.value)

    tensors.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    refused("checksum differs")
    tensors.unlink()
    refused("cannot read it")
    tensors.write_bytes(data)
    content = json.loads(text)
    file.write_text(json.dumps({**content, "lr": {"G": 1e-3, "D": 1e-3}}))
    refused("step_0000007.json: not the file that was saved")
    del content["sha256"]  # as an older version wrote it
    file.write_text(json.dumps(content))
    assert same_snapshot(load_state(tmp_path), snapshot) == 24
    for change in ({"schema": "other/1"}, {"lr": None}, {"lr": {"G": math.nan, "D": 1e-4}},
                   {"lr": {"G": 1e-4, "D": -1}}, {"options": {**content["options"], "ngf": "8"}},
                   {"updates": {}}, {"options": {}}, {"tensors": {}}, {"step": "x"}):
        file.write_text(json.dumps({**content, **change}))
        refused("step_0000007.json")
    for wrong in ("", "{", "[]", "7"):
        file.write_text(wrong)
        refused("step_0000007.json")
    file.unlink()
    refused("found none")
    with pytest.raises(TrainerError, match="found none"):
        load_state(tmp_path / "absent.json")


# What stops a run.


def test_a_run_is_not_overwritten_and_its_pictures_are_checked(data, runs, tmp_path):
    with pytest.raises(TrainerError, match="holds a run already"):
        Trainer("torch", TINY, data, runs["torch"])
    fewer = tmp_path / "fewer"
    for name, count in (("trainA", 2), ("trainB", 2)):
        (fewer / name).mkdir(parents=True)
        for number in range(count):
            (fewer / name / f"{number}.png").write_bytes((data / name / f"{number}.png").read_bytes())
    with pytest.raises(TrainerError, match="not the pictures that the run was trained on"):
        Trainer("torch", TINY, fewer, tmp_path / "out", resume=resume_exactly(runs["torch"]))
    other = shutil.copytree(data, tmp_path / "other")
    (other / "trainA" / "0.png").write_bytes((data / "trainB" / "0.png").read_bytes())
    with pytest.raises(TrainerError, match="contents of files"):
        Trainer("torch", TINY, other, tmp_path / "out", resume=resume_exactly(runs["torch"]))
    snapshot = resume_exactly(runs["torch"])
    for kept in snapshot.data.values():
        del kept["contents"]  # as an older version saved it
    Trainer("torch", TINY, other, tmp_path / "out", resume=snapshot)
    with pytest.raises(TrainerError, match="genA2B is of other sizes than the run .ngf: 2 there, 8 here.; give"):
        resume_weights(runs["torch"], replace(TINY, ngf=8))
    weights = resume_weights(runs["torch"], TINY)
    assert weights.step == 5
    Trainer("torch", TINY, fewer, tmp_path / "out", resume=weights)
    with pytest.raises(TrainerError, match="trainA: expected a folder"):
        Trainer("torch", TINY, tmp_path, tmp_path / "out")
    with pytest.raises(TrainerError, match="does not fit these sizes"):
        Trainer("paddle", replace(TINY, n_blocks=2), data, tmp_path / "out", resume=resume_exactly(runs["torch"]))
    for wrong in (97, 64):
        with pytest.raises(TrainerError, match="multiple of 32"):
            replace(TINY, img_size=wrong)


def test_two_runs_do_not_write_into_one_folder(data, tmp_path):
    first, second = (Trainer("torch", TINY, data, tmp_path / "out") for _ in range(2))
    first.draw = lambda: second.run(1, progress=False)
    with pytest.raises(TrainerError, match="another training is writing there"):
        first.run(1, progress=False)
    second.run(1, progress=False)  # the lock went with the run
    assert len((tmp_path / "out" / "losses.csv").read_text().splitlines()) == 2


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_checkpoint(data, tmp_path, monkeypatch):
    out = tmp_path / "run"
    trainer = Trainer("torch", TINY, data, out)
    step = trainer.training.step
    monkeypatch.setattr(trainer.training, "step", lambda *arguments: {
        **step(*arguments), **({"G_loss": torch.tensor(torch.nan)} if arguments[2] == 3 else {})})
    with pytest.raises(TrainerError, match="step 3: G_loss is nan"):
        trainer.run(4, save_freq=1, progress=False)
    assert load_state(out).step == 2
    assert len((out / "losses.csv").read_text().splitlines()) == 3


def test_looking_leaves_no_trace(data, tmp_path):
    trainer = Trainer("paddle", TINY, data, tmp_path)
    trainer.train_step()
    before = trainer.snapshot()
    trainer.draw()
    trainer.save()
    assert same_snapshot(before, trainer.snapshot()) > 300


@pytest.mark.parametrize(("direction", "forth", "back", "columns"), [("A2B", "genA2B", "genB2A", 4),
                                                                     ("B2A", "genB2A", "genA2B", 2)])
def test_each_grid_goes_its_way_over_training_and_test_pictures(direction, forth, back, columns, data, tmp_path):
    trainer = Trainer("torch", TINY, data, tmp_path)
    trainer.draw()
    grid = np.asarray(Image.open(tmp_path / f"img/{direction}_0000000.png"))
    assert grid.shape == (7 * 96, columns * 96, 3)
    files = sorted((data / f"train{direction[0]}").iterdir()) + ([data / "testA/0.png"] if direction == "A2B" else [])
    for column, file in enumerate(files):
        real = test_array(read_image(file), 96)[None]
        there, identity = (trainer.translate(name, real)[0] for name in (forth, back))
        cycle, _ = trainer.translate(back, there)
        for row, expected in ((0, real), (2, identity), (4, there), (6, cycle)):
            cell = grid[96 * row:96 * row + 96, 96 * column:96 * column + 96]
            np.testing.assert_array_equal(cell, np.asarray(to_image(expected[0])))


# Logs.


def events(folder):
    """(step, tag) -> value of every scalar, in the order of the files: the format that TensorBoard reads."""
    found = {}
    for path in sorted(folder.iterdir()):
        content, at = path.read_bytes(), 0
        while at < len(content):
            length, = struct.unpack_from("<Q", content, at)
            event = Event.FromString(content[at + 12:at + 12 + length])
            if event.session_log.status == 1:  # a restart: what came after its step no longer counts
                found = {key: value for key, value in found.items() if key[0] < event.step}
            found.update({(event.step, value.tag): value.simple_value for value in event.summary.value})
            at += 16 + length
    return found


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_both_logs_hold_every_step_and_term(framework, runs):
    columns = read_losses(runs[framework] / "losses.csv")
    assert len(columns) == 26 and columns["step"] == [1, 2, 3, 4, 5]
    scalars = events(runs[framework] / "tensorboard")
    assert len(scalars) == 25 * 5
    for (step, tag), value in scalars.items():
        assert value == pytest.approx(columns[tag][step - 1], rel=1e-6)  # TensorBoard keeps float32
    sums = sum(np.array(values) for name, values in columns.items() if name.startswith("D/"))
    np.testing.assert_allclose(columns["D_loss"], sums, 1e-6)
    weight = {"cycle": 10, "identity": 10, "cam": 1000}
    sums = sum(np.array(values) * (weight[name.split("/")[2]] if name[2] in "AB" else 1)
               for name, values in columns.items() if name.startswith("G/"))
    np.testing.assert_allclose(columns["G_loss"], sums, 1e-6)


def test_a_log_drops_what_is_trained_again(tmp_path):
    with Log(tmp_path, 0) as log:
        for step in (1, 2, 3):
            log.write(step, 0.1, {"D_loss": float(step), "G_loss": 0.25})
    with (tmp_path / "losses.csv").open("a") as file:
        file.write("4,0.1,4")  # cut in the middle of a line
    with Log(tmp_path, 1) as log:
        log.write(2, 0.1, {"D_loss": 20.0, "G_loss": 1 / 3})
    assert (tmp_path / "losses.csv").read_text() == ("step,lr,D_loss,G_loss\n1,0.1,1.0,0.25\n"
                                                     "2,0.1,20.0,0.3333333333333333\n")
    assert {key: value for key, value in events(tmp_path / "tensorboard").items() if key[1] == "D_loss"} == {
        (1, "D_loss"): 1, (2, "D_loss"): 20}
    (tmp_path / "losses.csv").write_text("a,b\nc,d\n")
    with pytest.raises(TrainerError, match="expected a log"):
        Log(tmp_path, 1)


def test_a_log_on_a_full_disk_ends_the_run_and_loses_nothing(tmp_path):
    """It is TensorBoard's file that grows fastest: who logs does not wait for it for ever."""
    with disks.full(10_000), pytest.raises(TrainerError, match="losses.csv: cannot be written .*resume"), Log(tmp_path, 0) as log:
        for step in range(1, 10_000):
            log.write(step, 0.1, {"D_loss": float(step), "G_loss": 0.25})
    before = (tmp_path / "losses.csv").read_text()
    assert before.startswith("step,lr,D_loss,G_loss\n1,0.1,1.0,0.25\n2,") and len(before.splitlines()) < 1000
    with disks.full(10), pytest.raises(ConversionError, match="nothing was changed"):
        Log(tmp_path, 1)
    assert (tmp_path / "losses.csv").read_text() == before
    Log(tmp_path, 1).__exit__()
    assert (tmp_path / "losses.csv").read_text() == "step,lr,D_loss,G_loss\n1,0.1,1.0,0.25\n"


def test_a_run_that_was_killed_before_its_first_state_starts_anew_and_clears_up(data, tmp_path):
    out = tmp_path / "run"
    left = [out / folder / ".converting-killed" for folder in ("state", "img", "model/pictures0_params_0000009", ".")]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "half").write_text("half")
    with pytest.raises(TrainerError, match="found none"):
        resume_exactly(out)
    Trainer("torch", TINY, data, out).run(1, progress=False)
    assert not any(folder.exists() for folder in left) and not (out / "model/pictures0_params_0000009").exists()
    with pytest.raises(TrainerError, match="holds a run already"):
        Trainer("torch", TINY, data, out)
    state = out / "state" / "step_0000001.safetensors"
    assert state.stat().st_mode == (out / "losses.csv").stat().st_mode  # others may read it


def test_a_state_that_was_half_replaced_when_the_run_was_killed_is_read_as_it_was(runs, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(runs["torch"], out)
    state, stage = out / "state" / "step_0000005.json", out / "state" / ".converting-killed"
    (stage / ".replaced").mkdir(parents=True)
    shutil.move(state, stage / ".replaced" / state.name)
    state.write_text("new")
    (stage / "later").write_text("not yet renamed")
    (stage / ".journal").write_text(json.dumps({path.name: path.stat().st_ino for path in (state, stage / "later")}))
    same_snapshot(load_state(out), load_state(runs["torch"]))
    assert not stage.exists()


# Grids.


def test_the_grid_has_the_official_seven_rows():
    real = np.stack([np.full((3, 8, 8), value, np.float32) for value in (-1, 0)])
    heat = np.stack([np.linspace(0, 1, 4, dtype=np.float32).reshape(1, 2, 2)] * 2)
    forth = [lambda batch: (batch + np.float32(0.5), heat), lambda batch: (batch - np.float32(0.25), -heat)]
    grid = np.asarray(sample_grid(real, *forth))
    assert grid.shape == (56, 16, 3)

    def cell(row, column):
        return grid[8 * row:8 * row + 8, 8 * column:8 * column + 8]

    for column, value in enumerate((-1, 0)):
        for row, offset in ((0, 0), (2, -0.25), (4, 0.5), (6, 0.25)):  # real, identity, translation, cycle
            expected = np.asarray(to_image(np.full((3, 8, 8), value + offset)))
            np.testing.assert_array_equal(cell(row, column), expected)
        np.testing.assert_array_equal(cell(1, column), np.asarray(heat_picture(-heat[0], 8)))
        np.testing.assert_array_equal(cell(3, column), np.asarray(heat_picture(heat[0], 8)))
        np.testing.assert_array_equal(cell(5, column), np.asarray(heat_picture(-heat[0], 8)))
    assert not np.array_equal(cell(1, 0), cell(3, 0))


def test_heat_runs_from_blue_over_green_to_red():
    ramp = np.linspace(-3, 5, 64, dtype=np.float32).reshape(1, 8, 8)
    colours = np.asarray(heat_picture(ramp, 8))
    assert tuple(colours[0, 0]) == (0, 0, 128) and tuple(colours[-1, -1]) == (128, 0, 0)
    assert colours[4, 0].argmax() == 1 and colours.shape == (8, 8, 3)
    np.testing.assert_array_equal(np.asarray(heat_picture(4 * ramp, 8)), colours)
    flat = np.asarray(heat_picture(np.full((1, 2, 2), 3.0), 8))
    assert (flat == (0, 0, 128)).all()
    assert np.asarray(heat_picture(np.full((1, 2, 2), np.nan), 8)).shape == (8, 8, 3)


# The commands.


CLI = click.Group(commands={"train": train, "translate": translate})
SMALL = ["--ch", "2", "--ndf", "1", "--n-blocks", "1", "--light", "--img-size", "96", "--iteration", "6"]


def call(*arguments):
    result = CliRunner().invoke(CLI, [str(argument) for argument in arguments])
    if result.exit_code == 2 and "Usage:" not in result.stderr:
        assert result.stderr.count("\n") == 1 and "Traceback" not in result.stderr
    elif result.exit_code:
        assert result.exit_code == 2, result.output
    return result


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_train_resume_and_translate_by_command(framework, data, runs, tmp_path):
    out, other = tmp_path / "run", "paddle" if framework == "torch" else "torch"
    start = ["train", "--framework", framework, "--data", data, "--out", out]
    result = call(*start, *SMALL, "--steps", 2)
    assert result.exit_code == 0 and "2 steps, D_loss" in result.stdout
    assert "holds a run already" in call(*start, *SMALL, "--steps", 3).stderr
    result = call(*start, "--steps", 5, "--resume", out)
    assert result.exit_code == 0
    assert same_snapshot(load_state(out), load_state(runs[framework])) > 300  # the unbroken run's, bit for bit
    assert "5 steps are done already" in call(*start, "--steps", 5, "--resume", out).stderr
    assert "was made with 2, not 3" in call(*start, "--steps", 6, "--resume", out, "--ch", 3).stderr
    handed = tmp_path / "handed"
    result = call("train", "--framework", other, "--data", data, "--out", handed, "--steps", 6, "--resume", out)
    assert result.exit_code == 0 and load_state(handed).framework == other
    official = tmp_path / "official"
    result = call("train", "--framework", other, "--data", data, "--out", official, *SMALL, "--steps", 6, "--resume",
                  out, "--weights-only")
    assert result.exit_code == 0
    assert load_state(official).state["moments"]["genA2B"]["gap_fc.weight"]["updates"] == 1
    translated = []
    for name, target in ((framework, "own"), (other, "other")):
        result = call("translate", "--framework", name, "--checkpoint", out, "--img-size", 96, data / "trainA",
                      "--out", tmp_path / target)
        assert result.exit_code == 0 and "3 pictures" in result.stdout
        assert sorted(path.name for path in (tmp_path / target).iterdir()) == ["0.png", "1.png", "2.png"]
        translated.append(np.asarray(Image.open(tmp_path / target / "1.png")).astype(int))
    assert translated[0].shape == (96, 96, 3) and translated[0].std() > 0
    assert np.abs(translated[0] - translated[1]).max() <= 1  # rounding to 8 bits


def test_bad_input_is_one_line_and_exit_code_2(data, runs, tmp_path):
    start = ["train", "--framework", "torch", "--out", tmp_path / "run", *SMALL]
    cases = {
        "expected a folder of pictures, found nothing": [*start, "--data", tmp_path / "absent"],
        "multiple of 32": [*start, "--data", data, "--img-size", 100],
        "expected --resume as well": [*start, "--data", data, "--weights-only"],
        "expected the folder of a run, or one with a file": [*start, "--data", data, "--resume", tmp_path],
        "no such file": ["translate", "--framework", "torch", "--checkpoint", tmp_path / "x.pt",
                         "--out", tmp_path / "o", data / "trainA"],
        "cannot read it": ["translate", "--framework", "paddle", "--checkpoint", runs["paddle"],
                           "--out", tmp_path / "o", runs["paddle"] / "losses.csv"],
        "more than one picture would become 0.png": ["translate", "--framework", "torch", "--checkpoint", runs["torch"],
                                                     "--out", tmp_path / "o", data / "trainA", data / "trainB"],
        "multiple of 4": ["translate", "--framework", "torch", "--checkpoint", runs["torch"], "--out", tmp_path / "o",
                          "--img-size", 97, data / "trainA"],
    }
    for message, arguments in cases.items():
        result = call(*arguments)
        assert result.exit_code == 2 and message in result.stderr, (message, result.output)
    assert not (tmp_path / "run").exists() and not (tmp_path / "o").exists()


def test_a_missing_gpu_is_bad_input(data, tmp_path):
    if torch.cuda.is_available() or paddle.device.is_compiled_with_cuda():
        pytest.skip("there may be one")
    for framework in FRAMEWORKS:
        result = call("train", "--framework", framework, "--device", "gpu", "--data", data, "--out", tmp_path / "run",
                      *SMALL)
        assert result.exit_code == 2 and "expected a gpu that this framework can use" in result.stderr


def test_a_full_generator_knows_its_size(data, tmp_path):
    options = replace(TINY, light=False, ngf=1)
    trainer = Trainer("paddle", options, data, tmp_path / "run")
    weights = trainer.save()
    translator = Translator("torch", weights, "B2A")
    assert translator.img_size == 96
    picture = translator(Image.new("RGB", (30, 50), "teal"))
    expected, _ = trainer.translate("genB2A", np.asarray(
        np.broadcast_to(np.float32([0, 128, 128]).reshape(1, 3, 1, 1) / np.float32(127.5) - 1, (1, 3, 96, 96))))
    assert np.abs(np.asarray(picture).astype(int) - np.asarray(to_image(expected[0]))).max() <= 1
    with pytest.raises(TrainerError, match="made for pictures of 96 pixels, not 128"):
        Translator("torch", weights, img_size=128)
    (weights / "disLA.pdparams").unlink()
    with pytest.raises(TrainerError, match="none, or both, for disLA"):
        load_weights(weights)


def test_results_keep_their_place_below_a_folder(data):
    names = [name.as_posix() for _, name in image_files([data])]
    assert names == ["testA/0.png", "trainA/0.png", "trainA/1.png", "trainA/2.png", "trainB/0.png", "trainB/1.png"]
