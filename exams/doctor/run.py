"""Sit the exam: every fault and every healthy run, without and with the reference; the page that says how it went.

    python -m exams.doctor.run --out docs/doctor-exam.md
"""

from __future__ import annotations

import functools
import importlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import jinja2

from exams.doctor import blind
from exams.doctor.faulty import FAULTY
from exams.doctor.healthy import HEALTHY
from exams.doctor.sitting import Sitting, builder
from parity.declare.pair import Pair, TrainingSubject
from parity.doctor.diagnosis import Diagnosis
from parity.doctor.examine import examine
from parity.doctor.report import versions
from parity.steps.follow import follow
from parity.steps.reference import ReferenceStep, record_reference
from parity.trace.source import SourceTree
from parity.verdict.findings import Finding as Divergence


@dataclass(frozen=True)
class Alone:
    """A fault without reference. named: the first finding is of a kind that the sitting asks for; placed: at its line."""

    sitting: Sitting
    said: Diagnosis
    named: bool
    placed: bool

    @property
    def found(self) -> bool:
        return self.said.first is not None

    @property
    def iteration(self) -> int:
        """After which iteration it was known; 0: from the set-up, before any."""
        return self.said.first.iteration if self.said.first else 0


@dataclass(frozen=True)
class Beside:
    """A fault with the reference. None stands for a fault that the two sides cannot be compared over (see `why`)."""

    headline: Divergence | None
    placed: bool
    steps: int
    why: str = ""

    @property
    def found(self) -> bool:
        return self.headline is not None or bool(self.why)


@dataclass(frozen=True)
class Health:
    sitting: Sitting
    seed: int
    said: Diagnosis

    @property
    def as_declared(self) -> bool:
        return {found.id for found in self.said.warnings} == set(self.sitting.declared)


def alone(sitting: Sitting, seed: int = 0) -> Alone:
    """The fault, watched for up to 20 iterations."""
    edited = sitting.edited_lines()
    with sitting.in_place():
        said = examine(builder(sitting, seed), source=sitting.source, expect=sitting.expect)
        first = said.first
        named = first is not None and first.id in sitting.ids
        placed = named and first.site is not None and (
            (sitting.line is not None and sitting.line in first.site.text) or tuple(first.site) in edited)
    return Alone(sitting, said, named, placed)


def beside(sitting: Sitting) -> Beside:
    """The faulty Paddle program, step by step beside the torch one."""
    edited = sitting.edited_lines()
    subject, steps = recorded(sitting.program, max(2, sitting.steps))
    with sitting.in_place():
        try:
            report = follow(subject, steps=len(steps), recorded=steps).report
        except Exception as error:  # the twin cannot even be built
            return Beside(None, False, 0, f"{type(error).__name__} while it is built")
        first = report.first
        if first is None:
            return Beside(None, False, len(steps))
        sites = [site for site in (first.twin, first.reference, first.called) if site]
        placed = any(tuple(site) in edited for site in sites) or any(
            text and text in site.text for site in sites for text in (sitting.reference_line, sitting.line))
        return Beside(first, placed, first.key.step)


@functools.lru_cache(maxsize=8)
def recorded(program: str, steps: int) -> tuple[TrainingSubject, list[ReferenceStep]]:
    """The pair of a program, and so many steps of its reference, run once."""
    subject = subject_of(program)
    return subject, record_reference(subject, steps=steps)


def subject_of(program: str) -> TrainingSubject:
    if program == "ugatit":
        from parity.ugatit.subjects import exam_training
        return exam_training("training")
    import torch
    reference, twin = (importlib.import_module(f"exams.doctor.programs.{program}_{side}") for side in ("torch", "paddle"))
    torch.manual_seed(0)
    state = {name: {key: value.numpy().copy() for key, value in network.state_dict().items()}
             for name, network in reference.Training().networks.items()}
    pair = Pair(program, SourceTree(reference.__file__), SourceTree(twin.__file__))
    return TrainingSubject(program, pair, reference.Training, twin.Training, {"networks": state}, lambda step: {})


def healthy(sitting: Sitting, seed: int) -> Health:
    with sitting.in_place():
        return Health(sitting, seed, examine(builder(sitting, seed), source=sitting.source, expect=sitting.expect))


def healthy_runs(count: int) -> Iterator[tuple[Sitting, int]]:
    """Each healthy sitting, then those of the small programs again with other seeds, until there are `count`."""
    runs = [(sitting, 0) for sitting in HEALTHY]
    small = [sitting for sitting in HEALTHY if sitting.program != "ugatit"]
    seed = 1
    while len(runs) < count:
        runs += [(sitting, seed) for sitting in small]
        seed += 1
    return iter(runs[:max(count, len(HEALTHY))])


def page(faults: Sequence[tuple[Alone, Beside | None]], runs: Sequence[Health], seconds: float,
         rounds: Sequence[tuple[blind.Round, list[blind.Answer], list[blind.Answer]]] = ()) -> str:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), trim_blocks=True, lstrip_blocks=True,
                                     autoescape=False, keep_trailing_newline=True)  # Markdown
    return environment.get_template("page.md").render(
        faults=faults, runs=runs, seconds=seconds, versions=versions(), rounds=rounds,
        later=sum(bool(case.later) for case in (*blind.FAULTS, *blind.HEALTHY)))


@click.command(help=__doc__)
@click.option("--out", metavar="FILE", help="Write the page here; without it, to standard output.")
@click.option("--only", multiple=True, metavar="TEXT", help="Sittings whose name or program contains this.")
@click.option("--reference/--no-reference", default=True, help="Follow each Paddle fault beside the torch program as well.")
def main(out: str | None, only: tuple[str, ...], reference: bool) -> None:
    import paddle
    import torch
    from tqdm import tqdm

    from parity.files import write
    torch.set_num_threads(1)
    paddle.set_device("cpu")
    start = time.time()
    chosen = [sitting for sitting in FAULTY if not only or any(text in sitting.name or text == sitting.program for text in only)]
    faults = []
    for sitting in tqdm(chosen, desc="faults"):
        comparable = reference and sitting.framework == "paddle" and sitting.steps
        faults.append((alone(sitting), beside(sitting) if comparable else None))
    runs = [healthy(sitting, seed) for sitting, seed in tqdm(list(healthy_runs(len(chosen))), desc="healthy")] if not only else []
    rounds = [] if only else [(one, *([blind.sit(case) for case in tqdm(cases, desc=f"blind, {one.name} round")]
                                      for cases in (one.faults, one.healthy))) for one in blind.ROUNDS]
    text = page(faults, runs, time.time() - start, rounds)
    if out:
        write(out, text)
    else:
        click.echo(text)


if __name__ == "__main__":
    main()
