"""Many independent runs, on the cores here or on a Dask cluster."""

from parity.campaign.runs import Done, Failed, TaskFailed, all_done, run

__all__ = ["Done", "Failed", "TaskFailed", "all_done", "run"]
