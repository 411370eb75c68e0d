"""The explanation as JSON and as one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import json
from typing import Any

from parity.messages import say
from parity.report.page import page
from parity.report.words import STAGES, versions
from parity.steps.figures import largest, title
from parity.steps.report import strict
from parity.ugatit.explain import course, iterators, symptom
from parity.ugatit.explain.report import plots, story
from parity.ugatit.explain.report.summary import Explanation, Part
from parity.ugatit.explain.report.text import floors
from parity.ugatit.pictures import to_image


def to_json(explanation: Explanation) -> str:
    """The fixed keys: verdict, counts, first and findings (one a fault: where it shows first) of the first training step,
    recorded whole with all faults in it, and versions. Beside them: sentence, symptom, faults, pairs, iterators, left."""
    faulty, scope = explanation.faulty, explanation.scope
    left = {"sentence": explanation.left(), "residual": explanation.residual, "noise": explanation.noise,
            "first_step": explanation.healthy["verdict"], "largest_floor_multiple": explanation.healthy["multiple"],
            "fidelity": explanation.fidelity}
    document = {
        "verdict": explanation.verdict, "counts": faulty["counts"], "first": faulty["first"],
        "findings": [{**part.first, "fault": part.name} for part in explanation.parts if part.first],
        "sentence": explanation.sentence(),
        "symptom": {"chance": course.CHANCE, "settled": explanation.settled, "culprit": explanation.culprit,
                    "features": explanation.features, "losses": {explanation.label(names): explanation.long("twin", names)["losses"]
                                                                 for names in scope.long} | {
                                                                     "reference": explanation.long("reference")["losses"]}},
        "faults": [_part(part) for part in explanation.parts],
        "pairs": [{**vars(pair), "interaction": pair.interaction} for pair in explanation.pairs],
        "iterators": {"on_1_8_5": iterators.ON_1_8_5, "here": explanation.iterators}, "left": left,
        "start": scope.start.to_json(), "steps": scope.steps, "cpu_seconds": round(explanation.cpu_seconds, 1),
        "versions": versions(),
    }
    return json.dumps(strict(document), indent=1, allow_nan=False) + "\n"


def _part(part: Part) -> dict[str, Any]:
    errors = {network: {name: value for name, value in found.items() if name != "place"} for network, found in part.errors.items()}
    return {"name": part.name, "what": part.what, "fix": part.fix, "seen_in": part.seen_in, **vars(part.effect),
            "masked": part.effect.masked, "cosines": part.cosines, "errors": errors, "network": part.network,
            "lines": [vars(lines) for lines in part.lines], "failure": part.failure}


def to_html(explanation: Explanation) -> str:
    """One page: the answer, the curve, the ladder, the faults and their lines, errors by layer, losses, pictures, the rest."""
    scope = explanation.scope
    pictures = {name: base64.b64encode(draw(explanation)).decode()
                for name, draw in (("cam", plots.cam), ("losses", plots.losses), ("layers", plots.layers))}
    return page("explain.html", title=say("Why the 2020 Paddle port of U-GAT-IT did not learn"), verdict=explanation.verdict,
                sentence=explanation.sentence(), explanation=explanation, scope=scope, pictures=pictures, floors=floors,
                chance=course.CHANCE, rungs=[*map(_rung, explanation.faulty["rungs"])], cases=iterators.CASES,
                on_1_8_5=iterators.ON_1_8_5, source=story.SOURCE_2020, sheets=_sheets(explanation))


def _rung(stored: dict) -> dict:
    """A rung as the results hold it, with its sentences, which they hold in English only."""
    worst = stored["worst"]
    return {**stored, "title": title(stored["phase"], stored["stage"]), "meaning": STAGES[stored["stage"]],
            "detail": None if worst is None else largest(worst)}


def _sheets(explanation: Explanation) -> list[dict]:
    """For each picture that was translated: itself, and (title, translation, heat map) of every program."""
    runs = [(explanation.title("reference"), explanation.long("reference"))]
    runs += [(explanation.title(explanation.label(names)), explanation.long("twin", names)) for names in explanation.scope.long]
    names = (say("a training picture"), say("a drawn face"))
    return [{"name": names[number], "input": symptom.png(to_image(array)),
             "programs": [{"title": title, "translation": run["panels"][number][0], "heat": run["panels"][number][1]}
                          for title, run in runs if run.get("panels")]}
            for number, array in enumerate(symptom.inputs(explanation.scope.start))]
