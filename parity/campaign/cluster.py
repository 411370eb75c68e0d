"""Dask under joblib, made to hear of tasks whose workers died."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from joblib._dask import DaskDistributedBackend
from joblib.parallel import ParallelBackendBase


def hearing(backend: ParallelBackendBase) -> ParallelBackendBase:
    """The same backend; where it is Dask's, one that hears."""
    if not isinstance(backend, DaskDistributedBackend):
        return backend
    return _Hearing(client=backend.client, wait_for_workers_timeout=backend.wait_for_workers_timeout, **backend.submit_kwargs)


class _Lost:
    """In the place of a result: the scheduler gave the task up."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Hearing(DaskDistributedBackend):
    """joblib (1.6) tells `Parallel` only of tasks that returned; for one that the scheduler gives up (`KilledWorker`) it
    would wait for ever. And where a single worker is left, it runs the task in the calling process."""

    def effective_n_jobs(self, n_jobs: int) -> int:
        return max(2, super().effective_n_jobs(n_jobs))

    def submit(self, func: Any, callback: Callable[[Any], None] | None = None) -> Future:
        future = super().submit(func, callback)
        if callback is not None:
            future.add_done_callback(lambda done: callback(_Lost(done.exception())) if done.exception() else None)
        return future

    def retrieve_result_callback(self, out: Any) -> Any:
        if isinstance(out, _Lost):
            raise out.error
        return super().retrieve_result_callback(out)
