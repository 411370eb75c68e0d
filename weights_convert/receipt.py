"""What was converted, by which rule, with which checksum: a file beside the result."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import paddle
import torch

from .bits import sha256_array, sha256_file
from .official import Sizes
from .plan import Plan

SCHEMA = "weights_convert.receipt/1"


def make_receipt(
    *,
    to: str,
    source: list[Path],
    files: list[Path],
    sizes: Mapping[str, Sizes],
    plans: Mapping[str, Plan],
    states: Mapping[str, Mapping[str, np.ndarray]],
) -> dict:
    """The receipt as JSON-ready dict.

    Args:
        to: "paddle" or "torch".
        source, files: what was read and what was written; both are hashed as they lie on the disk.
        states: network -> (torch name -> array in torch's layout). `sha256` of a tensor is that of these
            bytes.

    `non_finite` lists tensors that hold NaN or infinity; they are converted as they are.
    """
    tensors, non_finite = [], []
    for network, plan in plans.items():
        for entry in plan.entries.values():
            array = states[network][entry.source]
            line = {
                "network": network,
                **asdict(entry),
                "dtype": str(array.dtype),
                "sha256": sha256_array(array),
            }
            tensors.append(line)
            if array.dtype.kind == "f" and (count := int(array.size - np.isfinite(array).sum())):
                non_finite.append({"network": network, "source": entry.source, "count": count})
    receipt = {
        "schema": SCHEMA,
        "to": to,
        "source": [_file(path, str(path)) for path in source],
        "files": [_file(path, path.name) for path in files],
        "sizes": {network: asdict(size) for network, size in sizes.items()},
        "versions": {"torch": torch.__version__, "paddle": paddle.__version__, "numpy": np.__version__},
        "non_finite": non_finite,
        "tensors": tensors,
    }
    return json.loads(json.dumps(receipt))  # lists for tuples: what is returned is what the file holds


def write_receipt(path: str | Path, receipt: Mapping) -> None:
    Path(path).write_text(json.dumps(receipt, indent=1) + "\n", encoding="utf-8")


def _file(path: Path, name: str) -> dict:
    return {"path": name, "bytes": path.stat().st_size, "sha256": sha256_file(path)}
