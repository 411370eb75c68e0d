"""The interface between the trainer and a twin, and the one place that knows which twins there are.

A twin is a package with

- ``Training(ngf, ..., dtype, device)``: the six ``networks``, ``step(real_A, real_B, step)``, ``state()`` and
  ``load_state(state)``;
- ``training.translate(network, image)`` and ``training.load_network(network, entries)``;
- ``data.batch_to_tensor(batch, dtype, device)`` and ``data.tensor_to_array(tensor)``;
- ``ResnetGenerator`` and ``Discriminator``.

Everything between the two sides is numpy. A *neutral* state is one in torch's layouts.
"""

from importlib import import_module

import numpy as np

TWINS = {"torch": "torch_ref", "paddle": "paddle_impl"}
KINDS = ("exp_avg", "exp_avg_sq")


def load_twin(framework):
    """The package that trains with "torch" or "paddle"."""
    package = import_module(TWINS[framework])
    import_module(f"{TWINS[framework]}.data")
    return package


class Layouts:
    """How the networks of one framework are laid out, against torch's: for torch itself there is nothing to do.

    networks: name -> network of that framework; sizes: name -> GeneratorSizes or DiscriminatorSizes.
    """

    def __init__(self, framework, networks, sizes):
        self.plans = {}
        if framework != "torch":
            import torch

            import torch_ref
            import weights_convert
            for name, network in networks.items():
                build = torch_ref.ResnetGenerator if name.startswith("gen") else torch_ref.Discriminator
                with torch.device("meta"):
                    reference = build(**sizes[name].arguments())
                self.plans[name] = weights_convert.plan(reference, network)

    def from_neutral(self, state):
        """A neutral state in this framework's layouts."""
        return self._carried(state, "to_paddle")

    def to_neutral(self, state):
        """The inverse of ``from_neutral``."""
        return self._carried(state, "to_torch")

    def network_from_neutral(self, name, entries):
        """As ``from_neutral``, for one network's key -> array."""
        return self.plans[name].to_paddle(entries) if self.plans else dict(entries)

    def _carried(self, state, way):
        if not self.plans:
            return state
        carried = {**state, "networks": {}, "moments": {}}
        for name, plan in self.plans.items():
            carried["networks"][name] = getattr(plan, way)(state["networks"][name])
            carried["moments"][name] = {}
            for key, held in state.get("moments", {}).get(name, {}).items():
                move = getattr(plan.entries[key], way)
                arrays = {kind: np.ascontiguousarray(move(held[kind])) for kind in KINDS}
                carried["moments"][name][key] = {"updates": held["updates"], **arrays}
        return carried
