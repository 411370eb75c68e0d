"""What is dear to build is built in one worker: the groups of pytest-xdist are heard."""

import os

import pytest

pytestmark = pytest.mark.xdist_group("workers")


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process: all is built once")
def test_a_group_stays_together(request):
    """pytest-xdist 3.8 marks a group in a field that pytest 9.2 took away: each worker built everything, 150 s of them twice."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("not distributed by group")
    assert request.node.nodeid.endswith("@workers")
