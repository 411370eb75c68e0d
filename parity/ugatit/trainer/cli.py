"""The commands ``train`` and ``translate``, for a click group to add. Bad input: one line on stderr, exit code 2."""

from contextlib import contextmanager
from dataclasses import fields

import click

# The frameworks are imported inside the commands: --help and usage errors must not wait for them.

_FRAMEWORK = click.option("--framework", type=click.Choice(["torch", "paddle"]), required=True)
_DECODER_NORMS = click.Choice(["adalin", "adain", "in", "ln", "gn"])
_DEVICE = click.option("--device", type=click.Choice(["cpu", "gpu"]), default="cpu", show_default=True)


class BadInput(click.ClickException):
    exit_code = 2


@click.command()
@_FRAMEWORK
@click.option("--data", metavar="DIR", required=True, help="Folder with trainA and trainB (and testA, testB).")
@click.option("--out", metavar="DIR", required=True,
              help="Folder of the run: model, state, img, losses.csv, tensorboard.")
@click.option("--steps", type=click.IntRange(min=1), default=1_000_000, show_default=True,
              help="Train until so many steps are done.")
@click.option("--iteration", type=click.IntRange(min=2), default=1_000_000, show_default=True,
              help="Over the second half of so many steps the learning rate falls to 0.")
@click.option("--ch", type=click.IntRange(min=1), default=64, show_default=True,
              help="Sets --ngf and --ndf, as in the official code.")
@click.option("--ngf", type=click.IntRange(min=1), help="Width of the generators.  [default: --ch]")
@click.option("--ndf", type=click.IntRange(min=1), help="Width of the discriminators.  [default: --ch]")
@click.option("--n-blocks", type=click.IntRange(min=1), default=4, show_default=True,
              help="Residual blocks (official: n_res).")
@click.option("--light/--full", default=False, help="The light generator, or the full one.  [default: full]")
@click.option("--decoder-norm", type=_DECODER_NORMS, metavar="NORM", default="adalin", show_default=True,
              help="Of the decoder: adalin, or of the paper's ablation: adain, in, ln, gn.")
@click.option("--cam/--no-cam", default=True, help="Attention in all networks, and its losses.  [default: cam]")
@click.option("--img-size", type=click.IntRange(min=96), default=256, show_default=True, help="A multiple of 32.")
@click.option("--batch-size", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--lr", type=click.FloatRange(min=0, min_open=True), default=1e-4, show_default=True)
@click.option("--weight-decay", type=click.FloatRange(min=0), default=1e-4, show_default=True)
@click.option("--adv-weight", type=float, default=1.0, show_default=True)
@click.option("--cycle-weight", type=float, default=10.0, show_default=True)
@click.option("--identity-weight", type=float, default=10.0, show_default=True)
@click.option("--cam-weight", type=float, default=1000.0, show_default=True)
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32", show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True,
              help="Of the first weights, the order and the augmentation of the pictures; the same in both frameworks.")
@_DEVICE
@click.option("--resume", metavar="PATH", help="Continue: the folder of a run, of either framework (exactly: sizes, "
              "optimizers, lr, data order), or a checkpoint's weights.")
@click.option("--weights-only", is_flag=True, help="Resume as the official code does: weights, with Adam at zero.")
@click.option("--print-freq", type=click.IntRange(min=1), default=1000, show_default=True,
              help="Steps between sample grids.")
@click.option("--save-freq", type=click.IntRange(min=1), default=10_000, show_default=True,
              help="Steps between checkpoints.")
@click.pass_context
def train(context, framework, data, out, steps, ch, device, resume, weights_only, print_freq, save_freq, **chosen):
    """Train U-GAT-IT with torch or with Paddle, from a folder of pictures.

    \b
    Examples:
      parity train --framework torch --data selfie2anime --out runs/torch
      parity train --framework paddle --data selfie2anime --out runs/light --light --ch 32 --steps 100000
      parity train --framework paddle --data selfie2anime --out runs/paddle --resume runs/torch --steps 200000
    """
    from pathlib import Path
    with _bad_input():
        from parity.ugatit.trainer import Options, Trainer, resume_exactly, resume_weights
        given = {name for name in [*chosen, "ch"]
                 if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT}
        for name in ("ngf", "ndf"):
            chosen[name] = chosen[name] or ch
            given |= {name} if "ch" in given else set()
        options = Options(**chosen)
        snapshot = None
        if weights_only and not resume:
            raise click.UsageError("--weights-only: expected --resume as well")
        is_run = resume and (Path(resume, "state").is_dir() or Path(resume).suffix == ".json")
        if is_run and not weights_only:
            snapshot = resume_exactly(resume)
            for field in fields(Options):
                kept, asked = getattr(snapshot.options, field.name), getattr(options, field.name)
                if field.name in given and kept != asked:
                    raise click.UsageError(f"--{field.name.replace('_', '-')}: the run was made with {kept}, not "
                                           f"{asked}; leave it out, or resume with --weights-only")
            options = snapshot.options
        elif resume:
            snapshot = resume_weights(resume, options)
        trainer = Trainer(framework, options, data, out, device=device, resume=snapshot)
        if trainer.step >= steps:
            raise click.UsageError(f"--steps: {trainer.step} steps are done already; expected more, found {steps}")
        losses = trainer.run(steps, print_freq=print_freq, save_freq=save_freq)
    click.echo(f"{out}: {trainer.step} steps, D_loss {losses['D_loss']:.6f}, G_loss {losses['G_loss']:.6f}")


@click.command()
@_FRAMEWORK
@click.option("--checkpoint", metavar="PATH", required=True,
              help="An official .pt, a folder of Paddle files, or the folder of a run.")
@click.option("--direction", type=click.Choice(["A2B", "B2A"]), default="A2B", show_default=True)
@click.option("--img-size", type=click.IntRange(min=8),
              help="Of a light generator's pictures.  [default: the checkpoint's, else 256]")
@click.option("--decoder-norm", type=_DECODER_NORMS, metavar="NORM",
              help="in, ln or gn: needed where the checkpoint is not the folder of a run, as their tensors are alike.  "
                   "[default: the checkpoint's]")
@click.option("--out", metavar="DIR", required=True, help="Folder for the translations, PNG files of the same names.")
@_DEVICE
@click.argument("images", nargs=-1, required=True)
def translate(framework, checkpoint, direction, img_size, decoder_norm, out, device, images):
    """Translate pictures (files or folders) with a trained generator.

    \b
    Examples:
      parity translate --framework torch --checkpoint selfie2anime_params_1000000.pt selfie.jpg --out anime
      parity translate --framework paddle --checkpoint runs/paddle selfie2anime/testA --out anime
    """
    with _bad_input():
        from tqdm import tqdm

        from parity.ugatit.trainer import Translator, image_files, translate_files
        pairs = image_files(images)
        translator = Translator(framework, checkpoint, direction, img_size, device, decoder_norm)
        count = translate_files(translator, pairs, out, lambda files: tqdm(files, unit="picture", disable=None))
    click.echo(f"{out}: {count} pictures")


@contextmanager
def _bad_input():
    from parity.ugatit.trainer.errors import TrainerError
    from weights_convert import ConversionError
    try:
        yield
    except (TrainerError, ConversionError) as error:
        raise BadInput(str(error)) from error
    except OSError as error:
        if error.filename is None:
            raise
        raise BadInput(f"{error.filename}: cannot be read or written ({error.strerror})") from error
