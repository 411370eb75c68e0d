"""What the exam writes down: a torch program, its Paddle port, and mistakes to be made in that port.

A program's text is the body of a class, flattened: statements at the margin are its constructor, `def` its methods; imports and
`class` stand beside it. A port that is not spelled out is the torch text in Paddle's words (`in_paddle`). A mistake is
`old => new`: it is made in the port, once, and its line is the one to be named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PRELUDE = {
    "torch": "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n",
    "paddle": "import paddle\nimport paddle.nn.functional as F\nfrom paddle import nn\n",
}
IN_PADDLE = {r"torch": "paddle", r"nn\.Module": "nn.Layer", r"(nn\.[A-Z]\w+[123])d\(": r"\1D(", r"dim=": "axis="}


def in_paddle(text: str) -> str:
    """A torch text with the names that Paddle spells otherwise, and nothing else, replaced."""
    for old, new in IN_PADDLE.items():
        text = re.sub(rf"\b{old}", new, text)
    return text


@dataclass(frozen=True)
class Program:
    """A torch program, its right port and its wrong ones.

    inputs: arguments of `Port(inputs=[...])`, of a training those of `Training(..., batch=[...])`, as a user writes them.
    options: more arguments of `Port` or `Training`, as text. known: a difference of the frameworks that the port cannot help
    (docs/differences.md), with the tolerance that it asks for when the label is checked by hand.
    """

    name: str
    inputs: str
    torch: str
    paddle: str = ""
    mistakes: Sequence[str] = ()
    options: str = ""
    training: bool = False
    known: Mapping[str, float] = field(default_factory=dict)
    area: str = ""

    @property
    def port(self) -> str:
        return self.paddle or in_paddle(self.torch)

    def pairs(self) -> Iterator[Pair]:
        """The healthy pair, and one for each mistake. Raises ValueError where a mistake does not stand in the port once."""
        yield Pair(self, self.port)
        for mistake in self.mistakes:
            old, new = mistake.split(" => ")
            if self.port.count(old) != 1:
                raise ValueError(f"{self.name}: expected {old!r} once in the port, found it {self.port.count(old)} times")
            yield Pair(self, self.port.replace(old, new), mistake)


@dataclass(frozen=True)
class Pair:
    """A program and one port of it. mistake: what is wrong with the port, empty where nothing is."""

    program: Program
    port: str
    mistake: str = ""

    @property
    def name(self) -> str:
        return self.program.name + (f": {self.mistake}" if self.mistake else "")

    @property
    def answer(self) -> str:
        return "differs" if self.mistake else "same"

    @property
    def stem(self) -> str:
        """What its files are called; like no other's, as Python keeps modules by name."""
        number = ["", *self.program.mistakes].index(self.mistake)
        return f"{re.sub(r'[^a-z0-9]+', '_', f'{self.program.area} {self.program.name}'.lower())}_{number}"

    def write(self, folder: Path) -> Path:
        """Three files as a user has them: STEM_torch.py, STEM_paddle.py and STEM.py, which declares the pair."""
        sides = []
        for framework, text in (("torch", self.program.torch), ("paddle", self.port)):
            (folder / f"{self.stem}_{framework}.py").write_text(source(text, framework, self.program.training), encoding="utf-8")
            sides.append(f"{self.stem}_{framework}.{'Trainer' if self.program.training else 'Net'}")
        fed = f"{'batch' if self.program.training else 'inputs'}=[{self.program.inputs}]"
        if self.program.inputs.startswith("{"):
            fed = f"inputs={self.program.inputs}"
        declared = ", ".join(filter(None, (*sides, fed, self.program.options)))
        kind, room = ("Training", "training") if self.program.training else ("Port", "port")
        lines = [f"import {self.stem}_paddle", f"import {self.stem}_torch", "import numpy as np", "",
                 "from parity.inputs import integers, normal, truths, uniform", f"from parity.{room} import {kind}", "",
                 f"pair = {kind}({declared})"]
        pair = folder / f"{self.stem}.py"
        pair.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return pair

    def places(self) -> set[int]:
        """The lines of the twin's file that name the mistake: those that differ, and those that use what is built there."""
        if not self.mistake:
            return set()
        right = source(self.program.port, "paddle", self.program.training).splitlines()
        wrong = source(self.port, "paddle", self.program.training).splitlines()
        edited = {n for n, line in enumerate(wrong, 1) if line not in right}
        if not edited:  # a line moved or fell away: where the two part
            edited = {next((n for n, (a, b) in enumerate(zip(right, wrong, strict=False), 1) if a != b), len(wrong))}
        built = {name for n in edited for name in re.findall(r"^\s*(self\.\w+)\s*=", wrong[n - 1])}
        return edited | {n for n, line in enumerate(wrong, 1) if any(re.search(rf"{re.escape(name)}\b", line) for name in built)}


def source(text: str, framework: str, training: bool) -> str:
    """The file that a flattened text stands for."""
    blocks: list[list[str]] = []
    for line in text.strip("\n").splitlines():
        continues = line.startswith((" ", ")", "]", "}")) or not line
        if continues or (blocks and blocks[-1][-1].startswith("@")):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    beside, built, methods = [], [], []
    for block in blocks:
        head = next(line for line in block if not line.startswith("@"))
        if head.startswith("class "):
            beside += ["", "", *block]
        elif head.startswith(("import ", "from ")):
            beside += block
        elif head.startswith("def "):
            methods += ["", *(f"    {line}" if line else "" for line in block)]
        else:
            built += [f"        {line}" if line else "" for line in block]
    base = {"torch": "nn.Module", "paddle": "nn.Layer"}[framework]
    header = ["class Trainer:", "    def __init__(self):"]
    if not training:
        header = [f"class Net({base}):", "    def __init__(self):", "        super().__init__()"]
    return "\n".join([PRELUDE[framework].rstrip(), *beside, "", "", *header, *built, *methods]) + "\n"
