"""`python -m parity.differences`: prints docs/differences.md."""

import click
import paddle

from parity.differences import ALL
from parity.differences.page import page

paddle.set_device("cpu")
click.echo(page(ALL), nl=False)
