"""The explanation in a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from parity.explain import course
from parity.explain.iterators import ON_1_8_5
from parity.explain.report.summary import Explanation, Part
from parity.explain.runs import cores
from parity.report import COLOURS, short


def show(console: Console, explanation: Explanation) -> None:
    """The symptom, the faults by effect, who masks whom, the iterator trap, what is left, the answer."""
    _symptom(console, explanation)
    scope = explanation.scope
    console.print(Text(f"\nEach fault alone, {scope.steps} steps in float64 against one reference, the largest effect first", style="bold"))
    console.print(_table(explanation))
    console.print(Text(
        "effect: largest relative difference of a loss; rounding alone: " + short(explanation.noise) + ". (n): the rank from another "
        "start\nwithout: what repairing it alone changes when all others are there. update: lowest cosine of the first update with "
        "the\nreference's. floors: error where it acts, in noise floors. f32: losses in which it stands above float32 noise", style="dim"))
    if explanation.told_pairs:
        console.print(Text("\nPairs that mask (half and less) or amplify (twice and more) each other", style="bold"))
        for pair in explanation.told_pairs[:12]:
            console.print(Text(f"  {pair.one} changes the losses by {short(pair.alone)} alone, by {short(pair.together)} where "
                               f"{pair.other} is: {pair.interaction}"), soft_wrap=True)
        console.print(Text(f"  and {len(explanation.pairs) - len(explanation.told_pairs[:12])} more of less weight (--json FILE has all)"))
    console.print(Text("\nThe iterator trap: parameters handed to an optimizer that does not keep them", style="bold"))
    console.print(Text(f"  cited: {ON_1_8_5}"), soft_wrap=True)
    for case in explanation.iterators:
        outcome = case["error"] or (f"loss {case['first']:.3g} -> {case['last']:.2g}, {case['moved']} of {case['parameters']} "
                                    f"parameters move")
        console.print(Text(f"  {case['what']}: {outcome}"), soft_wrap=True)
    console.print(Text("\nWhat is left", style="bold"))
    console.print(Text(f"  {explanation.left()}"), soft_wrap=True)
    if explanation.fidelity:
        found = explanation.fidelity
        console.print(Text(f"  With the nine in it, the Paddle twin's losses are those of the official code with the nine built in, within "
                           f"{found['official']:.1g} over ten steps (float64), and those of the real port on Paddle 1.8.5 within "
                           f"{found['port_first']:.1g} at step 1 (it ran in float32)."), soft_wrap=True)
    console.print(Text(f"\n{explanation.cpu_seconds:.0f} processor seconds of runs; {cores()} cores here", style="dim"))
    console.print(Text(f"\n{explanation.sentence()}", style=COLOURS[explanation.verdict]), soft_wrap=True)


def _symptom(console: Console, explanation: Explanation) -> None:
    scope = explanation.scope
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2), title_justify="left", title_style="bold",
                  title=f"The symptom: the generators' CAM loss after {scope.long_steps} steps (guessing: {course.CHANCE:.3f})")
    for name, value in explanation.settled.items():
        title = {"reference": "PyTorch original", "healthy": "Paddle twin", "all": f"Paddle twin with all {len(scope.names)} faults"}
        table.add_row(title.get(name, f"Paddle twin with {name}"), f"{value:.3f}")
    console.print(table)
    features = explanation.features.values()
    averaged, maximal = ([each[kind] for each in features] for kind in ("average", "maximum"))
    console.print(Text(f"  Why: from picture to picture the averaged features vary by {min(averaged):.2g} to {max(averaged):.2g}, the maximal "
                       f"ones by {min(maximal):.2g} to {max(maximal):.2g}. Averages hold nothing to tell pictures apart by."), soft_wrap=True)


def _table(explanation: Explanation) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("fault", no_wrap=True)
    for header in ("effect", "without", "G loss\nlast", "D loss\nlast", "update\nG", "update\nD", "floors"):
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
