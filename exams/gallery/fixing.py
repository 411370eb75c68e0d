"""`parity fix` on the gallery: a fault is put into the file of a pair's twin, which stands as the user's own file; its library and
the reference's are installed, as they are where people port.

    python -m exams.gallery.fixing --faults ANSWERS.json --part 0 --of 3 --answers FILE.json      (in the gallery's environment)

--faults: answers of `exams.gallery.run --faults N`. Sat are those of pairs that a comparison takes 8 s of a processor or less; a
pair that differs in train mode alone is asked in eval mode. Each has 60 s of a processor for the search; what a patch means is
measured beside the healthy twin (`meaning`). --healthy: the twins without a fault, which may get no patch.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import json
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from exams.gallery import sitting
from parity import files

SMALL, BUDGET, SEEDS = 8.0, 60.0, 20
ALIKE = "the same program", "equal"
LIMIT = 900  # seconds of a processor for a sitting: the search, its proof, and what the patch means


def spent() -> float:
    """Seconds of a processor, of this process and its trials."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def port(name: str, seed: int | None = None) -> Any:
    from exams.gallery import truth
    pair = truth.port(name)
    return dataclasses.replace(pair, seed=pair.seed + (seed or 0),
                               modes=("eval",) if name in truth.DIFFERS_IN_TRAIN else pair.modes)


def fault_of(row: dict[str, Any]) -> tuple[str, str, int] | None:
    """(module, file, line) of a fault that the gallery's answers tell of."""
    from exams.gallery import faults
    found = next((one for one in faults._candidates(row["pair"]) if one.kind == row["kind"]
                  and f"{Path(one.file).name}:{one.line}" == row["place"] and one.edit.new.strip() == row["new"]), None)
    return None if found is None else (found.edit.where.partition(":")[0], found.file, found.line)


def module_of(name: str) -> str:
    """Where a pair's twin is defined."""
    from exams.gallery import truth
    return type(truth.port(name).twin()).__module__


def text_of(file: str, line: int, new: str) -> str:
    lines = Path(file).read_text().splitlines(keepends=True)
    old = lines[line - 1]
    lines[line - 1] = old[:len(old) - len(old.lstrip())] + new + "\n"
    return "".join(lines)


def sit(name: str, module: str, text: str, folder: str) -> dict[str, Any]:
    """What `parity fix` came to. The file that it may change is below the folder."""
    from exams.gallery.own import put
    from parity.mending.patches import texts
    from parity.mending.search import Search
    healthy = sys.modules[module].__file__
    file = Path(folder) / Path(healthy).name
    file.write_text(text)

    def load(seed: int | None) -> Any:
        put(module, str(file))
        return port(name, seed)

    began = spent()
    search = Search(load, budget=BUDGET, clock=spent)
    found = search.run()
    seconds = spent() - began
    told = {"cpu": round(seconds, 1), "meaning": "", **found.to_json()}
    if found.verdict == "fixed":
        patched = texts(found.changes, found.originals)
        told["meaning"] = "the same program" if all(ast.dump(ast.parse(one)) == ast.dump(ast.parse(Path(healthy).read_text()))
                                                    for one in patched.values()) else meaning(name, module, patched, folder)
    return told


def meaning(name: str, module: str, patched: dict[str, str], folder: str) -> str:
    """Whether the patched twin computes what the healthy one does: from the same weights, on other weights and inputs, in each mode
    of the pair; outputs, gradients and buffers."""
    from exams.gallery import truth
    from exams.gallery.own import put
    near = truth.SAME_IN_FLOAT32 if name in truth.FLOAT32_INSIDE else truth.SAME
    weights: dict[int, list[np.ndarray]] = {}
    healthy = _computed(name, weights)
    file = Path(folder) / "patched.py"
    file.write_text(next(iter(patched.values())))
    put(module, str(file))
    importlib.reload(sys.modules[f"exams.gallery.pairs.{name}"])
    other = _computed(name, weights)
    if not healthy or healthy.keys() != other.keys():
        return f"not equal: {len(healthy)} values in one, {len(other)} in the other"
    apart = {key: truth.apart(value, other[key]) for key, value in healthy.items()}
    far = [key for key, distance in apart.items() if not distance <= near]
    return f"not equal: {len(far)} of {len(apart)} values, {far[0]} {apart[far[0]]:.1e}" if far else f"equal on {SEEDS}"


def _computed(name: str, weights: dict[int, list[np.ndarray]]) -> dict[str, np.ndarray]:
    import paddle

    from exams.gallery import truth
    framework, found = truth.FRAMEWORKS[1], {}
    pair = port(name)
    for seed in range(100, 100 + SEEDS):
        rng = np.random.default_rng(seed)
        arrays = [truth.wide(array) for array in pair.arrays(seed).values()]
        for mode in pair.modes:
            paddle.seed(seed)
            model = pair.twin()
            framework.prepare(model, dtype="float64", training=mode == "train", device="cpu")
            tensors = [tensor for tensor in model.state_dict().values() if tensor.is_floating_point()]
            if seed not in weights:
                weights[seed] = [tensor.numpy() + np.abs(0.1 * rng.standard_normal(tensor.shape)) for tensor in tensors]
            for tensor, values in zip(tensors, weights[seed], strict=True):
                tensor.set_value(values)
            with framework.default_dtype("float64"):
                paddle.seed(seed)
                returned = truth.called(pair, 1, model, [paddle.to_tensor(one) for one in arrays])
                made = list(truth.outputs(returned, paddle.is_tensor))
                found |= {f"{seed} {mode} output {number}": value.numpy() for number, value in enumerate(made)}
                sum((value ** 2).sum() for value in made if value.is_floating_point()).backward()
            found |= {f"{seed} {mode} gradient {number}": one.grad.numpy() for number, one in enumerate(model.parameters())
                      if one.grad is not None}
            found |= {f"{seed} {mode} buffer {number}": one.numpy() for number, one in enumerate(model.buffers())
                      if one.is_floating_point()}
    return found


def sat(name: str, row: dict[str, Any] | None) -> dict[str, Any]:
    """One sitting, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        room = Path(folder) / "twin"
        room.mkdir()

        def act() -> int:
            if row is None:
                module = module_of(name)
                text = Path(sys.modules[module].__file__).read_text()
            else:
                found = fault_of(row)
                if found is None:
                    answer.write_text(json.dumps({"verdict": "no such fault"}))
                    return 1
                module, text = found[0], text_of(*found[1:], row["new"])
            for own in [one for one in sys.modules if one.startswith("exams.gallery.pairs.")]:
                del sys.modules[own]
            answer.write_text(json.dumps(sit(name, module, text, str(room))))
            return 0

        ended = sitting.forked(act, LIMIT)
        told = json.loads(answer.read_text()) if answer.exists() else {"verdict": "crash", "sentence": ended.said[-600:]}
    return {"pair": name, **({key: row[key] for key in ("kind", "place", "new")} if row else {}), **told,
            "all_seconds": round(ended.seconds, 1)}


def sample(rows: dict[str, Any], pairs: dict[str, Any], part: int, of: int) -> list[str]:
    """Every so many-th by name, of the small ones; drawn from the names alone."""
    return [key for key in sorted(rows)[part::of] if pairs[rows[key]["pair"]]["seconds"] <= SMALL]


def table(kept: dict[str, Any]) -> list[str]:
    """The page's lines of these answers: their counts, and a row for each."""
    faults = {name: one for name, one in kept.items() if not name.startswith("healthy ")}
    fixed = [one for one in faults.values() if one["verdict"] == "fixed"]
    right = sum(one["meaning"].startswith(ALIKE) for one in fixed)
    healthy = [one["verdict"] for name, one in kept.items() if name not in faults]
    counted = (f"{len(faults)} faults: {len(fixed)} with a proven patch, {right} of them right in meaning, {len(fixed) - right} "
               f"wrong; {len(faults) - len(fixed)} with none.")
    lines = [f"{counted} {len(healthy)} healthy twins: {healthy.count('same')} without a patch.", "",
             "| fault | changed line | result | trials | s | patch, or why there is none | means what the healthy twin does |",
             "|---|---|---|---|---|---|---|"]
    for name, one in sorted(faults.items()):
        patch = "<br>".join(f"`{change['old'].strip()}` → `{change['new'].strip()}`" for change in one.get("changes", ()))
        cells = [name, f"`{one['new']}`", one["verdict"], one.get("tried", ""), one.get("cpu", ""),
                 patch if one["verdict"] == "fixed" else one["sentence"], one.get("meaning", "")]
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return lines


@click.command(help=__doc__)
@click.option("--faults", "known", required=True, metavar="FILE.json")
@click.option("--part", type=click.IntRange(0), default=0)
@click.option("--of", type=click.IntRange(1), default=1)
@click.option("--only", multiple=True, metavar="NAME", help="These faults (or, with --healthy, pairs).")
@click.option("--again", is_flag=True, help="Sit again what got no patch.")
@click.option("--healthy", is_flag=True)
@click.option("--answers", required=True, metavar="FILE.json", help="Kept here; what is there is not sat again.")
@click.option("--seconds", type=click.FloatRange(0), default=float("inf"), help="Begin no sitting after so many of a processor.")
@click.option("--table", "shown", is_flag=True, help="Sit none; print the answers as a table.")
def main(known: str, part: int, of: int, only: Sequence[str], again: bool, healthy: bool, answers: str, seconds: float,
         shown: bool) -> None:
    if shown:
        click.echo("\n".join(table(json.loads(Path(answers).read_text()))))
        return
    gallery = json.loads(Path(known).read_text())
    rows, pairs = gallery["faults"], gallery["pairs"]
    kept = json.loads(Path(answers).read_text()) if Path(answers).exists() else {}
    if healthy:
        wanted = only or [name for name in sorted({row["pair"] for row in rows.values()}) if pairs[name]["seconds"] <= SMALL]
    else:
        wanted = only or sample(rows, pairs, part, of)
        np.random.default_rng(part).shuffle(wanted := list(wanted))  # what is not reached is as any other
    sitting.preload()
    importlib.import_module("parity.mending.search")
    for number, key in enumerate(wanted, 1):
        name = f"healthy {key}" if healthy else key
        if (name in kept and not only and not (again and kept[name]["verdict"] != "fixed")) or spent() > seconds:
            continue
        kept[name] = found = sat(key if healthy else rows[key]["pair"], None if healthy else rows[key])
        files.write(answers, json.dumps(kept, indent=1))
        click.echo(f"{number}/{len(wanted)} {name}: {found['verdict']}, {found.get('tried')} trials, {found.get('cpu')} s of "
                   f"{found['all_seconds']}; {found.get('kind', '')}: {found.get('new', '')} | "
                   f"{[(one['old'], one['new']) for one in found.get('changes', ())]} {found.get('meaning', '')} "
                   f"{found['sentence'] if found['verdict'] != 'fixed' else ''}", err=True)


if __name__ == "__main__":
    main()
