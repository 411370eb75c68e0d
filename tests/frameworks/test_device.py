"""The GPU: asked for where there is none it is an error or a visible skip; where there is one, the twin passes on it."""

import paddle
import pytest
import torch

from parity.compare.ladder import compare
from parity.frameworks import FrameworkError, PaddleFramework, TorchFramework
from parity.steps.follow import follow
from parity.ugatit import subjects as ugatit

FRAMEWORKS = [TorchFramework(), PaddleFramework()]


def _has_gpu(framework):
    try:
        framework.check_device("gpu")
    except FrameworkError:
        return False
    return True


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.name)
def test_a_missing_gpu_is_named(framework):
    framework.check_device("cpu")
    if not _has_gpu(framework):
        with pytest.raises(FrameworkError, match="--device gpu: this .* sees no CUDA device; install"):
            framework.check_device("gpu")


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.name)
def test_exact_changes_nothing_on_a_cpu(framework, monkeypatch):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    before = torch.are_deterministic_algorithms_enabled(), paddle.get_device()
    with framework.exact("cpu"):
        assert (torch.are_deterministic_algorithms_enabled(), paddle.get_device()) == before


def test_tf32_that_cannot_be_turned_off_is_an_error(monkeypatch):
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    with pytest.raises(FrameworkError, match="NVIDIA_TF32_OVERRIDE"), PaddleFramework().exact("gpu"):
        pass


@pytest.mark.skipif(not all(map(_has_gpu, FRAMEWORKS)), reason="no GPU that both frameworks see")
@pytest.mark.parametrize("name", ["AdaLIN", "genA2B", "disLA"])
def test_the_twin_passes_on_a_gpu(name):
    report = compare(ugatit.exam_subject(name), device="gpu")
    assert report.verdict == "same", report.first


@pytest.mark.skipif(not all(map(_has_gpu, FRAMEWORKS)), reason="no GPU that both frameworks see")
@pytest.mark.parametrize("mode", ["free", "resync"])
def test_steps_of_the_twin_pass_on_a_gpu(mode):
    sizes = ugatit.Sizes(ngf=4, n_blocks=2, img_size=96, light=True, ndf=2)
    found = follow(ugatit.training(sizes, device="gpu"), steps=2, mode=mode)
    assert found.verdict == "same", found.report.first
