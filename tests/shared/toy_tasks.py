"""What the tasks of `test_campaign` do. Workers import this file: no framework here."""

import os
import threading
import time
from pathlib import Path

INSIDE = []


def do(task):
    """Leaves a file for each attempt; raises, or takes its process with it, where the task says so."""
    folder = Path(task["folder"])
    folder.joinpath(f"{task['number']}-{time.monotonic_ns()}").write_text("")
    if task.get("end") == "raises":
        raise ValueError("no\nway")
    if task.get("end") == "dies" and not (folder / "repaired").exists():
        os._exit(7)
    return {"square": task["number"] ** 2, "threads": os.environ.get("OMP_NUM_THREADS")}


def take_turns(task):
    """How many tasks are in here at once."""
    INSIDE.append(threading.get_ident())
    time.sleep(0.05)
    together = len(INSIDE)
    INSIDE.pop()
    return together
