"""The explanation in a terminal."""

from __future__ import annotations

import joblib
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.report.terminal import COLOURS
from parity.report.words import short
from parity.ugatit.explain import course
from parity.ugatit.explain.iterators import ON_1_8_5
from parity.ugatit.explain.report.summary import Explanation, Part

PAIRS = 12  # how many are told before "and N more"


def show(console: Console, explanation: Explanation) -> None:
    """The symptom, the faults by effect, who masks whom, the iterator trap, what is left, the answer."""
    def heading(text: str) -> None:
        console.print(Text(f"\n{text}", style="bold"))

    def tell(text: str, style: str = "") -> None:
        console.print(Text(text, style=style), soft_wrap=True)

    steps, long = explanation.scope.steps, explanation.scope.long_steps
    heading(f"The symptom: the generators' CAM loss after {long} steps (guessing: {course.CHANCE:.3f})")
    for label, value in explanation.settled.items():
        tell(f"  {explanation.title(label):26}  {value:.3f}")
    averaged, maximal = ([each[kind] for each in explanation.features.values()] for kind in ("average", "maximum"))
    if explanation.culprit:
        tell(f"  Why: from picture to picture the averaged features vary by {min(averaged):.2g} to {max(averaged):.2g}, the\n"
            f"  maximal ones by {min(maximal):.2g} to {max(maximal):.2g}. Averages hold nothing to tell pictures apart by.")
    heading(f"Each fault alone, {steps} float64 steps, the largest effect first")
    console.print(_table(explanation))
    tell(f"effect: largest relative difference of a loss; rounding alone makes {short(explanation.noise)}. (n): the rank\n"
        "from another start. without: what repairing it alone changes when all others are there.\n"
        "cos: lowest cosine of the first update with the reference's. floors: error where it acts,\n"
        "in noise floors. f32: the losses in which it stands above float32 noise.", "dim")
    if explanation.told_pairs:
        heading("Pairs that mask (half and less) or amplify (twice and more) each other")
        told = explanation.told_pairs[:PAIRS]
        for pair in told:
            tell(f"  {pair.one} changes the losses by {short(pair.alone)} alone, by {short(pair.together)} where {pair.other} is: "
                f"{pair.interaction}")
        tell(f"  and {len(explanation.pairs) - len(told)} more of less weight (--json FILE has all)")
    heading("The iterator trap: parameters handed to an optimizer that does not keep them")
    tell(f"  cited: {ON_1_8_5}")
    for case in explanation.iterators:
        outcome = case["error"] or (f"loss {case['first']:.3g} -> {case['last']:.2g}, {case['moved']} of {case['parameters']} "
                                    f"parameters move")
        tell(f"  {case['what']}: {outcome}")
    heading("What is left")
    tell(f"  {explanation.left()}")
    if explanation.fidelity:
        found = explanation.fidelity
        tell(f"  With the nine in it, the Paddle twin's losses are those of the official code with the nine built in,\n"
            f"  within {found['official']:.1g} over {steps} float64 steps, and those of the real port on Paddle 1.8.5, which ran\n"
            f"  in float32, within {found['port_first']:.1g} at step 1.")
    tell(f"\n{explanation.cpu_seconds:.0f} processor seconds of runs; {joblib.cpu_count()} cores here", "dim")
    tell(f"\n{explanation.sentence()}", COLOURS[explanation.verdict])


def _table(explanation: Explanation) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("fault", no_wrap=True)
    for header in ("effect", "without", "G loss\nlast", "D loss\nlast", "cos\nG", "cos\nD", "floors"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("f32", no_wrap=True)
    for part in explanation.parts:
        effect = part.effect
        table.add_row(part.name, f"{short(effect.alone)} ({effect.other_rank})", short(effect.missing), *map(short, effect.last),
                      *(f"{part.cosines[kind][0]:.3f}" for kind in ("gen", "dis")), short(floors(part)),
                      " ".join(name[0] for name in effect.seen))
    return table


def floors(part: Part) -> float | None:
    """The error where the fault acts, in noise floors; None for what neither forward nor backward shows."""
    if part.network is None:
        return None
    at = part.errors[part.network]["at_place"]
    return max(at["forward"]["floors"], at["gradient"]["floors"])
