"""`parity record` and `parity diff`: one side here, the other one there."""

from __future__ import annotations

import click

import parity
from parity.cli import output
from parity.cli.exits import BAD_INPUT, exit_code
from parity.cli.options import VERDICT, Modes, Reports, Where, given, modes, where
from parity.cli.ugatit_options import PROGRAMS, Inputs, Programs, inputs, refuse_for_pair


@click.command()
@inputs("Pictures of each domain, in one batch.")
@where("float64", both=False)
@modes(True, "Record")
@PROGRAMS
@click.option("--side", type=click.Choice(["reference", "twin"]), required=True, help="reference: PyTorch. twin: Paddle.")
@click.option("--keep", type=click.Choice(["all", "layers", "summaries"]), default="all", show_default=True,
              help="all: every line. layers: module borders, parameters, gradients. summaries: projections and samples of these.")
@click.option("--from", "source", metavar="TRACE", help="Take weights, inputs and noise floors from this trace.")
@click.option("--pair", "pair", metavar="FILE", help="Record your own pair instead (a file of parity init, or file.py:name).")
@click.option("--for", "outline", metavar="OUTLINE",
              help="Of a Paddle twin that parity_recorder.py runs elsewhere; --pair may name the reference alone.")
@click.option("--input", "specified", multiple=True, metavar="SPEC",
              help="What a reference that --pair names alone is fed with, as for compare.")
@click.argument("out", metavar="OUT_DIR")
@click.pass_context
def record(context: click.Context, inputs: Inputs, where: Where, modes: Modes, programs: Programs, side: str, keep: str,
           source: str | None, pair: str | None, outline: str | None, specified: tuple[str, ...], out: str) -> int:
    """Run one side of each program, forward and backward, and write every value into an empty folder, for `parity diff`.

    \b
    Examples:
      parity record --side reference there/
      parity record --side twin --from there/ here/
      parity record --side twin --from there/ --only 'gen*' --keep layers here/
      parity record --side reference --pair my_pair.py mine/
      parity record --side reference --pair net.py:build --for outline.json --input 2,3,32,32 there/
    """
    if outline and (side != "reference" or not pair or source):
        raise click.UsageError("--for: the twin of that outline runs elsewhere, so here --side is reference, --pair names it, and "
                               "there is no --from")
    if specified and (side != "reference" or not pair or source):
        raise click.UsageError("--input: only for a reference that --pair names alone; else the pair file says what is fed")
    wanted = modes.of((), "record")
    from parity.recordings import record as recording
    from parity.recordings.elsewhere import read_outline
    from parity.recordings.traces import Trace
    trace = Trace.open(source) if source else None
    elsewhere = read_outline(outline) if outline else None
    if pair:
        from parity.compare.results import Case
        from parity.declare import port as porting
        refuse_for_pair(context, pair, ("checkpoint", "images", "size", "batch", "modules", "only", "decoder_norm", "cam"))
        seed = {"seed": inputs.seed} if given(context, "seed") else {}
        port = porting.reference_alone(pair, specified=specified, **seed) if outline or specified else \
            porting.load([pair], **seed)
        cases = [Case(port.title, mode, port.subject(mode)) for mode in wanted if mode in port.modes]
        if not cases:
            raise click.UsageError(f"{pair}: no mode is left to record; its modes are {', '.join(port.modes)}")
    else:
        cases = inputs.recorded(programs, wanted, side, trace)
    console, most = output.console(err=False), []

    def estimated(needed: int) -> None:
        most.append(needed)
        console.print(f"up to {needed / 2**20:.1f} MiB", soft_wrap=True)

    with output.progress() as bar:
        task = bar.add_task("", total=len(cases))
        written = parity.record(cases, out, side=side, lane=where.lane, keep=keep, device=where.device, source=trace,
                                elsewhere=elsewhere, remarked=lambda remark: console.print(remark, soft_wrap=True, markup=False),
                                progress=lambda case, doing: bar.update(task, description=f"{case}: {doing}"), estimated=estimated)
    console.print(recording.describe(len(cases), *most, written, out, side, where.lane, keep), soft_wrap=True)
    return 0


@click.command()
def recorder() -> int:
    """Print parity_recorder.py: one file that records a port in an environment too old for parity (Python 3.6, Paddle 1.8, numpy).

    \b
    Example:
      parity recorder > parity_recorder.py
    """
    from parity.recordings import elsewhere
    output.echo(elsewhere.recorder())
    return 0


@click.command()
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@VERDICT
def diff(one: str, other: str, reports: Reports) -> int:
    """Compare two traces of `parity record`: another framework, version, device or day. Needs neither framework.

    A stands for the reference. Exit codes as of check; 2 also where a recording was interrupted and nothing diverged up to there.

    \b
    Examples:
      parity diff there/ here/
      parity diff good_day/ today/ --html since_when.html
    """
    output.check_outputs(reports)
    summary = parity.diff(one, other)
    output.publish(summary, reports)
    return exit_code(summary) or (BAD_INPUT if summary.incomplete else 0)
