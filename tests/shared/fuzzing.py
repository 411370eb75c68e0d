"""Broken and hostile checkpoints, by the hundred thousand: each is converted, or refused in one line, and nothing else.

    python tests/shared/fuzzing.py --cases 100000            # docs/fuzzing.md has what came of it

A case is a healthy file of one of the formats with bytes changed, cut, inserted or repeated, or with a pickle's operations
rearranged, a payload among them. It goes through the whole conversion. A case fails if it ends in anything but success or a
one-line ConversionError, takes more than 10 seconds, starts a process, opens a file to write outside of the target, or
leaves something in the target after an error. The worker is a process of its own, so that a crash is a failure, too.
"""

import io
import json
import os
import pickle
import pickletools
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
SECONDS = 10
DEEP = b")" + b"q\xf0h\xf0\x86" * 60  # a tuple of twice a tuple of twice ...: 2^60 steps to hash, compare or show
FORBIDDEN = ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "socket.connect", "compile")


class Payload:
    def __reduce__(self):
        return os.system, ("true",)


def corpus(folder):
    """Healthy files: name -> bytes. Weights of a Linear(3, 5) and a BatchNorm1d(5)."""
    import numpy as np
    import paddle
    import torch

    from weights_convert import optimizer_state, plan, write_paddle, write_torch
    ours, theirs = make_torch(), make_paddle()
    adam = torch.optim.Adam(ours.parameters())
    ours(torch.ones(4, 3)).sum().backward()
    adam.step()
    names, global_names = [name for name, _ in ours.named_parameters()], {n: p.name for n, p in theirs.named_parameters()}
    moments = optimizer_state.from_torch(adam.state_dict(), names)
    accumulators = optimizer_state.to_paddle(moments, plan(ours, theirs), global_names, (0.9, 0.999))
    write_paddle(folder / "ours.pdopt", accumulators.items())
    paddle.save({**{n: paddle.to_tensor(a) for n, a in accumulators.items()}, "LR_Scheduler": {"last_epoch": 1, "last_lr": 0.1}},
                str(folder / "paddle.pdopt"))
    torch.save({"net": ours.state_dict(), "adam": adam.state_dict()}, folder / "training.pt")
    state = make_torch().state_dict()
    paddle_state = {name: np.ones(shape, "f4") for name, shape in TARGETS.items()}
    torch.save({"net": state}, folder / "zip.pt")
    torch.save({"net": state}, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(OrderedDict((f"module.{name}", value) for name, value in state.items()), folder / "bare.pt")
    write_torch(folder / "ours.pt", {"net": {name: value.numpy() for name, value in state.items()}})
    write_paddle(folder / "weights.safetensors", [(name, value.numpy()) for name, value in state.items()])
    write_paddle(folder / "ours.pdparams", paddle_state.items())
    write_paddle(folder / "paddle.safetensors", paddle_state.items())
    for protocol in (2, 4):
        paddle.save({name: paddle.to_tensor(value) for name, value in paddle_state.items()},
                    str(folder / f"paddle{protocol}.pdparams"), protocol=protocol)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


TARGETS = {"0.weight": (3, 5), "0.bias": (5,), "1.weight": (5,), "1.bias": (5,), "1._mean": (5,), "1._variance": (5,)}


def make_torch():
    import torch
    return torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.BatchNorm1d(5))


def make_paddle():
    import paddle
    with paddle.utils.unique_name.guard():
        return paddle.nn.Sequential(paddle.nn.Linear(3, 5), paddle.nn.BatchNorm1D(5))


def mutated(name, healthy, rng):
    """The bytes of one case."""
    if rng.random() < 0.4:
        return on_pickle(name, healthy, rng)
    return on_bytes(healthy, rng)


def on_bytes(data, rng):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if not data:
            return b"\0"
        at, kind = rng.randrange(len(data)), rng.randrange(8)
        if kind < 3:
            data[at] = rng.randrange(256)
        elif kind == 3:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 4:
            number = rng.choice((0, 1, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1, rng.getrandbits(64)))
            size = rng.choice((2, 4, 8))
            data[at : at + size] = (number & (1 << 8 * size) - 1).to_bytes(size, "little")
        elif kind == 5:
            del data[at : at + rng.choice((1, 8, 64, len(data)))]
        elif kind == 6:
            length = rng.choice((1, 8, 100))
            data[at:at] = data[rng.randrange(len(data)) :][:length]
        else:
            other = rng.randrange(len(data))
            data[at : at + 32] = data[other : other + 32]
    return bytes(data) or b"\0"


def on_pickle(name, data, rng):
    """Whole operations repeated, dropped, moved or put in; around it the file is made right again."""
    if name.endswith(".safetensors"):
        size = int.from_bytes(data[:8], "little")
        header = on_json(json.loads(data[8 : 8 + size]), rng)
        return len(header).to_bytes(8, "little") + header + data[8 + size :]
    if data[:2] != b"PK":
        return on_operations(data, rng)
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member.endswith("data.pkl"):
                content = on_operations(content, rng) if rng.random() < 0.7 else on_bytes(content, rng)
            elif rng.random() < 0.05:
                content = on_bytes(content, rng) if content else b"x"
            if rng.random() < 0.02:
                member = rng.choice(("../../evil", "/tmp/evil", member + "\0", "archive/data.pkl", member * 50))
            if rng.random() > 0.01:
                new.writestr(member, content, zipfile.ZIP_DEFLATED if rng.random() < 0.01 else zipfile.ZIP_STORED)
    return result.getvalue()


EXTRA = [
    b"cos\nsystem\n(X\x04\x00\x00\x00truetR", b"cbuiltins\neval\nX\x01\x00\x00\x001\x85R", pickle.dumps(Payload(), 2)[2:-1],
    b"\x82\x01", b"Px\n", *(bytes([code]) for code in b"\x8f201(N\x88}])\x85\x86\x87tR\x81bsuae"),
    b"r\xff\xff\xff\xff", b"j\xff\xff\xff\x7f", b"J\xff\xff\xff\xff", b"\x8a\x08" + b"\xff" * 7 + b"\x7f",

    b"\x8a\xff" + b"\x7f" * 255, b"\x8b\xff\xff\xff\x7f", b"\x8e" + b"\xff" * 8, b"B\xff\xff\xff\xff",
    b"G\x7f\xf8\x00\x00\x00\x00\x00\x00",
    b"ctorch._utils\n_rebuild_tensor_v2\n", b"ccollections\nOrderedDict\n", b"cnumpy\nndarray\n", b"c__builtin__\ngetattr\n",
    DEEP, DEEP, DEEP, b"\x85" * 2000, b"]q\xf02\x61" * 3,
]  # fmt: skip


def on_operations(data, rng):
    starts = []
    try:
        starts = [position for _, _, position in pickletools.genops(data)]
    except Exception:  # only as far as it can be read: behind the pickle lie the storages of a legacy file
        return on_bytes(data, rng)
    if data[:2] == b"\x80\x02" and len(starts) < 6:  # legacy: the fourth pickle is the one that matters
        source = io.BytesIO(data)
        for _ in range(3):
            list(pickletools.genops(source))
        starts = [position for _, _, position in pickletools.genops(source)]
    end = starts[-1] + 1
    pieces = [data[: starts[0]], *(data[a:b] for a, b in zip(starts, [*starts[1:], end], strict=True)), data[end:]]
    for _ in range(rng.choice((1, 1, 2, 5))):
        at, kind = rng.randrange(1, len(pieces) - 1), rng.randrange(5)
        if kind == 0:
            pieces[at] = b""
        elif kind == 1:
            pieces[at] = pieces[at] * rng.choice((2, 3, 50))
        elif kind == 2:
            other = rng.randrange(1, len(pieces) - 1)
            pieces[at], pieces[other] = pieces[other], pieces[at]
        elif kind == 3:
            pieces[at] = rng.choice(EXTRA) + pieces[at]
        else:
            pieces[at] = on_bytes(pieces[at], rng) if pieces[at] else b"0"
    return b"".join(pieces)


def on_json(header, rng):
    name = rng.choice(list(header))
    entry = header[name]
    odd = rng.choice((-1, 2**63, 1e308, None, "x", [], {}, True, [2**40, 2**40], [-3, -5], 10**30, [[1]], [0]))
    kind = rng.randrange(6)
    if kind == 0:
        entry[rng.choice(list(entry))] = odd
    elif kind == 1:
        entry["shape"] = odd
    elif kind == 2:
        entry["data_offsets"] = [rng.randrange(300), rng.randrange(300)]
    elif kind == 3:
        header[rng.choice(("../evil", "\0", "", "__metadata__", name * 99))] = header.pop(name)
    elif kind == 4:
        header[name] = odd
    text = json.dumps(header).encode()
    if kind == 5:
        text = text[:-1] + b"," + text[1:] if rng.random() < 0.5 else b"[" * 20_000
    return text


class Watch:
    """What the interpreter was asked to do while a case ran."""

    def __init__(self, target):
        self.target, self.on, self.seen = str(target), False, []
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        if not self.on:
            return
        if event.startswith(FORBIDDEN):
            self.seen.append(event)
        elif event == "open" and isinstance(arguments[0], (str, bytes)):
            writes = (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
            if writes and not os.fsdecode(arguments[0]).startswith(self.target):
                self.seen.append(f"open {arguments[0]!r}")


def converted(path, target, build):
    """The whole conversion, in the direction that the file's name says."""
    from weights_convert import convert_to_paddle, convert_to_torch
    options = {"infer": lambda states: dict.fromkeys(states), "verify": "checksum"}
    if path.name == "training.pt":
        return convert_to_paddle(path, target / "out", build, network="net", prefix="net", optimizer="adam", **options)
    if path.suffix == ".pdopt":
        options |= {"networks": ("net",), "optimizer": path, "adam": {"lr": 0.1}}
        return convert_to_torch(path.parent / "corpus" / "ours.pdparams", target / "out" / "back.pt", build, **options)
    if path.suffix == ".pdparams" or path.name.startswith("paddle"):
        return convert_to_torch(path, target / "out" / "back.pt", build, networks=("net",), **options)
    return convert_to_paddle(path, target / "out", build, network="net", **options)


def run(cases, seed, folder, told=lambda case: None):
    """Runs these case numbers; returns (Counter of outcomes, failures)."""
    from weights_convert import ConversionError
    outcomes, failures = Counter(), []
    healthy = corpus(folder / "corpus")
    target = folder / "target"
    target.mkdir()
    ours, theirs = make_torch(), make_paddle()
    watch = Watch(target)

    def too_slow(*_):
        raise TimeoutError(f"more than {SECONDS} s")

    signal.signal(signal.SIGALRM, too_slow)
    for case in cases:
        told(case)
        rng = random.Random(f"{seed}/{case}")
        name = rng.choice(list(healthy))
        path = folder / name
        path.write_bytes(mutated(name, healthy[name], rng))
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        watch.on = True
        try:
            converted(path, target, lambda network, sizes: (ours, theirs))
            outcome = "converted"
        except ConversionError as error:
            outcome = "refused"
            if "\n" in str(error) or len(str(error)) > 4000:
                failures.append((case, name, f"not one line: {str(error)[:200]!r}"))
        except BaseException as error:
            outcome = "failed"
            failures.append((case, name, f"{type(error).__name__}: {str(error)[:200]}"))
        watch.on = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        if watch.seen:
            failures.append((case, name, f"did {watch.seen[:3]}"))
            watch.seen.clear()
        if outcome == "converted" and (target / "out").exists():
            for left in (target / "out").iterdir():
                left.unlink()
            (target / "out").rmdir()
        if list(target.iterdir()):
            failures.append((case, name, f"left {[str(path) for path in target.rglob('*')][:3]}"))
            subprocess.run(["rm", "-rf", *map(str, target.iterdir())], check=True)
        outcomes[f"{name} {outcome}"] += 1
        path.unlink()
    return outcomes, failures


def _worker(first, last, seed):
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        Path(folder, "corpus").mkdir()
        current = Path(folder, "case")
        outcomes, failures = run(range(first, last), seed, Path(folder), lambda case: current.write_text(str(case)))
    print(json.dumps([outcomes, failures]))


def _memory():
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


def main():
    import click

    @click.command(help=__doc__)
    @click.option("--cases", default=100_000, show_default=True)
    @click.option("--first", default=0, help="Number of the first case.")
    @click.option("--seed", default=0, show_default=True)
    @click.option("--worker", is_flag=True, hidden=True)
    def fuzz(cases, first, seed, worker):
        if worker:
            return _worker(first, first + cases, seed)
        outcomes, failures, started, batch = Counter(), [], time.perf_counter(), 5000
        for start in range(first, first + cases, batch):
            command = [sys.executable, __file__, "--worker", "--first", str(start), "--seed", str(seed),
                       "--cases", str(min(batch, first + cases - start))]
            child = subprocess.run(command, capture_output=True, text=True)
            if child.returncode:
                failures.append((start, "?", f"the worker ended with {child.returncode}: {child.stderr[-300:]}"))
                continue
            found, failed = json.loads(child.stdout.splitlines()[-1])
            outcomes.update(found)
            failures += failed
            click.echo(f"{sum(outcomes.values())} cases, {len(failures)} failures, {time.perf_counter() - started:.0f} s", err=True)
        for name, count in sorted(outcomes.items()):
            click.echo(f"{count:7} {name}")
        for failure in failures:
            click.echo(f"FAILURE case {failure[0]} of {failure[1]}: {failure[2]}")
        click.echo(f"{sum(outcomes.values())} cases, {len(failures)} failures")
        sys.exit(bool(failures))

    fuzz()


if __name__ == "__main__":
    main()
