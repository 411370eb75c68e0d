"""`parity differences`: what is known of the frameworks."""

import click

from parity.cli import output


@click.command()
def differences() -> None:
    """Print the page of known differences between Paddle and torch, each reproduced on the installed Paddle.

    
    Example:
      parity differences > differences.md
    """
    from parity.differences import ALL, page
    output.echo(page.page(ALL) + "\n")
