"""The networks of an official U-GAT-IT checkpoint, for the converter: their sizes are read off its tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

import paddle_impl
import torch_ref
from parity.conversion.networks import Networks
from parity.ugatit import cases
from parity.ugatit import subjects as ugatit
from weights_convert import infer_sizes, infer_some_sizes, paddle_skeleton


@dataclass(frozen=True)
class _Official(Networks):
    """decoder_norm: of the ablation's generators, where the tensors cannot tell (see `infer_sizes`)."""

    decoder_norm: str | None = None

    def skeleton(self, network: str, sizes: Any) -> Any:
        return _skeleton(network.startswith("gen"), sizes)  # two generators, two pairs of discriminators: built once

    def infer(self, some: bool) -> Callable:
        return partial(infer_some_sizes if some else infer_sizes, decoder_norm=self.decoder_norm)

    def as_in(self, receipt: Mapping[str, Any]) -> _Official:
        norms = {sizes["decoder_norm"] for sizes in receipt["sizes"].values() if "decoder_norm" in sizes}
        return replace(self, decoder_norm=norms.pop()) if len(norms) == 1 else self


@lru_cache(maxsize=4)
def _skeleton(generator: bool, sizes: Any) -> Any:
    return paddle_skeleton(lambda: cases.build(paddle_impl, "gen" if generator else "dis", sizes))


def _picture(network: str, sizes: Any) -> dict[str, np.ndarray]:
    size = getattr(sizes, "img_size", None) or 256
    domain = "B" if network in ("genB2A", "disGB", "disLB") else "A"
    return {"input": ugatit.picture(domain, 0, size, channels=sizes.input_nc)}


OFFICIAL = _Official(lambda network, sizes: cases.build(torch_ref, network, sizes),
                     lambda network, sizes: cases.build(paddle_impl, network, sizes), _picture, ugatit.NETWORKS)
