"""`parity evaluate`: how good translations are, in numbers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from parity.cli import output
from parity.cli.options import SEED, Reports, given


@click.command()
@click.option("--framework", type=click.Choice(["torch", "paddle"]), required=True)
@click.option("--real", metavar="DIR", required=True,
              help="Folder of pictures as they should be; with --checkpoint of a data set, with testA and testB, or trainA and B.")
@click.option("--fake", metavar="DIR", help="Folder of pictures that were made.")
@click.option("--checkpoint", metavar="PATH", help="Make them: translate the other domain's pictures with the generator in it (an "
              "official .pt, a folder of Paddle files, or the folder of a run).")
@click.option("--direction", type=click.Choice(["A2B", "B2A"]), default="A2B", show_default=True, help="With --checkpoint.")
@click.option("--split", type=click.Choice(["test", "train"]), help="With --checkpoint.  [default: test, where it is there]")
@click.option("--img-size", type=click.IntRange(min=8), metavar="PIXELS",
              help="With --checkpoint, of a light generator's pictures.  [default: the checkpoint's, else 256]")
@click.option("--inception", metavar="FILE", help="Weights of Inception v3: pt_inception-2015-12-05-6726825d.pth of pytorch-fid. "
              "Without it the features are of a small network, and the numbers NOT comparable with published ones.")
@click.option("--subsets", type=click.IntRange(min=1), metavar="N", default=100, show_default=True, help="KID: so many are drawn.")
@click.option("--subset-size", type=click.IntRange(min=2), metavar="N", default=1000, show_default=True,
              help="KID: pictures of each set in a subset.")
@click.option("--seed", type=SEED, metavar="N", default=2020, show_default=True, help="KID: of the draws (torch-fidelity's).")
@click.option("--device", type=click.Choice(["cpu", "gpu"]), default="cpu", show_default=True)
@click.option("--json", "json_path", metavar="FILE", help="Write the numbers as JSON; - for standard output.")
@click.pass_context
def evaluate(context: click.Context, framework: str, real: str, fake: str | None, checkpoint: str | None, direction: str,
             split: str | None, img_size: int | None, inception: str | None, subsets: int, subset_size: int, seed: int, device: str,
             json_path: str | None) -> None:
    """How far are translations from real pictures? KID (x 100, mean and standard deviation over subsets) and FID.

    Everything from decoding a picture to the last digit is the framework's own, and both come to the same numbers. Exit codes: 0
    done, 2 bad input.

    \b
    Examples:
      parity evaluate --framework torch --real selfie2anime/testB --fake anime --subset-size 50
      parity evaluate --framework paddle --real selfie2anime --checkpoint runs/paddle --subset-size 50 \\
        --inception pt_inception-2015-12-05-6726825d.pth
    """
    if (fake is None) == (checkpoint is None):
        raise click.UsageError("expected --fake or --checkpoint: a folder of pictures, or what makes them; found "
                               + ("neither" if fake is None else "both"))
    for name in ("direction", "split", "img_size"):
        if fake is not None and given(context, name):
            raise click.UsageError(f"--{name.replace('_', '-')}: for --checkpoint; leave it out with --fake")
    output.check_outputs(Reports(json_path, None))
    from parity.ugatit.evaluation import evaluate as evaluating
    with output.progress() as bar, tempfile.TemporaryDirectory(prefix="parity-") as made:

        def told(what: str, files: Sequence[Path]) -> Iterator[Path]:
            task = bar.add_task(what, total=len(files))
            for file in files:
                yield file
                bar.advance(task)

        if checkpoint is not None:
            source, target = evaluating.domains(real, direction, split)
            fakes = evaluating.translated(framework, checkpoint, source, Path(made), direction, img_size, device, told)
            sets = evaluating.Sets(evaluating.pictures(target), fakes, str(target), f"{source}, translated by {checkpoint}")
        else:
            sets = evaluating.Sets(evaluating.pictures(real), evaluating.pictures(fake), real, fake)
        distances = evaluating.evaluate(framework, sets, inception=inception, subsets=subsets, subset_size=subset_size, seed=seed,
                                        device=device, told=told)
    output.publish_json(Reports(json_path, None), distances.to_json)
    shown = output.console(err=json_path == "-")
    for line in distances.lines():
        shown.print(line, soft_wrap=True, markup=False)
