"""The exam of `parity fix`: `python -m exams.fixes.run --out docs/fix-exam.md`.

Each fault of the catalogue that is an edit of the twin's text is written into a copy of `paddle_impl`; `parity fix` looks for the
mend without being told anything. A patch that is proven must hold on other weights and inputs, too. Healthy copies must get none.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from exams.fixes.meaning import SEEDS, apart, said
from exams.fixes.sitting import steps_of
from parity.files import write
from parity.ugatit.faults import CATALOGUE
from parity.ugatit.faults.fault import Fault

ROOT = Path(__file__).resolve().parents[2]
ALIKE = ("the same program", "equal")
HEALTHY = ("AdaLIN", "CAM", "disLA", "genA2B")


def faulty(fault: Fault) -> dict[str, str] | None:
    """File of the twin -> its text with the fault in it; None where the fault is no text of the twin's alone."""
    texts: dict[str, str] = {}
    if not fault.edits or fault.answer.subject in ("training_files", "training_start", "training_resumed"):
        return None
    for edit in fault.edits:
        path = str(Path(edit.function.__code__.co_filename).relative_to(ROOT))
        text = texts.get(path) or (ROOT / path).read_text()
        late = ""
        for name, value in edit.names.items():
            if isinstance(value, ModuleType):
                late += f"\n\nimport {value.__name__} as {name}\n"
                continue
            home = getattr(value, "__module__", None)
            if home is None or getattr(value, "__qualname__", "<") != getattr(value, "__name__", ">"):
                return None
            late += (f"\n\ndef {name}(*given, **named):\n    import {home} as home\n"
                     f"    return home.{value.__name__}(*given, **named)\n")
        if text.count(edit.old) == 1:
            text = text.replace(edit.old, edit.new)
        else:  # once in its function
            first = edit.function.__code__.co_firstlineno
            head, tail = "".join(text.splitlines(True)[:first - 1]), "".join(text.splitlines(True)[first - 1:])
            text = head + tail.replace(edit.old, edit.new, 1)
        text += late if late not in text else ""
        texts[path] = text
    return texts


def sit(name: str, texts: dict[str, str], budget: float, others: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "paddle_impl", Path(folder) / "paddle_impl")
        for path, text in texts.items():
            (Path(folder) / path).write_text(text)
        environment = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, "-m", "exams.fixes.sitting", name, str(budget), str(others)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        return {"name": name, "verdict": "crash", "sentence": done.stderr[-500:], "tried": 0, "seconds": 0, "cpu": 0, "changes": [],
                "elsewhere": []}
    return json.loads(done.stdout.splitlines()[-1])


def meaning(result: dict[str, Any], room: Path) -> str:
    """How the patched twin compares with the fault's own mend. room: what is computed once of each computation lies there."""
    texts = faulty(CATALOGUE[result["name"]]) or {}
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "paddle_impl", Path(folder) / "paddle_impl")
        for path, text in texts.items():
            (Path(folder) / path).write_text(text)
        subprocess.run(["git", "apply", "-"], cwd=folder, input=result["diff"], text=True, check=True)
        if all(said((Path(folder) / path).read_text(), (ROOT / path).read_text()) == said(
                (ROOT / path).read_text(), (ROOT / path).read_text()) for path in texts):
            return "the same program"
        name = result["name"]
        mended, patched = room / f"{CATALOGUE[name].answer.subject}-{steps_of(name)}.npz", Path(folder) / "patched.npz"
        for file, draws, where in ((mended, 2, str(ROOT)), (patched, 0, folder)):
            if not file.exists():
                environment = {**os.environ, "PYTHONPATH": f"{where}:{ROOT}", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
                done = subprocess.run([sys.executable, "-m", "exams.fixes.meaning", name, str(file), str(draws)], cwd=where,
                                      env=environment, capture_output=True, text=True)
                if done.returncode:
                    return f"cannot be told: {done.stderr.splitlines()[-1][:200]}"
        with np.load(mended) as one, np.load(patched) as other:
            differing = list(apart(dict(one), dict(other)))
    return f"not equal on {len(differing)} of {SEEDS}: {differing[0]}" if differing else f"equal on {SEEDS}"


def all_of_them(wanted: list[str], budget: float, others: int, workers: int) -> Iterator[dict[str, Any]]:
    plan = {name: {} for name in HEALTHY} | {name: texts for name, fault in CATALOGUE.items()
                                             if (texts := faulty(fault)) is not None}
    sitting = [name for name in plan if not wanted or name in wanted]
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda name: sit(name, plan[name], budget, others), sitting)


def page(results: list[dict[str, Any]], others: int) -> str:
    missing = [name for name, fault in CATALOGUE.items() if faulty(fault) is not None
               and name not in {one["name"] for one in results}]
    faults, healthy = ([one for one in results if (one["name"] in HEALTHY) == wanted] for wanted in (False, True))
    fixed = [one for one in faults if one["verdict"] == "fixed"]
    elsewhere = [one for one in fixed if one.get("others", others) >= others]
    meant = [one["meaning"] for one in fixed if "meaning" in one]
    held, quick = sum(not one["elsewhere"] for one in elsewhere), sum(one["cpu"] <= 60 for one in fixed)
    lines = ["# The exam of `parity fix`", "", "Written by `python -m exams.fixes.run --out docs/fix-exam.md`.", "",
             " ".join(__doc__.split("\n\n")[1].split()), "",
             f"{len(faults)} faults: {len(fixed)} with a proven patch (on 3 seeds each); of {len(elsewhere)} that were tried on "
             f"{others} more seeds {held} hold there; {quick} within 60 s of a processor. "
             f"{len(healthy)} healthy copies: {sum(one['verdict'] == 'same' for one in healthy)} without a patch.", "",
             f"{sum(one.startswith(ALIKE) for one in meant)} of {len(meant)} patches held beside the fault's own mend mean "
             f"what it means: the same program, or all values are equal to rounding on {SEEDS} other weights and inputs "
             "(`exams/fixes/meaning.py`)." + "".join(f" {one['name']}: {one['meaning']}." for one in fixed
                                                     if not one.get("meaning", ALIKE[0]).startswith(ALIKE)), "",
             *([f"Not sat yet: {', '.join(missing)}.", ""] if missing else []),
             f"{len(CATALOGUE) - len(faults) - len(missing)} faults of the catalogue are not in it: they act in the data, at the "
             "start or on resuming, which `parity fix` does not look at, or are no edit of the twin's text. A fault that acts in a "
             "training is looked for by `parity fix --steps`.", "",
             *(["\\* sat by an earlier state of `parity fix`, and not again since; s: by the clock.", ""]
               if any(one.get("earlier") for one in results) else []),
             "| fault | result | trials | s | patch | does not hold on | beside the fault's own mend |",
             "|---|---|---|---|---|---|---|"]
    for one in results:
        patch = "<br>".join(f"`{change['old'].strip()}` → `{change['new'].strip()}`".replace("|", "\\|").replace("\n", " ")
                            for change in one["changes"])
        name = one["name"] + ("*" if one.get("earlier") else "")
        lines.append(f"| {name} | {one['verdict']} | {one['tried']} | {one['cpu']:.0f} | {patch} | "
                     f"{', '.join(map(str, one['elsewhere']))} | {one.get('meaning', '')} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", metavar="FILE.md")
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--others", type=int, default=20, help="so many other seeds that a proven patch must hold on")
    parser.add_argument("--answers", metavar="FILE.json", help="Kept here, with those of other sittings; the page is of them all.")
    parser.add_argument("--meaning", action="store_true", help="Sit none; hold the answers' patches against the faults' own mends.")
    parser.add_argument("--workers", type=int, default=1, help="sittings at a time")
    given = parser.parse_args()
    kept = Path(given.answers) if given.answers else None
    answers = json.loads(kept.read_text()) if kept and kept.exists() else {}

    def publish() -> None:
        if kept:
            write(str(kept), json.dumps(answers, indent=1))
        if given.out:
            written = Path(given.out).read_text() if Path(given.out).exists() else ""
            by_hand = "\n## " + written.split("\n## ", 1)[1] if "\n## " in written else ""
            write(given.out, page([answers[one] for one in (*HEALTHY, *CATALOGUE) if one in answers], given.others) + by_hand)

    for result in () if given.meaning else all_of_them(given.names, given.budget, given.others, given.workers):
        answers[result["name"]] = result
        publish()
        print(f"{result['name']}: {result['verdict']}, {result['tried']} trials, {result['seconds']:.0f} s "
              f"{[(change['old'], change['new']) for change in result['changes']]} {result['elsewhere']}"
              f" {result['sentence'] if result['verdict'] not in ('fixed', 'same') else ''}", flush=True)
    with tempfile.TemporaryDirectory() as room:
        for name, result in answers.items():
            if result["verdict"] == "fixed" and "meaning" not in result and (not given.names or name in given.names):
                result["meaning"] = meaning(result, Path(room))
                publish()
                print(f"{name}: {result['meaning']}", flush=True)
    publish()


if __name__ == "__main__":
    main()
