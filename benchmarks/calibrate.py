"""Where M and the float32 factor come from: the multiples of healthy twins beside those of the faults.

    python -m benchmarks.calibrate --seeds 40 > docs/calibration.md

For each seed every module and every small network is compared, train and eval, both lanes; the largest multiple of each
report is noted. Each fault of the catalogue that acts in a single forward and backward is put in, and the multiple of its
headline noted. A threshold is good if it lies far above the first and far below the second.
"""

from __future__ import annotations

import math

import click
import numpy as np

from parity.compare.ladder import compare
from parity.numbers.noise import ACCURACY, DRAWS, M
from parity.ugatit import faults
from parity.ugatit import subjects as ugatit
from parity.ugatit.faults.exam import sit

_NETWORKS = ("genA2B", "disGA", "disLA", "genA2B_eval", "disLA_eval")


def _healthy(seeds: int) -> dict[str, list[float]]:
    """Lane and run -> the largest multiple of each comparison."""
    largest: dict[str, list[float]] = {}
    with click.progressbar(range(seeds), label="healthy twins", file=click.get_text_stream("stderr")) as bar:
        for seed in bar:
            names = [subject.name for subject in ugatit.modules(seed)]
            for name in [*names, "LIN_bounds", "LIN_initial", *_NETWORKS]:
                report = compare(ugatit.exam_subject(name, seed))
                for run, stages in report.multiples.items():
                    largest.setdefault(run, []).append(max(stages.values()))
    return largest


def _faulty() -> list[tuple[float, str]]:
    """(multiple of the headline, fault), smallest first; those that are found by count and not by size are left out."""
    found = []
    chosen = [fault for fault in faults.CATALOGUE.values() if not fault.answer.subject.startswith("training")]
    with click.progressbar(chosen, label="faults", file=click.get_text_stream("stderr")) as bar:
        for fault in bar:
            grade, _ = sit(fault)
            if grade.headline is not None and math.isfinite(grade.headline.floor_multiple):
                found.append((grade.headline.floor_multiple, fault.name))
    return sorted(found)


@click.command(help=__doc__)
@click.option("--seeds", default=20, show_default=True)
def main(seeds: int) -> None:
    healthy, faulty = _healthy(seeds), _faulty()
    lines = ["# Calibration", "", f"`python -m benchmarks.calibrate --seeds {seeds}`: {DRAWS} noise draws for each floor.", "",
             "Largest multiple in each comparison of a healthy twin:", "",
             "| lane and run | comparisons | median | 90 % | 99 % | largest | limit | above it |",
             "|---|---|---|---|---|---|---|---|"]
    for run, values in healthy.items():
        limit = M if run.startswith("float64") else ACCURACY
        median, high, higher = np.quantile(values, [0.5, 0.9, 0.99])
        lines.append(f"| {run} | {len(values)} | {median:.2g} | {high:.2g} | {higher:.2g} | {max(values):.3g} | {limit:g} | "
                     f"{sum(value > limit for value in values)} |")
    lines += ["", "Multiple of the noise floor at the place of each fault, float64 (where a shape or a name changes there is "
              "none):", "", "| fault | multiple |", "|---|---|"]
    lines += [f"| {name} | {multiple:.2g} |" for multiple, name in faulty]
    lines += ["", f"So {M:g} floors lie {M / max(healthy['float64 free']):.0f} times above the largest healthy value and "
                  f"{faulty[0][0] / M:.0e} times below the smallest fault. The float32 factor {ACCURACY:g} is the design's: "
                  "a twin as accurate as its reference within two bits."]
    click.echo("\n".join(lines))


if __name__ == "__main__":
    main()
