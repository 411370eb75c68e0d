"""The command `parity`. Exit codes: 0 same / no finding, 1 diverged / finding, 2 bad input or usage (nothing compared too)."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import click

from parity import __version__
from parity.cli import compare, convert, differences, doctor, names, recordings, steps, ugatit
from parity.cli.exits import BAD_INPUT, INTERRUPTED, TERMINATED, Terminated
from parity.cli.supervised import supervised

# Frameworks are imported inside the commands: --help and usage errors must not wait for them.


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
    except Terminated:
        click.echo("terminated", err=True)
        return TERMINATED
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except SystemExit as leaving:  # of a user's code: nothing of ours exits
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


@click.group(cls=ugatit.WithTrainer, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="parity %(version)s")
def cli() -> None:
    """Are a PyTorch program and its Paddle twin the same computation? If not: where first, how far, why?

    Exit codes: 0 same, 1 diverged, 2 bad input or usage.

    \b
    Examples:
      parity demo
      parity check
      parity convert model.pt converted/
      parity steps --steps 10 --html steps.html
      parity explain --html port2020.html
    """


for command in (compare.compare, compare.init, names.names, steps.steps, recordings.record, recordings.diff, doctor.doctor,
                convert.convert, differences.differences, *ugatit.COMMANDS):
    cli.add_command(command)
