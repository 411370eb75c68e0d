"""Other people's files and networks: prefixes, bare state dicts, precisions, folders, receipts, declared pairs."""

import io
import json
import operator
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter, OrderedDict
from functools import reduce
from pathlib import Path

import fuzzing
import ml_dtypes
import numpy as np
import paddle
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from rich.console import Console

from parity.cli import main
from parity.conversion import convert as conversion
from parity.conversion.forward import check
from parity.conversion.show import show
from weights_convert import (
    CheckpointError,
    ConversionError,
    VerificationError,
    bits,
    check_receipt,
    convert_to_paddle,
    convert_to_torch,
    read_paddle,
    read_torch,
    torch_skeleton,
    write_paddle,
    write_torch,
)
from weights_convert.bits import same_bits
from weights_convert.safetensors_files import write_safetensors
from weights_convert.verification import torch_array

ROOT = Path(__file__).resolve().parents[2]
KNOWN = {"infer": lambda states: dict.fromkeys(states)}


def build(network, sizes):
    return torch_skeleton(fuzzing.make_torch), fuzzing.make_paddle()


def state(dtype=torch.float32, seed=0):
    torch.manual_seed(seed)
    module = fuzzing.make_torch()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    return module.to(dtype).state_dict()


def plain(values):
    return {name: torch_array(value) for name, value in values.items()}


def same(found, expected):
    return list(found) == list(expected) and all(same_bits(found[name], np.asarray(expected[name])) for name in expected)


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir() if path.name != "__pycache__")


# Precisions


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("format", ["pdparams", "safetensors"])
@pytest.mark.parametrize("zipped", [True, False])
def test_every_precision_there_and_back(tmp_path, dtype, format, zipped):
    values = state(dtype)
    torch.save(values, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    convert_to_paddle(tmp_path / "a.pt", tmp_path / "out", build, format, network="net", **KNOWN)
    name = str(dtype).removeprefix("torch.")
    if format == "pdparams":  # Paddle agrees on what is in there
        assert str(paddle.load(str(tmp_path / "out" / "net.pdparams"))["0.weight"].dtype) == f"paddle.{name}"
    convert_to_torch(tmp_path / "out" / f"net.{format}", tmp_path / "b.pt", build, **KNOWN)
    back = torch.load(tmp_path / "b.pt", weights_only=True)
    assert list(back) == list(values)
    for key, value in values.items():
        if key != "1.num_batches_tracked":
            assert back[key].dtype == value.dtype and same_bits(torch_array(back[key]), torch_array(value))


def test_our_safetensors_are_those_of_the_library(tmp_path):
    arrays = {"t": np.arange(6.0).reshape(2, 3).T, "b": np.ones(3, ml_dtypes.bfloat16), "n": np.array(3),
              "e": np.zeros((0, 2), "f2")}  # fmt: skip
    write_paddle(tmp_path / "a.safetensors", arrays.items())
    found = safetensors.torch.load_file(tmp_path / "a.safetensors")
    assert found["b"].dtype is torch.bfloat16 and found.keys() == arrays.keys()
    assert all(same_bits(torch_array(found[name]), np.asarray(arrays[name], order="C")) for name in arrays)
    safetensors.torch.save_file(found, tmp_path / "b.safetensors", {"format": "pt"})
    again = read_paddle(tmp_path / "b.safetensors")
    assert again.keys() == arrays.keys() and all(same_bits(again[name], np.asarray(arrays[name], order="C")) for name in arrays)
    write_safetensors(tmp_path / "c.safetensors", {"n": arrays["n"]}, metadata={"by": "us"})
    with safetensors.safe_open(tmp_path / "c.safetensors", "np") as file:
        assert file.metadata() == {"by": "us"} and file.get_tensor("n") == 3
    assert read_paddle(tmp_path / "c.safetensors").keys() == {"n"}


def test_arrays_that_paddle_split_at_a_gigabyte_are_joined(tmp_path, monkeypatch):
    array = np.arange(12, dtype="f4").reshape(3, 4)
    content = {"w@@.0": array.reshape(-1)[:5], "w@@.1": array.reshape(-1)[5:],
               "UnpackBigParamInfor@@": {"w": {"OriginShape": (3, 4), "slices": ["w@@.0", "w@@.1"]}}}  # fmt: skip
    import pickle
    (tmp_path / "a.pdparams").write_bytes(pickle.dumps(content, 2))
    assert same(read_paddle(tmp_path / "a.pdparams"), {"w": array})


# Packings


def parameters(values):
    return OrderedDict((name, torch.nn.Parameter(v) if v.is_floating_point() else v) for name, v in values.items())


def transposed(values):
    return {name: v.t().contiguous().t() if v.ndim == 2 else v for name, v in values.items()}


NET = {"network": "net"}
PACKED = {
    "module prefix": (lambda s, f: torch.save({f"module.{n}": v for n, v in s.items()}, f / "a.pt"), NET),
    "under a name": (lambda s, f: torch.save({"model": s, "epoch": 3, "best": [0.1]}, f / "a.pt"), NET | {"prefix": "model"}),
    "under dots": (lambda s, f: torch.save({f"ema.net.{n}": v for n, v in s.items()}, f / "a.pt"), NET | {"prefix": "ema.net"}),
    "one of several": (lambda s, f: torch.save({"net": s, "other": {"x": torch.ones(1)}}, f / "a.pt"), NET),
    "parameters": (lambda s, f: torch.save(parameters(s), f / "a.pt"), NET),
    "shared storage": (lambda s, f: torch.save({n: torch.stack([v, v])[1] for n, v in s.items()}, f / "a.pt"), NET),
    "transposed": (lambda s, f: torch.save(transposed(s), f / "a.pt"), NET),
    "transposed, legacy": (lambda s, f: torch.save(transposed(s), f / "a.pt", _use_new_zipfile_serialization=False), NET),
    "safetensors": (lambda s, f: safetensors.torch.save_file(dict(s), f / "a.safetensors"), NET),
}


@pytest.mark.parametrize("case", PACKED)
def test_however_it_is_packed(tmp_path, case):
    make, options = PACKED[case]
    values = state()
    make(values, tmp_path)
    src = next(tmp_path.iterdir())
    convert_to_paddle(src, tmp_path / "out", build, **options, **KNOWN)
    found = read_paddle(tmp_path / "out" / "net.pdparams")
    assert same_bits(np.array(found["0.weight"].T, order="C"), values["0.weight"].numpy())
    assert check_receipt(tmp_path / "out" / "receipt.json", build, **KNOWN)["verified"] == "full"


def test_one_file_per_network(tmp_path):
    (tmp_path / "in").mkdir()
    for number, name in enumerate("ab"):
        torch.save(state(seed=number), tmp_path / "in" / f"{name}.pth")
    convert_to_paddle(tmp_path / "in", tmp_path / "out", build, **KNOWN)
    assert names(tmp_path / "out") == ["a.pdparams", "b.pdparams", "receipt.json"]
    check_receipt(tmp_path / "out" / "receipt.json", build, **KNOWN)
    convert_to_torch(tmp_path / "out", tmp_path / "back.pt", build, networks=("a", "b"), **KNOWN)
    assert list(torch.load(tmp_path / "back.pt", weights_only=True)) == ["a", "b"]


@pytest.mark.parametrize("options,message", [
    ({}, "say which it is"), ({"network": "net", "prefix": "ema"}, "nothing under the prefix ema"),
])  # fmt: skip
def test_what_is_not_there_is_said(tmp_path, options, message):
    torch.save(state(), tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=message):
        convert_to_paddle(tmp_path / "a.pt", tmp_path / "out", build, **options, **KNOWN)
    assert names(tmp_path) == ["a.pt"]


def test_where_a_training_keeps_its_weights_is_asked_for(tmp_path):
    for content, found in (({"model": state()}, "holds no net, but model;"),
                           ({"epoch": 3, "model": state()}, "epoch: expected a tensor, found")):
        torch.save(content, tmp_path / "a.pt")
        with pytest.raises(CheckpointError, match=rf"{found} .*\(--prefix model\)"):
            convert_to_paddle(tmp_path / "a.pt", tmp_path / "out", build, network="net", **KNOWN)
    convert_to_paddle(tmp_path / "a.pt", tmp_path / "out", build, network="net", prefix="model", **KNOWN)
    assert names(tmp_path / "out") == ["net.pdparams", "receipt.json"]


def test_a_receipt_is_checked_as_it_was_before_a_killed_conversion(tmp_path, monkeypatch):
    receipt, stage = tmp_path / "receipt.json", tmp_path / ".converting-killed"
    (stage / ".replaced").mkdir(parents=True)
    (stage / ".replaced" / "receipt.json").write_text("before")
    receipt.write_text("half of the next")
    (stage / "later").write_text("not yet renamed")
    (stage / ".journal").write_text(json.dumps({path.name: path.stat().st_ino for path in (receipt, stage / "later")}))

    def read(path):
        raise EOFError(path.read_text())

    monkeypatch.setattr(conversion, "read_receipt", read)
    with pytest.raises(EOFError, match="^before$"):
        conversion.checked(receipt, None)
    assert not stage.exists()


def test_storages_shared_a_thousand_times_are_refused(tmp_path):
    weight = torch.ones(100, 100)
    torch.save({f"w{n}": weight for n in range(1000)}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="add up to more than 4 times the file"):
        read_torch(tmp_path / "a.pt")
    torch.save({"encoder": weight, "decoder": weight}, tmp_path / "b.pt")  # tied weights are healthy
    assert len(read_torch(tmp_path / "b.pt")) == 2


def test_messages_are_one_printable_line():
    assert str(ConversionError("a\nb\x1b[31m\u2028" + "x" * 5000)).isprintable() and len(str(ConversionError("x" * 9999))) < 2100


def test_torch_load_reads_what_we_write_mapped_or_not(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3).T, "b": np.ones((), "i8"), "c": np.zeros((0, 3), "f4"),
              "d": np.ones(70, ml_dtypes.bfloat16)}  # fmt: skip
    write_torch(tmp_path / "a.pt", {"net": arrays})
    for mapped in (True, False):
        found = torch.load(tmp_path / "a.pt", weights_only=True, mmap=mapped)["net"]
        assert same(plain(found), {name: np.asarray(array, order="C") for name, array in arrays.items()})
        assert all(value.is_contiguous() and value.data_ptr() % 64 == 0 for value in found.values() if mapped and value.numel())
    import zipfile
    assert zipfile.ZipFile(tmp_path / "a.pt").testzip() is None


# Receipts and levels


def converted(tmp_path, **options):
    torch.save(state(), tmp_path / "a.pt")
    return convert_to_paddle(tmp_path / "a.pt", tmp_path / "out", build, network="net", **options, **KNOWN)


def test_a_receipt_holds_until_something_changes(tmp_path):
    converted(tmp_path)
    receipt, path = tmp_path / "out" / "receipt.json", tmp_path / "out" / "net.pdparams"
    check_receipt(receipt, build, **KNOWN)
    healthy = path.read_bytes()
    flipped = bytearray(healthy)
    flipped[-20] ^= 1
    path.write_bytes(flipped)
    with pytest.raises(VerificationError, match="net.pdparams: not the file of the receipt"):
        check_receipt(receipt, build, **KNOWN)
    # A forger who corrects the file's checksum is caught by the tensors.
    content = json.loads(receipt.read_text())
    content["files"][0]["sha256"] = bits.sha256_file(path)
    receipt.write_text(json.dumps(content))
    with pytest.raises(VerificationError, match="is not, bit for bit"):
        check_receipt(receipt, build, **KNOWN)
    path.write_bytes(healthy)
    (tmp_path / "a.pt").unlink()
    with pytest.raises(ConversionError):
        check_receipt(receipt, build, **KNOWN)


def test_a_forged_receipt_makes_nobody_run_code(tmp_path):
    import pickle
    converted(tmp_path)
    receipt, path, mark = tmp_path / "out" / "receipt.json", tmp_path / "out" / "net.pdparams", tmp_path / "owned"

    class Payload:
        def __reduce__(self):
            return open, (str(mark), "w")

    path.write_bytes(pickle.dumps({"0.weight": Payload()}))
    content = json.loads(receipt.read_text())
    content["files"][0]["sha256"] = bits.sha256_file(path)
    receipt.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="asks to import"):
        check_receipt(receipt, build, **KNOWN)
    assert not mark.exists()


def places(content, path=()):
    """Every place in a JSON document, the first of each list."""
    yield path
    children = content.items() if isinstance(content, dict) else enumerate(content[:1]) if isinstance(content, list) else ()
    for name, value in children:
        yield from places(value, (*path, name))


def test_a_forged_receipt_is_refused_in_one_line_or_holds(tmp_path):
    """Whatever stands anywhere in it: an error of ours, or a receipt that can be shown."""
    content, path = converted(tmp_path), tmp_path / "out" / "receipt.json"
    console, outcomes = Console(file=io.StringIO()), Counter()
    for place in list(places(content))[1:]:
        for value in (None, -1, "x", [], {}, [{}]):
            forged = json.loads(json.dumps(content))
            *above, last = place
            reduce(operator.getitem, above, forged)[last] = value
            path.write_text(json.dumps(forged))
            try:
                show(console, check_receipt(path, build, **KNOWN), path)
                outcomes["held"] += 1
            except ConversionError as error:
                assert "\n" not in str(error)
                outcomes["refused"] += 1
    assert outcomes["refused"] > 100 and outcomes["held"] > 10, outcomes


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 3}', '{"schema": "weights_convert.receipt/1"}', "[" * 50_000])
def test_what_is_no_receipt_is_refused(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(CheckpointError, match="expected the receipt"):
        check_receipt(tmp_path / "r.json", build, **KNOWN)


def test_levels_write_the_same_and_claim_no_more_than_they_did(tmp_path):
    receipts = {level: converted(tmp_path, verify=level) for level in ("full", "checksum", "none")}
    assert [receipt["verified"] for receipt in receipts.values()] == ["full", "checksum", "none"]
    assert all(receipts["full"][part] == receipts["checksum"][part] for part in ("tensors", "files", "source"))
    assert receipts["none"]["files"][0]["sha256"] is None and receipts["none"]["non_finite"] is None
    with pytest.raises(CheckpointError, match="verify none"):
        check_receipt(tmp_path / "out" / "receipt.json", build, **KNOWN)
    with pytest.raises(ValueError, match="verify must be"):
        converted(tmp_path, verify="some")


@pytest.fixture
def interruptible():
    """Whoever runs the tests in the background has interrupts ignored, here and in child processes."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("existing", [True, False])
def test_an_interrupt_at_any_moment_leaves_the_old_files_or_the_new_ones(tmp_path, existing, interruptible):
    for seed in (0, 1):
        torch.save(state(seed=seed), tmp_path / f"{seed}.pt")
    out, reference = tmp_path / "out", tmp_path / "new"
    options = {"network": "net", "verify": "none", **KNOWN}
    convert_to_paddle(tmp_path / "1.pt", reference, build, **options)
    started = time.perf_counter()
    convert_to_paddle(tmp_path / "1.pt", reference, build, **options)
    whole = time.perf_counter() - started
    new, moments = (reference / "net.pdparams").read_bytes(), {"before": 0, "after": 0}
    for number in range(60):
        if out.exists():
            shutil.rmtree(out)
        if existing:
            convert_to_paddle(tmp_path / "0.pt", out, build, **options)
        old = {path.name: path.read_bytes() for path in out.iterdir()} if existing else {}
        timer = threading.Timer(1.2 * whole * number / 60, os.kill, (os.getpid(), signal.SIGINT))
        try:
            timer.start()
            convert_to_paddle(tmp_path / "1.pt", out, build, **options)
            timer.join()
            time.sleep(0.01)
        except KeyboardInterrupt:
            pass
        left = {path.name: path.read_bytes() for path in out.iterdir()} if out.exists() else {}
        if left.get("net.pdparams") == new:
            assert left.keys() == {"net.pdparams", "receipt.json"}
            moments["after"] += 1
        else:
            assert left == old and out.exists() == existing
            moments["before"] += 1
    assert moments["before"]


# Memory


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("direction", ["to paddle", "to torch"])
def test_memory_stays_near_one_tensor(tmp_path, direction):
    """Eight matrices of 32 MiB, transposed: less than three of them at a time, where a dict of all is 256 MiB."""
    script = textwrap.dedent("""
        import sys, threading, time, numpy as np
        from pathlib import Path
        from weights_convert import *
        from weights_convert import plan as _
        import torch, paddle
        def anonymous():
            return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("RssAnon")) >> 10
        make = lambda f: f.nn.Sequential(*(f.nn.Linear(1 << 15, 1 << 8, **({"bias": False} if f is torch else {"bias_attr": False}))
                                           for _ in range(8)))
        build = lambda network, sizes: (torch_skeleton(lambda: make(torch)), paddle_skeleton(lambda: make(paddle)))
        known = {"infer": lambda states: dict.fromkeys(states), "verify": "checksum"}
        folder, peak = Path(sys.argv[1]), [0]
        arrays = {f"{n}.weight": np.broadcast_to(np.float32(n), (1 << 8, 1 << 15)) for n in range(8)}
        write_torch(folder / "a.pt", {"net": arrays})
        if sys.argv[2] == "to torch":
            convert_to_paddle(folder / "a.pt", folder, build, network="net", **known)
        before = anonymous()
        def sample():
            while peak is not None:
                peak[0] = max(peak[0], anonymous()); time.sleep(0.002)
        threading.Thread(target=sample, daemon=True).start()
        if sys.argv[2] == "to torch":
            convert_to_torch(folder / "net.pdparams", folder / "b.pt", build, **known)
        else:
            convert_to_paddle(folder / "a.pt", folder, build, network="net", **known)
        print(peak[0] - before)
    """)
    child = subprocess.run([sys.executable, "-c", script, tmp_path, direction], capture_output=True, text=True, cwd=ROOT)
    assert child.returncode == 0, child.stderr[-2000:]
    assert int(child.stdout.split()[-1]) < 96


# The command


PAIR = """
import numpy as np, torch, paddle
from parity.pair import Pair, Subject
from parity.source import SourceTree
class Twin(paddle.nn.Sequential):
    pass
def theirs():
    net = paddle.nn.Sequential(paddle.nn.Linear(3, 5), paddle.nn.BatchNorm1D(5))
    {broken}
    return net
ours = lambda: torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.BatchNorm1d(5))
pair = Pair("mine", SourceTree(__file__), SourceTree(__file__))
SUBJECTS = [Subject("net", pair, ours, theirs, {{}}, {{"x": np.random.default_rng(0).normal(size=(4, 3)).astype("f4")}})]
"""


def test_a_source_is_not_replaced_by_what_is_made_of_it(tmp_path, capsys):
    """A .safetensors file converted to .safetensors in its own folder; and one whose result has another name."""
    (tmp_path / "mine.py").write_text(PAIR.format(broken=""))
    safetensors.torch.save_file(state(), tmp_path / "net.safetensors")
    before = (tmp_path / "net.safetensors").read_bytes()
    command = ["convert", "--no-forward", "--pair", str(tmp_path / "mine.py"), "--format", "safetensors"]
    source, out = str(tmp_path / "net.safetensors"), str(tmp_path)
    assert main([*command, "--network", "net", source, out]) == 2
    assert "is what is being read" in capsys.readouterr().err and (tmp_path / "net.safetensors").read_bytes() == before
    assert names(tmp_path) == ["mine.py", "net.safetensors"]
    assert main([*command, "--network", "net", "--force", source, out]) == 0
    assert (tmp_path / "net.safetensors").read_bytes() != before
    torch.save(state(), tmp_path / "b.pt")
    assert main([*command, str(tmp_path / "b.pt"), out]) == 0  # replaces an earlier result, as ever


@pytest.mark.parametrize("broken,code", [("", 0), ("net[1]._epsilon = 0.1", 1)])
def test_a_declared_pair_is_converted_and_tried(tmp_path, capsys, broken, code):
    (tmp_path / "mine.py").write_text(PAIR.format(broken=broken))
    torch.save({"module." + name: value for name, value in state().items()}, tmp_path / "a.pt")
    arguments = ["--pair", str(tmp_path / "mine.py")]
    assert main(["convert", *arguments, str(tmp_path / "a.pt"), str(tmp_path / "out")]) == code
    said = capsys.readouterr().out
    assert "compared bit for bit" in said and ("within" if code == 0 else "BEYOND") in said
    assert json.loads((tmp_path / "out" / "receipt.json").read_text())["forward"][0]["same"] == (code == 0)
    assert main(["convert", *arguments, "--check", str(tmp_path / "out" / "receipt.json")]) == code
    back = ["convert", *arguments, "--to", "torch", str(tmp_path / "out" / "net.pdparams"), str(tmp_path / "b.pt")]
    assert main(back) == code
    assert main(["convert", *arguments, "--check", str(tmp_path / "b.pt.receipt.json")]) == code


@pytest.mark.parametrize("arguments", [[], ["a.pt"], ["--check", "r.json", "a.pt", "out"], ["--check", "r.json"],
                                       ["--pair", "no.such.module", "a.pt", "out"], ["--to", "torch", "--prefix", "x", "a", "b"]])
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    assert main(["convert", *arguments]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) <= 5


STOPPED = {"SIGINT": (130, "interrupted"), "SIGTERM": (143, "terminated"), "full disk": (2, "cannot write (File too large)"),
           "read-only": (2, "cannot write")}  # fmt: skip


@pytest.mark.parametrize("direction", ["paddle", "torch"])
@pytest.mark.parametrize("how", STOPPED)
def test_the_command_stops_in_one_line_and_leaves_nothing(tmp_path, how, direction, interruptible):
    """In the middle of writing: every piece takes a while, and the first says so."""
    if how == "read-only" and not Path("/proc/self").is_dir():
        pytest.skip("needs a folder that root cannot write to")
    script = textwrap.dedent("""
        import resource, signal, sys, time
        from parity import cli
        from weights_convert.output import Output
        put = Output._put
        def slow(self, view):
            print("writing", flush=True); time.sleep(0.1); put(self, view)
        Output._put = slow
        if sys.argv[1] == "full disk":
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
        sys.exit(cli.main(sys.argv[2:]))
    """)
    (tmp_path / "mine.py").write_text(PAIR.format(broken=""))
    torch.save(state(), tmp_path / "a.pt")
    pair, out = ["convert", "--pair", str(tmp_path / "mine.py")], tmp_path / "out"
    assert main([*pair, "--no-forward", str(tmp_path / "a.pt"), str(out)]) == 0
    arguments, source = ([], tmp_path / "a.pt") if direction == "paddle" else (["--to", "torch"], out / "net.pdparams")
    target = {"paddle": out, "torch": out / "b.pt"}[direction]
    if how == "read-only":
        target = Path("/proc/self") / target.name
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    command = [sys.executable, "-c", script, how, *pair, *arguments, str(source), str(target)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if how.startswith("SIG"):
        assert "writing" in child.stdout.readline()
        child.send_signal(getattr(signal, how))
    _, said = child.communicate(timeout=120)
    said = [line for line in said.splitlines() if line and "ccache" not in line and "warnings.warn" not in line]
    code, message = STOPPED[how]
    assert child.returncode == code and len(said) == 1 and message in said[0], said
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


# A pair file of one's own, whose two sides differ in names


PORT = """
import numpy as np, paddle, torch
from parity.inputs import normal
from parity.port import Port
class Ours(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.norm, self.aux = torch.nn.Linear(3, 5), torch.nn.BatchNorm1d(5), torch.nn.Linear(5, 2)
    def forward(self, x, scale):
        return self.norm(self.embed(x)) * scale
class Theirs(paddle.nn.Layer):
    def __init__(self):
        super().__init__()
        self.bn, self.proj = paddle.nn.BatchNorm1D(5), paddle.nn.Linear(3, 5)
        {extra}
    def forward(self, x, factor):
        return self.bn(self.proj(x)) * factor
pair = Port(Ours, Theirs, inputs=[normal(4, 3)], keywords={{"scale": normal(4, 1)}}, twin_keywords={{"scale": "factor"}},
            name="mine")
"""


def own_port(folder, extra="self.aux = paddle.nn.Linear(5, 2)"):
    (folder / "mine.py").write_text(PORT.format(extra=extra))
    ours = torch.nn.ModuleDict({"embed": torch.nn.Linear(3, 5), "norm": torch.nn.BatchNorm1d(5), "aux": torch.nn.Linear(5, 2)})
    torch.save(ours.state_dict(), folder / "a.pt")
    return ["convert", "--pair", str(folder / "mine.py")], ours.state_dict()


def test_a_pair_file_converts_as_it_compares_both_ways_and_says_what_it_guessed(tmp_path, capsys):
    command, ours = own_port(tmp_path)
    assert main([*command, str(tmp_path / "a.pt"), str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "within" in said and "paired by layer type and shape: embed = proj, norm = bn" in said
    theirs = read_paddle(tmp_path / "out" / "mine.pdparams")
    assert np.array_equal(theirs["proj.weight"], ours["embed.weight"].numpy().T)
    assert np.array_equal(theirs["bn._mean"], ours["norm.running_mean"].numpy())
    assert main([*command, "--check", str(tmp_path / "out" / "receipt.json")]) == 0
    assert main([*command, "--to", "torch", str(tmp_path / "out" / "mine.pdparams"), str(tmp_path / "b.pt")]) == 0
    back = torch.load(tmp_path / "b.pt", weights_only=True)
    assert all(torch.equal(back[name], value) for name, value in ours.items() if "num_batches" not in name)


def test_what_has_no_partner_is_refused_unless_it_is_left_out_by_name(tmp_path, capsys):
    command, ours = own_port(tmp_path, extra="")
    arguments = [str(tmp_path / "a.pt"), str(tmp_path / "out")]
    assert main([*command, *arguments]) == 2
    assert "aux.weight" in capsys.readouterr().err and not (tmp_path / "out").exists()
    assert main([*command, "--without", "aux.*", *arguments]) == 0
    assert read_paddle(tmp_path / "out" / "mine.pdparams").keys() == {
        "proj.weight", "proj.bias", "bn.weight", "bn.bias", "bn._mean", "bn._variance"}
    assert main([*command, "--without", "aux.*", "--check", str(tmp_path / "out" / "receipt.json")]) == 0
    assert main([*command, "--to", "torch", "--without", "aux.*", str(tmp_path / "out" / "mine.pdparams"),
                 str(tmp_path / "b.pt")]) == 0
    assert torch.load(tmp_path / "b.pt", weights_only=True).keys() == ours.keys() - {"aux.weight", "aux.bias"}


def test_a_tensor_that_nobody_knows_is_left_out_by_name_alone(tmp_path, capsys):
    command, ours = own_port(tmp_path)
    torch.save({**ours, "total_ops": torch.zeros(1)}, tmp_path / "a.pt")
    arguments = [str(tmp_path / "a.pt"), str(tmp_path / "out")]
    assert main([*command, *arguments]) == 2 and "total_ops" in capsys.readouterr().err
    assert main([*command, "--without", "total_o*", *arguments]) == 0


# A conversion made by hand


def by_hand(folder, **changed):
    """`--check-against` a file that holds the right conversion but for what is changed (None: it is missing)."""
    port = PORT.format(extra="self.aux = paddle.nn.Linear(5, 2)")
    (folder / "mine.py").write_text(port.replace("(3, 5)", "(5, 5)").replace("4, 3", "4, 5"))
    ours = torch.nn.ModuleDict({"embed": torch.nn.Linear(5, 5), "norm": torch.nn.BatchNorm1d(5), "aux": torch.nn.Linear(5, 2)})
    torch.save(ours.state_dict(), folder / "a.pt")
    command = ["convert", "--pair", str(folder / "mine.py")]
    assert main([*command, "--no-forward", str(folder / "a.pt"), str(folder / "out")]) == 0
    state = read_paddle(folder / "out" / "mine.pdparams")
    state |= {name: change(state.get(name)) for name, change in changed.items()}
    kept = {name: np.ascontiguousarray(array) for name, array in state.items() if array is not None}
    write_paddle(folder / "hand.pdparams", kept.items())
    return main([*command, str(folder / "a.pt"), "--check-against", str(folder / "hand.pdparams")])


MISMADE = {
    "a square matrix that was not transposed": ({"proj.weight": np.transpose}, "a square matrix fits either way"),
    "a matrix that was not transposed": ({"aux.weight": np.transpose}, "not transposed as it should be"),
    "one number": ({"bn.weight": lambda a: a * [1, 1, 2, 1, 1]}, "1 of 5 numbers differ, at [2] expected 1, found 2"),
    "the sign of a zero": ({"bn.bias": lambda a: -a}, "the sign of a zero"),
    "mean for variance": ({"bn._variance": lambda a: a - 1}, "5 of 5 numbers differ"),
    "a tensor less": ({"aux.bias": lambda a: None}, "missing in Paddle's file"),
    "a tensor more": ({"head.bias": lambda a: np.zeros(3, "f4")}, "the twin has no such tensor"),
}


@pytest.mark.parametrize("how", MISMADE)
def test_a_conversion_made_by_hand_is_checked(tmp_path, how, capsys):
    changed, said = MISMADE[how]
    assert by_hand(tmp_path, **changed) == 1
    out = capsys.readouterr().out
    assert said in out and "1 of 8 tensors are not what the checkpoint says" in out


@pytest.mark.parametrize("changed", [{}, {"proj.weight": lambda a: a.astype("f8")}, {"aux.weight": lambda a: a.astype("f2")}])
def test_a_right_conversion_made_by_hand_passes(tmp_path, changed, capsys):
    assert by_hand(tmp_path, **changed) == 0
    assert "all 8 tensors are what the checkpoint says" in capsys.readouterr().out
    with_out = ["convert", "--check-against", "h", "--pair", str(tmp_path / "mine.py")]
    assert main(with_out) == main([*with_out, "a.pt", "out"]) == main([*with_out, "a.pt"]) == 2  # wrong usage, no such file


def test_what_a_forward_found_can_be_written_where_rounding_moved_nothing():
    """The floor of a network that only copies is one rounding of its largest number: a number like any other."""
    found = check("copy", torch.nn.Flatten, paddle.nn.Flatten, {}, {}, {"x": np.ones((2, 3, 4), np.float32)})
    assert json.loads(json.dumps([found.error, found.same])) == [0.0, True]
