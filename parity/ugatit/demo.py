"""`parity demo`: a checkpoint converted, both programs run on pictures, and what there is to see of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import paddle
import torch
from rich.console import Console
from rich.text import Text

import paddle_impl
import torch_ref
from parity.compare.results import Case
from parity.conversion import convert as conversion
from parity.conversion.show import show
from parity.files import make_folder, write
from parity.messages import say
from parity.report.document import to_json
from parity.report.page import to_html
from parity.report.summary import Summary
from parity.ugatit import cases, drawing, pictures, sheet
from parity.ugatit import subjects as ugatit
from parity.ugatit.networks import OFFICIAL
from weights_convert import Staging, write_torch

SIZE = 128
SHOWN = 2  # pictures of each domain


@dataclass(frozen=True)
class Demo:
    """Everything that is ready once the pictures are translated."""

    out: Path
    checkpoint: cases.Checkpoint
    images: Path
    size: int
    seed: int
    translations: list[sheet.Translation]

    def cases(self) -> list[Case]:
        """The modules alone and the checkpoint's six networks on the pictures, in train mode."""
        return cases.cases(seed=self.seed, checkpoint=self.checkpoint, images=self.images, size=self.size, modes=("train",))

    def write(self, console: Console, summary: Summary) -> None:
        """pictures.png, report.html and report.json."""
        picture = sheet.draw(self.translations)
        page = to_html(summary, title=say("Parity demo"), picture=picture, caption=sheet.caption(self.translations))
        for name, content in (("pictures.png", picture), ("report.json", to_json(summary)), ("report.html", page)):
            write(self.out / name, content)
        console.print(Text(f"\nLook at {self.out / 'pictures.png'} and {self.out / 'report.html'}", style="bold"), soft_wrap=True)


def prepare(console: Console, out: str | Path, *, checkpoint: str | Path | None, images: str | Path | None,
            size: int | None, seed: int) -> Demo:
    """Make what was not given, convert, and translate. Raises InputError, ConversionError."""
    weights = cases.Checkpoint.read(checkpoint) if checkpoint is not None else None
    size = size or (weights.img_size if weights else None) or SIZE
    shown = _read(images, size) if images is not None else None
    out = _folder(Path(out))
    if weights is None:
        checkpoint = out / "seeded.pt"
        _write_seeded(checkpoint, seed)
        weights = cases.Checkpoint.read(checkpoint)
        _say(console, f"1. Checkpoint: {checkpoint}, the official layout with seeded weights (untrained: it draws textures)")
    else:
        _say(console, f"1. Checkpoint: {checkpoint}")
    if shown is None:
        images = _draw(out / "images", seed)
        shown = _read(images, size)
        _say(console, f"2. Pictures: drawn into {images}")
    else:
        _say(console, f"2. Pictures: {images}")

    _say(console, "3. PyTorch to Paddle")
    receipt, path = conversion.to_paddle(checkpoint, out / "paddle", known=OFFICIAL)
    show(console, receipt, path)

    translations = []
    for network, domain in (("genA2B", "A"), ("genB2A", "B")):
        translations += _translate(network, weights, checkpoint, out / "paddle" / f"{network}.pdparams", shown[domain])
    largest = max(translation.difference for translation in translations)
    _say(console, f"4. Both translate {len(translations)} pictures of {size} x {size}, in float32: largest difference of a "
                  f"pixel {largest:.2g}, on a scale from -1 to 1")
    _say(console, "5. Layer by layer, line by line\n")
    return Demo(out, weights, Path(images), size, seed, translations)


def _say(console: Console, text: str) -> None:
    console.print(Text(text, style="bold"), soft_wrap=True)


def _folder(path: Path) -> Path:
    return make_folder(path, "to write into", "choose another --out")


def _write_seeded(path: Path, seed: int) -> None:
    sizes = ugatit.Sizes(img_size=SIZE)
    states = {name: ugatit.seeded_state(sizes.network(torch_ref, name), name, seed) for name in ugatit.NETWORKS}
    with Staging(path.parent) as stage:
        write_torch(stage.path(path.name), states)


def _read(images: str | Path, size: int) -> dict[str, list[tuple[Path, np.ndarray]]]:
    return {domain: [(path, pictures.read(path, size)) for path in paths[:SHOWN]]
            for domain, paths in pictures.find(images).items()}


def _draw(folder: Path, seed: int) -> Path:
    for domain in pictures.DOMAINS:
        split = _folder(folder / f"test{domain}")
        for number in range(SHOWN):
            drawing.draw(domain, number, seed).save(split / f"drawn_{domain}{number + 1}.png")
    return folder


def _translate(network: str, weights: cases.Checkpoint, checkpoint: str | Path, converted: Path,
               shown: list[tuple[Path, np.ndarray]]) -> list[sheet.Translation]:
    """Both generators from their own files, the way a user loads them."""
    reference = weights.network(torch_ref, network).eval()
    reference.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)[network])
    twin = weights.network(paddle_impl, network)
    twin.set_state_dict(paddle.load(str(converted)))
    twin.eval()
    batch = np.stack([picture for _, picture in shown])
    with torch.no_grad():
        theirs = [value.numpy() for value in reference(torch.from_numpy(batch))]
    with paddle.no_grad():
        ours = [value.numpy() for value in twin(paddle.to_tensor(batch))]
    return [sheet.Translation(path.name, network, picture, theirs[0][n], ours[0][n], theirs[2][n], ours[2][n])
            for n, (path, picture) in enumerate(shown)]
