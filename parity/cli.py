"""The command `parity`. Exit codes: 0 same / no finding, 1 diverged / finding, 2 bad input or usage (nothing compared too)."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import click

# Frameworks are imported inside the commands: --help and usage errors must not wait for them.

BAD_INPUT, INTERRUPTED = 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run `parity` with these arguments (the process's own without any) and return the exit code."""
    try:
        code = cli.main(args=None if argv is None else list(argv), prog_name="parity", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except Exception as error:
        if _is_bad_input(error):
            click.echo(f"parity: {error}", err=True)
        else:  # never exit code 1: that would read as a verdict
            traceback.print_exc()
            click.echo("parity: this is a fault of parity itself, no verdict; please report it with the lines above", err=True)
        return BAD_INPUT
    return code if isinstance(code, int) else 0


def entry() -> None:
    """The installed script."""
    sys.exit(main())


def _is_bad_input(error: Exception) -> bool:
    from parity.files import InputError
    if isinstance(error, InputError):
        return True
    if "parity.ladder" not in sys.modules and "weights_convert" not in sys.modules:
        return False
    from parity.findings import NothingCompared
    from parity.frameworks import FrameworkError
    from weights_convert import ConversionError
    return isinstance(error, (ConversionError, FrameworkError, NothingCompared))


def _options(*decorators: Callable) -> Callable:
    """Several options as one decorator, in the order of the help page."""
    def decorate(command: Callable) -> Callable:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command
    return decorate


_INPUTS = _options(
    click.option("--checkpoint", metavar="FILE.pt",
                 help="Official checkpoint: compare its six networks, with its sizes and weights."),
    click.option("--images", metavar="DIR",
                 help="Folder of pictures; testA and testB (or trainA and trainB) in it are the two domains."),
    click.option("--size", type=click.IntRange(min=4), metavar="PIXELS",
                 help="Side of the pictures. Default: the checkpoint's own, else 96."),
    click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="N", default=0, show_default=True,
                 help="Of the weights, generated pictures, probes and noise draws."),
)
_LANES = _options(
    click.option("--lane", type=click.Choice(["float64", "float32", "both"]), default="both", show_default=True,
                 help="float64: the same computation? float32: as accurate as the reference?"),
    click.option("--device", type=click.Choice(["cpu", "gpu"]), default="cpu", show_default=True),
)
_REPORTS = _options(
    click.option("--json", "json_path", metavar="FILE", help="Write the report as JSON; - for standard output."),
    click.option("--html", "html_path", metavar="FILE", help="Write the report as one HTML page."),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def cli() -> None:
    """Are a PyTorch program and its Paddle twin the same computation? If not: where first, how far, why?

    Exit codes: 0 same, 1 diverged, 2 bad input or usage.

    \b
    Examples:
      parity demo
      parity check
      parity convert model.pt converted/
    """


@cli.command()
@_INPUTS
@click.option("--batch", type=click.IntRange(min=1), metavar="N", default=1, show_default=True,
              help="Pictures of each domain, in one batch.")
@_LANES
@click.option("--eval/--no-eval", "in_eval", default=True, help="Compare in eval mode.")
@click.option("--train/--no-train", "in_train", default=True,
              help="Compare in train mode (discriminators: five forwards in a row).")
@click.option("--modules/--no-modules", default=True, help="Every module alone, before the networks.")
@click.option("--only", multiple=True, metavar="NAME", help="Only programs of this name; * and ? match. May be repeated.")
@_REPORTS
def check(checkpoint: str | None, images: str | None, size: int | None, seed: int, batch: int, lane: str, device: str,
          in_eval: bool, in_train: bool, modules: bool, only: tuple[str, ...], json_path: str | None,
          html_path: str | None) -> int:
    """Compare every module and network with its twin: forward, losses, gradients, state.

    Without options: seeded weights and generated pictures, modules alone, both generators, both discriminators.

    \b
    Examples:
      parity check
      parity check --only 'AdaLIN' --lane float64
      parity check --checkpoint model.pt --images selfie2anime --html report.html
    """
    modes = [mode for mode, wanted in (("eval", in_eval), ("train", in_train)) if wanted]
    if not modes:
        raise click.UsageError("--no-eval and --no-train leave nothing to compare; drop one of them")
    _check_outputs(json_path, html_path)
    _quieten()
    from parity import check as checking
    from parity import report
    weights = checking.Checkpoint.read(checkpoint) if checkpoint else None
    cases = checking.cases(seed=seed, checkpoint=weights, images=images, size=size, batch=batch, modes=modes,
                           modules=modules, only=only)
    summary = report.Summary(_run(cases, lane, device))
    _publish(summary, json_path, html_path)
    return _exit_code(summary)


@cli.command()
@click.argument("source", metavar="SRC")
@click.argument("destination", metavar="OUT")
@click.option("--to", "direction", type=click.Choice(["paddle", "torch"]), default="paddle", show_default=True,
              help="paddle: SRC is a .pt file, OUT a folder. torch: SRC is such a folder, OUT a .pt file.")
@click.option("--format", "file_format", type=click.Choice(["pdparams", "safetensors"]), default=None,
              help="Of the Paddle files. Default: pdparams; with --to torch: what SRC holds.")
def convert(source: str, destination: str, direction: str, file_format: str | None) -> None:
    """Carry an official checkpoint from PyTorch to Paddle or back, bit for bit, with a receipt.

    \b
    Examples:
      parity convert model.pt converted/
      parity convert --to torch converted/ model.pt
    """
    _quieten()
    from parity import conversion
    out = _console(err=False)
    if direction == "paddle":
        conversion.show(out, *conversion.to_paddle(source, destination, file_format or "pdparams"))
    else:
        conversion.show(out, *conversion.to_torch(source, destination, file_format))


@cli.command()
@click.option("--checkpoint", metavar="FILE.pt", help="Official checkpoint. Default: one is made from seeded weights.")
@click.option("--images", metavar="DIR", help="Folder of pictures. Default: some are drawn.")
@click.option("--size", type=click.IntRange(min=4), metavar="PIXELS",
              help="Side of the pictures. Default: the checkpoint's own, else 128.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="N", default=0, show_default=True)
@click.option("--out", metavar="DIR", default="demo_out", show_default=True, help="Folder for everything that the demo makes.")
def demo(checkpoint: str | None, images: str | None, size: int | None, seed: int, out: str) -> int:
    """Convert a checkpoint, run both programs on pictures, and say whether they are the same.

    Writes into DIR: the converted files with their receipt, pictures.png (both translations, their difference, the
    attention), report.html and report.json.

    \b
    Examples:
      parity demo
      parity demo --checkpoint model.pt --images selfie2anime --out demo_out
    """
    _quieten()
    from parity import demo as showing
    console = _console(err=False)
    prepared = showing.prepare(console, out, checkpoint=checkpoint, images=images, size=size, seed=seed)
    from parity import report
    summary = report.Summary(_run(prepared.cases(), "both", "cpu"))
    report.show(console, summary)
    prepared.write(console, summary)
    return _exit_code(summary)


def _run(cases: Sequence[Any], lane: str, device: str) -> list[Any]:
    """Run the cases behind a progress bar, where somebody is watching."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from parity.check import run
    from parity.findings import LANES
    console = _console(err=True)
    bar = Progress(TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   console=console, transient=True, disable=not console.is_terminal)
    results = []
    with bar:
        task = bar.add_task("", total=len(cases))
        for result in run(cases, lanes=LANES if lane == "both" else (lane,), device=device,
                          progress=lambda case, doing: bar.update(task, description=f"{case}: {doing}")):
            results.append(result)
            bar.advance(task)
    return results


def _publish(summary: Any, json_path: str | None, html_path: str | None) -> None:
    from parity import report
    from parity.files import write
    to_stdout = json_path == "-"
    report.show(_console(err=to_stdout), summary)
    if html_path:
        write(html_path, report.to_html(summary))
    if to_stdout:
        click.echo(report.to_json(summary), nl=False)
    elif json_path:
        write(json_path, report.to_json(summary))


def _check_outputs(json_path: str | None, html_path: str | None) -> None:
    from parity.files import check_writable
    for path in (json_path, html_path):
        if path and path != "-":
            check_writable(path)
    if html_path == "-":
        raise click.UsageError("--html -: expected a file name; only --json can go to standard output")


def _console(*, err: bool) -> Any:
    from rich.console import Console
    return Console(stderr=err, highlight=False)


def _exit_code(summary: Any) -> int:
    return 1 if summary.verdict == "diverged" else 0


def _quieten() -> None:
    """Paddle greets with remarks on compilers that nobody here needs."""
    warnings.filterwarnings("ignore", message=".*ccache.*")
