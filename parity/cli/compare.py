"""`parity compare` and `parity init`: a pair of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

import parity
from parity.cli import output
from parity.cli.exits import exit_code
from parity.cli.options import QUICK, SEED, VERDICT, Modes, Reports, Where, modes, where


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="PAIR | TORCH PADDLE")
@click.option("--input", "specified", multiple=True, metavar="SPEC",
              help="[NAME=][DTYPE:]SHAPE[@LOW..HIGH], one for each argument: 2,3,224,224 or tokens=int64:2,16@0..100.")
@click.option("--map", "names", multiple=True, metavar="REFERENCE=TWIN",
              help="A module or tensor by its path on either side, where the pairing goes wrong. May be repeated.")
@click.option("--calls", type=click.IntRange(min=1), metavar="N", help="Forwards in a row, before one backward.  [default: 1]")
@modes(None)
@click.option("--operations", is_flag=True, help="Watch single operations too, everywhere (slower).")
@click.option("--own-weights", is_flag=True, help="Each side with the weights that it is built with, as its "
              "builder loads them, not both with the reference's.")
@click.option("--seed", type=SEED, metavar="N", help="Of weights and inputs.  [default: 0]")
@where("both")
@QUICK
@VERDICT
def compare(targets: tuple[str, ...], specified: tuple[str, ...], names: tuple[str, ...], calls: int | None, modes: Modes,
            operations: bool, own_weights: bool, seed: int | None, where: Where, quick: bool, reports: Reports) -> int:
    """Compare your own PyTorch module with your Paddle port of it.

    Name a file that declares the pair (`parity init` writes one), or both modules, as module:Class or file.py:Class. Modules and
    weights are paired by name, then by layer type and shape; what had to be guessed is said.

    \b
    Examples:
      parity compare my_torch:Net my_paddle:Net --input 2,3,224,224
      parity compare tagger_torch.py:Tagger tagger_paddle.py:Tagger --input int64:2,16@0..100
      parity compare my_pair.py --html report.html
    """
    output.check_outputs(reports)
    from parity.declare import port as porting
    said = {"own_weights": own_weights or None, "calls": calls, "seed": seed, "names": mapped(names) or None}
    port = porting.load(targets, specified=specified, **{name: value for name, value in said.items() if value is not None})
    summary = run(port, where, modes=modes.of(port.modes), operations=operations, quick=quick, silent=reports.quiet)
    output.publish(summary, reports)
    return exit_code(summary)


def mapped(names: Sequence[str]) -> dict[str, str]:
    """What --map says: path in the reference -> path in the twin. Raises InputError."""
    from parity.files import InputError
    if not all("=" in name for name in names):
        raise InputError(f"--map {' '.join(names)}: expected REFERENCE=TWIN, two paths as in the state dicts")
    return dict(name.split("=", 1) for name in names)


def run(pair: Any, where: Where, *, quick: bool = False, silent: bool = False, **options: Any) -> Any:
    """`parity.compare`, with what runs and the first place that is found on standard error; with nothing there if silent."""
    from parity import heap
    from parity.compare.one_pass import LARGE
    from parity.compare.settling import is_far
    from parity.report.words import divergence
    heap.keep_freed(below=LARGE)  # this process is ours
    with output.progress(quiet=silent) as bar:
        task = bar.add_task("", total=len(options.get("modes", pair)))
        begun: list[Any] = []

        def told(case: Any, doing: str) -> None:
            if not begun or begun[-1] is not case:
                begun.append(case)
            bar.update(task, description=f"{case}: {doing}", completed=len(begun) - 1)

        def found(case: Any, first: Any) -> None:
            what = "no rounding" if is_far(first) else "perhaps rounding that has grown on its way"
            bar.console.print(f"{case}, one pass: {divergence(first)} ({what}; to be measured beside the noise)", soft_wrap=True,
                              markup=False)

        return parity.compare(pair, lanes=where.lanes, device=where.device, quick=quick, progress=told, found=found, **options)


@click.command()
@click.argument("targets", nargs=-1, metavar="[DIR | TORCH PADDLE]")
@click.option("--input", "specified", multiple=True, metavar="SPEC", help="Beside two classes: as for compare.")
@click.option("--out", metavar="FILE.py", help="Beside two classes: the pair file.  [default: my_pair.py]")
def init(targets: tuple[str, ...], specified: tuple[str, ...], out: str | None) -> None:
    """Write a pair file and its test: a small working example into a folder, or for two classes of yours.

    Of two classes, the file has the pairing that was guessed, where names differ, as a map to correct.

    \b
    Examples:
      parity init first
      cd first; parity compare my_pair.py
      parity init my_torch.py:Net my_paddle.py:Net --input 2,3,224,224
    """
    if len(targets) > 2:
        raise click.UsageError(f"expected a folder, or the PyTorch module and the Paddle module; found {len(targets)} names")
    if len(targets) < 2 and (specified or out or any(":" in target for target in targets)):
        raise click.UsageError("expected two classes, and what to feed them with: "
                               "parity init my_torch.py:Net my_paddle.py:Net --input SHAPE")
    if len(targets) == 2:
        from parity.declare import own
        written, found = own.declare(*targets, specified, out or "my_pair.py")
        said = [] if found.complete else [f"{len(found.wrong)} tensors have no partner: correct names in {written[0]}"]
        following = f"parity compare {written[0]}"
    else:
        from parity.declare import example
        folder = targets[0] if targets else "."
        written, said, following = example.begin(folder), [], f"cd {folder}; parity compare my_pair.py; parity steps my_pair.py"
    output.console(err=False).print("\n".join([*(f"wrote {path}" for path in written), *said, "", f"next: {following}"]),
                                      soft_wrap=True, markup=False)
