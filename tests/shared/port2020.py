"""Runs of the twin that are held against the measurements on the real 2020 port (fixtures/port2020.npz).

Each run gives {name: values}, float64, torch's layouts, cut down as the fixture is (`make_port2020.extract`).
"""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import lru_cache
from itertools import product
from pathlib import Path
from unittest import mock

import numpy as np
import paddle

import paddle_impl
import paddle_impl.training
import torch_ref
from parity.fixes.edit import Edit, applied
from parity.numbers.noise import generator, one_ulp
from parity.ugatit import faults
from weights_convert import pair_up

FIXTURES = Path(__file__).parents[1] / "fixtures"
sys.path.append(str(FIXTURES))
from make_port2020 import checksum, extract, seeded_generator  # noqa: E402

_FUNCTIONAL = "paddle_impl.functional:"
STOCK_KERNELS = (
    Edit(_FUNCTIONAL + "mean", "x = x.mean(one, keepdim=keepdim)", "return x.mean(axis, keepdim=keepdim)"),
    Edit(_FUNCTIONAL + "var", "mean(paddle.square(x - x_mean.detach()), axis)",
         "paddle.square(x - x_mean).mean(axis, keepdim=True)"),
    Edit(_FUNCTIONAL + "instance_norm", "deviation = x - rows(mean(x, [2, 3]), x)",
         "return paddle.nn.functional.instance_norm(x, eps=eps)"),
    Edit(_FUNCTIONAL + "rows", "statistic.expand([-1, -1, x.shape[2], -1])", "statistic"),
    Edit(_FUNCTIONAL + "channel_sum", "x.reshape([n, c // math.gcd(c, 32), -1, h, w]).sum(2).sum(1, keepdim=True)",
         "x.sum(1, keepdim=True)"),
    Edit(_FUNCTIONAL + "normalize", "x / paddle.clip(paddle.sqrt(paddle.square(x).sum()), min=eps)",
         "paddle.nn.functional.normalize(x, axis=0, epsilon=eps)"),
)
"""Paddle's own kernels where the twin composes more accurate ones: the port called them, so they belong to its float32 noise."""

TERMS = [f"{kind}_{network}" for network, cam in product(("GA", "LA", "GB", "LB"), ("", "_cam"))
         for kind in (f"D_real{cam}", f"D_fake{cam}")]
TERMS += [f"G{cam}_{network}" for network, cam in product(("GA", "LA", "GB", "LB"), ("", "_cam"))]
TERMS += ["G_recon_A", "G_recon_B", "G_identity_A", "G_identity_B"]
TERMS += ["G_cam_A_fake", "G_cam_A_identity", "G_cam_B_fake", "G_cam_B_identity"]
"""The raw losses, in the order in which a step computes them."""


@lru_cache(maxsize=1)
def measured() -> Mapping[str, np.ndarray]:
    with np.load(FIXTURES / "port2020.npz") as file:
        return dict(file)


@lru_cache(maxsize=1)
def start() -> Mapping[str, np.ndarray]:
    """Weights and pictures of the ten steps."""
    with np.load(FIXTURES / "official_steps.npz") as file:
        return dict(file)


def part(prefix):
    """What the fixture holds under a prefix."""
    return {key.removeprefix(prefix): value for key, value in measured().items() if key.startswith(prefix)}


def pixels(array):
    return ((array.astype("float32") / 255 - 0.5) / 0.5)


class Noise:
    """A run's precision and rounding. draw: every number that goes in moved by one ulp of float32. stock: see STOCK_KERNELS."""

    def __init__(self, dtype, draw=None, stock=False):
        self.dtype, self.draw, self.stock = dtype, draw, stock

    def __call__(self, name, array):
        moved = array if self.draw is None else one_ulp(array, generator("port2020", self.draw, name))
        return moved.astype(self.dtype)

    def twin(self, names):
        """The twin with these faults, for the duration of a block."""
        stack = ExitStack()
        stack.enter_context(faults.inject(*names))
        stack.enter_context(applied(STOCK_KERNELS if self.stock else ()))
        return stack


def load(network, reference, weights, vectors, noise):
    """torch weights, and the port's start vectors u where they fit (that is with sn_dim, and not for a Linear's single row,
    whose u is a sign). Returns the plan of what fits."""
    paired, _ = pair_up(reference, network)
    state = {key: value.numpy() for key, value in network.state_dict().items()}
    state |= {entry.target: np.ascontiguousarray(entry.to_paddle(noise(source, weights[source])))
              for source, entry in paired.entries.items()}
    starts = {f"{key}.weight_u": noise(f"u {key}", value) for key, value in vectors.items()}
    network.set_state_dict(state | {key: value for key, value in starts.items() if value.shape == state[key].shape})
    return paired


def loss_of(outputs, noise, prefix):
    """mean(out * w_out) + mean(cam * w_cam) + mean(heat * w_heat)"""
    weights = [paddle.to_tensor(noise(f"{prefix}{name}", measured()[f"{prefix}loss_w/{name}"]))
               for name in ("out", "cam_logit", "heatmap")]
    return sum((output * weight).mean() for output, weight in zip(outputs, weights, strict=True))


def stages_of(network):
    """A dict that fills with the output of each layer, first sample only, at each forward."""
    seen = {}
    for name, layer in network.named_sublayers():
        layer.register_forward_post_hook(
            lambda layer, inputs, output, name=name: seen.__setitem__(f"stage/{name}", output[:1])
            if isinstance(output, paddle.Tensor) else None)
    return seen


def collected(values):
    """The run's values as the fixture has them."""
    result = {}
    for name, value in values.items():
        if value is not None:
            result |= extract(name, value.numpy() if isinstance(value, paddle.Tensor) else value)
    return result


def outputs_of(values, prefix, outputs, loss):
    values |= {f"{prefix}out/{name}": output for name, output in zip(("out", "cam_logit", "heatmap"), outputs, strict=True)}
    values[f"{prefix}out/loss"] = loss


def gradients_of(values, prefix, network, paired):
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    values |= {f"{prefix}grad/{name}": entry.to_torch(gradients[entry.target].numpy())
               for name, entry in paired.entries.items() if gradients.get(entry.target) is not None}


def generator_run(noise, names):
    """The light generator of 8 channels and 4 blocks, 64 pixels, batch 2."""
    weights, prefix = {key: value.numpy() for key, value in seeded_generator().state_dict().items()}, "G_light/"
    if checksum(weights[name] for name in measured()["G_light/seeded"]) != measured()["G_light/checksum"]:
        raise RuntimeError("this torch draws other initial weights from a seed than torch 2.13, with which the port was measured")
    weights |= part("G_light/w/")
    with noise.twin(names):
        network = paddle_impl.ResnetGenerator(3, 3, 8, 4, 64, light=True).to(dtype=noise.dtype)
        paired = load(network, seeded_generator(), weights, {}, noise)
        values = stages_of(network)
        image = paddle.to_tensor(noise("image", pixels(measured()["G_light/input_u8"])), stop_gradient=False)
        outputs = network(image)
        loss = loss_of(outputs, noise, prefix)
        loss.backward()
        outputs_of(values, "", outputs, loss)
        gradients_of(values, "", network, paired)
    values |= {"grad_input": image.grad, "stage/gap_logit": outputs[1][:1, :1], "stage/gmp_logit": outputs[1][:1, 1:]}
    return collected(values)


def discriminator_run(noise, names):
    """The local discriminator of 4 channels, 128 pixels, batch 2: five forwards in training (gradients of the first and the
    fifth), one in eval. Adds "uv_moved": how far each u and v has left its start."""
    prefix = "D5/"
    with noise.twin(names):
        network = paddle_impl.Discriminator(3, 4, 5).to(dtype=noise.dtype)
        paired = load(network, torch_ref.Discriminator(3, 4, 5), part("D5/w/"), part("D5/port_u/"), noise)
        before = {key: value.numpy() for key, value in network.state_dict().items() if key.endswith(("weight_u", "weight_v"))}
        seen, values = stages_of(network), {}
        image = paddle.to_tensor(noise("image", pixels(measured()["D5/input_u8"])))
        for number in (1, 2, 3, 4, 5, "eval"):
            if number == "eval":
                network.eval()
            prefix_of_call = {1: "", "eval": "eval/"}.get(number, f"fwd{number}/")
            outputs = network(image)
            loss = loss_of(outputs, noise, prefix)
            outputs_of(values, prefix_of_call, outputs, loss)
            if number in (1, 5):
                network.clear_gradients()
                loss.backward()
                gradients_of(values, prefix_of_call, network, paired)
            if number == 1:
                values |= {**seen, "stage/conv1x1_lrelu": seen["stage/leaky_relu"],
                           "stage/gap_logit": outputs[1][:1, :1], "stage/gmp_logit": outputs[1][:1, 1:]}
        after = network.state_dict()
        values["uv_moved"] = np.array([np.abs(after[key].numpy() - value).max() for key, value in before.items()])
    return collected(values)


def training_run(noise, names, steps):
    """So many steps of the six networks (4 channels, 4 blocks, full, 128 pixels): "loss/TERM", "loss/D_total", "loss/G_total"
    [steps], "rho_mean_genA2B" [steps + 1, 10], "delta1/NETWORK/NAME": the change in step 1."""
    sizes = {"ngf": 4, "n_blocks": 4, "img_size": 128, "light": False, "ndf": 4}
    reference, calls = torch_ref.Training(**sizes), []
    with noise.twin(names) as stack:
        program = paddle_impl.Training(**sizes, dtype=noise.dtype)
        paired = {}
        for name, network in program.networks.items():
            weights = {key.removeprefix(f"w/{name}/"): value for key, value in start().items() if key.startswith(f"w/{name}/")}
            paired[name] = load(network, reference.networks[name], weights, part(f"steps/port_u/{name}/"), noise)
        for function in ("adversarial_loss", "cycle_loss", "identity_loss", "cam_loss"):
            original = getattr(paddle_impl.training, function)
            stack.enter_context(mock.patch.object(paddle_impl.training, function, lambda *given, original=original:
                                                  (calls.append(original(*given)), calls[-1])[1]))
        values = {f"loss/{term}": [] for term in (*TERMS, "D_total", "G_total")}
        rho = [rho_means(program.genA2B)]
        before = {name: {key: value.numpy() for key, value in program.networks[name].state_dict().items()}
                  for name in ("genA2B", "disLA")}
        for step in range(steps):
            images = [paddle.to_tensor(pixels(start()[f"input_{domain}_u8"][step % 4:step % 4 + 1]).astype(noise.dtype))
                      for domain in "AB"]
            calls.clear()
            losses = program.step(*images, step + 1)
            for term, loss in zip(TERMS, calls, strict=True):
                values[f"loss/{term}"].append(float(loss))
            for side in "DG":
                values[f"loss/{side}_total"].append(float(losses[f"{side}_loss"]))
            rho.append(rho_means(program.genA2B))
            if step == 0:
                deltas = {f"delta1/{name}/{entry.source}":
                          entry.to_torch(program.networks[name].state_dict()[entry.target].numpy() - before[name][entry.target])
                          for name in before for entry in paired[name].entries.values()}
    return {name: np.asarray(value) for name, value in values.items()} | {"rho_mean_genA2B": np.asarray(rho)} | collected(deltas)


def rho_means(network):
    parameters = dict(network.named_parameters())
    return [float(parameters[str(name)].mean()) for name in measured()["steps/rho_names"]]
