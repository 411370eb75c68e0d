"""Checkpoint files: what is read without trust, what is written atomically."""

import ast
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import paddle
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weights_convert import (
    CheckpointError,
    Staging,
    bits,
    paddle_files,
    read_paddle,
    read_torch,
    staging,
    write_paddle,
    write_torch,
)
from weights_convert.bits import same_bits, sha256_file

ODD = np.array(
    [0x7FC12345, 0x7F812345, 0xFFC00001, 0x80000000, 1, 0x80000001, 0x7F800000, 0x3F800000], "u4"
).view("f4")


def sample():
    return {
        "matrix": np.arange(12, dtype="f4").reshape(3, 4),
        "odd": ODD.copy(),
        "double": np.array([np.pi, -0.0, 5e-324]),
        "half": np.array([1.5], "f2"),
        "count": np.array(7, "i8"),
        "flags": np.array([True, False]),
        "empty": np.zeros((0, 3), "f4"),
    }


def same(a, b):
    return list(a) == list(b) and all(same_bits(np.asarray(a[name]), np.asarray(b[name])) for name in a)


def torch_state(arrays=None):
    return OrderedDict((name, torch.from_numpy(array)) for name, array in (arrays or sample()).items())


class Payload:
    """Touches a file when it is unpickled the careless way."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


# .pt


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_pt_reads_bit_for_bit_in_both_formats(tmp_path, zipped):
    torch.save({"net": torch_state()}, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    state = read_torch(tmp_path / "a.pt")["net"]
    assert same(state, sample())
    with pytest.raises(ValueError, match="read-only"):
        state["matrix"][0, 0] = 1


def test_legacy_storages_of_a_gpu_come_to_the_cpu(tmp_path):
    torch.save({"net": torch_state()}, tmp_path / "cpu.pt", _use_new_zipfile_serialization=False)
    content = (tmp_path / "cpu.pt").read_bytes()
    tag, cuda = b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"
    assert tag in content
    (tmp_path / "cuda.pt").write_bytes(content.replace(tag, cuda))
    assert same(read_torch(tmp_path / "cuda.pt")["net"], sample())


class Reduced:
    """Pickled as a call."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_an_ordered_dict_as_python_2_wrote_it(tmp_path, zipped):
    """A call with a list of [name, value] (lpips' own weights); of anything else it is refused."""
    def read(*arguments):
        torch.save(Reduced(OrderedDict, arguments), tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
        return read_torch(tmp_path / "a.pt")

    assert same(read([[name, value] for name, value in torch_state().items()]), sample())
    one = torch.ones(2)
    for wrong in ([[("tuple",) * 2, one]], [["a", one, 3]], {"a": one}, [["a"]], "ab", 3):
        with pytest.raises(CheckpointError):
            read(wrong)
    with pytest.raises(CheckpointError):
        read([["a", one]], [["b", one]])


def test_a_torchscript_program_is_called_that(tmp_path):
    torch.jit.save(torch.jit.trace(torch.nn.Linear(3, 3), torch.ones(1, 3)), tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="TorchScript program.*state_dict"):
        read_torch(tmp_path / "a.pt")


def test_write_torch_is_what_torch_save_makes(tmp_path):
    states = {"a": sample(), "b": {"view": np.arange(6.0).reshape(2, 3).T}}
    write_torch(tmp_path / "a.pt", states, {"a": OrderedDict({"": {"version": 1}})})
    content = torch.load(tmp_path / "a.pt", weights_only=True)
    assert list(content) == ["a", "b"] and type(content["a"]) is OrderedDict
    assert content["a"]._metadata == {"": {"version": 1}}
    found = read_torch(tmp_path / "a.pt")
    assert same(found["a"], sample()) and np.array_equal(found["b"]["view"], states["b"]["view"])


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_pt_payload_is_refused_and_not_run(tmp_path, zipped):
    mark = tmp_path / "owned"
    torch.save({"net": Payload(mark)}, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        CheckpointError, match=r"a\.pt.*asks to import (posix|nt|os)\.system; its code was not run"
    ) as caught:
        read_torch(tmp_path / "a.pt")
    assert not mark.exists() and "\n" not in str(caught.value)


def tar_archive(path):
    with tarfile.open(path, "w") as archive:
        for name in ("storages", "tensors", "pickle"):
            archive.addfile(tarfile.TarInfo(name))


def rezipped(path, compression=zipfile.ZIP_STORED, twice=False):
    torch.save({"net": torch_state()}, path)
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members + members[-1:] * twice:
            archive.writestr(name, data)


def expanded(path):
    torch.save({"net": {"w": torch.zeros(1).expand(10**6, 10**6)}}, path)


BAD_PT = {
    "missing": (lambda path: None, "no such file"),
    "folder": (lambda path: path.mkdir(), "expected a file, found a folder"),
    "empty": (lambda path: path.write_bytes(b""), "empty"),
    "text": (lambda path: path.write_bytes(b"hello\n" * 10), "expected a PyTorch checkpoint, found"),
    "tar": (tar_archive, "a tar archive"),
    "other zip": (lambda path: zipfile.ZipFile(path, "w").writestr("a.txt", "a"), "not a PyTorch checkpoint"),
    "compressed": (lambda path: rezipped(path, zipfile.ZIP_DEFLATED), "is compressed"),
    "number": (
        lambda path: torch.save({"net": {"epoch": 3}}, path),
        "net.epoch: expected a tensor, found of type int",
    ),
    "list": (
        lambda path: torch.save([torch.ones(1)], path),
        "expected a dict of tensors, found of type list",
    ),
    "tensor": (lambda path: torch.save(torch.ones(1), path), "expected a dict of tensors"),
    "deep": (lambda path: torch.save({"a": {"b": {"c": torch.ones(1)}}}, path), r"a\.b: expected a tensor"),
    "key": (
        lambda path: torch.save({3: torch.ones(1)}, path),
        "expected names, found a key that is of type int",
    ),
    "sparse": (
        lambda path: torch.save({"s": torch.eye(2).to_sparse()}, path),
        "s: expected a dense CPU tensor",
    ),
    "complex": (lambda path: torch.save({"b": torch.ones(1, dtype=torch.complex64)}, path), "a.pt: .*ComplexFloatStorage"),
    "claims more": (expanded, r"net\.w: claims shape \(1000000, 1000000\)"),
    "pdparams": (lambda path: path.write_bytes(pickle.dumps(sample(), 4)), "a.pt: expected"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", BAD_PT)
def test_refuses_as_pt(tmp_path, case):
    make, message = BAD_PT[case]
    make(tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=message) as caught:
        read_torch(tmp_path / "a.pt")
    assert "a.pt" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_refuses_two_members_of_one_name_in_a_zip(tmp_path):
    rezipped(tmp_path / "a.pt", twice=True)
    with pytest.raises(CheckpointError, match="share a name"):
        read_torch(tmp_path / "a.pt")
    rezipped(tmp_path / "b.pt")
    assert same(read_torch(tmp_path / "b.pt")["net"], sample())


def truncations(size):
    return sorted({*range(1, 40), *random.Random(0).sample(range(1, size), 60), size - 1})


@pytest.mark.parametrize("kind", ["zip", "legacy", "pdparams", "safetensors"])
def test_truncated_anywhere_is_one_clear_error(tmp_path, kind):
    whole = tmp_path / ("a." + (kind if kind in paddle_files.FORMATS else "pt"))
    if kind in paddle_files.FORMATS:
        write_paddle(whole, sample().items())
    else:
        torch.save({"net": torch_state()}, whole, _use_new_zipfile_serialization=kind == "zip")
    read = read_torch if whole.suffix == ".pt" else read_paddle
    content = whole.read_bytes()
    part = tmp_path / ("part" + whole.suffix)
    for size in truncations(len(content)):
        part.write_bytes(content[:size])
        with pytest.raises(CheckpointError, match="part") as caught:
            read(part)
        assert "\n" not in str(caught.value)
    read(whole)


# .pdparams and safetensors


@pytest.mark.parametrize("format", paddle_files.FORMATS)
def test_paddle_files_round_trip_bit_for_bit(tmp_path, format):
    path = tmp_path / f"a.{format}"
    written = write_paddle(path, sample().items())
    found = read_paddle(path)
    assert written.sha256 == sha256_file(path) and written.size == path.stat().st_size
    assert same({name: found[name] for name in sample()}, sample()) and len(found) == len(sample())


def test_plain_paddle_load_and_set_state_dict_take_what_we_write(tmp_path):
    layer = paddle.nn.Sequential(paddle.nn.Linear(4, 3), paddle.nn.BatchNorm1D(3))
    rng = np.random.default_rng(0)
    state = {name: rng.random(tensor.shape).astype("f4") for name, tensor in layer.state_dict().items()}
    state["0.bias"] = ODD[:3]
    write_paddle(tmp_path / "a.pdparams", state.items())
    assert layer.set_state_dict(paddle.load(str(tmp_path / "a.pdparams"))) == ([], [])
    assert same({name: tensor.numpy() for name, tensor in layer.state_dict().items()}, state)
    loaded = paddle.load(str(tmp_path / "a.pdparams"), return_numpy=True)
    assert same({name: loaded[name] for name in state}, state)


def test_every_dtype_passes_paddle_load(tmp_path):
    write_paddle(tmp_path / "a.pdparams", sample().items())
    assert same({n: v.numpy() for n, v in paddle.load(str(tmp_path / "a.pdparams")).items()}, sample())


def test_views_of_any_memory_order_are_written_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr(bits, "_BLOCK", 64)
    monkeypatch.setattr(bits, "_TILE", 7)
    monkeypatch.setattr(bits, "_BAND", 3)
    arrays = {"t": np.arange(1000.0).reshape(10, 100).T, "strided": np.arange(20, dtype="i4")[::3],
              "few rows": np.arange(1000.0).reshape(100, 10).T, "deep": np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)}
    sizes = {name: {len(block) for block in bits.blocks(array)} for name, array in arrays.items()}
    assert sizes["t"] == {240, 80} and sizes["few rows"] == {2400, 800} and max(sizes["strided"] | sizes["deep"]) <= 64
    write_paddle(tmp_path / "a.pdparams", arrays.items())
    assert same(
        read_paddle(tmp_path / "a.pdparams"), {n: np.asarray(a, order="C") for n, a in arrays.items()}
    )


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_reads_what_paddle_save_writes(tmp_path, protocol):
    layer = paddle.nn.Linear(3, 5)
    paddle.save(layer.state_dict(), str(tmp_path / "a.pdparams"), protocol=protocol)
    expected = {name: tensor.numpy() for name, tensor in layer.state_dict().items()}
    assert same(read_paddle(tmp_path / "a.pdparams"), expected)


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_reads_the_names_of_numpy_1_and_2(tmp_path, module):
    write_paddle(tmp_path / "a.pdparams", sample().items())
    content = (tmp_path / "a.pdparams").read_bytes()
    assert (
        b"numpy.core.multiarray" in content and b"numpy._core" not in content
    )  # every numpy knows this name
    (tmp_path / "b.pdparams").write_bytes(content.replace(b"numpy.core.multiarray", module))
    assert same(read_paddle(tmp_path / "b.pdparams"), sample())


def test_reads_fortran_order_and_big_endian_arrays(tmp_path):
    arrays = {"f": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "be": np.arange(3, dtype=">f4")}
    (tmp_path / "a.pdparams").write_bytes(pickle.dumps(arrays, 4))
    found = read_paddle(tmp_path / "a.pdparams")
    assert np.array_equal(found["f"], arrays["f"]) and np.array_equal(found["be"], arrays["be"])
    assert found["be"].dtype == np.dtype("f4")


def test_pdparams_payload_is_refused_and_not_run(tmp_path):
    mark = tmp_path / "owned"
    (tmp_path / "a.pdparams").write_bytes(pickle.dumps({"w": np.ones(2), "x": Payload(mark)}))
    with pytest.raises(
        CheckpointError, match=r"a\.pdparams.*asks to import (posix|nt)\.system; its code was not run"
    ):
        read_paddle(tmp_path / "a.pdparams")
    assert not mark.exists()


def array_pickle(shape="K\x02\x85", dtype="f4", data=b"C\x08" + bytes(8)):
    """A hand-made array: _reconstruct, then its state (1, shape, dtype, False, data)."""
    return (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01"
        + shape.encode("latin1")
        + b"cnumpy\ndtype\nX" + len(dtype).to_bytes(4, "little") + dtype.encode() + b"\x89\x88\x87R"
        + b"(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + data + b"tb"
    )  # fmt: skip


def saved(value):
    return b"\x80\x04}X\x01\x00\x00\x00w" + value + b"s."


BAD_PDPARAMS = {
    "object array": (pickle.dumps({"w": np.array([None])}), "expected a dtype among"),
    "number": (pickle.dumps({"w": 3}), "w: expected an array under a name, found int"),
    "nested": (pickle.dumps({"net": {"w": np.ones(1)}}), "net: expected an array under a name, found dict"),
    "list": (pickle.dumps([np.ones(1)]), "expected a dict of arrays, found list"),
    "builtin": (pickle.dumps({"w": print}), "asks to import builtins.print"),
    "torch": (pickle.dumps({"w": torch.ones(1)}), "asks to import torch"),
    "too large a shape": (
        saved(array_pickle(shape="J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86")),
        "does not fit 8 bytes",
    ),
    "negative shape": (
        saved(array_pickle(shape="J\xfe\xff\xff\xffJ\xff\xff\xff\xff\x86")),
        r"shape \(-2, -1\)",
    ),
    "bool shape": (saved(array_pickle(shape="\x88\x85", data=b"C\x04" + bytes(4))), "a shape of no sizes"),
    "unfilled array": (
        saved(b"cnumpy\nndarray\n)R"),
        "w: expected an array under a name, found an array without",
    ),
    "huge memo index": (b"\x80\x04}r\xff\xff\xff\xff(((", "expected Paddle parameters"),
    "huge string": (b"\x80\x04\x8e" + (2**60).to_bytes(8, "little"), "expected Paddle parameters"),
    "attribute of a class": (
        saved(b"cnumpy\ndtype\n}X\x05\x00\x00\x00dtypeK\x01sb"),
        "expected Paddle parameters",
    ),
    "extension": (saved(b"\x82\x01"), "extension registry"),
    "persistent id": (saved(b"Px\n"), "expected Paddle parameters"),
    "text": (b"hello\n" * 10, "expected Paddle parameters, found"),
    "zip": (b"PK\x03\x04" + bytes(30), "expected Paddle parameters, found"),
    "empty": (b"", "empty"),
}


@pytest.mark.parametrize("case", BAD_PDPARAMS)
def test_refuses_as_pdparams(tmp_path, case):
    content, message = BAD_PDPARAMS[case]
    (tmp_path / "a.pdparams").write_bytes(content)
    with pytest.raises(CheckpointError, match=message) as caught:
        read_paddle(tmp_path / "a.pdparams")
    assert "\n" not in str(caught.value)


def test_the_hand_made_array_is_read_when_it_is_right(tmp_path):
    (tmp_path / "a.pdparams").write_bytes(saved(array_pickle()))
    assert same(read_paddle(tmp_path / "a.pdparams"), {"w": np.zeros(2, "f4")})


@settings(max_examples=400, deadline=None, database=None)
@given(st.data())
def test_mutated_pdparams_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "mutated.pdparams"
    write_paddle(path, list(sample().items())[:3])
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        assert all(isinstance(array, np.ndarray) for array in read_paddle(path).values())
    except CheckpointError as error:
        assert "\n" not in str(error)


def test_other_names_and_dtypes_are_refused(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"\.pdopt or \.safetensors"):
        read_paddle(tmp_path / "a.bin")
    with pytest.raises(ValueError, match=r"\.pdparams or \.safetensors"):
        write_paddle(tmp_path / "b.bin", [])
    with pytest.raises(TypeError, match="complex128"):
        write_paddle(tmp_path / "a.pdparams", [("w", np.ones(1, complex))])


# Staging


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def write_pair(folder, text):
    with Staging(folder) as stage:
        stage.path("a").write_text(text)
        stage.path("receipt").write_text(text)


def test_staged_files_appear_together(tmp_path):
    write_pair(tmp_path / "new" / "deep", "one")
    write_pair(tmp_path / "new" / "deep", "two")
    assert names(tmp_path / "new" / "deep") == ["a", "receipt"]
    assert (tmp_path / "new" / "deep" / "a").read_text() == "two"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError(28, "No space left on device")])
def test_an_error_while_writing_leaves_everything_as_it_was(tmp_path, error):
    write_pair(tmp_path / "old", "old")
    expected = (CheckpointError, "No space left") if isinstance(error, OSError) else (error, "")
    for folder in ("old", "new/deep"):
        with pytest.raises(expected[0], match=expected[1]), Staging(tmp_path / folder) as stage:
            stage.path("a").write_text("half")
            raise error
    assert names(tmp_path) == ["old"] and names(tmp_path / "old") == ["a", "receipt"]
    assert (tmp_path / "old" / "a").read_text() == "old"


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(5, "Input/output error")])
@pytest.mark.parametrize("existing", [True, False])
def test_an_error_while_renaming_puts_back_what_was(tmp_path, monkeypatch, error, links, existing):
    folder = tmp_path / "out"
    if existing:
        write_pair(folder, "old")
    replace = os.replace

    def fail_on_the_receipt(source, target):
        if Path(target) == folder / "receipt" and Path(source).read_text() == "new":
            raise error
        replace(source, target)

    def no_links(*args, **kwargs):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "replace", fail_on_the_receipt)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises((CheckpointError, KeyboardInterrupt)):
        write_pair(folder, "new")
    if existing:
        assert names(folder) == ["a", "receipt"]
        assert {(folder / name).read_text() for name in names(folder)} == {"old"}
    else:
        assert names(tmp_path) == []


def interrupted_at(moment, folder):
    """Write a pair into the folder with Ctrl-C at that moment, counted in function entries and instructions of the module (where
    Python looks for signals, and more). -> whether there is such a moment."""
    count = 0

    def follow(frame, event, argument):
        nonlocal count
        if frame.f_code.co_filename == staging.__file__:
            frame.f_trace_opcodes = True
            count += event in ("call", "opcode")
            if count == moment and event in ("call", "opcode"):
                signal.getsignal(signal.SIGINT)(signal.SIGINT, frame)
        return follow

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    tracer = sys.gettrace()
    sys.settrace(follow)
    try:
        write_pair(folder, "new")
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(tracer)
        after = signal.signal(signal.SIGINT, before)
    assert after is signal.default_int_handler
    return count >= moment


def test_ctrl_c_leaves_all_or_nothing_whenever_it_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda file: None)
    folder, whole = tmp_path / "out", []
    for moment in range(1, 5000):
        reached = interrupted_at(moment, folder)
        whole.append(folder.exists())
        if folder.exists():
            assert names(folder) == ["a", "receipt"], moment
            shutil.rmtree(folder)
        if not reached:
            break
    assert not reached and whole.count(True) > 50 and whole.count(False) > 50


KILLED = """
import os, signal, sys, types
from pathlib import Path
package = sys.modules["weights_convert"] = types.ModuleType("weights_convert")  # without the frameworks, a fork is cheap
package.__path__ = ["weights_convert"]
from weights_convert import staging
os.fsync = lambda file: None
folder, links = Path(sys.argv[1]), sys.argv[2] == "links"
if not links:
    def no_links(*args, **kwargs):
        raise OSError(1, "Operation not permitted")
    os.link = no_links

def write(text, *names):
    with staging.Staging(folder) as stage:
        for name in names:
            stage.path(name).write_text(text)

def killed_at(moment):
    count = 0
    def follow(frame, event, argument):
        nonlocal count
        if frame.f_code.co_filename == staging.__file__:
            count += event in ("call", "line")
            if count == moment:
                os.kill(os.getpid(), signal.SIGKILL)
        return follow
    child = os.fork()
    if not child:
        sys.settrace(follow)
        write("new", "a", "b", "receipt")
        os._exit(0)
    return os.waitpid(child, 0)[1] != 0

found, moment = {}, 0
while True:
    moment += 1
    write("old", "a", "receipt")
    (folder / "b").unlink(missing_ok=True)
    if not killed_at(moment):
        break
    if (folder / "a").exists() and (folder / "a").read_text() == "new" and not (folder / "b").exists():
        (folder / "b").write_text("theirs")  # between the kill and the next start
    staging.recover(folder)
    state = " ".join(f"{path.name}={path.read_text() if path.is_file() else '?'}" for path in sorted(folder.iterdir()))
    found[state] = found.get(state, 0) + 1
print(found)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("links", ["links", "no links"])
def test_kill_9_leaves_all_or_nothing_whenever_it_comes(tmp_path, links):
    root = Path(__file__).resolve().parents[2]
    child = subprocess.run([sys.executable, "-c", KILLED, tmp_path, links], cwd=root, capture_output=True, text=True, check=True)
    found = ast.literal_eval(child.stdout)
    assert set(found) == {"a=old receipt=old", "a=new b=new receipt=new", "a=old b=theirs receipt=old"}, found
    assert min(found.values()) > 1, found


@pytest.mark.parametrize("journal", ['{"a": 1', "[]", '{"a": "x"}', '{"../b": 1}', "\x00"])
def test_a_journal_that_is_not_ours_moves_nothing_and_stops_nobody(tmp_path, journal):
    stage, outside = tmp_path / "out" / f"{staging._PREFIX}x", tmp_path / "b"
    (stage / staging._REPLACED).mkdir(parents=True)
    for path in (stage / staging._REPLACED / "a", outside):
        path.write_text("somebody's")
    (stage / staging._JOURNAL).write_text(journal.replace("1}", f"{outside.stat().st_ino}}}"))
    write_pair(tmp_path / "out", "new")
    assert outside.read_text() == (stage / staging._REPLACED / "a").read_text() == "somebody's"
    assert (tmp_path / "out" / "a").read_text() == "new"


def test_what_a_living_process_writes_is_left_alone(tmp_path):
    with Staging(tmp_path) as stage:
        path = stage.path("a")
        path.write_text("new")
        staging.recover(tmp_path)
        write_pair(tmp_path, "meanwhile")
        assert path.read_text() == "new"
    assert names(tmp_path) == ["a", "receipt"] and (tmp_path / "a").read_text() == "new"


def test_what_is_being_read_is_not_replaced(tmp_path):
    (tmp_path / "a").write_text("the only one")
    (tmp_path / "another_name").symlink_to("a")
    for kept in ("a", "another_name"):
        with pytest.raises(CheckpointError, match="is what is being read.*--force"), Staging(tmp_path, [tmp_path / kept]) as stage:
            stage.path("b").write_text("new")
            stage.path("a")
    assert names(tmp_path) == ["a", "another_name"] and (tmp_path / "a").read_text() == "the only one"
    with Staging(tmp_path, [tmp_path / "a"]) as stage:  # beside it is another matter
        stage.path("b").write_text("new")
    assert names(tmp_path) == ["a", "another_name", "b"]


def test_a_folder_in_the_way_is_refused(tmp_path):
    (tmp_path / "receipt").mkdir()
    with pytest.raises(CheckpointError, match="receipt is a directory"):
        write_pair(tmp_path, "new")
    assert names(tmp_path) == ["receipt"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("old")
    with pytest.raises(CheckpointError, match="cannot write"):
        write_pair(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that root cannot write to")
def test_a_read_only_target_is_refused():
    with pytest.raises(CheckpointError, match="cannot write"):
        write_pair("/proc/self", "new")


def test_paths_out_of_the_folder_are_refused(tmp_path):
    with Staging(tmp_path) as stage:
        for name in ("../a", "/a", "b/c", "..", ".", ""):
            with pytest.raises(CheckpointError, match="plain file name"):
                stage.path(name)


@pytest.mark.parametrize("name", ["a.pdparams", "a.safetensors", "a.pt"])
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path, name):
    """In a child process of its own, whose files may not grow beyond 64 KiB."""
    script = (
        "import sys, signal, resource, numpy as np\n"
        "from weights_convert import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "state = {'w': np.ones((300, 300), 'f4')}\n"
        "try:\n"
        "    with Staging(sys.argv[1]) as stage:\n"
        "        path = stage.path(sys.argv[2])\n"
        "        if path.suffix == '.pt': write_torch(path, {'net': state})\n"
        "        else: write_paddle(path, state.items())\n"
        "except CheckpointError as error:\n"
        "    print('refused:', error, file=sys.stderr)\n"
    )
    (tmp_path / name).write_text("old")
    root = Path(__file__).resolve().parents[2]
    child = subprocess.run(
        [sys.executable, "-c", script, tmp_path, name], cwd=root, capture_output=True, text=True, check=False
    )
    assert child.returncode == 0 and "refused:" in child.stderr and "cannot write" in child.stderr, (
        child.stderr[-2000:]
    )
    assert names(tmp_path) == [name] and (tmp_path / name).read_text() == "old"
