"""`parity names`: which module and tensor of the twin is which of the reference, as a map to edit."""

from __future__ import annotations

import click

from parity.cli import output
from parity.cli.compare import mapped
from parity.cli.exits import DIVERGED
from parity.cli.options import Reports


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="PAIR | TORCH PADDLE")
@click.option("--map", "names", multiple=True, metavar="REFERENCE=TWIN",
              help="A module or tensor by its path on either side, as for compare. May be repeated.")
@click.option("--json", "json_path", metavar="FILE", help="Write the pairing as JSON; - for standard output.")
def names(targets: tuple[str, ...], names: tuple[str, ...], json_path: str | None) -> int:
    """Print which module of the twin is which of the reference: a map to correct and to put into the pair file.

    Nothing is run. What has no partner is listed with what might have been meant for it. Exit code 0 where every parameter has its
    partner, 1 where one has not.

    \b
    Examples:
      parity names my_pair.py
      parity names my_torch:Net my_paddle:Net
      parity names my_pair.py --map norm0=_batch_norm --json -
    """
    import json
    output.check_outputs(Reports(json_path, None))
    from parity.declare import port as porting
    said = {"names": mapped(names)} if names else {}
    found = porting.load(targets, fed=False, **said).listing()
    if json_path != "-":
        output.echo("\n".join(found.lines()) + "\n")
    output.publish_json(Reports(json_path, None), lambda: json.dumps(found.to_json(), indent=1) + "\n")
    return 0 if found.complete else DIVERGED
