"""What people saw: a hundred steps, the generators' CAM losses, what the generators make of pictures then, and why."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

import paddle_impl.training
import torch_ref.training
from parity.ugatit import drawing, pictures
from parity.ugatit.explain import course
from parity.ugatit.explain import start as starting
from parity.ugatit.explain.start import Start
from parity.ugatit.sheet import heat

LAST = 20  # steps at the end whose mean is the figure


def run(start: Start, names: Sequence[str], *, side: str, steps: int) -> dict:
    """Losses of a float32 training, as users trained, of the "reference" or of the "twin" with these faults.

    Beside what `course.run` returns: "panels", [translation, heat map] for each of `inputs`, as PNG in base64.
    """
    def watch(program: Any) -> dict:
        return {"panels": [_panels(program, array, side) for array in inputs(start)]}

    if side == "reference":
        return course.reference(start, steps=steps, lane="float32", watch=watch)
    return course.run(start, names, steps=steps, lane="float32", watch=watch)


def settled(cam: Sequence[float]) -> float:
    """The CAM loss at which a training arrives: the mean of its last steps."""
    return float(np.mean(cam[-LAST:]))


def inputs(start: Start) -> list[np.ndarray]:
    """What is translated at the end: a picture that was trained on, and a drawn face. float32 (3, size, size)."""
    return [starting.pictures(start, "A")[0], pictures.to_array(drawing.draw("A", 1), start.size)]


def features(start: Start) -> dict[str, dict[str, float]]:
    """How much the features that feed the CAM classifier vary from picture to picture at the start: generator -> {"average",
    "maximum"}: the standard deviation over all eight pictures, mean over the channels."""
    program = torch_ref.Training(**course.arguments(start))
    program.load_state({"networks": starting.weights(start)})
    shown = torch.from_numpy(np.concatenate([starting.pictures(start, domain) for domain in "AB"]))
    with torch.no_grad():
        encoded = {name: program.networks[name].DownBlock(shown) for name in ("genA2B", "genB2A")}
    return {name: {"average": float(maps.mean((2, 3)).std(0).mean()), "maximum": float(maps.amax((2, 3)).std(0).mean())}
            for name, maps in encoded.items()}


def png(image: Image.Image) -> str:
    """A picture for JSON and pages."""
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def _panels(program: Any, array: np.ndarray, side: str) -> list[str]:
    framework = course.REFERENCE if side == "reference" else course.TWIN
    translate = (torch_ref if side == "reference" else paddle_impl).training.translate
    picture, heatmap = (framework.array(tensor, copy=True)[0]
                        for tensor in translate(program.networks["genA2B"], framework.tensor(array[None])))
    return [png(pictures.to_image(picture)), png(heat(heatmap))]
