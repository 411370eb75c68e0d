"""What tests/ugatit/test_evaluation.py holds KID, FID and Inception v3 against: torch-fidelity's numbers, of random weights.

    python -m benchmarks.evaluation --out tests/fixtures/torch_fidelity.json

Needs torch-fidelity and pytorch-fid (with torchvision, scipy, tqdm, requests), which are no dependencies of the project; install
them beside it. Everything that goes in is drawn from numpy's legacy generator, whose stream does not change with versions.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from importlib.metadata import version
from pathlib import Path

import click
import numpy as np
import torch

from parity.files import write
from parity.ugatit.evaluation import weights

SUBSETS = {"kid_subsets": 7, "kid_subset_size": 12}
EVERY = 64  # of the features, one in so many is kept
SHAPES = {"more pictures than features": (60, 50, 8), "more features than pictures": (20, 30, 224)}
SIZES = ((32, 32), (256, 256), (150, 401), (598, 299))  # height and width of a picture that is resized


def features(real: int, fake: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of features, float64, of a little different mean and spread."""
    rng = np.random.RandomState(real)
    return rng.standard_normal((real, width)), 1.2 * rng.standard_normal((fake, width)) + 0.2


def pixels(height: int, width: int) -> np.ndarray:
    """A picture (H, W, 3), uint8."""
    return np.random.RandomState(height).randint(0, 256, (height, width, 3)).astype(np.uint8)


def digest(array: np.ndarray) -> str:
    """SHA-256 of float32 values."""
    return hashlib.sha256(np.ascontiguousarray(array, np.float32).tobytes()).hexdigest()


@click.command()
@click.option("--out", required=True, metavar="FILE.json")
def main(out: str) -> None:
    """Write what torch-fidelity makes of each of these."""
    from pytorch_fid.inception import fid_inception_v3
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric

    distances = {}
    for name, shape in SHAPES.items():
        real, fake = map(torch.tensor, features(*shape))
        kid = kid_features_to_metric(real, fake, verbose=False, **SUBSETS)
        statistics = [fid_features_to_statistics(one) for one in (real, fake)]
        distances[name] = {**kid, **fid_statistics_to_metric(*statistics, verbose=False)}

    resized = {}
    for height, width in SIZES:
        picture = torch.tensor(pixels(height, width)).permute(2, 0, 1)[None].float()
        made = interpolate_bilinear_2d_like_tensorflow1x(picture, (299, 299), align_corners=False)
        resized[f"{height} x {width}"] = digest(made.numpy())

    state = {name: torch.tensor(value) for name, value in weights.random(0).items()}
    fid_inception_v3.__globals__["load_state_dict_from_url"] = lambda *_, **__: state
    fid_inception_v3()  # loads strictly: the keys and shapes of pytorch-fid's network
    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        torch.save(state, file.name)
        network = FeatureExtractorInceptionV3("random", ["2048"], file.name).double()
    network.feature_extractor_internal_dtype = torch.float64  # its own option "float64" gives float32, in 0.4.0
    (made,) = network(torch.tensor(pixels(299, 299)).permute(2, 0, 1)[None])
    packages = ("torch-fidelity", "pytorch-fid", "torch", "numpy")
    write(out, json.dumps({
        "made by": f"benchmarks/{Path(__file__).name}", "versions": {name: version(name) for name in packages},
        "distances": distances, "resized": resized, "features": made[0, ::EVERY].tolist(),
    }, indent=1) + "\n")


if __name__ == "__main__":
    main()
