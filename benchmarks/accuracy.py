"""The picture's own accuracy at a realistic size: float32 of both sides against float64.

    python -m benchmarks.accuracy                # ngf 64, 256 px, light, rho .5

A naive twin (paddle.var over three axes) is 8.6e-4 off here; torch 2.6e-6.
"""

from __future__ import annotations

import click
import numpy as np
import paddle
import torch

import paddle_impl
import torch_ref
from parity.ugatit import subjects as ugatit
from weights_convert import plan


@click.command(help=__doc__)
@click.option("--ngf", default=64, show_default=True)
@click.option("--img-size", default=256, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(ngf: int, img_size: int, seed: int) -> None:
    sizes = ugatit.Sizes(ngf=ngf, img_size=img_size, light=True)
    reference, twin = sizes.generator(torch_ref).eval(), sizes.generator(paddle_impl)
    twin.eval()
    state = ugatit.seeded_state(reference, "genA2B", seed)
    state = {name: np.full_like(value, 0.5) if name.endswith("rho") else value for name, value in state.items()}
    reference.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    twin.set_state_dict(plan(reference, twin).to_paddle(state))
    image = ugatit.picture("A", seed, img_size)
    with torch.no_grad(), paddle.no_grad():
        ours = twin(paddle.to_tensor(image))[0].numpy()
        theirs = reference(torch.from_numpy(image))[0].numpy()
        truth = reference.double()(torch.from_numpy(image).double())[0].numpy()
    errors = {name: float(np.abs(out - truth).max() / np.abs(truth).max()) for name, out in
              (("torch", theirs), ("Paddle", ours))}
    for name, error in errors.items():
        click.echo(f"{name:7} float32 picture, largest error / largest value: {error:.2e}")
    click.echo(f"ratio   {errors['Paddle'] / errors['torch']:.2f}")


if __name__ == "__main__":
    main()
