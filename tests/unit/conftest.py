"""These tests need numpy alone, and seconds: run by themselves, they see neither framework, even where both are installed."""

import sys
from pathlib import Path

import pytest
from blocked import Blocked


def pytest_configure(config: pytest.Config) -> None:
    asked = [config.invocation_params.dir / str(argument).partition("::")[0] for argument in config.args]
    if all(path.resolve().is_relative_to(Path(__file__).parent) for path in asked):
        sys.meta_path[:0] = [Blocked("torch"), Blocked("paddle")]
