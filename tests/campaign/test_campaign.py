"""Campaigns: each task once and none dropped, whatever dies; the same table here and on a Dask cluster."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import dask
import joblib
import pytest
import toy_tasks
from distributed import LocalCluster
from rich.console import Console

from parity.campaign import runs as campaign
from parity.campaign.runs import Done, Failed, TaskFailed, all_done, key, on_dask, run
from parity.cli import main
from parity.files import InputError
from parity.ugatit.faults import CATALOGUE, trials
from parity.ugatit.faults.score import mark_healthy
from parity.ugatit.faults.tally import Tally

FAULTS = ["--fault", "iln_eps", "--fault", "concat_swapped", "--fault", "detached_attention"]  # a second each


def toys(folder, count=5, **ends):
    (folder / "attempts").mkdir(exist_ok=True)
    return [{"kind": "toy", "number": number, "folder": str(folder / "attempts"), "end": ends.get(f"t{number}", "")}
            for number in range(count)]


def attempts(folder):
    return Counter(int(file.name.partition("-")[0]) for file in (folder / "attempts").iterdir() if "-" in file.name)


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each a process; what kills a worker is given up at once."""
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), \
            LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=None) as made:
        yield made.scheduler_address


# --- making many runs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_each_task_is_made_once_in_one_thread_and_not_in_this_process(tmp_path, workers):
    tasks = toys(tmp_path)
    outcomes = run(tasks, toy_tasks.do, workers=workers)
    assert list(outcomes) == [key(task, toy_tasks.do) for task in tasks]
    assert [outcome.result for outcome in outcomes.values()] == [{"square": n * n, "threads": "1"} for n in range(5)]
    assert attempts(tmp_path) == Counter(range(5))
    assert all_done(outcomes) == outcomes


def check_what_dies(tmp_path):
    """A task that kills its worker and one that raises are reported, all others done; next time only the two are made."""
    tasks, told = toys(tmp_path, 7, t2="dies", t4="raises"), []

    def once():
        told.clear()
        return list(run(tasks, toy_tasks.do, folder=tmp_path / "work",
                        progress=lambda task, outcome, kept: told.append((task["number"], kept))).values())

    outcomes = once()
    assert {number for number, _ in told} == set(range(7)) and len(told) == 7
    assert [type(outcome) for outcome in outcomes] == [Failed if number in (2, 4) else Done for number in range(7)]
    assert "its worker was lost" in outcomes[2].reason and outcomes[4].reason == "ValueError: no way"
    assert "toy_tasks.py" in outcomes[4].traceback
    with pytest.raises(TaskFailed, match="its worker was lost"):
        all_done(dict(enumerate(outcomes)))
    before = attempts(tmp_path)
    (tmp_path / "attempts" / "repaired").write_text("")
    outcomes = once()
    assert [number for number, kept in told if not kept] in ([2, 4], [4, 2])
    assert outcomes[2].result["square"] == 4 and attempts(tmp_path) - before == Counter([2, 4])


def test_what_dies_or_raises_is_reported_and_nothing_else_is_lost(tmp_path):
    check_what_dies(tmp_path)


def test_what_dies_or_raises_on_a_cluster_is_reported_too(tmp_path, cluster):
    with on_dask(cluster):
        check_what_dies(tmp_path)


def test_what_was_done_is_not_done_again_and_what_is_broken_is(tmp_path):
    tasks, work = toys(tmp_path, 2), tmp_path / "work"
    first = run(tasks, toy_tasks.do, folder=work)
    assert run(tasks, toy_tasks.do, folder=work) == first and attempts(tmp_path) == Counter(range(2))
    names = [key(task, toy_tasks.do) for task in tasks]
    assert sorted(file.stem for file in work.iterdir()) == sorted(names)
    file = work / f"{names[0]}.json"
    assert json.loads(file.read_text())["task"] == tasks[0]
    file.write_text(file.read_text()[:50])
    assert run(tasks, toy_tasks.do, folder=work)[names[0]].result == first[names[0]].result
    assert attempts(tmp_path) == Counter([0, 0, 1])


def test_another_task_or_other_code_is_another_result(monkeypatch):
    task = {"kind": "losses", "names": ["rho"], "steps": 10}
    before = key(task, toy_tasks.do)
    assert before == key(dict(reversed(task.items())), toy_tasks.do)
    assert before not in (key({**task, "steps": 9}, toy_tasks.do), key(task, toy_tasks.take_turns))
    monkeypatch.setattr(campaign, "_code", lambda: "other")
    assert key(task, toy_tasks.do) != before


def test_a_worker_with_other_code_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "_code", lambda: "newer")  # here, and not in the workers
    [outcome] = run(toys(tmp_path, 1), toy_tasks.do).values()
    assert isinstance(outcome, Failed) and "other code" in outcome.reason


def test_threads_of_one_worker_take_turns():
    tasks = [{"kind": "turn", "number": number} for number in range(4)]
    with joblib.parallel_config(backend="threading", n_jobs=4):
        assert [outcome.result for outcome in run(tasks, toy_tasks.take_turns).values()] == [1] * 4


def test_what_cannot_be_used_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="choose another"):
        run(toys(tmp_path, 1), toy_tasks.do, folder=tmp_path / "file")
    with joblib.parallel_config(backend="multiprocessing"), pytest.raises(InputError, match="forks"):
        run(toys(tmp_path, 1), toy_tasks.do)
    with pytest.raises(InputError, match="dask scheduler"), on_dask("nonsense://"):
        pass


# --- faults x seeds x configurations -----------------------------------------------------------------------------------


def test_the_same_table_here_and_on_two_dask_workers(tmp_path, cluster, capsys, monkeypatch):
    told = []
    for name in ("here", "dask"):
        if name == "dask":
            monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster)  # no more than this
            monkeypatch.setattr(joblib.parallel.LokyBackend, "submit", lambda *args, **options: pytest.fail("not on the cluster"))
        files = [tmp_path / f"{name}.{kind}" for kind in ("json", "html")]
        assert main(["campaign", *FAULTS, "--seeds", "1", "--work", str(tmp_path / name),
                     "--json", str(files[0]), "--html", str(files[1])]) == 0
        told.append([capsys.readouterr().out, *(file.read_bytes() for file in files)])
    assert told[0] == told[1]
    assert len(list((tmp_path / "dask").iterdir())) == len(list((tmp_path / "here").iterdir())) == 5
    assert "3 runs with a fault (3 faults, 1 seeds, 1 configurations): 3 found, 3 of them at their place" in told[0][0]
    assert "2 of healthy twins, 0 false alarms; 0 runs failed." in told[0][0]


def test_a_fault_is_tried_where_it_acts():
    chosen = trials.configurations(trials.MODES, ["float64"], {"light": [True, False], "ngf": [4, 8]})
    assert len(chosen) == 12
    plan = trials.plan(["iln_eps", "gmp_G", "adam_eps"], [0, 1], chosen)
    runs = Counter((task["kind"], task["name"], task["mode"]) for task in plan)
    assert runs == {("fault", "iln_eps", "check"): 2, ("healthy", "LIN", "check"): 2,  # a module has no other sizes
                    ("fault", "gmp_G", "check"): 8, ("healthy", "genA2B", "check"): 8,
                    ("fault", "adam_eps", "free"): 8, ("healthy", "training", "free"): 8,
                    ("fault", "adam_eps", "resync"): 8, ("healthy", "training", "resync"): 8}
    assert trials.where(plan[-1]) == "resync, float64, full, ngf 8"
    assert len({key(task, trials.do) for task in plan}) == len(plan)


def test_sizes_reach_the_programs():
    task = {"kind": "fault", "name": "square_linear", "seed": 1, "lane": "float64", "mode": "check"}
    for light, layer in ((True, "FC.0"), (False, "FC.2")):  # in the full generator the first is not square
        mark = trials.mark(trials.do({**task, "sizes": {"light": light}}))
        assert mark.outcome == "found and placed" and f"genA2B.{layer}" in mark.headline


def test_the_code_of_the_page_is_run(capsys):
    page = (Path(__file__).parents[2] / "docs" / "campaigns.md").read_text()
    [code] = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    exec(compile(code, "campaigns.md", "exec"), {})
    assert "12 runs with a fault (2 faults, 3 seeds, 2 configurations): 12 found, 12 of them" in capsys.readouterr().out


def told(tally, width=100):
    out = io.StringIO()
    tally.show(Console(file=out, width=width))
    return out.getvalue()


def test_the_tally_counts_everything_and_says_why():
    plan = trials.plan(["iln_eps", "rho", "gmp_G", "gmp_D"], [0, 1], trials.configurations(["check"], ["float64"], {}))
    good = {"name": "", "outcome": "found and placed", "floors": 20.0}
    marks = {task["name"]: good if task["kind"] == "fault" else mark_healthy(task["name"], "same").to_json() for task in plan}
    fine = [Done(marks[task["name"]], 1.0) for task in plan]
    assert Tally(plan, fine).exit_code == 0 and not Tally(plan, fine).wrong
    changed = dict(enumerate(fine))
    at = {(task["name"], task["seed"]): number for number, task in enumerate(plan)}
    changed[at["rho", 0]] = Done({**good, "outcome": "missed", "floors": None}, 1.0)
    changed[at["rho", 1]] = Done({**good, "outcome": "misplaced", "reason": "step: 1", "floors": 17.0}, 1.0)
    changed[at["LIN", 1]] = Done(mark_healthy("LIN", "diverged", headline="diverged at\nmore").to_json(), 1.0)
    worse = Tally(plan, changed.values())
    assert worse.exit_code == 1
    assert "8 runs with a fault (4 faults, 2 seeds, 1 configurations): 7 found, 6 of them at their place, 1 misplaced, 1 missed; " \
        "8 of healthy twins, 1 false alarms; 0 runs failed." in worse.sentence
    changed[at["gmp_D", 1]] = Failed("its worker was lost: X")
    worst = Tally(plan, changed.values())
    assert worst.exit_code == 2 and "1 runs failed" in worst.sentence
    out = told(worst)
    for words in ("missed: rho, seed 0, check, float64", "    step: 1", "false alarm: LIN, seed 1", "    diverged at\n",
                  "failed: gmp_D, seed 1", "its worker was lost: X"):
        assert words in out
    document = json.loads(worst.to_json())
    assert document["verdict"] == "incomplete" and len(document["runs"]) == len(plan)
    [row] = [row for row in document["faults"] if row["name"] == "rho"]
    assert (row["runs"], row["missed"], row["misplaced"], row["smallest"]) == (2, 1, 1, "2e+01")
    assert "its worker was lost: X" in worst.to_html()
    assert Tally([], []).exit_code == 2
    with pytest.raises(ValueError):
        Tally(plan, fine[1:])  # a result that is missing is no shorter table


def test_a_missed_fault_is_1_and_bad_input_2(monkeypatch, capsys):
    harmless = replace(CATALOGUE["iln_eps"], edits=())
    monkeypatch.setitem(CATALOGUE, "iln_eps", harmless)
    with joblib.parallel_config(backend="threading"):  # here, where the catalogue is changed
        assert main(["campaign", "--fault", "iln_eps", "--seeds", "1"]) == 1
        assert "missed: iln_eps, seed 0" in capsys.readouterr().out
    assert main(["campaign", "--fault", "iln_epz"]) == 2 and "iln_eps" in capsys.readouterr().err
    assert main(["campaign", "--fault", "iln_eps", "--mode", "free"]) == 2  # it acts in no training: nothing is run
