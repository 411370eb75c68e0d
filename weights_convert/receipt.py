"""What was converted, by which rule, with which checksum: a file beside the result."""

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import paddle
import torch

from .bits import blocks, sha256_array, sha256_file
from .dtypes import is_float
from .errors import CheckpointError, brief
from .official import Sizes
from .plan import Plan

SCHEMA = "weights_convert.receipt/1"


def make_receipt(
    *,
    to: str,
    source: list[Path],
    files: Mapping[Path, str | None],
    sizes: Mapping[str, Sizes],
    plans: Mapping[str, Plan],
    states: Mapping[str, Mapping[str, np.ndarray]],
    verified: str,
    selection: Mapping[str, str | None] | None = None,
) -> dict:
    """The receipt as JSON-ready dict.

    Args:
        to: "paddle" or "torch".
        source: what was read.
        files: what was written -> its SHA-256 where that is known already; all are hashed as they lie on the disk.
        states: network -> (torch name -> array in torch's layout). `sha256` of a tensor is that of these
            bytes.
        selection: what of the source was taken (`prefix`, `network`).
        verified: "full", "checksum", or "none": then nothing is hashed, and every `sha256` is null.

    `non_finite` lists tensors that hold NaN or infinity; they are converted as they are (null where nothing was
    looked at).
    """
    look = verified != "none"
    tensors, non_finite = [], []
    with ThreadPoolExecutor(2) as pool:  # hashing leaves Python alone: two files, or a file and a tensor, at a time
        sources = [pool.submit(_file, path, os.path.abspath(path), look) for path in source]
        targets = [pool.submit(_file, path, path.name, look, digest) for path, digest in files.items()]
        for network, plan in plans.items():
            for entry in plan.entries.values():
                array = states[network][entry.source]
                digest = pool.submit(sha256_array, array) if look else None
                tensors.append({"network": network, **asdict(entry), "dtype": str(array.dtype), "sha256": digest})
                if look and is_float(array.dtype) and (count := _non_finite(array)):
                    non_finite.append({"network": network, "source": entry.source, "count": count})
        for tensor in tensors:
            tensor["sha256"] = tensor["sha256"] and tensor["sha256"].result()
    receipt = {
        "schema": SCHEMA,
        "to": to,
        "verified": verified,
        "selection": dict(selection or {}),
        "source": [future.result() for future in sources],
        "files": [future.result() for future in targets],
        "sizes": {network: size and asdict(size) for network, size in sizes.items()},
        "versions": {"torch": torch.__version__, "paddle": paddle.__version__, "numpy": np.__version__},
        "non_finite": non_finite if look else None,
        "tensors": tensors,
    }
    return json.loads(json.dumps(receipt))  # lists for tuples: what is returned is what the file holds


def write_receipt(path: str | Path, receipt: Mapping) -> None:
    Path(path).write_text(json.dumps(receipt, indent=1) + "\n", encoding="utf-8")


def read_receipt(path: str | Path) -> dict:
    """The receipt in a file. Only its outline is believed. Raises CheckpointError."""
    path = Path(path)
    try:
        receipt = json.loads(path.read_text(encoding="utf-8"))
        if receipt["schema"] != SCHEMA:
            raise ValueError(f"its schema is {receipt['schema']!r}, not {SCHEMA!r}")
        for part, keys in (("source", ("path", "sha256")), ("files", ("path", "sha256")),
                           ("tensors", ("network", "source", "sha256"))):  # fmt: skip
            if not receipt[part] or not all(type(line[key]) is str for line in receipt[part] for key in keys):
                raise ValueError(f"its {part!r} lack paths or checksums; was it written with verify none?")
        if receipt["to"] not in ("paddle", "torch"):
            raise ValueError(f"'to' is {receipt['to']!r}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path}: expected the receipt of a conversion, cannot use it ({brief(error)})") from error
    return receipt


def _non_finite(array: np.ndarray) -> int:
    # Block by block in memory order, whatever the layout: only the count matters.
    flat = array.T if array.T.flags.c_contiguous else array
    return sum(int(block.size // array.itemsize - np.isfinite(block.view(array.dtype)).sum()) for block in blocks(flat))


def _file(path: Path, name: str, look: bool, digest: str | None = None) -> dict:
    return {"path": name, "bytes": path.stat().st_size, "sha256": (digest or sha256_file(path)) if look else None}
