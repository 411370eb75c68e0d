"""What can be said on a machine with one NVIDIA GPU, whichever of the two frameworks sees it, as one table.

    bash ci/gpu_check.sh                    # at most ten minutes; `--device cpu` tries the script itself

Three kinds of rows. *record, diff*: the pair of `parity init`, one side on the CPU and on the device, through `parity record` and
`parity diff`. *torch*: a small attention block forward and backward on the device, in each precision and setting; its error against
float64 on the CPU, in multiples of what the CPU's own float32 does, and the spread of five runs. *compare*: both on the device,
where both see it. A row that fails says why and stops nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from parity.numbers.arrays import deviation
from parity.report.terminal import whole

ROOT = Path(__file__).parents[1]
RUNS = 5  # of one setting, for their spread


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "gpu"], default="gpu")
    parser.add_argument("--seconds", type=float, default=570, help="no row is begun after so many")
    asked = parser.parse_args()
    table = Table(box=box.SIMPLE_HEAD, title=f"{asked.device}: {_machine(asked.device)}", title_justify="left")
    for header in ("what", "lane or type", "verdict", "error", "spread", "s"):
        table.add_column(header, no_wrap=True, justify="right" if header in ("error", "spread", "s") else "left")
    began, failed, done = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for what, kind, measure in rows(asked.device, Path(folder)):
            if time.monotonic() - began > asked.seconds:
                table.add_row(what, kind, "no time left", "", "", "")
                continue
            started = time.monotonic()
            try:
                verdict, error, spread = measure()
                done += 1
            except Exception as problem:  # the other rows are wanted all the same
                verdict, error, spread = f"{type(problem).__name__}: {' '.join(str(problem).split())[:60]}", "", ""
                failed += 1
            table.add_row(what, kind, verdict, error, spread, f"{time.monotonic() - started:.1f}")
    whole(Console(), table)
    print("error: largest over results and gradients, in multiples of the CPU's own float32 error (record, diff: in noise floors). "
          f"spread: of {RUNS} runs, relative. {failed} rows failed")
    return 0 if done else 1


def _machine(device: str) -> str:
    found = []
    with contextlib.suppress(ImportError):
        import torch
        name = f", {torch.cuda.get_device_name()}" if device == "gpu" and torch.cuda.is_available() else ""
        found.append(f"torch {torch.__version__}{name}")
    with contextlib.suppress(ImportError):
        import paddle
        found.append(f"paddle {paddle.__version__}{' with CUDA' if paddle.device.is_compiled_with_cuda() else ''}")
    return "; ".join(found)


Measured = tuple[str, str, str]


def rows(device: str, folder: Path) -> Iterator[tuple[str, str, Callable[[], Measured]]]:
    """(what, lane or type, what measures it)."""
    for lane in ("float64", "float32"):
        yield "reference, CPU and device: record, diff", lane, lambda lane=lane: _recorded(folder, device, lane, "reference")
        yield "twin, CPU and device: record, diff", lane, lambda lane=lane: _recorded(folder, device, lane, "twin")
    for name, kind, settings in SETTINGS:
        yield f"torch: {name}", kind, lambda kind=kind, settings=settings: _setting(device, kind, settings)
    yield "compare, both on the device", "both", lambda: _compared(folder, device)


# --- through the commands --------------------------------------------------------------------------------------------


def _parity(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    return subprocess.run([sys.executable, "-m", "parity", *arguments], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=240)


def _checked(done: subprocess.CompletedProcess, accepted: tuple[int, ...] = (0,)) -> None:
    if done.returncode not in accepted:
        raise RuntimeError((done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or ["no word"])[-1])


def _recorded(folder: Path, device: str, lane: str, side: str) -> Measured:
    pair = folder / "pair"
    if not pair.exists():
        _checked(_parity(folder, "init", "pair"))
    common = ["record", "--pair", "my_pair.py", "--no-train", "--lane", lane]
    start = pair / f"start-{lane}"
    if not start.exists():
        _checked(_parity(pair, *common, "--side", "reference", str(start)))
    here, there = (pair / f"{side}-{lane}-{where}" for where in ("cpu", "device"))
    for out, on in ((here, "cpu"), (there, device)):
        _checked(_parity(pair, *common, "--side", side, "--from", str(start), "--device", on, str(out)))
    _checked(_parity(pair, "diff", str(here), str(there), "--json", "diff.json"), (0, 1, 2))
    return _of_report(pair / "diff.json")


def _compared(folder: Path, device: str) -> Measured:
    _checked(_parity(folder / "pair", "compare", "my_pair.py", "--device", device, "--json", "compare.json"), (0, 1))
    return _of_report(folder / "pair" / "compare.json")


def _of_report(path: Path) -> Measured:
    found = json.loads(path.read_text())
    farthest = [subject[name] for subject in found["subjects"] for name in ("float64_floors", "float32_errors")
                if subject[name] is not None]
    return found["verdict"], f"{max(farthest):.3g}" if farthest else "", ""


# --- torch's settings ------------------------------------------------------------------------------------------------

SETTINGS = [
    ("plain", "float64", {}),
    ("TF32 off", "float32", {"tf32": False}),
    ("TF32 on", "float32", {"tf32": True}),
    ("deterministic", "float32", {"tf32": False, "deterministic": True}),
    ("attention, plain kernel", "float32", {"tf32": False, "attention": "MATH"}),
    ("attention, memory-efficient", "float32", {"tf32": False, "attention": "EFFICIENT_ATTENTION"}),
    ("attention, flash", "bfloat16", {"attention": "FLASH_ATTENTION"}),
    ("plain", "bfloat16", {}),
    ("plain", "float16", {}),
]


def _setting(device: str, kind: str, settings: dict) -> Measured:
    import torch
    where = {"cpu": "cpu", "gpu": "cuda"}[device]
    if where == "cuda" and not torch.cuda.is_available():
        raise RuntimeError("torch sees no CUDA device")
    truth, own = _run(torch, "cpu", "float64", {}), _run(torch, "cpu", "float32", {})
    runs = [_run(torch, where, kind, settings) for _ in range(RUNS)]
    unit = [max(deviation(one, exact).distance, float(np.finfo(np.float32).eps) * float(np.abs(exact).max()))
            for one, exact in zip(own, truth, strict=True)]
    error = max(deviation(found, exact).distance / floor for found, exact, floor in zip(runs[0], truth, unit, strict=True))
    spread = max(deviation(again, first).relative for run in runs[1:] for again, first in zip(run, runs[0], strict=True))
    return "measured", f"{error:.3g}", f"{spread:.2g}"


def _run(torch, where: str, kind: str, settings: dict) -> list[np.ndarray]:
    """Result and gradients of the block, as float64."""
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    dtype = getattr(torch, kind)
    x, into, out = (value.to(where, dtype).requires_grad_() for value in (draw(4, 256, 64), draw(192, 64) / 8, draw(64, 64) / 8))
    with _set(torch, settings):
        query, key, value = ((x @ into.T).reshape(4, 256, 3, 4, 16).permute(2, 0, 3, 1, 4))
        mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value)
        result = torch.nn.functional.gelu(mixed.transpose(1, 2).reshape(4, 256, 64) @ out.T)
        result.square().mean().backward()
    return [part.detach().to("cpu", torch.float64).numpy() for part in (result, x.grad, into.grad, out.grad)]


@contextlib.contextmanager
def _set(torch, settings: dict) -> Iterator[None]:
    before = torch.backends.cuda.matmul.allow_tf32, torch.are_deterministic_algorithms_enabled()
    torch.backends.cuda.matmul.allow_tf32 = settings.get("tf32", before[0])
    torch.use_deterministic_algorithms(settings.get("deterministic", before[1]))
    try:
        with contextlib.ExitStack() as stack:
            if "attention" in settings:
                from torch.nn.attention import SDPBackend, sdpa_kernel
                stack.enter_context(sdpa_kernel(getattr(SDPBackend, settings["attention"])))
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before[0]
        torch.use_deterministic_algorithms(before[1])


if __name__ == "__main__":
    sys.exit(main())
