"""What was converted, by which rule, with which checksum: a file beside the result."""

import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np

from .absent import framework
from .bits import blocks, sha256_file
from .dtypes import is_float
from .errors import CheckpointError, brief
from .official import Sizes
from .plan import Plan

paddle, torch = framework("paddle"), framework("torch")

SCHEMA = "weights_convert.receipt/1"


class Sums:
    """`with Sums(look) as sums:` - checksums of files and tensors, found in the background while the conversion goes on.

    Without `look` nothing is looked at.
    """

    def __init__(self, look: bool):
        self.look = look
        self._pool = ThreadPoolExecutor(2, "sums")  # hashing leaves Python alone: two at a time
        self._files: dict[Path, Future] = {}
        self._tensors: dict[tuple[str, str], Future] = {}

    def file(self, path: Path) -> None:
        """A file that will not change any more."""
        if self.look:
            self._files[path] = self._pool.submit(sha256_file, path)

    def state(self, network: str, state: Mapping[str, np.ndarray]) -> None:
        """The tensors of a network in torch's layout."""
        if self.look:
            self._tensors |= {(network, name): self._pool.submit(_looked_at, array) for name, array in state.items()}

    def of_file(self, path: Path) -> str | None:
        return self._files[path].result() if self.look else None

    def of_tensor(self, network: str, name: str) -> tuple[str | None, int]:
        """SHA-256, and how many of its numbers are NaN or infinite."""
        return self._tensors[network, name].result() if self.look else (None, 0)

    def __enter__(self) -> "Sums":
        return self

    def __exit__(self, kind, error, traceback) -> None:
        self._pool.shutdown(cancel_futures=True)


def make_receipt(
    *,
    to: str,
    source: list[Path],
    files: list[Path],
    sizes: Mapping[str, Sizes],
    plans: Mapping[str, Plan],
    states: Mapping[str, Mapping[str, np.ndarray]],
    sums: Sums,
    verified: str,
    selection: Mapping[str, str | None] | None = None,
) -> dict:
    """The receipt as JSON-ready dict.

    Args:
        to: "paddle" or "torch".
        source, files: what was read, what was written.
        states: network -> (torch name -> array in torch's layout).
        sums: of these files and states. With verified "none" it has looked at nothing, and every `sha256` is null.
        selection: what of the source was taken (`prefix`, `network`).

    `non_finite` lists tensors that hold NaN or infinity; they are converted as they are (null where nothing was
    looked at).
    """
    tensors, non_finite = [], {}
    for network, plan in plans.items():
        for entry in plan.entries.values():
            digest, count = sums.of_tensor(network, entry.source)
            dtype = str(states[network][entry.source].dtype)
            tensors.append({"network": network, **asdict(entry), "dtype": dtype, "sha256": digest})
            if count:
                non_finite[network, entry.source] = {"network": network, "source": entry.source, "count": count}
    receipt = {
        "schema": SCHEMA,
        "to": to,
        "verified": verified,
        "selection": dict(selection or {}),
        "source": [receipt_line(path, sums, os.path.abspath(path)) for path in source],
        "files": [receipt_line(path, sums) for path in files],
        "sizes": {network: size and asdict(size) for network, size in sizes.items()},
        "versions": {"torch": torch.__version__, "paddle": paddle.__version__, "numpy": np.__version__},
        "guesses": {network: list(plan.remarks) for network, plan in plans.items() if plan.remarks},
        "non_finite": list(non_finite.values()) if sums.look else None,
        "tensors": tensors,
    }
    return json.loads(json.dumps(receipt))  # lists for tuples: what is returned is what the file holds


def write_receipt(path: str | Path, receipt: Mapping) -> None:
    Path(path).write_text(json.dumps(receipt, indent=1) + "\n", encoding="utf-8")


def read_receipt(path: str | Path) -> dict:
    """The receipt in a file, of the outline that its readers rely on; its claims are not believed. Raises CheckpointError."""
    path = Path(path)
    try:
        receipt = json.loads(path.read_text(encoding="utf-8"))
        if receipt["schema"] != SCHEMA:
            raise ValueError(f"its schema is {receipt['schema']!r}, not {SCHEMA!r}")
        if receipt.get("verified") == "none":
            raise ValueError("it was written with verify none, and holds no checksums")
        receipt["selection"] = {"prefix": None, "network": None} | receipt.get("selection", {})
        _check(receipt, _OUTLINE, "its")
        _check({name: value for name, value in receipt.items() if name in _OPTIONAL},
               {name: outline for name, outline in _OPTIONAL.items() if name in receipt}, "its")
        if not all(receipt[part] for part in ("source", "files", "tensors")):
            raise ValueError("it names no source, no files or no tensors")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path}: expected the receipt of a conversion, cannot use it ({brief(error)})") from error
    return receipt


_LINE = {"path": str, "sha256": str}
_NAME = (str, type(None))
_OUTLINE = {
    "to": ("paddle", "torch"), "verified": ("full", "checksum"), "selection": {"prefix": _NAME, "network": _NAME},
    "source": [_LINE], "files": [_LINE | {"bytes": int}],
    "sizes": {str: (dict, type(None))},
    "tensors": [{"network": str, "source": str, "rule": str, "source_shape": [int], "sha256": str}],
}  # fmt: skip
_OPTIONAL = {
    "guesses": {str: [str]}, "non_finite": [{"network": str, "source": str, "count": int}],
    "optimizer": _LINE | {"steps": [int], "parameters": int},
}  # fmt: skip


def _check(value: object, outline: object, where: str) -> None:
    """Raises ValueError where JSON is not of an outline: a type, a tuple of types or texts, a list of one, a dict of several,
    or, with `str` for its key, of any."""
    if isinstance(outline, dict) and str in outline and isinstance(value, dict):
        outline = dict.fromkeys(value, outline[str])
    if isinstance(outline, dict):
        if not isinstance(value, dict) or not outline.keys() <= value.keys():
            raise ValueError(f"{where} entries should be {', '.join(map(str, outline))}")
        for name, part in outline.items():
            _check(value[name], part, f"{where} {name!r}")
    elif isinstance(outline, list):
        if not isinstance(value, list):
            raise ValueError(f"{where} should be a list")
        for one in value:
            _check(one, outline[0], where)
    else:
        allowed = outline if isinstance(outline, tuple) else (outline,)
        if type(value) not in allowed and not (isinstance(value, str) and value in allowed):
            raise ValueError(f"{where} should be {' or '.join(getattr(one, '__name__', repr(one)) for one in allowed)}")


def _looked_at(array: np.ndarray) -> tuple[str, int]:
    """SHA-256 and the count of what is no finite number, in one go over the bytes."""
    digest, count = hashlib.sha256(), 0
    for block in blocks(array):
        digest.update(block)
        if is_float(array.dtype):
            count += int(len(block) // array.itemsize - np.isfinite(block.view(array.dtype)).sum())
    return digest.hexdigest(), count


def receipt_line(path: Path, sums: Sums, name: str | None = None) -> dict:
    """What the receipt says of a file."""
    return {"path": name or path.name, "bytes": path.stat().st_size, "sha256": sums.of_file(path)}
