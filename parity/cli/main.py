"""The command `parity`. Exit codes: 0 same / no finding, 1 diverged / finding, 2 bad input or usage (nothing compared too)."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import click

from parity import __version__
from parity.cli import compare, convert, data, differences, doctor, fix, names, recordings, steps, ugatit
from parity.cli.exits import BAD_INPUT, INTERRUPTED, TERMINATED, Terminated
from parity.cli.output import quieten
from parity.cli.supervised import supervised

# Frameworks are imported inside the commands: --help and usage errors must not wait for them.

COMPLETING = "_PARITY_COMPLETE"  # click's, for the name of the command


def main(argv: Sequence[str] | None = None) -> int:
    """Run `parity` with these arguments (the process's own without any) and return the exit code."""
    quieten()
    try:
        arguments = sys.argv[1:] if argv is None else list(argv)
        code = cli.main(args=arguments, prog_name="parity", standalone_mode=False, obj=arguments)
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Terminated:
        click.echo("terminated", err=True)
        return TERMINATED
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except SystemExit as leaving:  # of a user's code: nothing of ours exits, but click where a shell asks how a word goes on
        if COMPLETING in os.environ:
            return int(leaving.code or 0)
        click.echo(f"parity: the program that was run ended the process (sys.exit({leaving.code!r})), so there is no verdict; take "
                   f"the exit out of what is run", err=True)
        return BAD_INPUT
    except Exception as error:
        if _is_bad_input(error):
            click.echo(f"parity: {error}", err=True)
        elif (missing := _missing_framework(error)) is not None:
            click.echo(f"parity: this needs {missing}, which cannot be imported here ({error}); to install it: {INSTALL[missing]}",
                       err=True)
        else:  # never exit code 1: that would read as a verdict
            traceback.print_exc()
            click.echo("parity: this is a fault of parity itself, no verdict; please report it with the lines above", err=True)
        return BAD_INPUT
    return code if isinstance(code, int) else 0


def entry() -> None:
    """The installed script."""
    sys.exit(supervised(main, BAD_INPUT))


INSTALL = {"torch": "pip install torch", "paddle": "pip install 'paddle-parity[cpu]' (or [gpu])"}


def _missing_framework(error: Exception) -> str | None:
    name = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    return name if name in INSTALL else None


def _is_bad_input(error: Exception) -> bool:
    from parity.files import InputError
    if isinstance(error, InputError):
        return True
    if "parity.verdict.findings" not in sys.modules and "weights_convert" not in sys.modules:
        return False
    from parity.frameworks import FrameworkError
    from parity.verdict.findings import NothingCompared
    if "weights_convert" not in sys.modules:
        return isinstance(error, (FrameworkError, NothingCompared))
    from weights_convert import ConversionError
    return isinstance(error, (ConversionError, FrameworkError, NothingCompared))


SECTIONS = {
    "A port of your own": {
        "init": "Write a small working pair into a folder, to begin from.",
        "compare": "Is your Paddle port the same computation? Where first not?",
        "explain": "Which line of a port does what (--pair); without, the port of 2020.",
        "fix": "Look for the change that mends it, and prove it.",
        "names": "Which module of the twin is which of the reference.",
        "steps": "Train both sides step by step, and compare every step.",
        "data": "Do both sides' data pipelines hand out the same? Where first not?",
        "metric": "Do both sides' metrics say the same of the same predictions?",
        "record": "Run one side and keep every value, to be compared elsewhere.",
        "recorder": "Print one file that records a port in an old environment.",
        "diff": "Compare two recordings: another framework, version, device or day.",
        "convert": "Carry a checkpoint from PyTorch to Paddle or back, bit for bit.",
    },
    "A loss that does not go down": {
        "doctor": "Watch a training script or step, and say what is wrong with it.",
    },
    "U-GAT-IT": {
        "demo": "Convert a checkpoint, run both on pictures, show the verdict.",
        "check": "Compare every module and network with its twin.",
        "train": "Train with torch or with Paddle, from a folder of pictures.",
        "translate": "Translate pictures with a trained generator.",
        "evaluate": "KID and FID: how far translations are from real pictures.",
        "faults": "The known bugs that `steps --fault NAME` can inject.",
        "campaign": "Are the known bugs found whatever the seed and the sizes?",
    },
    "Reading": {
        "differences": "What Paddle and PyTorch do differently, with reproductions.",
    },
}


class Sections(ugatit.WithTrainer):
    """Commands by what brings people here, in the order of use."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        known = set(self.list_commands(context))
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, said) for name, said in commands.items() if name in known])


@click.group(cls=Sections, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="parity %(version)s")
def cli() -> None:
    """Are a PyTorch program and its Paddle twin the same computation? If not: where first, how far, why?

    Exit codes: 0 same, 1 diverged, 2 bad input or usage.

    \b
    Three ways to begin:
      parity init my_port/                  a port of your own: an example to put your two classes into,
                                            then parity compare my_port/my_pair.py
      parity convert --pair my_port/my_pair.py model.pt converted/
                                            a checkpoint of that port, for Paddle; without --pair, one of U-GAT-IT
      parity doctor train.py                a loss that does not go down, without any original
    """


for command in (compare.compare, compare.init, fix.fix, names.names, steps.steps, data.data, data.metric, recordings.record,
                recordings.recorder, recordings.diff, doctor.doctor, convert.convert, differences.differences, *ugatit.COMMANDS):
    cli.add_command(command)
