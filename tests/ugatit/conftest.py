"""What tests of whole trainings share."""

import pytest
import torch


@pytest.fixture(scope="module")
def one_thread():
    """Torch alone with its thread: sums in one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
