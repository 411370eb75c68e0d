"""Why the Paddle port of 2020 diverged from its PyTorch original, and why its loss did not fall: the answer, measured.

`tasks` says which runs the answer needs, `parity.campaign.runs` makes them in parallel, `report.summary` draws the conclusions,
the rest of `report` shows them. All runs begin where `start` says: the very weights and pictures with which the real port was
recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parity.ugatit.explain.report.summary import Explanation
    from parity.ugatit.explain.tasks import Scope

# Workers import this file before they set their threads: no framework here, but inside the functions.


def scope(names: Sequence[str] = (), *, thorough: bool = False, steps: int, long_steps: int) -> Scope:
    """What to explain: these faults, or the nine; thorough: beside them the whole catalogue, each alone, and over the long run each
    of the nine and all together (of which the real port's own run is on record).

    Raises InputError with the names that are nearest to an unknown one.
    """
    from parity.ugatit import faults
    from parity.ugatit.explain.tasks import Scope
    from parity.ugatit.training import injected

    injected(names)  # for its words on an unknown name
    wanted = faults.members(*(names or ("port2020",)))
    alone = wanted if thorough or names else [name for name in wanted if name == "gmp_G"]
    long = [(), *((name,) for name in alone), *([wanted] if thorough or names else [])]
    more = tuple(name for name in faults.CATALOGUE if name not in wanted) if thorough else ()
    return Scope(tuple(wanted), more, tuple(dict.fromkeys(long)), steps=steps, long_steps=long_steps)


def explain(what: Scope, folder: str | Path | None = None, workers: int | None = None,
            progress: Callable[[int, str], None] = lambda total, what: None) -> Explanation:
    """Make all runs that are not in the folder yet. progress: called with the number of runs, and what has just been done.

    Raises InputError where the folder cannot be used, TaskFailed (when all others are done) where a run has no result.
    """
    from parity.campaign import runs as campaign
    from parity.ugatit.explain import tasks
    from parity.ugatit.explain.report.summary import Explanation

    plan = tasks.plan(what)
    progress(len(plan), "")
    outcomes = campaign.run(plan, tasks.do, folder=Path(folder) if folder else None, workers=workers,
                            progress=lambda task, outcome, kept: progress(len(plan), tasks.describe(task)))
    return Explanation(what, campaign.all_done(outcomes))
