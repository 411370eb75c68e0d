"""Writing in the background: the bytes in order, errors told, nothing computed where there is no memory."""

import errno
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from weights_convert import bits, output
from weights_convert.output import Output


def test_bytes_arrive_in_order_from_two_buffers_by_turns(tmp_path, monkeypatch):
    """Each buffer is filled anew as soon as `write` allows it, while the disk is slow."""
    put = Output._put
    monkeypatch.setattr(Output, "_put", lambda self, view: (time.sleep(0.002), put(self, view)))
    monkeypatch.setattr(output, "_FLUSHED", 1000)
    buffers, expected = [np.empty(300, "u1"), np.empty(300, "u1")], b""
    with Output(tmp_path / "a", checksum=True) as file:
        for number in range(60):
            buffers[number % 2][:] = number
            expected += buffers[number % 2].tobytes()
            assert file.write(buffers[number % 2]) == 300 and file.write(b"") == 0
    assert (tmp_path / "a").read_bytes() == expected
    assert file.size == len(expected) and file.sha256 == hashlib.sha256(expected).hexdigest()


@pytest.mark.parametrize("call", ["_put", "fsync"])
def test_an_error_of_the_disk_is_told(tmp_path, monkeypatch, call):
    def fails(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((Output, "_put") if call == "_put" else (os, "fsync")), fails)
    with pytest.raises(OSError, match="No space left"), Output(tmp_path / "a") as file:
        file.write(b"x")
    assert file._file.closed


def test_transposed_matrices_are_equal_or_not_whatever_their_order(monkeypatch):
    monkeypatch.setattr(bits, "_BLOCK", 64)
    a = np.arange(600, dtype="f4").reshape(20, 30)
    orders = [a, np.asarray(a, order="F"), np.repeat(a, 2, axis=1)[:, ::2]]
    for one in orders:
        for other in orders:
            assert bits.same_bits(one, other)
            for at in ((0, 0), (19, 29), (7, 13)):
                changed = np.empty_like(other)
                changed[...] = other
                changed[at] = -changed[at] - 1
                assert not bits.same_bits(one, changed) and not bits.same_bits(changed, one)


def test_two_buffers_are_never_more_than_the_matrix():
    array = np.zeros((40, 1 << 16), "f4").T.copy().T  # 40 rows of 256 KiB: 32 rows a buffer would be 1.6 times the matrix
    assert sum(len(block) for block in bits.blocks(array)) == array.nbytes
    assert max(len(block) for block in bits.blocks(array)) <= array.nbytes // 2


def test_networks_without_memory_compute_nothing():
    """torch would import its compiler, which takes longer than the conversion of a small checkpoint."""
    script = ("import sys, torch; from weights_convert import torch_skeleton\n"
              "make = lambda: torch.nn.utils.spectral_norm(torch.nn.Conv2d(3, 5, 4))\n"
              "found, real = ({n: (v.shape, v.dtype) for n, v in m.state_dict().items()} for m in (torch_skeleton(make), make()))\n"
              "assert found == real and 'torch._dynamo' not in sys.modules, found")
    child = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr[-2000:]
